"""POST /process-payment: validation, idempotency, what is kept and what is sent."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payments import clients
from payments.domain.payment import payment_id
from payments.handlers import process_payment
from payments.messaging.work_queue import SqsWorkQueue
from tests.payments.service import REQUEST, Service, api_event, aws, context


def test_a_payment_is_taken_in(service: Service) -> None:
    status, body, answer = service.process(REQUEST)
    assert (status, body) == (202, {"payment_id": payment_id("key-1"), "state": "received"})
    assert uuid.UUID(body["payment_id"]).version == 5
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["X-Correlation-Id"] == "77375676-xmpl-4b79-853a-f982474efe18"
    [item] = service.items()
    assert (item["payment_id"], item["sequence"], item["state"]) == ({"S": body["payment_id"]}, {"N": "1"}, {"S": "received"})
    assert json.loads(item["request"]["S"]) == {**REQUEST, "session_id": None, "metadata": {}}
    assert [json.loads(message) for message in service.taken()] == [
        {"payment_id": body["payment_id"], "correlation_id": "77375676-xmpl-4b79-853a-f982474efe18"}
    ]


def test_the_same_key_and_body_get_the_same_answer_and_no_second_payment(service: Service) -> None:
    first = service.process(REQUEST)[2]
    reordered = json.dumps(dict(reversed(REQUEST.items())), indent=3)
    again = service.process(reordered)[2]
    assert (again["statusCode"], again["body"]) == (first["statusCode"], first["body"])
    assert len(service.items()) == 1


def test_the_answer_stays_the_same_after_the_payment_went_on(service: Service) -> None:
    first = service.process(REQUEST)[2]
    assert service.work(*service.taken()) == []
    again = service.process(REQUEST)[2]
    assert (again["statusCode"], again["body"]) == (first["statusCode"], first["body"])
    assert service.taken() == []


def test_the_same_key_and_another_body_are_refused(service: Service) -> None:
    service.process(REQUEST)
    status, problem, answer = service.process({**REQUEST, "amount": 1051})
    assert (status, problem["type"]) == (422, "urn:payments:problem:idempotency-key-reused")
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert len(service.items()) == 1
    assert len(service.taken()) == 1


def test_another_key_is_another_payment(service: Service) -> None:
    ids = {service.process(REQUEST, key)[1]["payment_id"] for key in ("a", "b", "A")}
    assert len(ids) == len(service.items()) == 3


def test_a_request_that_stopped_before_the_queue_is_completed_by_its_repetition(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage")

    with monkeypatch.context() as broken:
        broken.setattr(SqsWorkQueue, "send", cut_off)
        assert service.process(REQUEST)[0] == 500
    assert service.taken() == []
    assert service.process(REQUEST)[0] == 202
    assert len(service.items()) == len(service.taken()) == 1


def test_the_session_remembers_its_payment_for_a_day(service: Service) -> None:
    made = service.process({**REQUEST, "session_id": "session-1"})[1]["payment_id"]
    [session] = service.items(service.sessions_table)
    assert (session["session_id"]["S"], session["last_payment_id"]["S"]) == ("session-1", made)
    assert abs(int(session["expires_at"]["N"]) - time.time() - 86_400) < 60


def test_a_body_in_base64_is_read(service: Service) -> None:
    encoded = base64.b64encode(json.dumps({**REQUEST, "reference": "Bestellung für Ümit"}).encode()).decode()
    assert service.process(encoded, isBase64Encoded=True)[0] == 202


def test_headers_are_found_in_any_case(service: Service) -> None:
    answer = process_payment.handler(api_event("/process-payment", REQUEST, {"idempotency-KEY": "k"}), context())
    assert answer["statusCode"] == 202


@pytest.mark.parametrize("key", [None, "", "x" * 256, "two words", "naïve", "line\nbreak"])
def test_without_a_usable_idempotency_key_nothing_is_taken(service: Service, key: str | None) -> None:
    status, problem, _ = service.process(REQUEST, key)
    assert (status, problem["type"]) == (400, "urn:payments:problem:idempotency-key-invalid")
    assert service.items() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 10.5}, "amount"),
        ({"amount": "1050"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 100_000_000_000}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": None}, "currency"),
        ({"payment_token": "a token"}, "payment_token"),
        ({"payment_token": ""}, "payment_token"),
        ({"reference": ""}, "reference"),
        ({"reference": "a\u0000b"}, "reference"),
        ({"reference": "two\nlines"}, "reference"),
        ({"reference": " "}, "reference"),
        ({"reference": "x" * 129}, "reference"),
        ({"session_id": "a/b"}, "session_id"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {f"key{number}": 1 for number in range(51)}}, "metadata"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named_with_its_rule_and_without_its_value(service: Service, change: dict[str, Any], field: str) -> None:
    status, problem, _ = service.process({**REQUEST, **change})
    assert (status, problem["type"], problem["status"]) == (400, "urn:payments:problem:invalid-request", 400)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert all(error["rule"] for error in problem["errors"])
    assert service.items() == []


def test_all_wrong_fields_are_named_at_once(service: Service) -> None:
    problem = service.process({"amount": 0, "payment_token": "tok", "colour": 1})[1]
    assert {error["field"] for error in problem["errors"]} == {"amount", "currency", "reference", "colour"}
    assert problem["correlation_id"] == "77375676-xmpl-4b79-853a-f982474efe18"


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        '"text"',
        "12",
        "[" * 20_000,
        '{"amount": NaN}',
        '{"amount": 1, "amount": 2}',
        '{"reference": "\\ud800"}',
        '{"amount": ' + "9" * 5000 + "}",
        "\ud800",
    ],
)
def test_what_is_not_a_json_object_is_refused(service: Service, body: str | None) -> None:
    status, problem, _ = service.process(body)
    assert (status, problem["type"]) == (400, "urn:payments:problem:malformed-body")


@pytest.mark.parametrize("body", ["=", "gA=="])
def test_base64_that_is_not_text_is_refused(service: Service, body: str) -> None:
    assert service.process(body, isBase64Encoded=True)[1]["type"] == "urn:payments:problem:malformed-body"


def test_the_size_limit_is_counted_in_bytes(service: Service) -> None:
    def padded(size: int) -> str:
        bare = json.dumps({**REQUEST, "metadata": {"note": ""}}, ensure_ascii=False)
        return bare.replace('"note": ""', f'"note": "{"é" * ((size - len(bare)) // 2)}{"x" * ((size - len(bare)) % 2)}"')

    assert len(padded(32_768).encode()) == 32_768
    assert service.process(padded(32_768))[0] == 202
    status, problem, _ = service.process(padded(32_769), "key-2")
    assert (status, problem["type"]) == (413, "urn:payments:problem:body-too-large")
    assert len(service.items()) == 1


def test_a_missing_environment_variable_is_named_in_the_log_only(service: Service, monkeypatch: pytest.MonkeyPatch, logged: Any) -> None:
    monkeypatch.delenv("WORK_QUEUE_URL")
    monkeypatch.setenv("SESSIONS_TABLE", "")
    status, problem, answer = service.process(REQUEST)
    assert (status, problem["type"]) == (500, "urn:payments:problem:internal-error")
    assert "WORK_QUEUE" not in answer["body"]
    text = logged()
    assert "WORK_QUEUE_URL: is missing" in text
    assert "SESSIONS_TABLE: is empty" in text


def test_a_failure_tells_the_caller_nothing_of_its_cause(service: Service, logged: Any) -> None:
    aws("dynamodb").delete_table(TableName=service.log_table)
    status, problem, answer = service.process(REQUEST)
    assert (status, problem["type"]) == (500, "urn:payments:problem:internal-error")
    assert "ResourceNotFound" not in answer["body"]
    assert service.log_table not in answer["body"]
    text = logged()
    assert "ResourceNotFoundException" in text
    assert '"RequestFailed":[1.0]' in text.replace(" ", "")


def test_where_aws_is_busy_the_caller_is_asked_to_come_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "PutItem")

    monkeypatch.setattr(clients.client("dynamodb"), "put_item", throttled)
    status, problem, answer = service.process(REQUEST)
    assert (status, problem["type"]) == (503, "urn:payments:problem:temporarily-unavailable")
    assert answer["headers"]["Retry-After"] == "1"


def test_metrics_tell_payments_from_repetitions_and_refusals(service: Service, logged: Any) -> None:
    service.process(REQUEST)
    service.process(REQUEST)
    service.process({})
    metrics = [json.loads(line) for line in logged().splitlines() if '"_aws"' in line]
    assert [set(entry) & {"PaymentReceived", "PaymentRepeated", "RequestRefused"} for entry in metrics] == [
        {"PaymentReceived"},
        {"PaymentRepeated"},
        {"RequestRefused"},
    ]
    assert all((entry["service"], entry["stage"]) == ("process-payment", "dev") for entry in metrics)
    assert {entry["_aws"]["CloudWatchMetrics"][0]["Namespace"] for entry in metrics} == {"Payments"}


def test_a_refusal_is_counted_for_its_stage_even_as_the_first_thing_that_happens(service: Service, logged: Any) -> None:
    service.process("{")
    [entry] = [json.loads(line) for line in logged().splitlines() if '"_aws"' in line]
    assert (entry["RequestRefused"], entry["stage"]) == ([1.0], "dev")
    assert sorted(entry["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["service", "stage"]


def test_every_log_line_bears_the_correlation_id(service: Service, logged: Any) -> None:
    service.process(REQUEST)
    lines = [json.loads(line) for line in logged().splitlines() if '"_aws"' not in line]
    assert [(line["correlation_id"], line["payment_id"]) for line in lines] == [("77375676-xmpl-4b79-853a-f982474efe18", payment_id("key-1"))]
