"""The dashboard: what is wrong, then payments, then what they stand on, top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from payments.functions import FUNCTIONS, OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from payments.functions import Metric as PaymentMetric
from projects.observability import metrics
from projects.observability.metrics import Metric
from shared.component import Component
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.environment import Environment

_COLUMNS = 24
_HEIGHT = 6
_PERIOD = 300

_ROUTES = (PROCESS_PAYMENT, VERIFY_PAYMENT)
_PAYMENTS: Mapping[str, tuple[tuple[tuple[Function, ...], PaymentMetric], ...]] = {
    "Payments taken in": (
        ((PROCESS_PAYMENT,), PaymentMetric.PAYMENT_RECEIVED),
        ((PROCESS_PAYMENT,), PaymentMetric.PAYMENT_REPEATED),
    ),
    "Payments ended": (
        ((PAYMENT_WORKER,), PaymentMetric.PAYMENT_CAPTURED),
        ((PAYMENT_WORKER,), PaymentMetric.PAYMENT_DECLINED),
        ((PAYMENT_WORKER,), PaymentMetric.PAYMENT_FAILED),
    ),
    "Refused requests": ((_ROUTES, PaymentMetric.REQUEST_REFUSED), (_ROUTES, PaymentMetric.CARD_DATA_REFUSED)),
    "Failures": (
        (_ROUTES, PaymentMetric.REQUEST_FAILED),
        ((PAYMENT_WORKER,), PaymentMetric.PROCESSOR_UNAVAILABLE),
        ((PAYMENT_WORKER,), PaymentMetric.MESSAGE_FAILED),
        ((PAYMENT_WORKER,), PaymentMetric.MESSAGE_DEAD_LETTERED),
        ((OUTBOX_RELAY,), PaymentMetric.OUTBOX_RELAYED),
    ),
}

Lines = list[Any] | pulumi.Output[list[Any]]
"""Metrics as a dashboard's body has them."""


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """alarm_arns: shown at the top. network: left out, its way out is not shown."""

    alarm_arns: pulumi.Output[list[str]]
    data: DataOutputs
    app: AppOutputs
    network: NetworkingOutputs | None


class Dashboard(Component):
    """Produces the environment's CloudWatch dashboard.

    Outputs: `name`.
    """

    name: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        rows: list[dict[str, Lines]] = [
            {title: self._payments(*lines) for title, lines in _PAYMENTS.items()},
            _api(args.app),
            _functions(args.app),
            _queues(args.app),
            _database(args.data),
            {**_tables(args.data), **(_way_out(args.network) if args.network else {})},
        ]
        alarms = {
            "type": "alarm",
            "x": 0,
            "y": 0,
            "width": _COLUMNS,
            "height": _HEIGHT,
            "properties": {"title": "Alarms", "alarms": args.alarm_arns},
        }
        widgets = [alarms, *(widget for position, row in enumerate(rows, start=1) for widget in self._row(row, position * _HEIGHT))]
        dashboard = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=environment.names(name),
            dashboard_body=pulumi.Output.json_dumps({"widgets": widgets}),
            opts=self.child(),
        )
        self.name = dashboard.dashboard_name
        self.register_outputs({"name": self.name})

    def _row(self, row: dict[str, Lines], y: int) -> list[dict[str, Any]]:
        width = _COLUMNS // len(row)
        return [
            {
                "type": "metric",
                "x": position * width,
                "y": y,
                "width": width,
                "height": _HEIGHT,
                "properties": {"title": title, "region": self.environment.region, "period": _PERIOD, "view": "timeSeries", "metrics": lines},
            }
            for position, (title, lines) in enumerate(row.items())
        ]

    def _payments(self, *lines: tuple[tuple[Function, ...], PaymentMetric]) -> Lines:
        return [
            metrics.of_payments(self.environment, function, metric).for_dashboard(f"{metric} ({function.name})")
            for functions, metric in lines
            for function in functions
        ]


def _api(app: AppOutputs) -> dict[str, Lines]:
    return {
        "API: requests": [metrics.of_api(app, "Count", "Sum").for_dashboard("requests")],
        "API: errors": [metrics.of_api(app, name, "Sum").for_dashboard(name) for name in ("4XXError", "5XXError")],
        "API: latency, ms": [
            metrics.of_api(app, name, stat).for_dashboard(f"{name} {stat}") for name in ("Latency", "IntegrationLatency") for stat in ("p50", "p99")
        ],
    }


def _functions(app: AppOutputs) -> dict[str, Lines]:
    def of_each(name: str, stat: str) -> list[Any]:
        return [metrics.of_function(app, function, name, stat).for_dashboard(f"{function.name} {name}") for function in FUNCTIONS]

    return {
        "Functions: invocations": of_each("Invocations", "Sum"),
        "Functions: errors and throttles": [*of_each("Errors", "Sum"), *of_each("Throttles", "Sum")],
        "Functions: duration p99, ms": of_each("Duration", "p99"),
        "Functions: at once": of_each("ConcurrentExecutions", "Maximum"),
    }


def _queues(app: AppOutputs) -> dict[str, Lines]:
    work, dead = app.work_queue_name, app.dead_letter_queue_name
    return {
        "Queue: messages waiting": [
            metrics.of_queue(queue, "ApproximateNumberOfMessagesVisible", "Maximum").for_dashboard(label)
            for queue, label in ((work, "work"), (dead, "dead letters"))
        ],
        "Queue: age of the oldest, s": [metrics.of_queue(work, "ApproximateAgeOfOldestMessage", "Maximum").for_dashboard("work")],
        "Queue: messages in and out": [metrics.of_queue(work, name, "Sum").for_dashboard(name) for name in ("NumberOfMessagesSent", "NumberOfMessagesDeleted")],
    }


def _database(data: DataOutputs) -> dict[str, Lines]:
    def lines(names: tuple[str, ...], stat: str) -> list[Any]:
        return [metrics.of_database(data, name, stat).for_dashboard(name) for name in names]

    return {
        "Database: CPU, per cent": lines(("CPUUtilization",), "Average"),
        "Database: connections": lines(("DatabaseConnections",), "Maximum"),
        "Database: free storage, bytes": lines(("FreeStorageSpace",), "Minimum"),
        "Database: latency, s": lines(("ReadLatency", "WriteLatency"), "Average"),
    }


def _tables(data: DataOutputs) -> dict[str, Lines]:
    tables = {"sessions": data.sessions_table_name, "transaction log": data.transaction_log_table_name}

    def lines(*names: str) -> list[Any]:
        return [metrics.of_table(table, name, "Sum").for_dashboard(f"{label} {name}") for label, table in tables.items() for name in names]

    return {
        "Tables: consumed capacity": lines("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
        "Tables: throttling": lines("ReadThrottleEvents", "WriteThrottleEvents"),
    }


def _way_out(network: NetworkingOutputs) -> dict[str, Lines]:
    def line(metric: Metric) -> list[Any]:
        return metric.for_dashboard(f"{metric.name} {' '.join(map(str, metric.dimensions.values()))}")

    return {"Way out": metrics.of_way_out(network).apply(lambda known: [line(metric) for metric in known])}
