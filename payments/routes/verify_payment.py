"""POST /verify-payment: answers with a payment's state, amount and history."""

from __future__ import annotations

from payments import http
from payments.routes import links
from payments.service.verifying import PaymentStatus, VerifyRequest, verify
from payments.storage.store import Payments


def verify_payment(request: http.Request, *, payments: Payments, api_url: str | None = None) -> http.Answer:
    """The answer to a request; raises problems. api_url: of the environment's API; the answer says where to ask again."""
    payment = verify(request.as_model(VerifyRequest), merchant=request.merchant, payments=payments)
    return http.Answer(200, PaymentStatus.of(payment).model_dump_json(), links.to_status(api_url))
