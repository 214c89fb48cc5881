"""POST /process-payment: takes a payment in and answers 202 with its id."""

from __future__ import annotations

import re
from collections.abc import Mapping

from payments import errors, http
from payments.domain.card_data import has_card_number
from payments.domain.payment import PaymentRequest
from payments.functions import Metric
from payments.messaging.work_queue import WorkQueue
from payments.routes import links
from payments.service.accepting import accept, hand_over
from payments.storage.store import Outbox, Payments
from payments.telemetry import Telemetry

KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"
"""What an idempotency key may be: visible ASCII characters."""

_KEY = re.compile(KEY_PATTERN.removeprefix("^").removesuffix("$"))


def process_payment(
    request: http.Request, *, payments: Payments, queue: WorkQueue, outbox: Outbox, telemetry: Telemetry, api_url: str | None = None
) -> http.Answer:
    """The answer to a request; raises problems. api_url: of the environment's API, to which the answer links."""
    key = _idempotency_key(request.headers)
    wanted = request.as_model(PaymentRequest)
    accepted = accept(wanted, merchant=request.merchant, key=key, correlation_id=request.correlation_id, payments=payments)
    with telemetry.span("payment", payment_id=accepted.payment_id):
        hand_over(accepted, correlation_id=request.correlation_id, queue=queue, outbox=outbox, telemetry=telemetry)
    telemetry.count(Metric.PAYMENT_RECEIVED if accepted.first else Metric.PAYMENT_REPEATED)
    telemetry.log.info("payment received" if accepted.first else "payment request repeated", payment_id=accepted.payment_id)
    return http.Answer(202, accepted.answer, links.to_status(api_url))


def _idempotency_key(headers: Mapping[str, str]) -> str:
    key = headers.get("idempotency-key")
    if key is None:
        raise errors.idempotency_key_invalid("It is missing.")
    if not _KEY.fullmatch(key):
        raise errors.idempotency_key_invalid("It has to be 1 to 255 visible ASCII characters.")
    if has_card_number(key):
        raise errors.card_data_refused([errors.Fault("header Idempotency-Key", "looks like a card number")])
    return key
