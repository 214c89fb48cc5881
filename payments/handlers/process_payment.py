"""Lambda's entry to POST /process-payment."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments import gateway, http
from payments.functions import PROCESS_PAYMENT
from payments.messaging.work_queue import SqsWorkQueue
from payments.routes.process_payment import process_payment
from payments.settings import ProcessPaymentSettings, load
from payments.storage.database import from_settings
from payments.storage.outbox import Outbox
from payments.storage.payments import Payments
from payments.telemetry import Telemetry

_telemetry = Telemetry(PROCESS_PAYMENT)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """API Gateway REST proxy event in, proxy answer out."""
    return gateway.respond(event, context, _telemetry, _process)


def _process(request: http.Request) -> http.Answer:
    settings = _settings()
    database = from_settings(settings.database)
    queue = SqsWorkQueue(settings.work_queue_url)
    return process_payment(request, payments=Payments(database), queue=queue, outbox=Outbox(database), telemetry=_telemetry)


@cache
def _settings() -> ProcessPaymentSettings:
    return load(ProcessPaymentSettings)
