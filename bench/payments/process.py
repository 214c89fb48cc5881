"""process-payment, handler and storage, beside the same statements from pgbench."""

from __future__ import annotations

from bench.payments import floor
from bench.payments.service import Bench, in_turn
from bench.timing import ratio


def run(bench: Bench, rounds: int) -> None:
    """Prints three ratios."""
    throughputs, p99s = in_turn(
        rounds,
        handler=lambda: bench.load("first"),
        floor=lambda: floor.run(bench, floor.process()),
        accept=lambda: floor.run(bench, floor.accept()),
    )
    print(f"process-payment / pgbench, throughput:           {ratio(throughputs, 'handler', 'floor')}  (at least 0.6)")
    print(f"                           p99:                  {ratio(p99s, 'handler', 'floor')}  (at most 4)")
    print(f"process-payment / pgbench without marking sent:  {ratio(throughputs, 'handler', 'accept')}; p99 {ratio(p99s, 'handler', 'accept')}")
