"""POST /verify-payment: answers with a payment's state, amount and history."""

from __future__ import annotations

from payments import http
from payments.service.verifying import PaymentStatus, VerifyRequest, verify
from payments.storage.store import Payments


def verify_payment(request: http.Request, *, payments: Payments) -> http.Answer:
    """The answer to a request; raises problems."""
    payment = verify(request.as_model(VerifyRequest), merchant=request.merchant, payments=payments)
    return http.Answer(200, PaymentStatus.of(payment).model_dump_json())
