"""A request that came before beside a first one: both through handler and storage, by as many clients."""

from __future__ import annotations

from bench.payments.service import Bench, in_turn
from bench.timing import ratio


def run(bench: Bench, rounds: int) -> None:
    """Prints the ratio of what they cost, which is that of the throughputs, upside down."""
    throughputs, _ = in_turn(rounds, first=lambda: bench.load("first"), repeated=lambda: bench.load("repeated"))
    print(f"cost of a repeated request / of a first one:     {ratio(throughputs, 'first', 'repeated')}  (at most 0.3)")
