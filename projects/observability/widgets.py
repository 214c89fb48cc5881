"""The dashboard's widgets, row by row: a title, and the metrics drawn under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from payments.functions import Metric as PaymentMetric
from projects.observability import metrics
from projects.observability.metrics import SERVICES, Metric
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.environment import Environment

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

Row = dict[str, Lines]
"""Widgets side by side, as many as divide the dashboard's width, by their titles."""


def rows(environment: Environment, *, network: NetworkingOutputs, data: DataOutputs, app: AppOutputs) -> Iterator[Row]:
    """The rows of an environment, from its shape."""
    shape = environment.shape
    yield {title: _payments(environment, *lines) for title, lines in _PAYMENTS.items()}
    if shape.compute == "containers":
        yield _load_balancer(environment, app)
        yield _services(app)
    else:
        yield _api(environment, app)
        yield _functions(environment, app)
    yield _queues(environment, app)
    if shape.database == "rds":
        yield _instance(data)
    elif shape.relational:
        yield _cluster(data, serverless=shape.database == "aurora-serverless")
    if shape.cache:
        yield _cache(data)
    yield {**_tables(environment, data), **(_way_out(network) if shape.way_out != "none" else {})}


def _payments(environment: Environment, *lines: tuple[tuple[Function, ...], PaymentMetric]) -> Lines:
    return [
        metrics.of_payments(environment, function, metric).for_dashboard(f"{metric} ({function.name})") for functions, metric in lines for function in functions
    ]


def _api(environment: Environment, app: AppOutputs) -> Row:
    return {
        "API: requests": [metrics.of_api(app, "Count", "Sum").for_dashboard("requests"), *_blocked(environment, app)],
        "API: errors": [metrics.of_api(app, name, "Sum").for_dashboard(name) for name in ("4XXError", "5XXError")],
        "API: latency, ms": [
            metrics.of_api(app, name, stat).for_dashboard(f"{name} {stat}") for name in ("Latency", "IntegrationLatency") for stat in ("p50", "p99")
        ],
    }


def _functions(environment: Environment, app: AppOutputs) -> Row:
    def of_each(name: str, stat: str) -> list[Any]:
        return [metrics.of_function(app, function, name, stat).for_dashboard(f"{function.name} {name}") for function in metrics.functions(environment)]

    return {
        "Functions: invocations": of_each("Invocations", "Sum"),
        "Functions: errors and throttles": [*of_each("Errors", "Sum"), *of_each("Throttles", "Sum")],
        "Functions: duration p99, ms": of_each("Duration", "p99"),
        "Functions: at once": of_each("ConcurrentExecutions", "Maximum"),
    }


def _load_balancer(environment: Environment, app: AppOutputs) -> Row:
    answers = ("HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count")
    return {
        "API: requests": [metrics.of_targets(app, "RequestCount", "Sum").for_dashboard("requests"), *_blocked(environment, app)],
        "API: errors": [
            *(metrics.of_targets(app, name, "Sum").for_dashboard(name) for name in answers),
            metrics.of_load_balancer(app, "HTTPCode_ELB_5XX_Count", "Sum").for_dashboard("HTTPCode_ELB_5XX_Count"),
        ],
        "API: latency, s": [metrics.of_targets(app, "TargetResponseTime", stat).for_dashboard(stat) for stat in ("p50", "p95", "p99")],
        "API: tasks behind it": [metrics.of_targets(app, name, "Maximum").for_dashboard(name) for name in ("HealthyHostCount", "UnHealthyHostCount")],
    }


def _blocked(environment: Environment, app: AppOutputs) -> list[Any]:
    """The line of the web ACL, where there is one."""
    return [metrics.of_web_acl(app, environment, "BlockedRequests").for_dashboard("blocked by the web ACL")] if environment.shape.firewall else []


def _services(app: AppOutputs) -> Row:
    def of_each(name: str) -> list[Any]:
        return [metrics.of_service(app, service, name, "Average").for_dashboard(service) for service in SERVICES]

    return {
        "Services: CPU, per cent": of_each("CPUUtilization"),
        "Services: memory, per cent": of_each("MemoryUtilization"),
        "Services: tasks": [
            metrics.of_tasks(app, service, name, "Average").for_dashboard(f"{service} {name}")
            for service in SERVICES
            for name in ("DesiredTaskCount", "RunningTaskCount")
        ],
    }


def _queues(environment: Environment, app: AppOutputs) -> Row:
    work, dead = app.work_queue_name, app.dead_letter_queue_name
    return {
        "Queue: messages waiting": [
            metrics.of_queue(queue, "ApproximateNumberOfMessagesVisible", "Maximum").for_dashboard(label)
            for queue, label in ((work, "work"), (dead, "dead letters"))
        ],
        "Queue: age of the oldest, s": [metrics.of_queue(work, "ApproximateAgeOfOldestMessage", "Maximum").for_dashboard("work")],
        "Queue: messages in and out": [metrics.of_queue(work, name, "Sum").for_dashboard(name) for name in ("NumberOfMessagesSent", "NumberOfMessagesDeleted")],
        "Audit trail: age of the oldest change without, s": [
            metrics.of_payments(environment, OUTBOX_RELAY, PaymentMetric.AUDIT_LAG, "Maximum").for_dashboard("outbox-relay")
        ],
    }


def _instance(data: DataOutputs) -> Row:
    def lines(names: tuple[str, ...], stat: str) -> list[Any]:
        return [metrics.of_database(data, name, stat).for_dashboard(name) for name in names]

    return {
        "Database: CPU, per cent": lines(("CPUUtilization",), "Average"),
        "Database: connections": lines(("DatabaseConnections",), "Maximum"),
        "Database: free storage, bytes": lines(("FreeStorageSpace",), "Minimum"),
        "Database: latency, s": lines(("ReadLatency", "WriteLatency"), "Average"),
    }


def _cluster(data: DataOutputs, *, serverless: bool) -> Row:
    load = [metrics.of_writer(data, "CPUUtilization", "Average").for_dashboard("writer's CPU")]
    if serverless:
        load.append(metrics.of_cluster(data, "ACUUtilization", "Maximum").for_dashboard("capacity of the most busy instance"))
    return {
        "Database: load, per cent": load,
        "Database: connections": [metrics.of_cluster(data, "DatabaseConnections", "Maximum").for_dashboard("most of an instance")],
        "Database: free memory, bytes": [metrics.of_cluster(data, "FreeableMemory", "Minimum").for_dashboard("least of an instance")],
        "Database: readers' lag, ms": [metrics.of_cluster(data, "AuroraReplicaLagMaximum", "Maximum").for_dashboard("most of a reader")],
    }


def _cache(data: DataOutputs) -> Row:
    def of_nodes(name: str, stat: str) -> pulumi.Output[list[Any]]:
        return metrics.of_cache(data, name, stat).apply(lambda known: [_of_one(metric) for metric in known])

    return {
        "Cache: CPU, per cent": of_nodes("EngineCPUUtilization", "Average"),
        "Cache: memory, per cent": of_nodes("DatabaseMemoryUsagePercentage", "Maximum"),
        "Cache: hit rate, per cent": of_nodes("CacheHitRate", "Average"),
        "Cache: evictions": of_nodes("Evictions", "Sum"),
    }


def _tables(environment: Environment, data: DataOutputs) -> Row:
    def lines(*names: str) -> list[Any]:
        found = metrics.tables(environment, data)
        return [metrics.of_table(table, name, "Sum").for_dashboard(f"{word} {name}") for word, table in found.items() for name in names]

    return {
        "Tables: consumed capacity": lines("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
        "Tables: throttling": lines("ReadThrottleEvents", "WriteThrottleEvents"),
    }


def _way_out(network: NetworkingOutputs) -> Row:
    return {"Way out": metrics.of_way_out(network).apply(lambda known: [_of_one(metric) for metric in known])}


def _of_one(metric: Metric) -> list[Any]:
    return metric.for_dashboard(f"{metric.name} {' '.join(map(str, metric.dimensions.values()))}")
