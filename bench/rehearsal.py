"""`invoke rehearse --env prod` and `invoke rehearse` of all environments, the whole processes."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from bench.timing import Figures, environment, timed

_INVOKE = str(Path(sys.executable).with_name("invoke"))


def run(rounds: int) -> None:
    """Prints seconds and MiB, and the ratios to what importing the SDKs alone costs on this machine, and to one environment."""
    figures: list[Figures] = []
    floors: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [_INVOKE, "rehearse", "--env", "prod", "--json", str(Path(folder, "prod.json"))]
        for _ in range(rounds):
            floors.append(timed([sys.executable, "-c", "import pulumi, pulumi_aws, boto3, moto; pulumi_aws.ec2.Vpc"], environment()).seconds)
            figures.append(timed(command, environment()))
    seconds = [one.seconds for one in figures]
    print(f"rehearse prod: {statistics.median(seconds):.1f} s (from {min(seconds):.1f} to {max(seconds):.1f}; at most 6 here)")
    print(f"               {max(one.memory for one in figures):.0f} MiB (at most 500)")
    times = statistics.median(own / floor for own, floor in zip(seconds, floors, strict=True))
    print(f"               {times:.1f} times the import of pulumi, pulumi_aws.ec2, boto3 and moto")
    # After the others: the system keeps the memory of the largest process only.
    every = [timed([_INVOKE, "rehearse"], environment()).seconds for _ in range(rounds)]
    print(f"rehearse all: {statistics.median(every):.1f} s (from {min(every):.1f} to {max(every):.1f}; at most 25 here)")
    print(f"              {statistics.median(every) / statistics.median(seconds):.1f} times prod alone")
