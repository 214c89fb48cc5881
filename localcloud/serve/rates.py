"""Rate-based rules of a web ACL: how many requests an address has sent lately ("Rate-based rule statement", AWS WAF)."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from localcloud.serve.firewalls import Firewall, RateLimit


@dataclass
class Rates:
    """Requests of each address, counted by the second. AWS looks every few seconds and reacts later; here a limit holds at once."""

    clock: Callable[[], float] = time.monotonic
    _counts: dict[tuple[str, str], deque[list[int]]] = field(default_factory=dict[tuple[str, str], "deque[list[int]]"])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def over(self, limit: RateLimit, address: str) -> bool:
        """Counts a request; whether it is one more than the limit allows within its window. Refused ones are counted too."""
        with self._lock:
            second = int(self.clock())
            counts = self._counts.setdefault((limit.name, address), deque())
            while counts and counts[0][0] <= second - limit.window:
                counts.popleft()
            if counts and counts[-1][0] == second:
                counts[-1][1] += 1
            else:
                counts.append([second, 1])
            return sum(count for _, count in counts) > limit.limit

    def refused(self, firewall: Firewall, address: str) -> RateLimit | Firewall | None:
        """What refuses the request that this counts: a limit, or the web ACL itself, whose `said` is the answer. All limits count it."""
        over = [limit for limit in firewall.limits if self.over(limit, address)]
        return next((limit for limit in over if limit.blocks), firewall if firewall.blocked else None)
