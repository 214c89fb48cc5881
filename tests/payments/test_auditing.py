"""The check of a day's audit records finds every kind of change, from the bucket alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.domain.audit import GENESIS, AuditRecord
from payments.service.auditing import verify
from payments.storage.audit_trail import S3AuditTrail, key
from tests.payments.service import Service, aws

FIRST, SECOND, THIRD = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 22)


def chain(days: dict[date, int]) -> list[AuditRecord]:
    """An intact chain with so many records on these days."""
    records: list[AuditRecord] = []
    previous = GENESIS
    for day, count in days.items():
        for number in range(1, count + 1):
            record = AuditRecord(
                position=len(records) + 1,
                day=day.isoformat(),
                number=number,
                payment_id=f"2b0a1f0e-7f5e-7c9b-9d0a-{len(records):012}",
                merchant="default",
                reference=f"order {len(records)}",
                sequence=1,
                state="received",
                amount=1050,
                currency="EUR",
                occurred_at=f"{day}T10:00:00.000000Z",
                recorded_at=f"{day}T10:00:01.000000Z",
                correlation_id="c",
                reason=None,
                processor=None,
                processor_reference=None,
            ).linked(previous)
            previous = record.hash
            records.append(record)
    return records


class Kept(dict[str, str]):
    """A bucket in memory."""

    def keys_of(self, day: date) -> list[str]:
        return sorted(name for name in self if name.startswith(f"audit/{day:%Y/%m/%d}/"))


class Trail:
    """What S3AuditTrail is, over a bucket in memory."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def keys(self, day: date) -> list[str]:
        return self._kept.keys_of(day)

    def read(self, keys: list[str]) -> Iterator[str]:
        return (self._kept[name] for name in keys)

    def days(self) -> list[date]:
        return sorted({date(*map(int, name.split("/")[1:4])) for name in self._kept})


def kept(days: dict[date, int]) -> Kept:
    return Kept({key(record): record.canonical() for record in chain(days)})


def faults(bucket: Kept, day: date = SECOND) -> tuple[str, ...]:
    return verify(day, Trail(bucket)).faults


DAYS = {FIRST: 2, SECOND: 3, THIRD: 2}


@pytest.mark.parametrize("day", [*DAYS, date(2026, 11, 18), date(2026, 11, 21), date(2026, 11, 23)])
def test_an_untouched_chain_is_intact_on_every_day(day: date) -> None:
    verdict = verify(day, Trail(kept(DAYS)))
    assert (verdict.intact, verdict.records) == (True, DAYS.get(day, 0))


def test_an_empty_bucket_is_intact() -> None:
    assert verify(FIRST, Trail(Kept())).intact


def named(day: date, number: int) -> str:
    return f"audit/{day:%Y/%m/%d}/{number:09}.json"


def changed(bucket: Kept) -> None:
    bucket[named(SECOND, 2)] = bucket[named(SECOND, 2)].replace('"amount":1050', '"amount":10')


def removed_in_the_middle(bucket: Kept) -> None:
    del bucket[named(SECOND, 2)]


def removed_at_the_beginning(bucket: Kept) -> None:
    del bucket[named(SECOND, 1)]


def removed_at_the_end(bucket: Kept) -> None:
    del bucket[named(SECOND, 3)]


def removed_wholly(bucket: Kept) -> None:
    for number in (1, 2, 3):
        del bucket[named(SECOND, number)]


def swapped(bucket: Kept) -> None:
    one, other = named(SECOND, 1), named(SECOND, 2)
    bucket[one], bucket[other] = bucket[other], bucket[one]


def doubled(bucket: Kept) -> None:
    bucket[named(SECOND, 4)] = bucket[named(SECOND, 3)]


def overwritten(bucket: Kept) -> None:
    bucket[named(SECOND, 2)] = "not JSON"


def with_fitting_hash(bucket: Kept, name: str) -> None:
    record = AuditRecord.from_canonical(bucket[name])
    bucket[name] = replace(record, amount=1).linked(record.previous_hash).canonical()


def forged(bucket: Kept) -> None:
    with_fitting_hash(bucket, named(SECOND, 3))


def earlier_forged(bucket: Kept) -> None:
    with_fitting_hash(bucket, named(FIRST, 2))


def slipped_in(bucket: Kept) -> None:
    bucket[f"audit/{SECOND:%Y/%m/%d}/000000002-again.json"] = bucket[named(SECOND, 2)]


TAMPERINGS = [
    changed,
    removed_in_the_middle,
    removed_at_the_beginning,
    removed_at_the_end,
    removed_wholly,
    swapped,
    doubled,
    overwritten,
    forged,
    earlier_forged,
    slipped_in,
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: tampering.__name__)
def test_no_tampering_goes_unseen(tampering: Callable[[Kept], None]) -> None:
    bucket = kept(DAYS)
    assert faults(bucket) == ()
    tampering(bucket)
    assert faults(bucket)


@given(st.integers(0, 6), st.data())
def test_any_changed_character_is_seen_on_its_day(which: int, data: st.DataObject) -> None:
    bucket = kept(DAYS)
    name = sorted(bucket)[which]
    text = bucket[name]
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0a}").filter(lambda character: character != text[at]))
    bucket[name] = text[:at] + other + text[at + 1 :]
    day = date(*map(int, name.split("/")[1:4]))
    assert faults(bucket, day)


def test_faults_say_which_record() -> None:
    bucket = kept(DAYS)
    changed(bucket)
    [fault] = faults(bucket)
    assert "record 2 of 2026-11-20" in fault


def test_what_the_relay_writes_is_intact_and_a_change_in_the_bucket_is_seen(service: Service) -> None:
    service.accepted("a", "b")
    service.work(*service.taken())
    service.relay()
    trail = S3AuditTrail(service.audit)
    [day] = trail.days()
    verdict = verify(day, trail)
    assert (verdict.intact, verdict.records) == (True, 8)
    assert len(str(verdict.last_hash)) == 64
    name = trail.keys(day)[4]
    body = aws("s3").get_object(Bucket=service.audit, Key=name)["Body"].read()
    aws("s3").put_object(Bucket=service.audit, Key=name, Body=body.replace(b"1050", b"1051"))
    assert not verify(day, trail).intact
    aws("s3").put_object(Bucket=service.audit, Key=name, Body=b"\xff")
    assert any(name in fault for fault in verify(day, trail).faults)


def test_other_things_in_the_bucket_are_none_of_its_days(service: Service) -> None:
    aws("s3").put_object(Bucket=service.audit, Key="cloudtrail/AWSLogs/2026/11/20/log.json.gz", Body=b"")
    assert S3AuditTrail(service.audit).days() == []
