"""A chain of audit records holds as it was made, and shows every change, removal, addition and exchange."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.domain.audit import GENESIS, AuditRecord, breaks, timestamp

DAY = date(2026, 3, 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
CHANGES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "payment_id": st.uuids().map(str),
        "merchant": TEXT,
        "reference": TEXT,
        "sequence": st.integers(1, 5),
        "state": st.sampled_from(["received", "captured"]),
        "amount": st.integers(1, 10**11),
        "currency": st.sampled_from(["EUR", "JPY"]),
        "occurred_at": st.datetimes(timezones=st.just(UTC)).map(timestamp),
        "recorded_at": st.datetimes(timezones=st.just(UTC)).map(timestamp),
        "correlation_id": TEXT,
        "reason": st.none() | TEXT,
        "processor": st.none() | TEXT,
        "processor_reference": st.none() | TEXT,
    }
)


@st.composite
def chains(draw: st.DrawFn, least: int = 1) -> list[AuditRecord]:
    """The records of DAY, behind GENESIS."""
    records: list[AuditRecord] = []
    for number, change in enumerate(draw(st.lists(CHANGES, min_size=least, max_size=5)), start=1):
        previous = records[-1].hash if records else GENESIS
        records.append(AuditRecord(**change, position=number, number=number, day=DAY.isoformat()).linked(previous))
    return records


def broken(records: list[AuditRecord], previous: str | None = GENESIS) -> list[str]:
    return list(breaks(DAY, records, previous))


@given(chains())
def test_a_chain_holds_as_it_was_made_and_as_it_was_kept(records: list[AuditRecord]) -> None:
    kept = [AuditRecord.from_canonical(record.canonical()) for record in records]
    assert kept == records
    assert broken(kept) == []
    assert broken(kept, None) == []
    assert [record.canonical() for record in kept] == [record.canonical() for record in records]


@given(chains(), st.data())
def test_no_field_can_be_changed(records: list[AuditRecord], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(AuditRecord)]))
    value = getattr(records[index], name)
    changed = replace(records[index], **{name: value + 1 if isinstance(value, int) else f"{value}x"})
    assert broken([*records[:index], changed, *records[index + 1 :]])


@given(chains(least=2), st.data())
def test_a_change_with_a_new_hash_shows_in_the_next_record(records: list[AuditRecord], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(records) - 2))
    forged = replace(records[index], amount=records[index].amount + 1).linked(records[index].previous_hash)
    assert broken([*records[:index], forged, *records[index + 1 :]]) == [
        f"record {index + 2} of {DAY}: it does not name the hash of the record before: that one was changed, or one is missing"
    ]


@given(chains(least=2), st.data())
def test_no_record_can_be_taken_out_doubled_or_moved(records: list[AuditRecord], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(records) - 2))
    assert broken(records[:index] + records[index + 1 :])
    assert broken([*records[: index + 1], *records[index:]])
    assert broken([*records[:index], records[index + 1], records[index], *records[index + 2 :]])


@given(chains())
def test_a_day_is_tied_to_the_one_before(records: list[AuditRecord]) -> None:
    other = "1" * 64
    assert len(broken(records, other)) == 1
    assert broken(records, None) == []
    assert list(breaks(DAY + timedelta(days=1), records, GENESIS))


def test_a_day_without_records_holds() -> None:
    assert broken([]) == []


def test_the_hash_is_that_of_the_canonical_form() -> None:
    """Worked out with sha256sum over the text that is given here."""
    content: dict[str, Any] = {
        "position": 1,
        "day": "2026-03-01",
        "number": 1,
        "payment_id": "p",
        "merchant": "m",
        "reference": "Füße",
        "sequence": 1,
        "state": "received",
        "amount": 1050,
        "currency": "EUR",
        "occurred_at": "2026-03-01T00:00:00.000000Z",
        "recorded_at": "2026-03-01T00:00:01.000000Z",
        "correlation_id": "c",
        "reason": None,
        "processor": None,
        "processor_reference": None,
    }
    record = AuditRecord(**content).linked(GENESIS)
    text = record.canonical()
    assert text == (
        '{"amount":1050,"correlation_id":"c","currency":"EUR","day":"2026-03-01","hash":"' + record.hash + '","merchant":"m","number":1,'
        '"occurred_at":"2026-03-01T00:00:00.000000Z","payment_id":"p","position":1,"previous_hash":"' + GENESIS + '","processor":null,'
        '"processor_reference":null,"reason":null,"recorded_at":"2026-03-01T00:00:01.000000Z","reference":"Füße","sequence":1,"state":"received"}'
    )
    assert record.hash == "c546d36c939976f34b90e4aa69bdd970ae514510ae3e18831eda5fd200892715"


@pytest.mark.parametrize("text", ["hidden", "[1]", '{"hidden": 1}', json.dumps({field.name: 1 for field in fields(AuditRecord)} | {"more": "hidden"})])
def test_what_is_no_record_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="audit record") as refused:
        AuditRecord.from_canonical(text)
    assert "hidden" not in str(refused.value)


def test_moments_are_written_in_one_form() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(noon) == "2026-03-01T10:00:00.000000Z"
