"""Which resources were created on behalf of which URN.

An engine that is killed while it creates something leaves a "pending creation" in its state: it cannot know whether the
cloud went on. This process outlives the engine and does know; `creations` is how recovery asks.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Creation:
    """One creation: the id once there is one."""

    id: str = ""


class Journal:
    """The creations of this process's life; safe to use from several threads."""

    def __init__(self) -> None:
        self._made: dict[str, list[str]] = {}
        self._under_way: dict[str, int] = {}
        self._changed = threading.Condition()

    @contextmanager
    def creating(self, urn: str) -> Generator[Creation]:
        """Around the creation of a resource; set the entry's `id` inside."""
        entry = Creation()
        with self._changed:
            self._under_way[urn] = self._under_way.get(urn, 0) + 1
        try:
            yield entry
        finally:
            with self._changed:
                self._under_way[urn] -= 1
                if entry.id:
                    self._made.setdefault(urn, []).append(entry.id)
                self._changed.notify_all()

    def forget(self, urn: str, id_: str) -> None:
        """The resource was deleted."""
        with self._changed:
            self._made[urn] = [made for made in self._made.get(urn, []) if made != id_]

    def creations(self, urn: str, timeout: float = 60.0) -> list[str]:
        """The ids that exist for a URN, oldest first; waits up to `timeout` seconds for a creation that is under way."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way.get(urn), timeout)
            return list(self._made.get(urn, []))
