"""The dashboard's body, as CloudWatch has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from payments.functions import METRIC_NAMESPACE, Metric
from tests.projects.harness import Cloud
from tests.projects.observability.known import is_known
from tests.projects.observability.upstream import GATEWAYS, NODES, SUFFIX, TARGETS, deployed

_EVERYWHERE = {"AWS/SQS", "AWS/DynamoDB"}
_FUNCTIONS = {"AWS/Lambda", "AWS/ApiGateway"}
_CONTAINERS = {"AWS/ECS", "ECS/ContainerInsights", "AWS/ApplicationELB", "AWS/WAFV2"}
# Whose metrics the dashboard of an environment shows, by its shape.
NAMESPACES = {
    "prod": {*_EVERYWHERE, *_FUNCTIONS, "AWS/RDS", "AWS/NATGateway"},
    "regions-staging": {*_EVERYWHERE, *_FUNCTIONS, "AWS/RDS", "AWS/NATGateway"},
    "pci-prod": {*_EVERYWHERE, *_FUNCTIONS, "AWS/WAFV2", "AWS/RDS", "AWS/NATGateway"},
    "accounts-prod": {*_EVERYWHERE, *_FUNCTIONS, "AWS/NATGateway"},
    "aurora-dev": {*_EVERYWHERE, *_FUNCTIONS, "AWS/RDS", "AWS/EC2"},
    "containers-prod": {*_EVERYWHERE, *_CONTAINERS, "AWS/RDS", "AWS/ElastiCache"},
}


def widgets(cloud: Cloud) -> list[dict[str, Any]]:
    name = cloud.runs["observability"].outputs["dashboardName"]
    return json.loads(cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])["widgets"]


def lines(found: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, str], dict[str, str]]]:
    """Every metric shown: namespace, name, dimensions, and how it is drawn."""
    for widget in found:
        for namespace, name, *dimensions, drawn in widget["properties"].get("metrics", ()):
            yield namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True)), drawn


@cache
def dashboard_of(environment: str) -> tuple[list[dict[str, Any]], str]:
    """The widgets of a page as it is, and the page's region."""
    with deployed(environment) as cloud:
        return widgets(cloud), cloud.environment.region


@pytest.fixture(scope="module")
def prod() -> list[dict[str, Any]]:
    return dashboard_of("prod")[0]


def test_all_alarms_are_at_the_top() -> None:
    with deployed("prod") as cloud:
        [alarms] = [widget for widget in widgets(cloud) if widget["type"] == "alarm"]
        assert (alarms["x"], alarms["y"], alarms["width"]) == (0, 0, 24)
        held = {alarm["AlarmArn"] for alarm in cloud.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]}
        assert len(held) > 0
        assert set(alarms["properties"]["alarms"]) == held


@pytest.mark.parametrize("environment", NAMESPACES)
def test_widgets_lie_on_the_grid_and_none_covers_another(environment: str) -> None:
    found, _ = dashboard_of(environment)
    cells = [(x, y) for widget in found for x in range(widget["x"], widget["x"] + widget["width"]) for y in range(widget["y"], widget["y"] + widget["height"])]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))
    assert len(cells) == 24 * (max(y for _, y in cells) + 1)


@pytest.mark.parametrize("environment", NAMESPACES)
def test_every_metric_is_asked_for_with_the_dimensions_that_it_is_published_under(environment: str) -> None:
    found, region = dashboard_of(environment)
    shown = list(lines(found))
    assert {namespace for namespace, *_ in shown} == {METRIC_NAMESPACE, *NAMESPACES[environment]}
    for namespace, name, dimensions, _ in shown:
        assert is_known(namespace, name, dimensions) or (namespace == METRIC_NAMESPACE and set(dimensions) == {"service", "stage"}), f"{namespace} {name}"
    assert all(drawn["stat"] and drawn["label"] for *_, drawn in shown)
    assert {widget["properties"]["region"] for widget in found if widget["type"] == "metric"} == {region}


def test_every_metric_of_the_payment_service_is_shown_for_this_stage(prod: list[dict[str, Any]]) -> None:
    of_payments = [(name, dimensions) for namespace, name, dimensions, _ in lines(prod) if namespace == METRIC_NAMESPACE]
    assert {name for name, _ in of_payments} == {str(metric) for metric in Metric}
    assert {dimensions["stage"] for _, dimensions in of_payments} == {"prod-main"}
    assert ("PaymentCaptured", {"service": "payment-worker", "stage": "prod-main"}) in of_payments


def test_it_shows_what_the_contracts_name(prod: list[dict[str, Any]]) -> None:
    values = {value for _, _, dimensions, _ in lines(prod) for value in dimensions.values()}
    named = {"payments-api", "live", "work-queue", "dead-queue", "database-1", "sessions-prod-main", "transaction-log-prod-main", "verify-payment-prod-main"}
    assert values >= named | set(GATEWAYS)


def test_an_environment_without_alarms_shows_none() -> None:
    found, _ = dashboard_of("aurora-dev")
    assert {widget["type"] for widget in found} == {"metric"}


@pytest.mark.parametrize(
    ("environment", "shown", "not_shown"),
    [
        ("pci-prod", {"firewall-1", "payments-api", "live"}, {"web-1", SUFFIX}),
        ("accounts-prod", {"payments-prod-accounts", "sessions-prod-accounts", "transaction-log-prod-accounts"}, {"database-1", "cache-1-001", "firewall-1"}),
        ("aurora-dev", {"database-1", "WRITER", "sessions-dev-aurora"}, {"payments-dev-aurora", "cache-1-001"}),
        (
            "containers-prod",
            {"web-1", "worker-1", "cluster-1", SUFFIX, TARGETS, "firewall-1", *NODES, "payment-transaction-log-prod"},
            {"payment-sessions-prod"},
        ),
    ],
)
def test_it_shows_what_the_shape_has_and_nothing_else(environment: str, shown: set[str], not_shown: set[str]) -> None:
    found, _ = dashboard_of(environment)
    values = {value for _, _, dimensions, _ in lines(found) for value in dimensions.values()}
    assert shown <= values
    assert not_shown.isdisjoint(values)


def test_a_network_without_a_way_out_has_no_widget_for_it() -> None:
    with deployed("prod", page={"networking:egress": {"kind": "none"}}) as cloud:
        titles = [widget["properties"]["title"] for widget in widgets(cloud)]
        assert "Tables: throttling" in titles
        assert "Way out" not in titles
