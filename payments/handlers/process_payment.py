"""Lambda's entry to POST /process-payment."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments import gateway, http
from payments.assembly.storing import prepare, store_from
from payments.functions import PROCESS_PAYMENT
from payments.messaging.work_queue import SqsWorkQueue
from payments.routes.process_payment import process_payment
from payments.settings import ProcessPaymentSettings, load
from payments.telemetry import Telemetry

_telemetry = Telemetry(PROCESS_PAYMENT)
prepare("payments", "outbox")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """API Gateway REST proxy event in, proxy answer out."""
    return gateway.respond(event, context, _telemetry, _process)


def _process(request: http.Request) -> http.Answer:
    settings = _settings()
    store = store_from(settings.place)
    queue = SqsWorkQueue(settings.work_queue_url)
    return process_payment(request, payments=store.payments, queue=queue, outbox=store.outbox, telemetry=_telemetry, api_url=settings.api_url)


@cache
def _settings() -> ProcessPaymentSettings:
    return load(ProcessPaymentSettings)
