"""Progress for logs: a line when a stack starts and ends, one for each changed resource, and a sign of life."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self

from ops.progress.board import QUIET, Board, Row, Step, counts_text, made
from ops.progress.lines import Lines
from ops.report import Result, Tense, duration, plain

HEARTBEAT = 10.0  # seconds; CI services take minutes of silence for a hang
_SHOWN = 3


def _now() -> datetime:
    return datetime.now(UTC)


class PlainProgress:
    """Writes lines that read well in a log: the time (UTC), the project, what happened.

    tense: of what is counted.
    heartbeat: seconds between the lines that say what is running.
    """

    def __init__(
        self,
        file: IO[str],
        *,
        tense: Tense = Tense.MADE,
        heartbeat: float = HEARTBEAT,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Write to this stream."""
        self._lines = Lines(file)
        self._tense = tense
        self._heartbeat = heartbeat
        self._now = now
        self._board = Board(clock=clock)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        """Start the heart-beat."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """End the heart-beat."""
        self._over.set()
        self._thread.join()

    def stack_started(self, project: str, stack: str) -> None:
        """Write that it starts."""
        self._board.start(project, stack)
        self._say(project, f"started (stack {stack})")

    def resource_started(self, project: str, urn: str, type: str, name: str, op: str) -> None:  # noqa: A002 - the engine's word
        """Remember it for the heart-beat."""
        self._board.begin(project, Step(urn, type, name, op, self._board.clock()))

    def resource_done(self, project: str, urn: str, op: str, failed: bool) -> None:
        """Write what changed, and what failed."""
        step, seconds = self._board.end(project, urn, op, failed=failed)
        took = f" ({duration(seconds)})" if seconds >= 0.05 else ""
        if failed:
            self._say(project, f"FAILED {step.text}{took}")
        elif op not in QUIET:
            self._say(project, f"{made(op, self._tense)} {step.label}{took}")

    def note(self, project: str, message: str) -> None:
        """Write it."""
        self._say(project, plain(message))

    def stack_done(self, result: Result) -> None:
        """Write the outcome, with its counts and its cause."""
        self._board.close(result)
        row = next(row for row in self._board.rows() if row.project == result.project)
        took = f" in {duration(result.seconds)}" if result.seconds else ""
        parts = [part for part in (counts_text(row.counts, self._tense), result.cause) if part]
        self._say(result.project, f"{result.outcome}{took}" + (f": {'; '.join(parts)}" if parts else ""))

    def beat(self) -> None:
        """Write what is running; nothing when nothing is."""
        now = self._board.clock()
        running = [_running(row, now) for row in self._board.rows() if row.since is not None and row.result is None]
        if running:
            self._say("", f"still running after {duration(now - self._board.began)}: {'; '.join(running)}")

    def _beat(self) -> None:
        while not self._over.wait(self._heartbeat):
            self.beat()

    def _say(self, project: str, message: str) -> None:
        prefix = f"{self._now().astimezone(UTC):%H:%M:%SZ} " + (f"[{project}] " if project else "")
        for line in message.splitlines() or [""]:
            self._lines.write(prefix + line)


def _running(row: Row, now: float) -> str:
    """A project and the steps that run the longest."""
    steps = sorted(row.running.values(), key=lambda step: step.since)
    shown = [f"{step.text} {duration(now - step.since)}" for step in steps[:_SHOWN]]
    more = [f"and {len(steps) - _SHOWN} more"] if len(steps) > _SHOWN else []
    return f"{row.project} ({', '.join([*shown, *more])})" if shown else row.project
