"""Functions in environments of other shapes: with payments in a table, with a cache, with keys that AWS manages, with bodies in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, functions_for
from payments.settings import OutboxRelaySettings, PaymentWorkerSettings, ProcessPaymentSettings, TableSettings, VerifyPaymentSettings, load
from shared import page as pages
from tests.projects.app.upstream import deployed, name, outputs, statements
from tests.projects.harness import Cloud


@pytest.fixture(scope="module")
def table() -> Iterator[Cloud]:
    """An environment without a relational database."""
    with deployed("accounts-prod") as cloud:
        yield cloud


def variables(cloud: Cloud, function: str) -> dict[str, str]:
    found: dict[str, str] = cloud.client("lambda").get_function_configuration(FunctionName=name(cloud, function))["Environment"]["Variables"]
    return found


def test_there_is_nothing_to_migrate_where_payments_are_in_a_table(table: Cloud) -> None:
    made = {function.name for function in functions_for("dynamodb")}
    assert made == {"process-payment", "verify-payment", "payment-worker", "outbox-relay"}
    assert set(outputs(table)["functionNames"]) == set(outputs(table)["functionArns"]) == made
    found = {function["FunctionName"] for function in table.client("lambda").list_functions()["Functions"]}
    assert found == set(outputs(table)["functionNames"].values())


@pytest.mark.parametrize(
    ("function", "model"),
    [
        (PROCESS_PAYMENT, ProcessPaymentSettings),
        (VERIFY_PAYMENT, VerifyPaymentSettings),
        (PAYMENT_WORKER, PaymentWorkerSettings),
        (OUTBOX_RELAY, OutboxRelaySettings),
    ],
)
def test_the_functions_are_told_of_the_table_and_of_no_database(table: Cloud, function: Any, model: Any) -> None:
    told = variables(table, function.name)
    assert load(model, told).place == TableSettings(table.runs["data"].outputs["paymentsTableName"])
    assert not {name for name in told if name.startswith("DATABASE")}
    assert not {sid for sid in statements(table, function.name) if "Secret" in sid}


def test_only_who_takes_payments_in_or_on_may_write_the_table_and_the_relay_alone_sees_what_is_due(table: Cloud) -> None:
    arn = table.runs["data"].outputs["paymentsTableArn"]
    for function in functions_for("dynamodb"):
        found = statements(table, function.name)
        assert found["PaymentsTable"]["Resource"] == [arn]
        reads = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
        assert (set(found["PaymentsTable"]["Action"]) <= reads) == (function is VERIFY_PAYMENT)
        due = [(statement["Action"], statement["Resource"]) for sid, statement in found.items() if sid == "PaymentsDue"]
        assert due == ([(["dynamodb:Query"], [f"{arn}/index/*"])] if function is OUTBOX_RELAY else [])


def test_with_a_cache_sessions_are_there_and_its_secret_may_be_read() -> None:
    cache = pages.read("containers-dev").config["data:cache"]
    with deployed("dev", **{"data:cache": cache}) as cloud:
        arn = cloud.runs["data"].outputs["cacheSecretArn"]
        for function in functions_for("relational"):
            told, found = variables(cloud, function.name), statements(cloud, function.name)
            assert not {"SESSIONS_TABLE", "CACHE_URL"} & set(told)
            assert "Sessions" not in found
            if function in (PAYMENT_WORKER, OUTBOX_RELAY):
                assert told["CACHE_SECRET_ARN"] == arn
                assert found["CacheSecret"]["Resource"] == [arn]
            else:
                assert "CACHE_SECRET_ARN" not in told
                assert "CacheSecret" not in found


@pytest.fixture(scope="module")
def regions() -> Iterator[Cloud]:
    """An environment with AWS-managed keys, in another region, whose API logs bodies."""
    with deployed("regions-staging") as cloud:
        yield cloud


def test_a_secret_under_awss_own_key_needs_no_permission_of_kms(regions: Cloud) -> None:
    for function in functions_for("relational"):
        found = statements(regions, function.name)
        assert found["DatabaseSecret"]["Resource"] == [regions.runs["data"].outputs["databaseSecretArn"]]
        assert "DatabaseSecretKey" not in found


def test_all_of_it_is_in_the_environments_region(regions: Cloud) -> None:
    assert regions.environment.region == "us-east-2"
    assert outputs(regions)["apiUrl"].endswith(".execute-api.us-east-2.amazonaws.com/staging")
    assert variables(regions, "payment-worker")["API_URL"] == outputs(regions)["apiUrl"]
    assert {arn.split(":")[3] for arn in outputs(regions)["functionArns"].values()} == {"us-east-2"}


def masks(cloud: Cloud) -> bool:
    """Whether what looks like card data in the execution log is masked; with which patterns is asked in `test_api_logs`."""
    [api] = cloud.client("apigateway").get_rest_apis()["items"]
    group = f"API-Gateway-Execution-Logs_{api['id']}/{cloud.environment.platform.stage}"
    return "Deidentify" in cloud.client("logs").get_data_protection_policy(logGroupIdentifier=group).get("policyDocument", "")


def test_requests_and_responses_are_logged_where_the_page_says_so_and_card_data_in_them_is_masked(regions: Cloud) -> None:
    [api] = regions.client("apigateway").get_rest_apis()["items"]
    stage = regions.client("apigateway").get_stage(restApiId=api["id"], stageName="staging")
    assert stage["methodSettings"]["*/*"]["dataTraceEnabled"] is True
    assert masks(regions)


@pytest.mark.parametrize("shape", ["regions", "table"])
def test_the_stage_waits_for_the_mask_whether_bodies_are_logged_or_not(shape: str, request: pytest.FixtureRequest) -> None:
    cloud: Cloud = request.getfixturevalue(shape)
    made = [resource.type.rsplit(":", 1)[-1] for resource in cloud.runs["app"].resources]
    assert made.index("LogDataProtectionPolicy") < made.index("Stage")


def test_the_access_log_tells_of_request_and_response(regions: Cloud) -> None:
    [api] = regions.client("apigateway").get_rest_apis()["items"]
    fields = json.loads(regions.client("apigateway").get_stage(restApiId=api["id"], stageName="staging")["accessLogSettings"]["format"])
    assert {"sourceIp", "method", "path", "protocol", "userAgent"} <= set(fields)
    assert {"status", "latency", "length", "integrationStatus", "error"} <= set(fields)


def test_bodies_stay_out_of_the_log_unless_the_page_says_so_and_what_the_models_say_of_them_is_masked(table: Cloud) -> None:
    [api] = table.client("apigateway").get_rest_apis()["items"]
    assert table.client("apigateway").get_stage(restApiId=api["id"], stageName="prod")["methodSettings"]["*/*"]["dataTraceEnabled"] is False
    assert masks(table)
