"""Payments on their way: queues, what the worker counts, and the way out to the payment processor."""

from __future__ import annotations

from collections.abc import Iterator

from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER
from payments.functions import Metric as PaymentMetric
from projects.observability import metrics
from projects.observability.alarms import Alarm
from projects.observability.settings import AlarmSettings
from shared.contracts import AppOutputs, NetworkingOutputs
from shared.environment import Environment


def watched(settings: AlarmSettings, environment: Environment, app: AppOutputs) -> Iterator[Alarm]:
    """The alarms of the queues, of the worker, and of the audit trail that the relay writes."""
    yield from _queues(settings, app)
    yield from _worker(settings, environment)
    yield Alarm(
        name="audit-lag",
        says="Changes of payments wait too long for the audit bucket: see the log of outbox-relay, and what it may write there",
        watches=metrics.of_payments(environment, OUTBOX_RELAY, PaymentMetric.AUDIT_LAG, "Maximum"),
        threshold=settings.audit_lag,
        # A relay that does not run measures nothing; that it stopped is told by another alarm.
        silence="ignore",
    )


def _queues(settings: AlarmSettings, app: AppOutputs) -> Iterator[Alarm]:
    # SQS stops reporting on a queue that was empty and unused for six hours, and never on one that holds a message.
    yield Alarm(
        name="payment-work-dead-letters",
        says="Payments were set aside after the last attempt: see the log of payment-worker, then `invoke dlq`, which can replay them",
        watches=metrics.of_queue(app.dead_letter_queue_name, "ApproximateNumberOfMessagesVisible", "Maximum"),
        threshold=1,
        silence="notBreaching",
    )
    yield Alarm(
        name="payment-work-age",
        says="Payments wait too long for the worker: it fails, is throttled, or has too little concurrency",
        watches=metrics.of_queue(app.work_queue_name, "ApproximateAgeOfOldestMessage", "Maximum"),
        threshold=settings.work_age,
        silence="notBreaching",
    )


def _worker(settings: AlarmSettings, environment: Environment) -> Iterator[Alarm]:
    # What the worker counts is there when it counts something, and else there is no value.
    yield Alarm(
        name="messages-handed-back",
        says="The worker hands payments back to the queue: see its log for the reason, then the payment processor and PostgreSQL",
        watches=metrics.of_payments(environment, PAYMENT_WORKER, PaymentMetric.MESSAGE_FAILED),
        threshold=settings.messages_failed,
        silence="notBreaching",
    )
    # The alarm of the queue itself rings once and goes on until the queue is empty; this one also rings for the next message.
    yield Alarm(
        name="messages-set-aside",
        says="The worker set payments aside in the dead-letter queue: `invoke dlq` shows them with the reason",
        watches=metrics.of_payments(environment, PAYMENT_WORKER, PaymentMetric.MESSAGE_DEAD_LETTERED),
        threshold=1,
        silence="notBreaching",
    )
    yield Alarm(
        name="processor-unavailable",
        says="The payment processor does not answer, repetitions included: see its status page, and the worker's log; payments wait in the queue",
        watches=metrics.of_payments(environment, PAYMENT_WORKER, PaymentMetric.PROCESSOR_UNAVAILABLE),
        threshold=settings.processor_unavailable,
        # A processor's hiccup ends by itself, and the payments of that time are tried again.
        periods=2,
        silence="notBreaching",
    )


def way_out(network: NetworkingOutputs) -> Alarm:
    """The alarm of the NAT gateways or instances."""
    return Alarm(
        name="way-out",
        says="The service cannot get out: NAT gateways lack ports or drop packets, or the NAT instance fails its checks",
        watches=metrics.of_way_out(network),
        # A dropped packet is sent again, and a gateway heals itself; a quarter of an hour of it is an outage.
        threshold=1,
        periods=3,
        # Both report all the time; when none of them does, there is none.
        silence="breaching",
    )
