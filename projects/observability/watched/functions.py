"""Lambda functions and the REST API before them."""

from __future__ import annotations

from collections.abc import Iterator

from payments.functions import MIGRATE_DATABASE, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from payments.functions import Metric as PaymentMetric
from projects.observability import metrics
from projects.observability.alarms import MINUTE, Alarm
from projects.observability.settings import AlarmSettings
from shared.contracts import AppOutputs
from shared.environment import Environment


def watched(settings: AlarmSettings, environment: Environment, app: AppOutputs) -> Iterator[Alarm]:
    """The alarms of every function, of the requests that the routes' functions answer, and of the API."""
    for function in metrics.functions(environment):
        yield from _function(settings, app, function)
    for function in (PROCESS_PAYMENT, VERIFY_PAYMENT):
        # What fails within is answered with 5xx: the invocation itself succeeds, and Lambda counts no error.
        yield Alarm(
            name=f"{function.name}-failed-requests",
            says=f"{function.name} answers 5xx: see its log for the reason, then the store of payments",
            watches=metrics.of_payments(environment, function, PaymentMetric.REQUEST_FAILED),
            threshold=settings.function_errors,
            silence="notBreaching",
        )
    yield Alarm(
        name="api-server-errors",
        says="The API answers 5xx: see the API's access log for the route, and the log of its function",
        # Each request counts as 0 or 1 in this metric, so that its average is the part of the requests that failed.
        watches=metrics.of_api(app, "5XXError", "Average"),
        threshold=settings.api_server_errors / 100,
        period=MINUTE,
        # One failure in a quiet minute is a large part of few requests.
        periods=3,
        # No requests.
        silence="notBreaching",
    )


def _function(settings: AlarmSettings, app: AppOutputs, function: Function) -> Iterator[Alarm]:
    # A function that nobody calls has no values, and does nothing wrong.
    yield Alarm(
        name=f"{function.name}-errors",
        says=f"Invocations of {function.name} fail or time out: see its log",
        watches=metrics.of_function(app, function, "Errors", "Sum"),
        # A deployment calls this one once: a single error is all that there will be.
        threshold=1 if function == MIGRATE_DATABASE else settings.function_errors,
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
            combined="difference",
            threshold=1,
            below=True,
            # Longer than a failover of the database.
            periods=3,
            # Nobody called it.
            silence="breaching",
        )
