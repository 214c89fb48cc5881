"""Payments as the tests of storage make them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

from payments.domain.payment import PaymentRequest, State, Step
from payments.storage.store import Acceptance, Store

REQUEST: dict[str, Any] = {"amount": 1050, "currency": "EUR", "payment_token": "tok_approve", "reference": "order 7"}
CAPTURE = (State.SUBMITTED, State.AUTHORIZED, State.CAPTURED)
DECLINE = (State.SUBMITTED, State.DECLINED)

_numbers = itertools.count(1)


def accept(store: Store, key: str = "key-1", merchant: str = "default", **changes: Any) -> Acceptance:
    """Takes a payment in, as the service does."""
    request = PaymentRequest.model_validate(REQUEST | changes)
    return store.payments.accept(request, merchant=merchant, key=key, correlation_id="request-1", answer=answer)


def answer(payment_id: str) -> str:
    """What the request is answered."""
    return json.dumps({"payment_id": payment_id, "state": "received"})


def another(store: Store, **changes: Any) -> str:
    """The id of a payment with a key and a reference of its own."""
    number = next(_numbers)
    return accept(store, f"key number {number}", **{"reference": f"order number {number}", **changes}).payment_id


def step(payment_id: str, before: State, after: State, **more: Any) -> Step:
    """A step of a payment that the processor `sandbox` is asked about."""
    return Step(payment_id=payment_id, before=before, after=after, correlation_id="message-1", processor="sandbox", **more)


def walk(store: Store, payment_id: str, states: Sequence[State] = CAPTURE) -> None:
    """Takes a payment that was received through these states."""
    for before, after in itertools.pairwise((State.RECEIVED, *states)):
        assert store.payments.advance([step(payment_id, before, after)]) == {payment_id}
