"""A batch of ten messages beside ten single ones, through the worker's handler, one client, the sandbox processor."""

from __future__ import annotations

import statistics

from bench.payments.client import BATCH, Order
from bench.payments.service import Bench
from bench.timing import in_turn, ratio

_TIMES = 20


def run(bench: Bench, rounds: int) -> None:
    """Prints the ratio of the times; taking the payments in is not part of them."""

    def median(what: str) -> float:
        return statistics.median(bench.order(Order(what, times=_TIMES), clients=1)[0].actions)

    seconds = in_turn(rounds, batch=lambda: median("batch"), singles=lambda: median("singles"))
    print(f"a batch of {BATCH} messages / {BATCH} single ones:         {ratio(seconds, 'batch', 'singles')}  (at most 0.4)")
