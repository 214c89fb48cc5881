"""POST /process-payment: takes a payment in and answers 202 with its id."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments import errors, http
from payments.domain.card_data import has_card_number
from payments.domain.payment import PaymentRequest
from payments.functions import PROCESS_PAYMENT, Metric
from payments.messaging.work_queue import SqsWorkQueue
from payments.service.accepting import accept
from payments.settings import ProcessPaymentSettings, load
from payments.storage.sessions import DynamoSessions
from payments.storage.transaction_log import DynamoTransactionLog
from payments.telemetry import Telemetry

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_telemetry = Telemetry(PROCESS_PAYMENT)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """API Gateway REST proxy event in, proxy answer out."""
    return http.respond(event, context, _telemetry, _settings, _process)


def _process(request: http.Request, settings: ProcessPaymentSettings) -> http.Answer:
    key = _idempotency_key(request.headers)
    accepted = accept(
        request.as_model(PaymentRequest),
        key,
        request.correlation_id,
        log=DynamoTransactionLog(settings.transaction_log_table),
        sessions=DynamoSessions(settings.sessions_table),
        queue=SqsWorkQueue(settings.work_queue_url),
    )
    payment = accepted.opening
    _telemetry.count(Metric.PAYMENT_RECEIVED if accepted.first else Metric.PAYMENT_REPEATED)
    _telemetry.log.info("payment received" if accepted.first else "payment request repeated", payment_id=payment.payment_id)
    return http.Answer(202, {"payment_id": payment.payment_id, "state": payment.state})


def _idempotency_key(headers: dict[str, str]) -> str:
    key = headers.get("idempotency-key")
    if key is None:
        raise errors.idempotency_key_invalid("It is missing.")
    if not _KEY.fullmatch(key):
        raise errors.idempotency_key_invalid("It has to be 1 to 255 visible ASCII characters.")
    if has_card_number(key):
        raise errors.card_data_refused([errors.Fault("header Idempotency-Key", "looks like a card number")])
    return key


@cache
def _settings() -> ProcessPaymentSettings:
    settings = load(ProcessPaymentSettings)
    _telemetry.stage(settings.stage)
    return settings
