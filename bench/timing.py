"""Timing whole processes in turn: A B A B …, so that a machine that gets slower or faster does so for both."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Failed(RuntimeError):  # noqa: N818 - says what it is
    """A measured command failed: its figures would be of something else."""


@dataclass(frozen=True)
class Figures:
    """One run: wall-clock seconds, and the peak memory of its largest process in MiB."""

    seconds: float
    memory: float


def timed(command: Sequence[str], environment: Mapping[str, str], folder: Path = ROOT) -> Figures:
    """Runs a command to its end; raises Failed with the end of its output when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{output.decode(errors='replace')[-2000:]}")
    unit = 1024**2 if sys.platform == "darwin" else 1024  # macOS tells bytes, Linux KiB
    return Figures(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit)


def in_turn(rounds: int, **what: Callable[[], float]) -> dict[str, list[float]]:
    """The seconds of each of `what`, `rounds` times in turn."""
    found: dict[str, list[float]] = {name: [] for name in what}
    for number in range(rounds):
        for name, run in what.items():
            seconds = run()
            found[name].append(seconds)
            print(f"  round {number + 1}: {name} {seconds:.2f} s", file=sys.stderr, flush=True)
    return found


def ratio(found: Mapping[str, Sequence[float]], one: str, other: str) -> str:
    """`one` over `other`, pair by pair: the median, and its range."""
    pairs = [left / right for left, right in zip(found[one], found[other], strict=True)]
    return f"{statistics.median(pairs):.2f} (from {min(pairs):.2f} to {max(pairs):.2f} in {len(pairs)} rounds)"


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with this Python first on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, **more}
