"""The alarms of environments that are made of other things than functions and an RDS instance."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pulumi
import pytest

from payments import container
from payments import functions as functions_of_payments
from payments.functions import FUNCTIONS, METRIC_NAMESPACE, PAYMENT_WORKER, Metric, Variable
from payments.telemetry import Telemetry
from shared import page as pages
from tests.projects.harness import Cloud
from tests.projects.observability.known import is_known
from tests.projects.observability.upstream import NODES, SUFFIX, TARGETS, data, deployed, platform

OF_TARGETS = {"TargetGroup": TARGETS, "LoadBalancer": SUFFIX}
OF_CLUSTER = {"DBClusterIdentifier": "database-1"}
OF_WRITER = {**OF_CLUSTER, "Role": "WRITER"}
OF_WORKER = {"service": "payment-worker", "stage": "prod-prod"}

WORK = set("payment-work-dead-letters payment-work-age messages-handed-back messages-set-aside processor-unavailable audit-lag".split())
OF_ROUTES = {"process-payment-failed-requests", "verify-payment-failed-requests"}
LAMBDA = {f"{function.name}-{what}" for function in FUNCTIONS for what in ("errors", "throttles")} | OF_ROUTES | {"outbox-relay-stopped", "api-server-errors"}
CONTAINERS = {f"{service}-{what}" for service in ("web", "worker") for what in ("cpu", "memory", "tasks-missing")} | set(
    "api-server-errors load-balancer-errors unhealthy-hosts api-latency requests-blocked".split()
)
OF_MIGRATION = {"migrate-database-errors", "migrate-database-throttles"}
INSTANCE = {"database-cpu", "database-storage"}
CLUSTER = {"database-cpu", "database-reader-cpu", "database-memory", "database-lag"}
CACHE = {"cache-cpu", "cache-memory", "cache-evictions"}
THROTTLES = {"sessions-throttles", "transaction-log-throttles"}


class Watched(NamedTuple):
    """How an alarm calculates: its expression if it has one, and the metrics with their statistics and dimensions."""

    expression: str
    metrics: list[tuple[str, str, str, dict[str, str]]]


def alarms(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """All alarms, by their names without what the environment adds."""
    before, after = cloud.environment.names("WORD").split("WORD")
    found = cloud.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix(before).removesuffix(after): alarm for alarm in found}


@cache
def alarms_of(environment: str) -> dict[str, dict[str, Any]]:
    """The alarms of a page as it is."""
    with deployed(environment) as cloud:
        return alarms(cloud)


def watched(alarm: dict[str, Any]) -> Watched:
    def of(metric: dict[str, Any], stat: str) -> tuple[str, str, str, dict[str, str]]:
        return metric["Namespace"], metric["MetricName"], stat, {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}

    if not alarm.get("Metrics"):
        return Watched("", [of(alarm, alarm.get("Statistic") or alarm["ExtendedStatistic"])])
    [expression] = [query["Expression"] for query in alarm["Metrics"] if query["ReturnData"]]
    return Watched(expression, [of(query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]) for query in alarm["Metrics"] if "MetricStat" in query])


@pytest.fixture(scope="module")
def containers() -> dict[str, dict[str, Any]]:
    """The alarms of an environment of containers, a serverless cluster and a cache."""
    return alarms_of("containers-prod")


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ("prod", LAMBDA | WORK | INSTANCE | THROTTLES | {"way-out"}),
        ("regions-staging", LAMBDA | WORK | INSTANCE | THROTTLES | {"way-out"}),
        ("pci-prod", LAMBDA | {"requests-blocked"} | WORK | INSTANCE | THROTTLES | {"way-out"}),
        ("accounts-prod", LAMBDA - OF_MIGRATION | WORK | THROTTLES | {"payments-throttles", "way-out"}),
        ("aurora-prod", LAMBDA | WORK | CLUSTER | THROTTLES | {"way-out"}),
        ("containers-prod", CONTAINERS | WORK | CLUSTER | {"database-capacity"} | CACHE | {"transaction-log-throttles"}),
    ],
)
def test_an_environment_has_the_alarms_of_its_shape_and_no_other(environment: str, names: set[str]) -> None:
    assert set(alarms_of(environment)) == names


@pytest.mark.parametrize("environment", ["pci-dev", "aurora-dev"])
def test_a_page_without_alarms_has_none_but_dashboard_trail_and_topic(environment: str) -> None:
    assert "observability:alarms" not in pages.read(environment).config
    with deployed(environment) as cloud:
        assert alarms(cloud) == {}
        assert cloud.runs["observability"].outputs["alarmNames"] == []
        assert len(cloud.client("cloudtrail").describe_trails()["trailList"]) == 1
        assert len(cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]) == 1
        assert len(cloud.client("sns").list_topics()["Topics"]) == 1


@pytest.mark.parametrize("environment", ["prod", "pci-prod", "accounts-prod", "aurora-prod", "containers-prod"])
def test_every_alarm_watches_what_is_published(environment: str) -> None:
    for name, alarm in alarms_of(environment).items():
        for namespace, metric, _, dimensions in watched(alarm).metrics:
            ours = namespace == METRIC_NAMESPACE and set(dimensions) == {"service", "stage"}
            assert ours or is_known(namespace, metric, dimensions), f"{name}: {namespace} {metric} {dimensions}"


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "statistic", "asked", "threshold", "seconds", "silence"),
    [
        ("web-cpu", "AWS/ECS", "CPUUtilization", "Average", {"ClusterName": "cluster-1", "ServiceName": "web-1"}, 90, 900, "notBreaching"),
        ("worker-memory", "AWS/ECS", "MemoryUtilization", "Average", {"ClusterName": "cluster-1", "ServiceName": "worker-1"}, 90, 900, "notBreaching"),
        ("load-balancer-errors", "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "Sum", {"LoadBalancer": SUFFIX}, 5, 300, "notBreaching"),
        ("unhealthy-hosts", "AWS/ApplicationELB", "UnHealthyHostCount", "Maximum", OF_TARGETS, 1, 300, "notBreaching"),
        ("api-latency", "AWS/ApplicationELB", "TargetResponseTime", "p95", OF_TARGETS, 1, 300, "notBreaching"),
        ("requests-blocked", "AWS/WAFV2", "BlockedRequests", "Sum", {"Region": "us-east-1", "Rule": "ALL", "WebACL": "firewall-1"}, 1000, 300, "notBreaching"),
        ("database-cpu", "AWS/RDS", "CPUUtilization", "Average", OF_WRITER, 80, 600, "breaching"),
        ("database-reader-cpu", "AWS/RDS", "CPUUtilization", "Average", OF_CLUSTER | {"Role": "READER"}, 80, 600, "notBreaching"),
        ("database-lag", "AWS/RDS", "AuroraReplicaLagMaximum", "Maximum", OF_CLUSTER, 1000, 600, "notBreaching"),
        ("database-capacity", "AWS/RDS", "ACUUtilization", "Maximum", OF_CLUSTER, 90, 900, "notBreaching"),
        ("messages-set-aside", METRIC_NAMESPACE, "MessageDeadLettered", "Sum", OF_WORKER, 1, 300, "notBreaching"),
    ],
)
def test_an_alarm_watches_one_metric_and_rings_when_its_threshold_is_reached(  # noqa: PLR0917 - a row of the table
    containers: dict[str, dict[str, Any]],
    name: str,
    namespace: str,
    metric: str,
    statistic: str,
    asked: dict[str, str],
    threshold: float,
    seconds: int,
    silence: str,
) -> None:
    alarm = containers[name]
    assert watched(alarm) == ("", [(namespace, metric, statistic, asked)])
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (threshold, "GreaterThanOrEqualToThreshold")
    assert (alarm["Period"] * alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (seconds, silence)


def test_a_percentile_of_few_requests_rings_nobody(containers: dict[str, dict[str, Any]]) -> None:
    assert containers["api-latency"]["EvaluateLowSampleCountPercentile"] == "ignore"


def test_too_little_memory_rings_below_and_a_silent_cluster_does_not_end_it(containers: dict[str, dict[str, Any]]) -> None:
    alarm = containers["database-memory"]
    assert watched(alarm) == ("", [("AWS/RDS", "FreeableMemory", "Minimum", OF_CLUSTER)])
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (2**28, "LessThanThreshold", "ignore")


@pytest.mark.parametrize("service", ["web", "worker"])
def test_tasks_that_are_wanted_and_do_not_run_ring_also_when_nothing_is_reported(containers: dict[str, dict[str, Any]], service: str) -> None:
    alarm, of = containers[f"{service}-tasks-missing"], {"ClusterName": "cluster-1", "ServiceName": f"{service}-1"}
    counts = [("ECS/ContainerInsights", "DesiredTaskCount", "Minimum", of), ("ECS/ContainerInsights", "RunningTaskCount", "Maximum", of)]
    assert watched(alarm) == ("part0 - part1", counts)
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (1, "GreaterThanOrEqualToThreshold", "breaching")


def test_server_errors_of_containers_are_per_cent_of_the_requests(containers: dict[str, dict[str, Any]]) -> None:
    alarm = containers["api-server-errors"]
    parts = [("AWS/ApplicationELB", name, "Sum", OF_TARGETS) for name in ("HTTPCode_Target_5XX_Count", "RequestCount")]
    assert watched(alarm) == ("100 * SUM([part0]) / part1", parts)
    assert [one["Label"] for one in alarm["Metrics"] if one["ReturnData"]] == ["HTTPCode_Target_5XX_Count in per cent of RequestCount"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (5, "GreaterThanOrEqualToThreshold", "notBreaching")


@pytest.mark.parametrize(
    ("name", "metric", "statistic", "expression", "threshold", "silence"),
    [
        ("cache-cpu", "EngineCPUUtilization", "Average", "MAX([part0, part1])", 80, "breaching"),
        ("cache-memory", "DatabaseMemoryUsagePercentage", "Maximum", "MAX([part0, part1])", 80, "notBreaching"),
        ("cache-evictions", "Evictions", "Sum", "SUM([part0, part1])", 100, "notBreaching"),
    ],
)
def test_every_node_of_the_cache_is_watched(  # noqa: PLR0917 - a row of the table
    containers: dict[str, dict[str, Any]], name: str, metric: str, statistic: str, expression: str, threshold: float, silence: str
) -> None:
    alarm = containers[name]
    assert watched(alarm) == (expression, [("AWS/ElastiCache", metric, statistic, {"CacheClusterId": node}) for node in NODES])
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (threshold, silence)


def test_a_cache_whose_nodes_are_not_known_is_to_be_deployed_first() -> None:
    with platform("containers-dev") as cloud:
        cloud.published("data", {name: value for name, value in data(cloud).items() if name != "cacheNodeIds"})
        with pytest.raises(pulumi.RunError, match=r"cacheNodeIds of data is empty.*--env containers-dev --target local --only data"):
            cloud.deploy("observability")


def test_a_page_may_set_every_threshold() -> None:
    changed = {"serviceCpu": 50, "serviceMemory": 51, "loadBalancerErrors": 2, "requestsBlocked": 3, "apiLatency": 0.5, "apiServerErrors": 7}
    changed |= {"databaseCpu": 60, "databaseCapacity": 61, "databaseFreeMemory": 1, "databaseLag": 0.1}
    changed |= {"cacheCpu": 70, "cacheMemory": 71, "cacheEvictions": 4, "tableThrottles": 5}
    names = "web-cpu worker-memory load-balancer-errors requests-blocked api-latency api-server-errors database-cpu database-capacity database-memory "
    names += "database-lag cache-cpu cache-memory cache-evictions transaction-log-throttles"
    with deployed("containers-dev", page={"observability:alarms": changed}) as cloud:
        found = alarms(cloud)
        assert [found[name]["Threshold"] for name in names.split()] == [50, 51, 2, 3, 0.5, 7, 60, 61, 2**30, 100, 70, 71, 4, 5]


@pytest.mark.parametrize(("environment", "throttles"), [("accounts-dev", 10), ("accounts-staging", 5), ("accounts-prod", 1)])
def test_thresholds_of_tables_are_the_pages(environment: str, throttles: int) -> None:
    found = alarms_of(environment)
    assert {found[f"{table}-throttles"]["Threshold"] for table in ("payments", "sessions", "transaction-log")} == {throttles}


def test_a_tables_index_is_watched_with_it() -> None:
    of, index = {"TableName": "payments-prod-accounts"}, {"TableName": "payments-prod-accounts", "GlobalSecondaryIndexName": "due"}
    names = ("ReadThrottleEvents", "WriteThrottleEvents")
    parts = [("AWS/DynamoDB", name, "Sum", dimensions) for dimensions in (of, index) for name in names]
    assert watched(alarms_of("accounts-prod")["payments-throttles"]) == ("SUM([part0, part1, part2, part3])", parts)


def test_containers_count_under_the_names_that_are_watched(
    containers: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(Variable.STAGE, "prod-prod")
    telemetry = Telemetry(PAYMENT_WORKER)
    telemetry.count(Metric.MESSAGE_DEAD_LETTERED)
    telemetry.flush()
    entry = json.loads(capsys.readouterr().out)
    [directive] = entry["_aws"]["CloudWatchMetrics"]
    [dimensions] = directive["Dimensions"]
    [(namespace, metric, _, asked)] = watched(containers["messages-set-aside"]).metrics
    assert (directive["Namespace"], directive["Metrics"][0]["Name"]) == (namespace, metric)
    assert {name: entry[name] for name in dimensions} == asked


def test_every_name_that_is_watched_is_one_under_which_a_container_counts(containers: dict[str, dict[str, Any]]) -> None:
    sources = [path.read_text() for path in Path(str(container.__path__[0])).glob("*.py")]
    calls = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Telemetry"]
    counted = {getattr(functions_of_payments, ast.unparse(call.args[0])).name for call in calls}
    asked = {metric[3]["service"] for alarm in containers.values() for metric in watched(alarm).metrics if metric[0] == METRIC_NAMESPACE}
    assert asked <= counted
    assert asked == {"payment-worker", "outbox-relay"}
