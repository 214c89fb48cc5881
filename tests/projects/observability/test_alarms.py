"""The alarms, as CloudWatch has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

from payments.functions import FUNCTIONS, MIGRATE_DATABASE
from tests.projects.harness import Cloud
from tests.projects.observability.upstream import GATEWAYS, INSTANCE, app, deployed, platform

OF_WORKER = {"service": "payment-worker", "stage": "prod-main"}


@dataclass(frozen=True)
class Seen:
    """What was there after a deployment: the alarms, and the outputs of the projects."""

    alarms: dict[str, dict[str, Any]]
    outputs: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def prod() -> Seen:
    with deployed("prod") as cloud:
        return Seen(alarms(cloud), {project: run.outputs for project, run in cloud.runs.items()})


def alarms(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """All alarms, by their names without stage and suffix."""
    found = cloud.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    return {alarm["AlarmName"].removesuffix(f"-{cloud.environment.platform.stage}-main"): alarm for alarm in found}


def dimensions(metric: dict[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}


def parts(alarm: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """The metrics of a calculation: namespace, name and dimensions."""
    stats = [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]
    return [(metric["Namespace"], metric["MetricName"], dimensions(metric)) for metric in stats]


def test_every_alarm_is_there_and_published(prod: Seen) -> None:
    of_functions = {f"{function.name}-{what}" for function in FUNCTIONS for what in ("errors", "throttles")}
    others = "api-server-errors payment-work-dead-letters payment-work-age database-cpu database-storage sessions-throttles transaction-log-throttles way-out"
    of_payments = "outbox-relay-stopped messages-handed-back messages-set-aside processor-unavailable audit-lag"
    of_payments += " process-payment-failed-requests verify-payment-failed-requests"
    assert set(prod.alarms) == of_functions | set(others.split()) | set(of_payments.split())
    assert sorted(prod.outputs["observability"]["alarmNames"]) == sorted(alarm["AlarmName"] for alarm in prod.alarms.values())


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "statistic", "asked", "threshold", "seconds", "silence"),
    [
        ("process-payment-errors", "AWS/Lambda", "Errors", "Sum", {"FunctionName": "process-payment-prod-main"}, 5, 300, "notBreaching"),
        ("migrate-database-errors", "AWS/Lambda", "Errors", "Sum", {"FunctionName": "migrate-database-prod-main"}, 1, 300, "notBreaching"),
        ("process-payment-failed-requests", "Payments", "RequestFailed", "Sum", OF_WORKER | {"service": "process-payment"}, 5, 300, "notBreaching"),
        ("verify-payment-failed-requests", "Payments", "RequestFailed", "Sum", OF_WORKER | {"service": "verify-payment"}, 5, 300, "notBreaching"),
        ("audit-lag", "Payments", "AuditLag", "Maximum", OF_WORKER | {"service": "outbox-relay"}, 900, 300, "ignore"),
        ("payment-worker-throttles", "AWS/Lambda", "Throttles", "Sum", {"FunctionName": "payment-worker-prod-main"}, 1, 300, "notBreaching"),
        ("api-server-errors", "AWS/ApiGateway", "5XXError", "Average", {"ApiName": "payments-api", "Stage": "live"}, 0.05, 180, "notBreaching"),
        ("payment-work-dead-letters", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", {"QueueName": "dead-queue"}, 1, 300, "notBreaching"),
        ("payment-work-age", "AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", {"QueueName": "work-queue"}, 900, 300, "notBreaching"),
        ("messages-handed-back", "Payments", "MessageFailed", "Sum", OF_WORKER, 10, 300, "notBreaching"),
        ("messages-set-aside", "Payments", "MessageDeadLettered", "Sum", OF_WORKER, 1, 300, "notBreaching"),
        ("processor-unavailable", "Payments", "ProcessorUnavailable", "Sum", OF_WORKER, 5, 600, "notBreaching"),
        ("database-cpu", "AWS/RDS", "CPUUtilization", "Average", {"DBInstanceIdentifier": "database-1"}, 80, 600, "breaching"),
    ],
)
def test_an_alarm_watches_its_resource_and_rings_when_the_threshold_is_reached(  # noqa: PLR0917 - a row of the table
    prod: Seen, name: str, namespace: str, metric: str, statistic: str, asked: dict[str, str], threshold: float, seconds: int, silence: str
) -> None:
    alarm = prod.alarms[name]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"], dimensions(alarm)) == (namespace, metric, statistic, asked)
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (threshold, "GreaterThanOrEqualToThreshold")
    assert (alarm["Period"] * alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (seconds, silence)


def test_every_function_is_watched_by_the_name_that_app_gave_it(prod: Seen) -> None:
    watched = {dimensions(alarm)["FunctionName"] for name, alarm in prod.alarms.items() if name.endswith("-errors") and alarm["Namespace"] == "AWS/Lambda"}
    assert watched == set(prod.outputs["app"]["functionNames"].values())


def test_storage_rings_when_little_is_left_and_a_silent_database_does_not_end_it(prod: Seen) -> None:
    alarm = prod.alarms["database-storage"]
    assert (alarm["Namespace"], alarm["MetricName"], dimensions(alarm)) == ("AWS/RDS", "FreeStorageSpace", {"DBInstanceIdentifier": "database-1"})
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (2 * 1024**3, "LessThanThreshold", "ignore")


def test_a_relay_that_has_not_succeeded_for_a_quarter_hour_rings_also_when_nobody_calls_it(prod: Seen) -> None:
    alarm = prod.alarms["outbox-relay-stopped"]
    of = {"FunctionName": "outbox-relay-prod-main"}
    assert parts(alarm) == [("AWS/Lambda", "Invocations", of), ("AWS/Lambda", "Errors", of)]
    [total] = [query for query in alarm["Metrics"] if query["ReturnData"]]
    assert total["Expression"] == "part0 - part1"
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (1, "LessThanThreshold", "breaching")
    assert {query["MetricStat"]["Period"] * alarm["EvaluationPeriods"] for query in alarm["Metrics"] if "MetricStat" in query} == {900}


@pytest.mark.parametrize("table", ["sessions", "transaction-log"])
def test_a_tables_reads_and_writes_are_watched_together(prod: Seen, table: str) -> None:
    alarm = prod.alarms[f"{table}-throttles"]
    of = {"TableName": f"{table}-prod-main"}
    assert parts(alarm) == [("AWS/DynamoDB", "ReadThrottleEvents", of), ("AWS/DynamoDB", "WriteThrottleEvents", of)]
    [total] = [query for query in alarm["Metrics"] if query["ReturnData"]]
    assert total["Expression"] == "SUM([part0, part1])"
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (1, "notBreaching")


def test_the_way_out_is_one_alarm_over_all_gateways(prod: Seen) -> None:
    alarm = prod.alarms["way-out"]
    wanted = [("AWS/NATGateway", name, {"NatGatewayId": id_}) for id_ in GATEWAYS for name in ("ErrorPortAllocation", "PacketsDropCount")]
    assert parts(alarm) == wanted
    [total] = [query for query in alarm["Metrics"] if query["ReturnData"]]
    assert (total["Expression"], alarm["TreatMissingData"]) == ("SUM([part0, part1, part2, part3])", "breaching")
    assert {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query} == {300}


def test_the_way_out_through_an_instance_is_its_status_check() -> None:
    with deployed("dev") as cloud:
        assert parts(alarms(cloud)["way-out"]) == [("AWS/EC2", "StatusCheckFailed", {"InstanceId": INSTANCE})]


def test_gateways_in_six_zones_fit_into_one_alarm() -> None:
    ids = [f"nat-0000000000000000{zone}" for zone in range(6)]
    with deployed("prod", of_network={"natGatewayIds": ids}) as cloud:
        found = parts(alarms(cloud)["way-out"])
        assert found == [("AWS/NATGateway", "ErrorPortAllocation", {"NatGatewayId": id_}) for id_ in ids]


def test_a_network_that_has_not_the_way_out_of_the_page_is_to_be_deployed_first() -> None:
    told = r"has a way out .*deploy --env prod --target local --only networking"
    with platform("prod", of_network={"natGatewayIds": []}) as cloud, pytest.raises(pulumi.RunError, match=told):
        cloud.deploy("observability")


def test_a_page_without_a_way_out_has_nothing_to_watch() -> None:
    with deployed("prod", page={"networking:egress": {"kind": "none"}}) as cloud:
        assert "way-out" not in alarms(cloud)


def test_a_function_that_app_does_not_have_yet_is_named() -> None:
    with platform("dev") as cloud:
        cloud.published("app", app(cloud, functionNames={"process-payment": "process-payment-dev-main"}))
        with pytest.raises(
            pulumi.RunError,
            match=r"functionNames of app has process-payment, and not [a-z-]+, .*deploy --env dev --target local --only app",
        ):
            cloud.deploy("observability")


@pytest.mark.parametrize(("environment", "errors", "cpu"), [("dev", 10, 90), ("staging", 5, 90), ("prod", 5, 80)])
def test_thresholds_are_the_pages(environment: str, errors: int, cpu: int) -> None:
    with deployed(environment) as cloud:
        found = alarms(cloud)
        # A single error of what a deployment calls once is all that there will be.
        assert {found[f"{function.name}-errors"]["Threshold"] for function in FUNCTIONS if function != MIGRATE_DATABASE} == {errors}
        assert found["migrate-database-errors"]["Threshold"] == 1
        assert found["database-cpu"]["Threshold"] == cpu


def test_a_page_may_set_every_threshold() -> None:
    changed = {"functionErrors": 3, "databaseCpu": 55.5, "databaseFreeStorage": 0.5, "workAge": 60, "apiServerErrors": 0.5}
    changed |= {"messagesFailed": 2, "processorUnavailable": 7, "auditLag": 120}
    with deployed("dev", page={"observability:alarms": changed}) as cloud:
        found = alarms(cloud)
        names = "verify-payment-errors database-cpu database-storage payment-work-age api-server-errors messages-handed-back processor-unavailable "
        names += "process-payment-failed-requests audit-lag"
        assert [found[name]["Threshold"] for name in names.split()] == [3, 55.5, 2**29, 60, 0.005, 2, 7, 3, 120]


def test_alarms_tell_the_topic_with_paging_only(prod: Seen) -> None:
    topic = prod.outputs["observability"]["alarmTopicArn"]
    assert {(*alarm["AlarmActions"], *alarm["OKActions"]) for alarm in prod.alarms.values()} == {(topic, topic)}
    with deployed("dev") as dev:
        assert [alarm["AlarmActions"] + alarm["OKActions"] for alarm in alarms(dev).values()] == [[]] * len(prod.alarms)
