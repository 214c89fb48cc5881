"""The worker behind the work queue: submits each payment of a batch and names the messages that failed."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from payments.functions import PAYMENT_WORKER, Metric
from payments.messaging.events import SnsPaymentEvents
from payments.messaging.work_queue import Work
from payments.service.submitting import UnknownPaymentError, submit
from payments.settings import PaymentWorkerSettings, load
from payments.storage.transaction_log import DynamoTransactionLog
from payments.telemetry import Telemetry

_telemetry = Telemetry(PAYMENT_WORKER)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """SQS batch in, partial batch response out: only the messages named in it come again, and go to the dead-letter queue in the end."""
    with _telemetry.log.append_context_keys(correlation_id=context.aws_request_id):
        try:
            failed = [record["messageId"] for record in event["Records"] if not _handled(record)]
        finally:
            _telemetry.flush()
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _handled(record: dict[str, Any]) -> bool:
    """Whether the message is done with. One that fails holds up none of the others."""
    try:
        settings = _settings()
        work = Work.model_validate_json(record["body"])
        with _telemetry.log.append_context_keys(correlation_id=work.correlation_id):
            _submit(work, settings)
    except Exception as error:  # noqa: BLE001 - any failure is this message's alone: it goes back to the queue, and the log has the cause
        _telemetry.count(Metric.MESSAGE_FAILED)
        _log_failure(record, error)
        return False
    return True


def _submit(work: Work, settings: PaymentWorkerSettings) -> None:
    entered = submit(
        work,
        log=DynamoTransactionLog(settings.transaction_log_table),
        events=SnsPaymentEvents(settings.payment_events_topic_arn),
    )
    if entered:
        _telemetry.count(Metric.PAYMENT_SUBMITTED)
    _telemetry.log.info("payment submitted" if entered else "payment was submitted before", payment_id=work.payment_id)


def _log_failure(record: dict[str, Any], error: Exception) -> None:
    about: dict[str, Any] = {"message_id": record["messageId"], "receive_count": record["attributes"]["ApproximateReceiveCount"]}
    if isinstance(error, ValidationError):
        fields = sorted({str(fault["loc"][0]) if fault["loc"] else "body" for fault in error.errors(include_input=False)})
        _telemetry.log.error("message refused: it is not a unit of work", fields=fields, **about)
    elif isinstance(error, UnknownPaymentError):
        _telemetry.log.error("message refused: %s", error, **about)
    else:
        _telemetry.log.error("message failed", exc_info=error, **about)


@cache
def _settings() -> PaymentWorkerSettings:
    settings = load(PaymentWorkerSettings)
    _telemetry.stage(settings.stage)
    return settings
