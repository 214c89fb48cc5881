"""What is going on, while it goes on: a live tree on a terminal, plain lines in a log, JSON lines for a program, or nothing.

Progress goes to stderr, so that stdout holds results alone; JSON lines are themselves the result and go to stdout.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ops.report import Result, Tense

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


class Progress(Protocol):
    """Listens to a run, from any thread, between `with` and its end.

    `op` is the engine's word for a step: create, update, replace, delete, same, refresh, read, and the parts of a replacement.
    """

    def __enter__(self) -> Self:
        """The run begins."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """The run is over, or broken off: whatever was done to the terminal is undone."""
        ...

    def stack_started(self, project: str, stack: str) -> None:
        """The stack's update begins."""
        ...

    def resource_started(self, project: str, urn: str, type: str, name: str, op: str) -> None:  # noqa: A002 - the engine's word
        """The engine begins a step on a resource."""
        ...

    def resource_done(self, project: str, urn: str, op: str, failed: bool) -> None:
        """The step is over."""
        ...

    def note(self, project: str, message: str) -> None:
        """Something worth a line; of the whole run when the project is empty."""
        ...

    def stack_done(self, result: Result) -> None:
        """The stack has ended, whether it was ever started or not."""
        ...


class Silent:
    """Says nothing: the report is all that is wanted."""

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """Nothing to undo."""

    def stack_started(self, project: str, stack: str) -> None:
        """Says nothing."""

    def resource_started(self, project: str, urn: str, type: str, name: str, op: str) -> None:  # noqa: A002 - the engine's word
        """Says nothing."""

    def resource_done(self, project: str, urn: str, op: str, failed: bool) -> None:
        """Says nothing."""

    def note(self, project: str, message: str) -> None:
        """Says nothing."""

    def stack_done(self, result: Result) -> None:
        """Says nothing."""


def choose(
    console: Console | None = None,
    *,
    json: bool,
    stream: bool,
    title: str = "",
    projects: Sequence[str] = (),
    tense: Tense = Tense.MADE,
) -> Progress:
    """The progress that fits what was asked for and where it is read.

    console: where to show it; None for stderr, which spares a log the import of rich.
    json: the report is wanted alone. stream: JSON lines on stdout, whatever the console.
    title: the tree's first line. projects: shown as waiting until they start. tense: of what is counted.

    The live tree needs a terminal that is one (FORCE_COLOR makes colours, not a cursor) and that is not dumb. NO_COLOR keeps the tree and drops its colours.
    """
    if json:
        return Silent()
    if stream:
        from ops.progress.stream import JsonProgress

        return JsonProgress(sys.stdout)
    if console is None and _can_move(sys.stderr.isatty()):
        from rich.console import Console as RichConsole

        console = RichConsole(stderr=True)
    if console is not None and console.is_interactive and _can_move(console.file.isatty()):
        from ops.progress.live import LiveProgress

        return LiveProgress(console, title=title, projects=projects, tense=tense)
    from ops.progress.plain import PlainProgress

    return PlainProgress(console.file if console is not None else sys.stderr, tense=tense)


def _can_move(terminal: bool) -> bool:
    """Whether the cursor can be moved there."""
    return terminal and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}
