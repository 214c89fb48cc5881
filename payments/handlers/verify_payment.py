"""POST /verify-payment: answers with a payment's state, amount and history."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments import http
from payments.functions import VERIFY_PAYMENT
from payments.service.verifying import VerifyRequest, verify
from payments.settings import VerifyPaymentSettings, load
from payments.storage.transaction_log import DynamoTransactionLog
from payments.telemetry import Telemetry

_telemetry = Telemetry(VERIFY_PAYMENT)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """API Gateway REST proxy event in, proxy answer out."""
    return http.respond(event, context, _telemetry, _settings, _verify)


def _verify(request: http.Request, settings: VerifyPaymentSettings) -> http.Answer:
    history = verify(request.as_model(VerifyRequest), log=DynamoTransactionLog(settings.transaction_log_table))
    payment = history.opening.request
    return http.Answer(
        200,
        {
            "payment_id": history.opening.payment_id,
            "state": history.last.state,
            "amount": payment.amount,
            "currency": payment.currency,
            "reference": payment.reference,
            "history": [{"sequence": entry.sequence, "state": entry.state, "occurred_at": entry.occurred_at} for entry in history.entries],
        },
    )


@cache
def _settings() -> VerifyPaymentSettings:
    settings = load(VerifyPaymentSettings)
    _telemetry.stage(settings.stage)
    return settings
