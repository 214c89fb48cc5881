"""Telling where a payment stands."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from payments import errors
from payments.domain.payment import Model
from payments.storage.transaction_log import History, TransactionLog


class VerifyRequest(Model):
    """Which payment is asked about."""

    payment_id: Annotated[str, StringConstraints(to_lower=True), Field(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]


def verify(request: VerifyRequest, *, log: TransactionLog) -> History:
    """The payment's history; raises the problem `payment-not-found`."""
    history = log.history(request.payment_id)
    if history is None:
        raise errors.payment_not_found()
    return history
