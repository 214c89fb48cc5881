"""A request that came before beside a first one: both through handler and storage, by one client and by all of them."""

from __future__ import annotations

import statistics

from bench import timing
from bench.payments.client import Order
from bench.payments.service import Bench, in_turn
from bench.timing import ratio

_TIMES = 300


def run(bench: Bench, rounds: int) -> None:
    """Prints what they cost who asks (the time of an answer), and what they cost a machine that does nothing else (throughputs, upside down)."""

    def median(what: str) -> float:
        return statistics.median(bench.order(Order(what, times=_TIMES), clients=1)[0].actions)

    seconds = timing.in_turn(rounds, repeated=lambda: median("repeated"), first=lambda: median("first"))
    print(f"time of a repeated request / of a first one:     {ratio(seconds, 'repeated', 'first')}  (at most 0.3)")
    throughputs, _ = in_turn(rounds, first=lambda: bench.load("first"), repeated=lambda: bench.load("repeated"))
    print(f"the same by all clients at once, per request:    {ratio(throughputs, 'first', 'repeated')}")
