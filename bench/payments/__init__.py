"""The payment service beside the floor of what it stands on: handlers in client processes, over a PostgreSQL server of their own."""

from __future__ import annotations

import sys

from bench.payments import batches, duplicates, merchants, process, verify
from bench.payments.service import CLIENTS, SECONDS, running


def run(rounds: int) -> None:
    """Prints the ratios of all five benchmarks, and what the figures were made of."""
    print(f"Payments: {CLIENTS} clients, {SECONDS:g} s each in turn, AWS's own calls left out:", file=sys.stderr)
    with running() as bench:
        for benchmark in (process, verify, duplicates, merchants, batches):
            benchmark.run(bench, rounds)


__all__ = ["run"]
