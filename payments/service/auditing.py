"""Checking the audit records of a day, from their bucket alone: no database, and nothing that whoever changed the one could change in the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from payments.domain.audit import GENESIS, AuditRecord, breaks


class AuditTrail(Protocol):
    """What the check asks of the bucket."""

    def keys(self, day: date) -> list[str]:
        """The keys of a day's objects, in the order of their numbers."""
        ...

    def read(self, keys: list[str]) -> Iterator[str]:
        """The objects' texts, in the order of their keys."""
        ...

    def days(self) -> list[date]:
        """The days that have records, the first one first."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What the check of a day found.

    records: how many were checked. faults: what is wrong, each a sentence; none where the chain holds.
    last_hash: of the day's last record, by which the next day's first one is linked; None for a day without records.
    """

    day: date
    records: int
    faults: tuple[str, ...]
    last_hash: str | None

    @property
    def intact(self) -> bool:
        """Whether nothing was changed, removed, added or moved."""
        return not self.faults


def verify(day: date, trail: AuditTrail) -> Verdict:
    """Checks numbers, hashes and links of a day's records, the link to the day before, and the link from the day after.

    The link from the day after shows when a day's last records are missing; for the latest day there is none, so its end cannot be checked
    yet. While the relay is writing, a record of the latest day may be missing for a moment.
    """
    days = trail.days()
    earlier = [other for other in days if other < day]
    later = [other for other in days if other > day]
    faults: list[str] = []
    previous = _edge(trail, earlier[-1], -1, faults) if earlier else None
    before = previous.hash if previous else GENESIS if not earlier else None
    keys = trail.keys(day)
    records = list(_records(trail, keys, faults))
    faults += breaks(day, records, before)
    faults += _misplaced(day, keys)
    last = records[-1].hash if records else None
    following = _edge(trail, later[0], 0, faults) if later else None
    if following and following.previous_hash != (last or before):
        faults.append(f"the first record of {following.day} does not name the hash of the last one before it: the end of {day} was changed or removed")
    return Verdict(day, len(records), tuple(faults), last)


def _records(trail: AuditTrail, keys: list[str], faults: list[str]) -> Iterator[AuditRecord]:
    for key, text in zip(keys, trail.read(keys), strict=True):
        try:
            yield AuditRecord.from_canonical(text)
        except ValueError as error:
            faults.append(f"{key}: {error}")


def _edge(trail: AuditTrail, day: date, index: int, faults: list[str]) -> AuditRecord | None:
    """A day's first or last record; None, and a fault, where it cannot be read."""
    return next(_records(trail, [trail.keys(day)[index]], faults), None)


def _misplaced(day: date, keys: list[str]) -> Iterator[str]:
    for number, key in enumerate(keys, start=1):
        name = f"{day:%Y/%m/%d}/{number:09}.json"
        if not key.endswith(name):
            yield f"{key} stands where {name} belongs: a record is missing, was added, or was moved"
            return
