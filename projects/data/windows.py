"""Backup and maintenance windows of RDS and ElastiCache, as minutes of the week."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DAY = 24 * 60
WEEK = 7 * DAY

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
# RDS: 30 minutes (CreateDBInstance); ElastiCache: 60 (CreateReplicationGroup).
RDS_MINUTES = 30
ELASTICACHE_MINUTES = 60


@dataclass(frozen=True)
class Window:
    """A window that comes back every `period` minutes: its first minute, and how many it has."""

    start: int
    minutes: int
    period: int

    @classmethod
    def daily(cls, text: str, least: int = RDS_MINUTES) -> Window:
        """A backup window, `hh:mm-hh:mm`, of at least so many minutes; ValueError when AWS would refuse it."""
        found = re.fullmatch(f"{_TIME}-{_TIME}", text)
        if not found:
            raise ValueError("must be hh:mm-hh:mm in UTC, such as 03:00-04:00 (RDS, PreferredBackupWindow; ElastiCache, SnapshotWindow)")
        hour, minute, to_hour, to_minute = map(int, found.groups())
        return cls._between(hour * 60 + minute, to_hour * 60 + to_minute, DAY, least)

    @classmethod
    def weekly(cls, text: str, least: int = RDS_MINUTES) -> Window:
        """A maintenance window, `ddd:hh:mm-ddd:hh:mm`, of at least so many minutes; ValueError when AWS would refuse it."""
        day = f"({'|'.join(_DAYS)})"
        found = re.fullmatch(f"{day}:{_TIME}-{day}:{_TIME}", text)
        if not found:
            raise ValueError("must be ddd:hh:mm-ddd:hh:mm in UTC, such as sun:05:00-sun:06:00 (PreferredMaintenanceWindow)")
        first, hour, minute, last, to_hour, to_minute = found.groups()
        start = _DAYS.index(first) * DAY + int(hour) * 60 + int(minute)
        end = _DAYS.index(last) * DAY + int(to_hour) * 60 + int(to_minute)
        return cls._between(start, end, WEEK, least)

    @classmethod
    def _between(cls, start: int, end: int, period: int, least: int) -> Window:
        minutes = (end - start) % period
        if minutes < least:
            raise ValueError(f"has {minutes} minutes; AWS wants a window of at least {least}")
        return cls(start, minutes, period)

    def in_week(self) -> Iterator[int]:
        """Each minute of the week that is in the window."""
        for start in range(self.start, WEEK, self.period):
            for minute in range(self.minutes):
                yield (start + minute) % WEEK


def overlap(one: Window, other: Window) -> bool:
    """Whether the windows have a minute in common."""
    return not set(one.in_week()).isdisjoint(other.in_week())
