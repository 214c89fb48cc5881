"""Telling where a payment stands."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from payments import errors
from payments.domain.audit import timestamp
from payments.domain.payment import Model, Payment, Reference, State
from payments.storage.store import Payments


class VerifyRequest(Model):
    """Which payment is asked about: by its id, or by the reference that the request for it bore."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("payment_id", "reference")]}
    )

    payment_id: Annotated[str, StringConstraints(to_lower=True), Field(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")] | None = None
    reference: Reference | None = None

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.payment_id is None) == (self.reference is None):
            raise PydanticCustomError("one_name", "Exactly one of payment_id and reference has to be given")
        return self


class HistoryEntry(Model):
    """The payment came to a state.

    occurred_at: RFC 3339, in UTC. reason: why the processor declined or refused, as its short code.
    """

    state: State
    occurred_at: str
    reason: str | None


class PaymentStatus(Model):
    """What is told of a payment.

    amount: in the currency's minor unit. history: every state, the first one first; the last one is the payment's.
    """

    payment_id: str
    reference: str
    state: State
    amount: int
    currency: str
    history: tuple[HistoryEntry, ...]

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """The status of a payment as it was read."""
        return cls(
            payment_id=payment.payment_id,
            reference=payment.reference,
            state=payment.state,
            amount=payment.amount,
            currency=payment.currency,
            history=tuple(HistoryEntry(state=change.state, occurred_at=timestamp(change.occurred_at), reason=change.reason) for change in payment.history),
        )


def verify(request: VerifyRequest, *, merchant: str, payments: Payments) -> Payment:
    """The merchant's payment; raises the problem `payment-not-found`."""
    payment = payments.find(merchant, payment_id=request.payment_id, reference=request.reference)
    if payment is None:
        raise errors.payment_not_found()
    return payment
