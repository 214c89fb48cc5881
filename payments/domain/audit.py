"""Audit records and the chain of hashes that shows when one was changed, removed or slipped in; no storage is needed to check it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any, Self

GENESIS = "0" * 64
"""What the very first record names as the hash before it."""


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """One change of a payment's state, in the order in which the chain took them in. It holds no payment token and no metadata.

    position: 1 for the first record of all, then without gaps.
    day: the day (UTC) on which the record was taken in, `YYYY-MM-DD`; days never go back along the chain.
    number: 1 for a day's first record, then without gaps.
    sequence, occurred_at: of the change, as in the payment's history; occurred_at in RFC 3339, UTC, with microseconds.
    recorded_at: when the record was taken in; the same form.
    amount: in the currency's minor unit.
    previous_hash: hash of the record before, of whatever day; GENESIS for the first one.
    hash: SHA-256 in hexadecimal, over all other fields.
    """

    position: int
    day: str
    number: int
    payment_id: str
    merchant: str
    reference: str
    sequence: int
    state: str
    amount: int
    currency: str
    occurred_at: str
    recorded_at: str
    correlation_id: str
    reason: str | None
    processor: str | None
    processor_reference: str | None
    previous_hash: str = GENESIS
    hash: str = ""

    def canonical(self) -> str:
        """The record as JSON with sorted keys and no spaces, which is what is kept: the same bytes each time."""
        return _canonical(vars(self))

    @classmethod
    def from_canonical(cls, text: str) -> Self:
        """The record that was kept.

        Raises ValueError where the text is no such record; what is wrong is said without the text.
        """
        try:
            content: Any = json.loads(text)
        except ValueError:
            raise ValueError("an audit record has to be a JSON object; this is no JSON") from None
        wanted = {field.name for field in fields(cls)}
        if not isinstance(content, dict) or set(content) != wanted:
            raise ValueError(f"an audit record has to be a JSON object with exactly the fields {', '.join(sorted(wanted))}")
        return cls(**content)

    def computed_hash(self) -> str:
        """The hash that the record has to have."""
        content = {name: value for name, value in vars(self).items() if name != "hash"}
        return hashlib.sha256(_canonical(content).encode()).hexdigest()

    def linked(self, previous_hash: str) -> Self:
        """The record, behind the one with that hash."""
        record = replace(self, previous_hash=previous_hash)
        return replace(record, hash=record.computed_hash())


@dataclass(frozen=True, kw_only=True)
class AuditBatch:
    """Records of one day that came into the chain together, and are one object in the audit bucket: always the same ones.

    name: by which the store that made it knows it. day, number: of the last record. size: how many records there are.
    text: their canonical forms in the order of their numbers, each a line.
    """

    name: Any
    day: date
    number: int
    size: int
    text: str


def records_of(text: str) -> Iterator[AuditRecord]:
    """The records of a batch's text; raises ValueError at a line that is none."""
    # Not `splitlines`, for which some characters within a record end a line too.
    return map(AuditRecord.from_canonical, text.split("\n"))


def breaks(day: date, records: Iterable[AuditRecord], previous_hash: str | None) -> Iterator[str]:
    """What is wrong with one day's records, given in the order of their numbers; nothing where the chain holds.

    previous_hash: hash of the last record of the latest earlier day that has any, GENESIS where there is none; None leaves that link unchecked.
    """
    number = 0
    for number, record in enumerate(records, start=1):
        name = f"record {number} of {day}"
        if record.day != day.isoformat() or record.number != number:
            yield f"{name}: record {record.number} of {record.day} stands in its place: a record is missing, was added, or was moved"
        if record.hash != record.computed_hash():
            yield f"{name}: its content does not have its hash: it was changed"
        if previous_hash is not None and record.previous_hash != previous_hash:
            yield f"{name}: it does not name the hash of the record before: that one was changed, or one is missing"
        previous_hash = record.hash


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, always with six digits of a second."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _canonical(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
