"""Finding the CLI, and making it when it is not there."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ops.toolchain import build, official
from ops.toolchain.look import Refusal, look
from ops.toolchain.memory import Memory
from ops.toolchain.places import HERE, Places

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ops.toolchain.cli import Cli
    from ops.toolchain.progress import Progress


class ToolchainError(Exception):
    """There is no Pulumi CLI, and none could be made. `refused` holds every place that was tried, in order, with its reason."""

    def __init__(self, refused: list[Refusal]) -> None:
        self.refused = refused
        tried = "".join(f"\n  {number}. {refusal}" for number, refusal in enumerate(refused, 1))
        super().__init__(
            f"No usable Pulumi CLI was found, and none could be made. Tried:{tried}\n"
            "Install Pulumi, or Go, and run `make venv` again. `invoke rehearse`, `invoke validate` and most tests work without it."
        )


def find(places: Places = HERE, environ: Mapping[str, str] | None = None) -> Cli | None:
    """The CLI that is there, or None. Milliseconds: nothing is built, fetched, or imported from Pulumi's SDK."""
    return look(places, os.environ if environ is None else environ, Memory(places.memory))[0]


def ensure(progress: Progress, places: Places = HERE, environ: Mapping[str, str] | None = None, *, retry: bool = False) -> Cli:
    """The CLI that is there, or else the one that the official installer or a build makes.

    retry: ask for the official installation again, even if it failed within the last hour. Raises `ToolchainError` when there is none in the end.
    """
    environ = os.environ if environ is None else environ
    found = look(places, environ, Memory(places.memory))[0]
    if found:
        return found
    with _alone(places, progress):
        memory = Memory(places.memory)
        # Another run may have made it while this one waited.
        found, refused = look(places, environ, memory)
        if found:
            return found
        for place, reason in _attempts(places, memory, progress, retry=retry):
            if reason:
                refused.append(Refusal(place, reason))
                progress.say(f"{place}: {reason.splitlines()[0]}")
                continue
            found, still = look(places, environ, memory)
            if found:
                return found
            refused.append(Refusal(place, f"done, but {still[-1].reason}"))
        raise ToolchainError(refused)


def _attempts(places: Places, memory: Memory, progress: Progress, *, retry: bool) -> Generator[tuple[str, str]]:
    """Each way to make a CLI: its name, and why it failed (empty: it did not)."""
    yield "the official installation", official.install(places, memory, progress, retry=retry)
    yield f"a build from {places.modules}", build.build(places, memory, progress)


@contextmanager
def _alone(places: Places, progress: Progress) -> Generator[None]:
    """One run at a time makes the CLI; others wait and find it. The lock goes with its process, however that ends."""
    places.local.mkdir(parents=True, exist_ok=True)
    with places.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Another run is making the Pulumi CLI; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
