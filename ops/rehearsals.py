"""Many environments rehearsed at once: a process for each core, each with one environment after the other."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rehearsed:
    """One environment: how many resources its programs made in how many seconds, or why they did not get through."""

    name: str
    resources: int = 0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()


def rehearse_each(names: Sequence[str], folder: Path | None, on_end: Callable[[Rehearsed], None], *, suffix: str = "") -> list[Rehearsed]:
    """Rehearses environments, and writes each as `<folder>/<name>.json` where there is a folder; one that fails stops no other.

    on_end: told of each as it ends. Ctrl-C ends all of them.
    """
    workers = min(len(names), os.cpu_count() or 1)
    # A process that was forked would have the locks of this one's threads (gRPC has some) as they happened to be.
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_ctrl_c_to_the_caller)
    done: list[Rehearsed] = []
    try:
        for ended in as_completed([pool.submit(_rehearse, name, suffix, folder) for name in names]):
            done.append(ended.result())
            on_end(done[-1])
    except KeyboardInterrupt:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return sorted(done, key=lambda one: names.index(one.name))


def _leave_ctrl_c_to_the_caller() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _rehearse(name: str, suffix: str, folder: Path | None) -> Rehearsed:
    from ops import rehearsal, workspace
    from shared.page import PageError

    started = time.monotonic()
    try:
        done = rehearsal.rehearse(workspace.open_workspace(name, suffix, target="local"))
    except PageError as error:
        return Rehearsed(name, problems=tuple(map(str, error.problems)))
    except rehearsal.RehearsalError as error:
        return Rehearsed(name, problems=(f"{name}: {error}",))
    if folder is not None:
        try:
            rehearsal.write(done, folder / f"{name}.json")
        except OSError as error:
            return Rehearsed(name, problems=(f"{name}: --json {folder}: {error.strerror}; name a folder that can be written to",))
    return Rehearsed(name, sum(len(stack.run.resources) for stack in done.stacks), time.monotonic() - started)
