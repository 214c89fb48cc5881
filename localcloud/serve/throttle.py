"""What a client may send: token buckets and quotas, by API Gateway's rules."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from localcloud.serve.model import Limit, Quota


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass
class Buckets:
    """Token buckets by any key: `burst` tokens at the start, `rate` more every second ("Throttle requests to your REST APIs")."""

    clock: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, ...], _Bucket] = field(default_factory=dict[tuple[str, ...], _Bucket])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: tuple[str, ...], limit: Limit) -> bool:
        """Takes a token; False when there is none."""
        with self._lock:
            now = self.clock()
            bucket = self._buckets.setdefault(key, _Bucket(float(limit.burst), now))
            bucket.tokens = min(float(limit.burst), bucket.tokens + (now - bucket.at) * limit.rate)
            bucket.at = now
            if bucket.tokens < 1.0:
                return False
            bucket.tokens -= 1.0
            return True


@dataclass
class Quotas:
    """Requests of each key in its plan's current period. They are counted from when this was made: earlier runs are forgotten."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _counts: dict[tuple[str, str], tuple[datetime, int]] = field(default_factory=dict[tuple[str, str], tuple[datetime, int]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, plan: str, key: str, quota: Quota) -> bool:
        """Counts a request; False when the quota is used up."""
        begin = period_begin(quota.period, self.clock())
        with self._lock:
            since, count = self._counts.get((plan, key), (begin, 0))
            count = count if since == begin else 0
            if count >= quota.limit:
                return False
            self._counts[plan, key] = begin, count + 1
            return True


def period_begin(period: str, now: datetime) -> datetime:
    """When the period that `now` lies in began, in UTC: midnight, last Sunday's or the first of the month's."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "WEEK":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    return day.replace(day=1) if period == "MONTH" else day
