"""How long work is shown: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Progress as RichProgress

LINE_EVERY = 15.0
"""Seconds between two lines of one phase where nothing can be redrawn: a log stays readable, and a runner sees that something happens."""


class Progress(Protocol):
    """What installing and building tell whoever watches."""

    def say(self, text: str) -> None:
        """A line that stays."""
        ...

    def phase(self, text: str) -> None:
        """Something that takes a while begins; what was counted before no longer counts."""
        ...

    def step(self, done: int, total: int | None, what: str) -> None:
        """`done` things of the phase are done, of `total` if that is known; the last was `what`."""
        ...


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began = self._spoke = time.monotonic()

    def say(self, text: str) -> None:
        """Write it down."""
        print(text, file=self._stream, flush=True)

    def phase(self, text: str) -> None:
        """Write it down, and start its clock."""
        self._began = self._spoke = time.monotonic()
        self.say(f"{text} ...")

    def step(self, done: int, total: int | None, what: str) -> None:
        """Write down where things are, unless that was just done."""
        now = time.monotonic()
        if now - self._spoke >= LINE_EVERY:
            self._spoke = now
            count = f"{done} of {total}" if total else str(done)
            self.say(f"  {clock(now - self._began)}  {count}  {what}")


class Bar:
    """One bar with its clock, redrawn in place."""

    def __init__(self, rich: RichProgress) -> None:
        self._rich = rich
        self._task = rich.add_task("", total=None, what="", visible=False)

    def say(self, text: str) -> None:
        """Above the bar."""
        self._rich.console.print(text, markup=False, highlight=False)

    def phase(self, text: str) -> None:
        """A new bar in the place of the last."""
        self._rich.reset(self._task, total=None, description=text, what="", visible=True)

    def step(self, done: int, total: int | None, what: str) -> None:
        """Move the bar."""
        self._rich.update(self._task, completed=done, total=total, what=what)


@contextmanager
def shown(stream: TextIO = sys.stderr) -> Generator[Progress]:
    """The progress that fits `stream`; the bar is gone at the end, whatever the end is."""
    if not stream.isatty():
        yield Lines(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[what]}", style="dim", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with RichProgress(*columns, console=Console(file=stream), transient=True, expand=True) as rich:
        yield Bar(rich)


def clock(seconds: float) -> str:
    """Seconds as `m:ss`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
