"""Between the tasks and whoever typed them: options are checked, and what may end a task from outside is told in a line.

A traceback stays for our own mistakes.
"""

from __future__ import annotations

import functools
import os
import select
import sys
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

from invoke import tasks
from invoke.exceptions import Exit

from ops.options import TargetName
from ops.report import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_REFUSED

P = ParamSpec("P")
R = TypeVar("R")
N = TypeVar("N", int, float)

MOST_PORT: Final = 65535
_STDOUT: Final = 1
DAY: Final = 86_400  # seconds: nothing that is waited for here takes longer


def task(**about: Any) -> Callable[[Callable[..., None]], Any]:
    """A task of invoke's, with long options alone, that tells of what ends it."""

    def made(body: Callable[..., None]) -> Any:
        return tasks.task(auto_shortflags=False, **about)(told(body))

    return made


def end(code: int) -> None:
    """Ends the task with an exit code."""
    if code:
        raise Exit(code=code)


def target_of(named: str) -> TargetName:
    """The target that --target names; ends the task where there is none of that name."""
    if named not in {"aws", "local"}:
        raise Exit(f"error: --target {named}: must be aws or local", code=EXIT_REFUSED)
    return "local" if named == "local" else "aws"


def told(body: Callable[P, R]) -> Callable[P, R]:
    """The task, ended by invoke's Exit where it is interrupted, nobody answers it, the engine says no, or a file cannot be read or written."""

    @functools.wraps(body)
    def guarded(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return body(*arguments, **options)
        except KeyboardInterrupt:
            raise Exit("interrupted", code=EXIT_INTERRUPTED) from None
        except EOFError:
            raise Exit("error: the input ended before there was an answer; nothing was touched", code=EXIT_REFUSED) from None
        except OSError as error:
            if _is_unread(error):
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise Exit(f"error: {where}{error.strerror or error}", code=EXIT_FAILED) from None
        except Exception as error:
            from ops.engine import EngineError  # not at the top: listing the tasks stays quick

            if isinstance(error, EngineError):
                raise Exit(f"error: {error}", code=EXIT_FAILED) from None
            raise

    return guarded


def quiet_where_nobody_reads() -> None:
    """Ends a command without a word where the reader of its output went away (`| head`): the tasks, and what invoke itself prints."""
    tell = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if _is_unread(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)  # what is left to print at the end would fail again
        else:
            tell(kind, error, trace)

    sys.excepthook = hook


def _is_unread(error: BaseException) -> bool:
    """Whether it is standard output that is broken, and not a connection."""
    if not isinstance(error, BrokenPipeError):
        return False
    output = select.poll()
    output.register(_STDOUT, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in output.poll(0))


def number(option: str, given: str, kind: Callable[[str], N], least: N, most: N) -> N:
    """An option's number; invoke's own parser ends with a traceback where it is none."""
    try:
        found = kind(given)
    except ValueError:
        found = None
    # A comparison that is false of nan, too.
    if found is None or not least <= found <= most:
        raise Exit(f"error: {option} {given}: a number from {least} to {most}", code=EXIT_REFUSED)
    return found
