"""Checking the audit records of a day, from their bucket alone: no database, and nothing that whoever changed the one could change in the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from payments.domain.audit import GENESIS, AuditRecord, breaks, records_of


class AuditTrail(Protocol):
    """What the check asks of the bucket."""

    def keys(self, day: date) -> list[str]:
        """The keys of a day's objects, in the order of their numbers."""
        ...

    def read(self, keys: list[str]) -> Iterator[str]:
        """The objects' texts, in the order of their keys; each record a line."""
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
    objects = list(_objects(trail, keys, faults))
    records = [record for found in objects for record in found]
    faults += breaks(day, records, before)
    faults += _misplaced(day, keys, objects)
    last = records[-1].hash if records else None
    following = _edge(trail, later[0], 0, faults) if later else None
    if following and following.previous_hash != (last or before):
        faults.append(f"the first record of {following.day} does not name the hash of the last one before it: the end of {day} was changed or removed")
    return Verdict(day, len(records), tuple(faults), last)


def _objects(trail: AuditTrail, keys: list[str], faults: list[str]) -> Iterator[list[AuditRecord]]:
    """By object, its records up to the first line that is none."""
    for key, text in zip(keys, trail.read(keys), strict=True):
        found: list[AuditRecord] = []
        try:
            # Not a list of the iterator: what comes before a line that is no record counts.
            for record in records_of(text):
                found.append(record)  # noqa: PERF402
        except ValueError as error:
            faults.append(f"{key}, line {len(found) + 1}: {error}")
        yield found


def _edge(trail: AuditTrail, day: date, index: int, faults: list[str]) -> AuditRecord | None:
    """A day's first or last record; None, and a fault, where it cannot be read."""
    key = trail.keys(day)[index]
    (text,) = trail.read([key])
    try:
        return AuditRecord.from_canonical(text.split("\n")[index])
    except ValueError as error:
        faults.append(f"{key}: {error}")
        return None


def _misplaced(day: date, keys: list[str], objects: list[list[AuditRecord]]) -> Iterator[str]:
    number = 0
    for key, found in zip(keys, objects, strict=True):
        number += len(found)
        name = f"{day:%Y/%m/%d}/{number:09}.json"
        if not key.endswith(name):
            yield f"{key} stands where {name} belongs: a record is missing, was added, or was moved"
            return
