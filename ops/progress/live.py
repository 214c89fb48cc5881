"""Progress for a terminal: a tree that is painted anew several times a second, and stays on the screen at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from ops.progress.board import Board, Row, Step, counts_text
from ops.report import Result, Tense, duration, mark, plain

_SHOWN = 3
_PER_SECOND = 8
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SPINNER_ASCII = "|/-\\"


class LiveProgress:
    """Shows each project with its counts, what is running now (the three that run the longest) and the time it takes.

    title: the first line. projects: shown as waiting until they start. tense: of what is counted.
    """

    def __init__(
        self,
        console: Console,
        *,
        title: str = "",
        projects: Sequence[str] = (),
        tense: Tense = Tense.MADE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show it on this console, which must be a terminal for it to be live."""
        self._console = console
        self._title = title or "running"
        self._tense = tense
        self._board = Board(projects, clock)
        self._over: float | None = None
        # What the program prints meanwhile belongs above the tree; a stdout that goes elsewhere is left alone.
        self._live = Live(console=console, get_renderable=self.tree, refresh_per_second=_PER_SECOND, redirect_stdout=sys.stdout.isatty())

    def __enter__(self) -> Self:
        """Hide the cursor and begin to paint."""
        self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """Paint the last time, in full, and give the cursor back."""
        self._over = self._board.clock()
        self._live.stop()

    def stack_started(self, project: str, stack: str) -> None:
        """Its row starts to count."""
        self._board.start(project, stack)

    def resource_started(self, project: str, urn: str, type: str, name: str, op: str) -> None:  # noqa: A002 - the engine's word
        """It appears below its project."""
        self._board.begin(project, Step(urn, type, name, op, self._board.clock()))

    def resource_done(self, project: str, urn: str, op: str, failed: bool) -> None:
        """It goes from below its project, and is counted; one that failed stays."""
        self._board.end(project, urn, op, failed=failed)

    def note(self, project: str, message: str) -> None:
        """A line above the tree."""
        self._console.print(Text(f"{project}: {plain(message)}" if project else plain(message)))

    def stack_done(self, result: Result) -> None:
        """Its row shows the outcome."""
        self._board.close(result)

    def tree(self) -> Tree:
        """All of it as it is now."""
        now = self._over if self._over is not None else self._board.clock()
        rows = self._board.rows()
        width = max((len(row.project) for row in rows), default=0)
        tree = Tree(_line(f"{self._title}  {duration(now - self._board.began)}", "bold"), guide_style="dim")
        for row in rows:
            branch = tree.add(self._row(row, width, now))
            for step in row.failed[:_SHOWN]:
                branch.add(_line(f"failed {step.text}", "red"))
            if len(row.failed) > _SHOWN:
                branch.add(_line(f"and {len(row.failed) - _SHOWN} more failed", "red"))
            steps = sorted(row.running.values(), key=lambda step: step.since)
            for step in steps[:_SHOWN]:
                branch.add(_line(f"{duration(now - step.since)}  {step.text}", "cyan"))
            if len(steps) > _SHOWN:
                branch.add(_line(f"and {len(steps) - _SHOWN} more", "dim"))
        return tree

    def _row(self, row: Row, width: int, now: float) -> Text:
        """One project: sign, name, outcome or none, time, counts, cause."""
        ascii_only = self._console.options.ascii_only
        name = f"{row.project:<{width}}"
        counts = counts_text(row.counts, self._tense)
        if row.result:
            sign, style = mark(row.result.outcome, ascii_only=ascii_only)
            took = duration(row.result.seconds) if row.result.seconds else ""
            cause = row.result.cause.splitlines()[0] if row.result.cause else ""
            return _join((f"{sign} {name}", style), (str(row.result.outcome), style), (took, ""), (counts, ""), (cause, "dim"))
        if row.since is None:
            return _join((f"  {name}", "dim"), ("waiting", "dim"))
        if self._over is not None:
            return _join((f"? {name}", "yellow"), ("broken off", "yellow"), (duration(row.elapsed(now)), ""), (counts, ""))
        frames = _SPINNER_ASCII if ascii_only else _SPINNER
        return _join((f"{frames[int(now * _PER_SECOND) % len(frames)]} {name}", "bold cyan"), (duration(row.elapsed(now)), ""), (counts, ""))


def _line(text: str, style: str = "") -> Text:
    """A line that is cut rather than wrapped: a tree that changes its height flickers."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _join(*parts: tuple[str, str]) -> Text:
    """The parts that are not empty, each in its style, on one line."""
    line = _line("")
    for text, style in parts:
        if text:
            line.append("  " if line else "").append(text, style or None)
    return line
