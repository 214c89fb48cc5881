"""verify-payment, handler and storage, beside the same statement from pgbench."""

from __future__ import annotations

from bench.payments import floor
from bench.payments.service import Bench, in_turn
from bench.timing import ratio


def run(bench: Bench, rounds: int) -> None:
    """Prints three ratios; the payments that are asked about are captured, so each has four states to tell."""
    throughputs, p99s = in_turn(
        rounds,
        handler=lambda: bench.load("verify"),
        storage=lambda: bench.load("found"),
        floor=lambda: floor.run(bench, floor.verify(), "verified"),
    )
    print(f"verify-payment / pgbench, throughput:            {ratio(throughputs, 'handler', 'floor')}  (at least 0.6)")
    print(f"its storage alone / pgbench, throughput:         {ratio(throughputs, 'storage', 'floor')}")
    print(f"verify-payment / pgbench, p99:                   {ratio(p99s, 'handler', 'floor')}")
