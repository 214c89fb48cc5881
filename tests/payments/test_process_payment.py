"""POST /process-payment: what is kept and sent, idempotency, and what happens when something behind it fails."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payments.functions import PROCESS_PAYMENT
from payments.messaging.work_queue import SqsWorkQueue
from payments.storage.postgres.database import from_settings
from payments.storage.postgres.payments import PostgresPayments
from tests.payments.service import CORRELATION_ID, REQUEST, Service, answered, api_event, aws, invoke


def unsent(service: Service) -> list[tuple[Any, ...]]:
    return service.rows("SELECT kind FROM outbox WHERE sent_at IS NULL ORDER BY id")


def test_a_payment_is_taken_in(service: Service) -> None:
    status, body, answer = service.process(REQUEST)
    assert (status, set(body), body["state"]) == (202, {"payment_id", "state"}, "received")
    assert uuid.UUID(body["payment_id"]).version == 7
    assert answer["headers"] == {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Correlation-Id": CORRELATION_ID}
    assert service.rows("SELECT merchant, amount, currency, reference, state FROM payments") == [("a1b2c3d4e5", 1050, "EUR", "order 7", "received")]
    assert [json.loads(message) for message in service.taken()] == [{"payment_id": body["payment_id"], "correlation_id": CORRELATION_ID}]
    assert unsent(service) == [("state",)]


@pytest.mark.parametrize("url", ["https://api.example.com/prod", "https://api.example.com/prod/"])
def test_where_the_api_has_a_url_the_answer_links_to_where_the_payment_is_told_of(service: Service, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("API_URL", url)
    first, again = (service.process(REQUEST)[2] for _ in range(2))
    assert first["headers"]["Link"] == '<https://api.example.com/prod/verify-payment>; rel="status"'
    # A repetition is answered byte for byte as the first one was, link included.
    assert {**again, "headers": {**again["headers"], "X-Correlation-Id": ""}} == {**first, "headers": {**first["headers"], "X-Correlation-Id": ""}}
    assert "Link" not in service.process({**REQUEST, "amount": 1051})[2]["headers"]
    assert service.verify({"reference": REQUEST["reference"]})[2]["headers"]["Link"] == first["headers"]["Link"]


def test_the_same_key_and_body_get_the_same_answer_and_no_second_payment(service: Service) -> None:
    first = service.process(REQUEST)[2]
    reordered = json.dumps(dict(reversed(REQUEST.items())), indent=3)
    again = service.process(reordered)[2]
    assert (again["statusCode"], again["body"]) == (first["statusCode"], first["body"])
    assert service.rows("SELECT count(*) FROM payments") == [(1,)]
    assert len(service.taken()) == 1


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
    assert service.rows("SELECT amount FROM payments") == [(1050,)]
    assert len(service.taken()) == 1


def test_another_key_is_another_payment(service: Service) -> None:
    assert len(set(service.accepted("a", "b", "A"))) == len(service.taken()) == 3


def test_a_reference_belongs_to_one_payment_of_a_merchant(service: Service) -> None:
    service.process(REQUEST, "a")
    status, problem, _ = service.process(REQUEST, "b")
    assert (status, problem["type"]) == (409, "urn:payments:problem:reference-in-use")
    assert service.rows("SELECT count(*) FROM payments") == service.rows("SELECT count(*) FROM idempotency_keys") == [(1,)]


def test_merchants_share_neither_keys_nor_references(service: Service) -> None:
    event = api_event("/process-payment", REQUEST, {"Idempotency-Key": "key-1"})
    other = json.loads(json.dumps(event))
    other["requestContext"]["identity"]["apiKeyId"] = "another"
    without = json.loads(json.dumps(event))
    without["requestContext"]["identity"]["apiKeyId"] = None
    ids = {answered(invoke(PROCESS_PAYMENT, asked))[1]["payment_id"] for asked in (event, other, without, event)}
    assert len(ids) == 3
    assert service.rows("SELECT merchant FROM payments ORDER BY merchant") == [("a1b2c3d4e5",), ("another",), ("default",)]


def test_the_merchant_is_no_choice_of_the_callers(service: Service) -> None:
    service.process(REQUEST, headers={"Idempotency-Key": "k", "X-Merchant": "another", "x-api-key": "another"})
    assert service.rows("SELECT merchant FROM payments") == [("a1b2c3d4e5",)]


def test_two_requests_at_the_same_instant_make_one_payment(service: Service) -> None:
    start = threading.Barrier(6)
    answers: list[dict[str, Any]] = []

    def ask() -> None:
        start.wait()
        answers.append(service.process(REQUEST)[2])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer["statusCode"], answer["body"]) for answer in answers} == {(202, answers[0]["body"])}
    assert service.rows("SELECT count(*) FROM payments") == [(1,)]


def test_who_waits_too_long_for_another_request_with_the_key_is_told_to_come_again(service: Service) -> None:
    held = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with from_settings(service.database).transaction() as connection:
            connection.execute(
                "INSERT INTO idempotency_keys (merchant, key, digest, payment_id, answer) VALUES ('a1b2c3d4e5', 'key-1', '\\x00', gen_random_uuid(), '')"
            )
            held.set()
            done.wait(30)
            raise TimeoutError

    def swallow() -> None:
        with pytest.raises(TimeoutError):
            hold()

    thread = threading.Thread(target=swallow)
    # The payment that the key would stand for is only looked for at the end of the transaction, which never comes.
    service.rows("ALTER TABLE idempotency_keys ALTER CONSTRAINT idempotency_keys_payment_id_fkey DEFERRABLE INITIALLY DEFERRED")
    thread.start()
    held.wait(30)
    status, problem, answer = service.process(REQUEST)
    done.set()
    thread.join()
    assert (status, problem["type"]) == (409, "urn:payments:problem:idempotency-key-in-progress")
    assert answer["headers"]["Retry-After"] == "1"
    assert service.process(REQUEST)[0] == 202


def test_a_queue_that_cannot_be_reached_costs_nothing_but_time(service: Service, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]) -> None:
    def cut_off(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage")

    with monkeypatch.context() as broken:
        broken.setattr(SqsWorkQueue, "send", cut_off)
        assert service.process(REQUEST)[0] == 202
    assert service.taken() == []
    assert unsent(service) == [("work",), ("state",)]
    assert "left to the relay" in logged()


def test_a_body_in_base64_is_read(service: Service) -> None:
    encoded = base64.b64encode(json.dumps({**REQUEST, "reference": "Bestellung für Ümit"}).encode()).decode()
    assert service.process(encoded, isBase64Encoded=True)[0] == 202
    assert service.rows("SELECT reference FROM payments") == [("Bestellung für Ümit",)]


def test_headers_are_found_in_any_case(service: Service) -> None:
    assert invoke(PROCESS_PAYMENT, api_event("/process-payment", REQUEST, {"idempotency-KEY": "k"}))["statusCode"] == 202


def test_the_size_limit_is_counted_in_bytes(service: Service) -> None:
    def padded(size: int) -> str:
        bare = json.dumps({**REQUEST, "metadata": {"note": ""}}, ensure_ascii=False)
        return bare.replace('"note": ""', f'"note": "{"é" * ((size - len(bare)) // 2)}{"x" * ((size - len(bare)) % 2)}"')

    assert len(padded(32_768).encode()) == 32_768
    assert service.process(padded(32_768))[0] == 202
    status, problem, _ = service.process(padded(32_769), "key-2")
    assert (status, problem["type"]) == (413, "urn:payments:problem:body-too-large")
    assert service.rows("SELECT count(*) FROM payments") == [(1,)]


def test_metadata_are_kept_as_they_came(service: Service) -> None:
    metadata = {"nested": [1, 2.5, None, {"ä": "\u0000 and \U0001f600"}]}
    service.process({**REQUEST, "metadata": metadata})
    assert service.rows("SELECT metadata FROM payments") == [(metadata,)]


def test_without_the_database_the_caller_is_asked_to_come_again(walled: Service, logged: Callable[[], str]) -> None:
    status, problem, answer = walled.process(REQUEST)
    assert (status, problem["type"]) == (503, "urn:payments:problem:temporarily-unavailable")
    assert answer["headers"]["Retry-After"] == "1"
    assert "127.0.0.1" not in answer["body"]
    assert '"RequestFailed":[1.0]' in logged().replace(" ", "")


def test_a_failure_tells_the_caller_nothing_of_its_cause(service: Service, logged: Callable[[], str]) -> None:
    aws("secretsmanager").delete_secret(SecretId=service.database.secret_arn, ForceDeleteWithoutRecovery=True)
    status, problem, answer = service.process(REQUEST)
    assert (status, problem["type"]) == (500, "urn:payments:problem:internal-error")
    assert "secret" not in answer["body"].lower()
    assert "ResourceNotFoundException" in logged()


def test_where_aws_is_busy_the_caller_is_asked_to_come_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue")

    monkeypatch.setattr(PostgresPayments, "accept", throttled)
    assert service.process(REQUEST)[0] == 503


def test_a_missing_environment_variable_is_named_in_the_log_only(service: Service, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]) -> None:
    monkeypatch.delenv("WORK_QUEUE_URL")
    monkeypatch.setenv("STAGE", "")
    monkeypatch.setenv("DATABASE_URL", "postgresql://five:six@localhost/payments")
    status, problem, answer = service.process(REQUEST)
    assert (status, problem["type"]) == (500, "urn:payments:problem:internal-error")
    assert "WORK_QUEUE" not in answer["body"]
    text = logged()
    assert "WORK_QUEUE_URL: is missing" in text
    assert "STAGE: is empty" in text
    assert "DATABASE_URL: must not hold a user or a password" in text
    assert "five" not in text


def test_metrics_tell_payments_from_repetitions_and_refusals(service: Service, logged: Callable[[], str]) -> None:
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


def test_every_log_line_bears_the_correlation_id(service: Service, logged: Callable[[], str]) -> None:
    made = service.process(REQUEST)[1]["payment_id"]
    lines = [json.loads(line) for line in logged().splitlines() if '"_aws"' not in line]
    assert [(line["correlation_id"], line["payment_id"]) for line in lines] == [(CORRELATION_ID, made)]
