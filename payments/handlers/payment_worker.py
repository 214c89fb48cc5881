"""Lambda's entry to the worker behind the work queue."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments.assembly.storing import prepare
from payments.assembly.working import worker_from
from payments.functions import PAYMENT_WORKER, Metric
from payments.service.working import Message, Worker
from payments.settings import PaymentWorkerSettings, load
from payments.telemetry import Telemetry

_telemetry = Telemetry(PAYMENT_WORKER)
prepare("payments", "outbox")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """SQS batch in, partial batch response out: only the messages named in it come again."""
    messages = [Message(record["messageId"], record["body"], int(record["attributes"]["ApproximateReceiveCount"])) for record in event["Records"]]
    with _telemetry.correlated(context.aws_request_id):
        try:
            failed = _worker().work(messages, remaining=lambda: context.get_remaining_time_in_millis() / 1000)
        except Exception:
            # All messages come again, where an error of the function would have Lambda wait before it takes more of the queue.
            _telemetry.count(Metric.MESSAGE_FAILED, len(messages))
            _telemetry.log.exception("batch failed")
            failed = [message.id for message in messages]
        finally:
            _telemetry.flush()
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


@cache
def _worker() -> Worker:
    return worker_from(load(PaymentWorkerSettings), _telemetry)
