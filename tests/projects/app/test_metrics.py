"""Alarms and dashboard against what the service really emits: each of their metrics, under the very dimensions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from payments.functions import METRIC_NAMESPACE, OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT
from payments.messaging.work_queue import SqsWorkQueue
from payments.service import relaying
from tests.payments.postgres import TestDatabase
from tests.projects.app.running import Running, api_event, running, sqs_event
from tests.projects.harness import Cloud, empty_aws, network
from tests.projects.observability.known import is_known
from tests.projects.observability.upstream import GATEWAYS

Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name, dimensions."""

CARD = "4242424242424242"  # a test number of Stripe's documentation


@pytest.fixture(scope="module")
def platform() -> Iterator[Cloud]:
    """Everything, on the least network."""
    with empty_aws("staging") as cloud:
        cloud.published("networking", {**network(cloud), "natGatewayIds": GATEWAYS})
        for project in ("data", "app", "observability"):
            cloud.deploy(project)
        yield cloud


def watched(cloud: Cloud) -> set[Metric]:
    """The metrics of all alarms."""
    found: set[Metric] = set()
    for alarm in cloud.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]:
        for metric in [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query] or [alarm]:
            dimensions = {(dimension["Name"], dimension["Value"]) for dimension in metric["Dimensions"]}
            found.add((metric["Namespace"], metric["MetricName"], frozenset(dimensions)))
    return found


def shown(cloud: Cloud) -> set[Metric]:
    """The metrics of the dashboard."""
    name = cloud.runs["observability"].outputs["dashboardName"]
    body = json.loads(cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    lines = [line for widget in body["widgets"] for line in widget["properties"].get("metrics", [])]
    return {(namespace, name, frozenset(zip(rest[::2], rest[1::2], strict=True))) for namespace, name, *rest, _ in lines}


def emitted(written: str) -> set[Metric]:
    """The metrics that CloudWatch reads from a log (embedded metric format)."""
    found: set[Metric] = set()
    for line in written.splitlines():
        entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        for directive in entry.get("_aws", {}).get("CloudWatchMetrics", []):
            for dimensions in directive["Dimensions"]:
                values = frozenset((dimension, entry[dimension]) for dimension in dimensions)
                found |= {(directive["Namespace"], metric["Name"], values) for metric in directive["Metrics"]}
    return found


def test_every_metric_of_aws_is_one_that_aws_publishes(platform: Cloud) -> None:
    of_aws = [metric for metric in watched(platform) | shown(platform) if metric[0] != METRIC_NAMESPACE]
    assert len(of_aws) > 20
    for namespace, name, dimensions in of_aws:
        assert is_known(namespace, name, {dimension for dimension, _ in dimensions}), f"{namespace} {name} {sorted(dimensions)}"


def test_every_metric_of_the_service_is_one_that_its_code_emits(
    platform: Cloud, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(platform, test_database, monkeypatch) as functions:
        everything_happens(functions, monkeypatch)
    found = emitted(capsys.readouterr().out)
    wanted = {metric for metric in watched(platform) | shown(platform) if metric[0] == METRIC_NAMESPACE}
    assert {name for _, name, _ in wanted} >= {"PaymentCaptured", "MessageDeadLettered", "ProcessorUnavailable", "OutboxRelayed"}
    assert wanted - found == set()


def everything_happens(functions: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the service counts: payments of every end, requests and messages of every kind, and a crash."""
    works = {token: accepted(functions, token) for token in ("tok_approve", "tok_decline", "tok_invalid", "tok_timeout")}
    accepted(functions, "tok_approve")
    for function, path in ((PROCESS_PAYMENT, "/process-payment"), (VERIFY_PAYMENT, "/verify-payment")):
        for body in ({}, {"reference": CARD}):
            functions.run(function, api_event(path, body, {"Idempotency-Key": "key"}))
    functions.run(PROCESS_PAYMENT, submission("tok_approve"), DATABASE_URL="no URL")
    functions.run(VERIFY_PAYMENT, api_event("/verify-payment", {"reference": "tok_approve"}), DATABASE_URL="no URL")
    functions.run(PAYMENT_WORKER, sqs_event({**dict.fromkeys(works.values(), 1), "poison": 5}))
    monkeypatch.setattr(relaying, "WORK_AGE", 0.0)
    with monkeypatch.context() as crashing:
        crashing.setattr(SqsWorkQueue, "send", crash)
        accepted(functions, "tok_flake")
    functions.run(OUTBOX_RELAY, {})


def submission(token: str) -> dict[str, Any]:
    payment = {"amount": 1050, "currency": "EUR", "payment_token": token, "reference": token}
    return api_event("/process-payment", payment, {"Idempotency-Key": token})


def accepted(functions: Running, token: str) -> str:
    """Takes a payment in; the message for the worker."""
    answer, _ = functions.run(PROCESS_PAYMENT, submission(token))
    assert answer["statusCode"] == 202, answer
    return json.dumps({"payment_id": json.loads(answer["body"])["payment_id"], "correlation_id": "request-1"})


def crash(*_: Any) -> None:
    raise RuntimeError("as if the process had ended here")
