"""The audit trail in its bucket: a chain that holds, and one that was tampered with in every way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from moto import mock_aws

from ops import audit
from ops.audit import AuditError, DayError
from payments.domain.audit import GENESIS, AuditRecord
from tests.ops.somewhere import client, deployed

BUCKET = "audit-dev"
DAYS = (date(2026, 11, 19), date(2026, 11, 21), date(2026, 11, 22))
DAY = DAYS[1]


def chain() -> Iterator[AuditRecord]:
    """Four records on each day."""
    previous = GENESIS
    for position in range(1, 13):
        day = DAYS[(position - 1) // 4]
        record = AuditRecord(
            position=position,
            day=day.isoformat(),
            number=(position - 1) % 4 + 1,
            payment_id=f"00000000-0000-5000-8000-00000000000{position % 10}",
            merchant="default",
            reference=f"order {position}",
            sequence=1,
            state="received",
            amount=100,
            currency="EUR",
            occurred_at=f"{day}T10:00:00.000000Z",
            recorded_at=f"{day}T10:01:00.000000Z",
            correlation_id="c",
            reason=None,
            processor=None,
            processor_reference=None,
        ).linked(previous)
        previous = record.hash
        yield record


def key(record: AuditRecord) -> str:
    return f"audit/{record.day.replace('-', '/')}/{record.number:09}.json"


class Bucket:
    def __init__(self) -> None:
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.records = {key(record): record for record in chain()}
        for name, record in self.records.items():
            self.put(name, record.canonical())

    def put(self, name: str, body: str | bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=name, Body=body)

    def change(self, name: str, **changed: Any) -> None:
        self.put(name, json.dumps({**json.loads(self.records[name].canonical()), **changed}))

    def delete(self, name: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=name)

    def checked(self, day: date = DAY) -> audit.Audit:
        return audit.verify_bucket(self.s3, BUCKET, day)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with mock_aws():
        yield Bucket()


@pytest.mark.parametrize("day", DAYS)
def test_a_chain_that_nobody_touched_holds(bucket: Bucket, day: date) -> None:
    found = bucket.checked(day)
    assert found.good
    assert found.as_dict() == {"day": day.isoformat(), "intact": True, "closed": day != DAYS[2], "records": 4, "faults": []}
    assert next(found.lines()) == f"{day}: 4 records, and the chain holds"


def test_the_latest_day_says_that_its_end_cannot_be_checked_yet(bucket: Bucket) -> None:
    assert "missing at the end" in list(bucket.checked(DAYS[2]).lines())[1]
    assert len(list(bucket.checked(DAYS[1]).lines())) == 1


@pytest.mark.parametrize("day", [date(2026, 11, 18), date(2026, 11, 20), date(2026, 12, 1)])
def test_a_day_without_payments_holds_too(bucket: Bucket, day: date) -> None:
    found = bucket.checked(day)
    assert (found.good, found.verdict.records) == (True, 0)


NAME = "audit/2026/11/21/{:09}.json"


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        (lambda at: at.change(NAME.format(2), amount=1), "record 2 of 2026-11-21: its content does not have its hash"),
        (lambda at: at.delete(NAME.format(2)), "a record is missing, was added, or was moved"),
        (lambda at: at.delete(NAME.format(1)), "a record is missing, was added, or was moved"),
        (lambda at: at.delete(NAME.format(4)), "the first record of 2026-11-22 does not name the hash"),
        (lambda at: at.put(NAME.format(5), at.records[NAME.format(4)].canonical()), "record 4 of 2026-11-21 stands in its place"),
        (lambda at: at.put(NAME.format(3), at.records[NAME.format(2)].canonical()), "record 2 of 2026-11-21 stands in its place"),
        (lambda at: at.put(NAME.format(3), "{}"), "an audit record has to be a JSON object with exactly the fields"),
        (lambda at: at.put(NAME.format(3), "gone"), "this is no JSON"),
        (lambda at: [at.delete(NAME.format(number)) for number in range(1, 5)], "the first record of 2026-11-22 does not name the hash"),
        (lambda at: at.delete("audit/2026/11/19/000000004.json"), "it does not name the hash of the record before"),
        (
            lambda at: at.put(NAME.format(4), at.records[NAME.format(4)].linked("f" * 64).canonical()),
            "record 4 of 2026-11-21: it does not name the hash of the record before",
        ),
    ],
)
def test_whatever_is_done_to_a_record_breaks_the_chain(bucket: Bucket, tampering: Any, told: str) -> None:
    tampering(bucket)
    found = bucket.checked()
    assert not found.good
    assert any(told in fault for fault in found.verdict.faults)
    lines = list(found.lines())
    assert lines[0].startswith(f"2026-11-21: {found.verdict.records} records, and the chain is broken: ")
    assert lines[-1].startswith("  Next: ")
    assert found.as_dict()["intact"] is False


def test_a_record_that_is_no_text_is_a_fault_and_is_not_shown(bucket: Bucket) -> None:
    bucket.put(NAME.format(3), b"\xff4242424242424242")
    found = bucket.checked()
    assert any(fault.startswith(NAME.format(3)) for fault in found.verdict.faults)
    assert "4242424242424242" not in "".join(found.lines())


def test_a_folder_that_no_day_has_is_told(bucket: Bucket) -> None:
    bucket.put("audit/2026/13/01/000000001.json", "{}")
    with pytest.raises(AuditError, match="below audit/ lies what is no day's folder"):
        bucket.checked()


@pytest.mark.parametrize("name", [NAME.format(2), "audit/2026/11/19/000000004.json"])
def test_records_in_glacier_are_to_be_restored_first(bucket: Bucket, name: str) -> None:
    bucket.s3.put_object(Bucket=BUCKET, Key=name, Body=bucket.records[name].canonical(), StorageClass="GLACIER")
    with pytest.raises(AuditError, match=r"are in Glacier .*restore them for a week") as caught:
        bucket.checked()
    assert f"list-objects-v2 --bucket {BUCKET} --prefix audit/2026/11/21/ " in str(caught.value)
    assert f"restore-object --bucket {BUCKET} " in str(caught.value)


def test_the_bucket_is_the_environments(bucket: Bucket) -> None:
    assert audit.verify(deployed({"data": {"auditBucketName": BUCKET}}), DAY).good


def test_a_day_is_written_as_a_date() -> None:
    assert audit.day_of("2026-11-21") == date(2026, 11, 21)


@pytest.mark.parametrize("text", ["", "today", "2026-11-31", "21.11.2026", "20261121", "2026-W47-6"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DayError, match=r"--day .*: a day is written YYYY-MM-DD, such as 2026-11-21"):
        audit.day_of(text)
