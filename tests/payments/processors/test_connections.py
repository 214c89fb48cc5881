"""Connections to the processor are kept from round to round and from batch to batch: a new one costs two round trips before the first byte."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from payments.domain.payment import Payment, State, Step, new_payment_id
from payments.functions import PAYMENT_WORKER
from payments.processors.stripe import Stripe
from payments.service.advancing import THREADS, Advancing
from payments.storage.store import Acceptance
from payments.telemetry import Telemetry
from tests.payments.processors.stripe_api import APPROVED, StripeApi
from tests.payments.processors.test_stripe import KnownKey

ROUNDS = 2
"""Of a payment in which the processor is asked: authorization and capture."""


@dataclass
class Held:
    """Payments that nobody else moves."""

    payments: dict[str, Payment]

    @classmethod
    def received(cls, number: int) -> Held:
        """So many that were just taken in."""
        about: dict[str, Any] = {"merchant": "shop", "amount": 1050, "currency": "EUR", "payment_token": APPROVED, "reference": "order 1", "metadata": {}}
        nobody: dict[str, Any] = {"session_id": None, "processor": None, "processor_reference": None}
        names = [new_payment_id() for _ in range(number)]
        return cls({name: Payment(payment_id=name, state=State.RECEIVED, history=(), **about, **nobody) for name in names})

    def load(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        return {name: self.payments[name] for name in payment_ids}

    def advance(self, steps: Sequence[Step]) -> set[str]:
        self.payments |= {step.payment_id: replace(self.payments[step.payment_id], state=step.after) for step in steps}
        return {step.payment_id for step in steps}

    def find(self, merchant: str, *, payment_id: str | None = None, reference: str | None = None) -> Payment | None:
        raise NotImplementedError

    def accept(self, request: Any, *, merchant: str, key: str, correlation_id: str, answer: Callable[[str], str]) -> Acceptance:
        raise NotImplementedError


def advancing(api: StripeApi, held: Held) -> Advancing:
    return Advancing(payments=held, processor=Stripe(KnownKey(), endpoint=api.endpoint), telemetry=Telemetry(PAYMENT_WORKER))


def see_through(through: Advancing, names: Iterable[str]) -> None:
    assert through.see_through(dict.fromkeys(names, "request-1"), remaining=lambda: 60.0) == {}


def test_as_many_connections_as_threads_serve_all_batches() -> None:
    with StripeApi() as api:
        held = Held.received(3 * THREADS)
        through, names = advancing(api, held), list(held.payments)
        for start in range(0, len(names), THREADS):
            see_through(through, names[start : start + THREADS])
        assert {payment.state for payment in held.payments.values()} == {State.CAPTURED}
        assert len(api.requests) == ROUNDS * len(names)
        assert 1 <= api.connections <= THREADS


def test_callers_do_not_wait_for_each_others_threads() -> None:
    """Each of the container's consumers has as many as its batch may need, or a batch would take longer than the time that it is begun with."""
    with StripeApi() as api:
        held = Held.received(2 * THREADS)
        through, names = advancing(api, held), list(held.payments)
        together = threading.Barrier(2 * THREADS, timeout=20)
        answer = api.answer

        def waiting(*about: Any) -> Any:
            if about[1].endswith("/payment_intents"):
                together.wait()
            return answer(*about)

        api.answer = waiting  # type: ignore[method-assign]
        callers = [threading.Thread(target=see_through, args=(through, names[start : start + THREADS])) for start in (0, THREADS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
        assert {payment.state for payment in held.payments.values()} == {State.CAPTURED}


def test_threads_end_with_their_caller() -> None:
    others = set(threading.enumerate())
    with StripeApi() as api:
        held = Held.received(2)
        through = advancing(api, held)
        caller = threading.Thread(target=see_through, args=(through, list(held.payments)))
        caller.start()
        caller.join(30)
        own = [thread for thread in threading.enumerate() if thread.name.startswith("step") and thread not in others]
        for thread in own:
            thread.join(20)
        assert not any(thread.is_alive() for thread in own)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_process_that_was_forked_makes_threads_of_its_own() -> None:
    with StripeApi() as api:
        held = Held.received(2)
        through, names = advancing(api, held), list(held.payments)
        see_through(through, names[:1])
        child = os.fork()
        if not child:
            try:
                see_through(through, names[1:])
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
