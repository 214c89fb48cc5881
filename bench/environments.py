"""Deploying every customer's environments onto the local target, one after the other: how long each takes, and who of those who work on it takes the time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import psutil

from bench.deploy import INVOKE, cloud
from bench.timing import ROOT, Failed, environment
from ops.answers import table
from shared.page import names

_LOOK_SECONDS = 0.05
_OWN = ("dev", "staging", "prod")

# Who works on a deployment, by the beginning of a program's or script's name; what begins in no such way works for whoever started it.
_MARKS = {"localcloud.daemon": "local AWS", "pulumi-language-python": "programs", "pulumi": "engine"}
_TASKS = "tasks"
WORKERS = ("engine", "programs", "local AWS", _TASKS)


@dataclass(frozen=True)
class Taken:
    """Deployments: seconds from start to end, and seconds of processor time by who took them."""

    seconds: float
    processor: dict[str, float]

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.seconds + other.seconds, {worker: self.processor[worker] + other.processor[worker] for worker in WORKERS})

    def row(self, name: str) -> tuple[str, ...]:
        """For the table: seconds, and each worker's share of all processor time."""
        total = sum(self.processor.values())
        return (name, f"{self.seconds:.1f} s", *(f"{self.processor[worker] / total:.0%}" for worker in WORKERS))


def run(rounds: int) -> None:
    """Prints a line for each environment; one round, whatever `rounds` says: it is all of fourteen deployments."""
    del rounds
    found = {env: _deployed(env) for env in names() if env not in _OWN}
    everything = reduce(Taken.__add__, found.values())
    table(("environment", "deployed in", *WORKERS), [one.row(env) for env, one in {**found, "all": everything}.items()])


def _deployed(env: str) -> Taken:
    """From nothing, with a fresh local cloud."""
    print(f"  {env} ...", file=sys.stderr, flush=True)
    with cloud() as bench:
        started = time.perf_counter()
        command = [INVOKE, "deploy", "--env", env, "--target", "local", "--confirm", env]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(PAYMENTS_LOCAL=str(bench.home)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        with _watching(process.pid, bench.cloud) as taken:
            output, _ = process.communicate()
        if process.returncode:
            raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{output.decode(errors='replace')[-2000:]}")
        return Taken(time.perf_counter() - started, taken())


@contextmanager
def _watching(*roots: int) -> Generator[_Looker]:
    looker = _Looker([psutil.Process(root) for root in roots])
    looker.start()
    try:
        yield looker
    finally:
        looker.stop()


class _Looker(threading.Thread):
    """Looks at processes and all below them again and again, as what one that ended has taken can no longer be asked for."""

    def __init__(self, roots: list[psutil.Process]) -> None:
        super().__init__(daemon=True)
        self._roots = roots
        self._first: dict[psutil.Process, float] = {}
        self._last: dict[psutil.Process, tuple[str, float]] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Until it is stopped."""
        while not self._stopped.wait(_LOOK_SECONDS):
            self._look()

    def stop(self) -> None:
        """After one more look."""
        self._stopped.set()
        self.join()

    def __call__(self) -> dict[str, float]:
        """Seconds of processor time by worker, of what was seen."""
        found: dict[str, float] = dict.fromkeys(WORKERS, 0.0)
        for process, (worker, seconds) in self._last.items():
            found[worker] += seconds - self._first[process]
        return found

    def _look(self) -> None:
        for root in self._roots:
            with suppress(psutil.NoSuchProcess):
                # Parents come before their children.
                for process in (root, *root.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                        times = process.cpu_times()
                        seconds = times.user + times.system
                        # What the local cloud took before belongs to its start; all others are born during the deployment.
                        self._first.setdefault(process, seconds if process in self._roots else 0.0)
                        self._last[process] = (_worker(process.cmdline()) or self._parents_worker(process), seconds)

    def _parents_worker(self, process: psutil.Process) -> str:
        parent = process.parent()
        return self._last[parent][0] if parent is not None and parent in self._last else _TASKS


def _worker(command: list[str]) -> str | None:
    names = [Path(word).name for word in command]
    return next((worker for mark, worker in _MARKS.items() if any(name.startswith(mark) for name in names)), None)
