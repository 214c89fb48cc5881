"""What is watched, and from when on it is bad."""

from __future__ import annotations

from collections.abc import Iterator

from payments.functions import FUNCTIONS, PAYMENT_WORKER, Function
from payments.functions import Metric as PaymentMetric
from projects.observability import metrics
from projects.observability.alarms import Alarm
from projects.observability.settings import AlarmSettings
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.environment import Environment

_GIB = 1024**3
_MINUTE = 60


def watched(settings: AlarmSettings, environment: Environment, *, network: NetworkingOutputs, data: DataOutputs, app: AppOutputs) -> Iterator[Alarm]:
    """All alarms of an environment."""
    for function in FUNCTIONS:
        yield from _function(settings, app, function)
    yield from _api(settings, app)
    yield from _queues(settings, app)
    yield from _worker(settings, environment)
    yield from _database(settings, data)
    for word, table in (("sessions", data.sessions_table_name), ("transaction-log", data.transaction_log_table_name)):
        yield Alarm(
            name=f"{word}-throttles",
            says=f"DynamoDB turns away reads or writes of the table {word}: its capacity, or one hot key",
            watches=[metrics.of_table(table, name, "Sum") for name in ("ReadThrottleEvents", "WriteThrottleEvents")],
            threshold=1,
            # A burst ends within a few minutes, by retries or by autoscaling; what goes on after that does not end by itself.
            periods=2,
            # DynamoDB has a value here only when it throttles.
            silence="notBreaching",
        )
    if settings.nat:
        yield _way_out(network)


def _function(settings: AlarmSettings, app: AppOutputs, function: Function) -> Iterator[Alarm]:
    # A function that nobody calls has no values, and does nothing wrong.
    yield Alarm(
        name=f"{function.name}-errors",
        says=f"Invocations of {function.name} fail or time out: see its log",
        watches=metrics.of_function(app, function, "Errors", "Sum"),
        threshold=settings.function_errors,
        silence="notBreaching",
    )
    yield Alarm(
        name=f"{function.name}-throttles",
        says=f"{function.name} is asked for more often at once than its concurrency allows",
        watches=metrics.of_function(app, function, "Throttles", "Sum"),
        threshold=1,
        silence="notBreaching",
    )
    if function.every_minutes is not None:
        yield Alarm(
            name=f"{function.name}-stopped",
            says=f"No run of {function.name} has succeeded for a while: see its log, and whether its EventBridge rule is enabled",
            watches=[metrics.of_function(app, function, name, "Sum") for name in ("Invocations", "Errors")],
            difference=True,
            threshold=1,
            below=True,
            # Longer than a failover of the database.
            periods=3,
            # Nobody called it.
            silence="breaching",
        )


def _api(settings: AlarmSettings, app: AppOutputs) -> Iterator[Alarm]:
    yield Alarm(
        name="api-server-errors",
        says="The API answers 5xx: see the API's access log for the route, and the log of its function",
        # Each request counts as 0 or 1 in this metric, so that its average is the part of the requests that failed.
        watches=metrics.of_api(app, "5XXError", "Average"),
        threshold=settings.api_server_errors / 100,
        period=_MINUTE,
        # One failure in a quiet minute is a large part of few requests.
        periods=3,
        # No requests.
        silence="notBreaching",
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


def _database(settings: AlarmSettings, data: DataOutputs) -> Iterator[Alarm]:
    yield Alarm(
        name="database-cpu",
        says="PostgreSQL is short of CPU, or does not report: see Performance Insights, and the instance's events",
        watches=metrics.of_database(data, "CPUUtilization", "Average"),
        threshold=settings.database_cpu,
        # Longer than a failover or a checkpoint.
        periods=2,
        # RDS reports every minute that the instance is there; silence is an instance that is not.
        silence="breaching",
    )
    yield Alarm(
        name="database-storage",
        says="PostgreSQL's storage is nearly full and did not grow: see maxStorageGib of data:database, and what fills it",
        watches=metrics.of_database(data, "FreeStorageSpace", "Minimum"),
        threshold=settings.database_free_storage * _GIB,
        below=True,
        # Time for RDS to make the storage larger.
        periods=3,
        # A full instance stops and falls silent, which must not end the alarm; one that was never full is what database-cpu rings for.
        silence="ignore",
    )


def _way_out(network: NetworkingOutputs) -> Alarm:
    return Alarm(
        name="way-out",
        says="Functions cannot get out: NAT gateways lack ports or drop packets, or the NAT instance fails its checks",
        watches=metrics.of_way_out(network),
        # A dropped packet is sent again, and a gateway heals itself; a quarter of an hour of it is an outage.
        threshold=1,
        periods=3,
        # Both report all the time; when none of them does, there is none.
        silence="breaching",
    )
