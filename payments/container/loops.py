"""Threads that do something again and again until they are told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from payments.telemetry import Telemetry

AFTER_FAILURE = 5.0
"""Seconds between a turn that failed and the next one."""

STUCK = 300.0
"""Seconds after which a turn that has not ended is taken for stuck; every one of ours ends by itself long before."""


class Turn(Protocol):
    """What a loop does each time."""

    @property
    def telemetry(self) -> Telemetry:
        """Where it is noted that it failed."""
        ...

    def once(self, stop: Stop) -> None:
        """Does it once; waits by itself where there is nothing to do, with an eye on `stop`."""
        ...


class Stop:
    """Says that it is time to end. grace: seconds after that for what was begun."""

    def __init__(self, grace: float) -> None:
        self._event = threading.Event()
        self._grace = grace
        self._deadline = float("inf")

    def set(self) -> None:
        """From now on."""
        if not self._event.is_set():
            self._deadline = time.monotonic() + self._grace
            self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits so long, or until it is time to end; whether it is."""
        return self._event.wait(seconds)

    def remaining(self) -> float:
        """Seconds until what was begun should have ended; infinite before anyone said to stop."""
        return self._deadline - time.monotonic()


@dataclass
class _Loop:
    turn: Turn
    thread: threading.Thread
    beat: float


class Loops:
    """One thread for each of the turns. A turn that fails is logged, and comes again after AFTER_FAILURE seconds."""

    def __init__(self, turns: Sequence[Turn], *, grace: float) -> None:
        self._grace = grace
        self.stop = Stop(grace)
        self._loops: list[_Loop] = []
        for number, turn in enumerate(turns, 1):
            # A thread that does not end in time must not keep the process from ending: what it did is repeated elsewhere.
            loop = _Loop(turn, threading.Thread(name=f"{type(turn).__name__.lower()}-{number}", daemon=True), time.monotonic())
            loop.thread.run = lambda loop=loop: self._run(loop)
            self._loops.append(loop)

    def start(self) -> None:
        """Starts the threads."""
        for loop in self._loops:
            loop.beat = time.monotonic()
            loop.thread.start()

    def alive(self) -> bool:
        """Whether every loop goes on."""
        return all(loop.thread.is_alive() and time.monotonic() - loop.beat < STUCK for loop in self._loops)

    def end(self) -> list[str]:
        """Stops taking, and waits for what was begun; the names of threads that did not end in time."""
        self.stop.set()
        for loop in self._loops:
            loop.thread.join(max(0.0, self.stop.remaining()))
        return [loop.thread.name for loop in self._loops if loop.thread.is_alive()]

    def _run(self, loop: _Loop) -> None:
        while not self.stop:
            loop.beat = time.monotonic()
            try:
                loop.turn.once(self.stop)
            except Exception:
                loop.turn.telemetry.log.exception("%s failed, tried again in %d s", loop.thread.name, AFTER_FAILURE)
                self.stop.wait(AFTER_FAILURE)
