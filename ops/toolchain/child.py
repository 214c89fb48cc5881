"""Child processes that never outlive an interrupt, and whose output is read line by line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

_GRACE = 5.0
"""Seconds between asking a child to end and ending it. `go` removes its work folder in well under one."""

_KEPT = 20
"""Lines of output that an error shows: a compiler's first complaint fits, a whole build does not."""


class ChildError(Exception):
    """A child ended badly; the text says how and shows its last lines."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    within: float | None = None,
    on_line: Callable[[str], bool] | None = None,
) -> list[str]:
    """Run `command`, standard output and error together, and return its last lines.

    within: seconds after which it is ended. on_line: called with each line; those for which it answers True are progress and are not kept.
    Raises `ChildError` for a failure or a time-out. On any exception (Ctrl-C above all) the child and all that it started are ended first.
    """
    kept: deque[str] = deque(maxlen=_KEPT)
    name = f"`{' '.join(map(str, command[:2]))}`"
    with _started(command, cwd, environ, name) as child, _ended_after(within, child) as expired:
        for line in child.stdout or ():
            text = line.rstrip()
            if text and not (on_line and on_line(text)):
                kept.append(text)
        code = child.wait()
    if expired.is_set():
        message = f"{name} was not done within {within:g} s" + _tail(kept)
        raise ChildError(message)
    if code:
        message = f"{name} ended with {code}" + _tail(kept)
        raise ChildError(message)
    return list(kept)


@contextmanager
def _started(command: Sequence[str | Path], cwd: Path, environ: Mapping[str, str], name: str) -> Generator[subprocess.Popen[str]]:
    """The child, which is ended with the block if the block ends by an exception."""
    try:
        # A session of its own: a Ctrl-C at the terminal reaches us alone, and we end the whole family in order.
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environ),
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        message = f"{name} does not start: {error}"
        raise ChildError(message) from error
    try:
        yield child
    except BaseException:
        _end(child)
        raise
    finally:
        if child.stdout:
            child.stdout.close()


@contextmanager
def _ended_after(seconds: float | None, child: subprocess.Popen[str]) -> Generator[threading.Event]:
    """Ends the child when `seconds` have passed; the event tells that this happened."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _end(child)

    timer = threading.Timer(seconds, expire) if seconds else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield expired
    finally:
        if timer:
            timer.cancel()


def _end(child: subprocess.Popen[str]) -> None:
    """End the child and whatever it started: politely, then not."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
            return


def _tail(lines: deque[str]) -> str:
    return "".join(f"\n    {line}" for line in lines)
