"""How a command answers: lines and tables on standard output, refusals on standard error, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ops.report import EXIT_REFUSED

if TYPE_CHECKING:
    from rich.console import Console

    from ops.run import Request
    from ops.session import Session


def with_session(request: Request, show: Callable[[Session], int], tell: Callable[[list[str]], int] | None = None) -> int:
    """Runs `show` on a session; what speaks against one is told, without a traceback.

    tell: takes the reasons and answers the exit code; otherwise they go to standard error.
    """
    from localcloud.control import LocalCloudError
    from ops.engine import EngineError
    from ops.guards import GuardError
    from ops.progress import Silent
    from ops.run import SelectionError, prepare
    from ops.toolchain import ToolchainError
    from shared.page import PageError

    try:
        return show(prepare(request, Silent()))
    except PageError as error:
        return (tell or refused)([str(problem) for problem in error.problems])
    except (GuardError, ToolchainError, LocalCloudError, EngineError, SelectionError) as error:
        return (tell or refused)([str(error)])


def say(line: str) -> None:
    """A line for whoever asked."""
    print(line)


def refused(said: Iterable[str], code: int = EXIT_REFUSED) -> int:
    """Tells each reason on standard error; answers the exit code."""
    for line in said:
        print(f"error: {line}", file=sys.stderr)
    return code


def table(headers: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Rows under headings; what does not fit is folded, never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        made.add_column(header, overflow="fold")
    for row in rows:
        made.add_row(*row)
    console().print(made)


def console(*, stderr: bool = False, markup: bool = False) -> Console:
    """A console as wide as the terminal; into a pipe, as wide as it takes to break no line that a program may look for."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, markup=markup, emoji=False, width=None if stream.isatty() else 200)
