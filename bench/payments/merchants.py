"""One merchant's payments beside those of many, from the requests to the ledger: nobody waits for a row that all of a merchant's payments share."""

from __future__ import annotations

from bench.payments.client import MERCHANTS
from bench.payments.service import Bench, in_turn
from bench.timing import ratio


def run(bench: Bench, rounds: int) -> None:
    """Prints the ratio of the throughputs."""
    throughputs, _ = in_turn(rounds, hot=lambda: bench.load("hot"), many=lambda: bench.load("many"))
    print(f"throughput of one merchant / of {MERCHANTS}:            {ratio(throughputs, 'hot', 'many')}  (at least 0.8)")
