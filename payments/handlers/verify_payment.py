"""Lambda's entry to POST /verify-payment."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments import gateway, http
from payments.assembly.storing import prepare, store_from
from payments.functions import VERIFY_PAYMENT
from payments.routes.verify_payment import verify_payment
from payments.settings import VerifyPaymentSettings, load
from payments.telemetry import Telemetry

_telemetry = Telemetry(VERIFY_PAYMENT)
prepare("payments")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """API Gateway REST proxy event in, proxy answer out."""
    return gateway.respond(event, context, _telemetry, _verify)


def _verify(request: http.Request) -> http.Answer:
    settings = _settings()
    return verify_payment(request, payments=store_from(settings.place).payments, api_url=settings.api_url)


@cache
def _settings() -> VerifyPaymentSettings:
    return load(VerifyPaymentSettings)
