"""Card data comes in nowhere, and so is found nowhere: not in an answer, a log, a table, a queue or an event."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from payments.container import settings as container_settings
from payments.domain.card_data import REMOVED, has_card_number
from payments.messaging.dead_letters import without_card_data
from payments.settings import RelationalSettings, Settings, load
from payments.storage.postgres.credentials import Login
from payments.storage.postgres.database import Database, from_settings
from payments.storage.postgres.payments import PostgresPayments
from tests.payments.service import REQUEST, Service, aws

# Test numbers that the brands' and processors' documentation names.
NUMBERS = (
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3566002020360505",
    "30569309025904",
    "6200000000000005",
)


def with_number(number: str) -> dict[str, Any]:
    """By what is tried: requests that hold the number somewhere."""
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return {
        "reference": {**REQUEST, "reference": f"card {spaced}"},
        "payment_token": {**REQUEST, "payment_token": number},
        "unknown field": {**REQUEST, "card": number},
        "key": {**REQUEST, f"n{number}": 1},
        "metadata key": {**REQUEST, "metadata": {"a": {spaced: "x"}}},
        "nested": {**REQUEST, "metadata": {"a": [{"b": ["x", f"n:{spaced};12/30"]}]}},
        "number": {**REQUEST, "metadata": {"a": int(number)}},
        "float": {**REQUEST, "metadata": {"a": float(number)}},
        "amount": {**REQUEST, "amount": int(number)},
        "dashes": {**REQUEST, "session_id": spaced.replace(" ", "-")},
    }


def objects(service: Service) -> list[str]:
    """Every object of both buckets, as it is written."""
    s3 = aws("s3")
    return [
        s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
        for bucket in (service.documents, service.audit)
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    ]


def kept(service: Service) -> str:
    """Everything that is kept or sent anywhere, the queues' messages included, which are removed from there."""
    tables = [row[0] for row in service.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = [from_settings(service.database).run(SQL("SELECT * FROM {}").format(Identifier(table)).as_string()) for table in tables]  # type: ignore[arg-type]
    dynamo = [service.items(), service.items(service.sessions_table)]
    return repr(rows) + json.dumps([dynamo, objects(service), service.taken(), service.dead(), service.events()])


@pytest.mark.parametrize("number", NUMBERS)
def test_card_numbers_are_refused_and_leave_no_trace(service: Service, logged: Callable[[], str], caplog: pytest.LogCaptureFixture, number: str) -> None:
    caplog.set_level(logging.INFO)
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    answers = [service.process(body, f"key-{tried}")[2] for tried, body in with_number(number).items()]
    answers += [service.verify({"payment_id": number})[2], service.verify({"reference": f"card {spaced}"})[2], service.process(REQUEST, number)[2]]
    bodies = [number, spaced, json.dumps({"payment_id": number, "correlation_id": "c"}), json.dumps({number: {"a": int(number)}}), f"{{{spaced}"]
    assert service.work(*bodies) == []
    service.relay()
    assert {json.loads(answer["body"])["type"] for answer in answers} == {"urn:payments:problem:card-data-refused"}
    assert service.rows("SELECT count(*) FROM payments") == [(0,)]
    everything = json.dumps(answers) + kept(service) + logged() + caplog.text
    digits = "".join(character for character in everything if character.isdigit())
    assert number not in digits


def test_a_dead_letter_keeps_no_verification_code(service: Service) -> None:
    service.work('{"cvv": "987"}', '{"note": "4242 4242 4242 4242"}', "order 7")
    assert [body for _, _, body in service.dead()] == [REMOVED, REMOVED, "order 7"]


@pytest.mark.parametrize("written", ["\uff14\uff12" * 8, "4242 4242 4242 4242 12/30", "4242-4242-4242-4242"])
def test_a_dead_letter_keeps_no_number_in_another_writing(written: str) -> None:
    assert not has_card_number(without_card_data(f"note: {written}"))
    assert not has_card_number(without_card_data(json.dumps({"note": written})))


def test_a_payment_token_is_kept_in_the_database_alone(service: Service, logged: Callable[[], str]) -> None:
    token = "tok_of_somebody_in_particular"
    service.accepted("a", payment_token=token, metadata={"note": "between us"}, session_id="s")
    messages = service.taken()
    service.work(*messages)
    service.relay()
    told = json.dumps([service.items(), service.items(service.sessions_table), *objects(service)])
    assert "order a" in told
    for secret in (token, "between us"):
        assert secret not in told + json.dumps([messages, service.events()]) + logged()
    assert service.rows("SELECT payment_token FROM payments") == [(token,)]


CUSTOMER = "Jane Doe"


def broken(database: Database) -> None:
    """A statement whose error quotes what it was given, as PostgreSQL's do in DETAIL and CONTEXT."""
    database.run("SELECT %s::text::json", [f'{{"customer": "{CUSTOMER}", "n": Infinity}}'])


def chained(database: Database) -> None:
    """The same, under an error of somebody else's."""
    try:
        broken(database)
    except psycopg.Error as error:
        raise LookupError("no answer") from error


@pytest.mark.parametrize("fail", [broken, chained])
def test_an_error_of_the_database_is_logged_by_its_class_and_code_alone(
    service: Service, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch, fail: Callable[[Database], None]
) -> None:
    with pytest.raises(psycopg.Error, match=CUSTOMER):
        broken(from_settings(service.database))
    monkeypatch.setattr(PostgresPayments, "accept", lambda self, *_, **__: fail(self._database))
    assert service.process(REQUEST)[0] == 500
    text = logged()
    assert CUSTOMER not in text
    assert "InvalidTextRepresentation (SQLSTATE 22P02)" in text
    assert "in broken" in text
    assert ("LookupError: no answer" in text) is (fail is chained)


def test_nor_does_the_worker_tell_of_rows(service: Service, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    service.accepted("a")
    monkeypatch.setattr(PostgresPayments, "advance", lambda self, *_: broken(self._database))
    assert service.work(*service.taken()) == ["message-0"]
    text = logged()
    assert CUSTOMER not in text
    assert "SQLSTATE 22P02" in text


SECRET = "hunter2-hunter2-hunter2"
GIVEN = {
    "STAGE": "dev",
    "WORK_QUEUE_URL": "q",
    "API_KEYS": json.dumps({"shop": f"{SECRET}-now"}),
    "API_KEYS_BEFORE": json.dumps({"shop": f"{SECRET}-before"}),
    "CACHE_URL": f"rediss://:{SECRET}@cache:6379/0",
    "TRANSACTION_LOG_TABLE": "log",
    "DOCUMENTS_BUCKET": "documents",
    "AUDIT_BUCKET": "audit",
    "PAYMENT_EVENTS_TOPIC_ARN": "topic",
    "DEAD_LETTER_QUEUE_URL": "dead",
    "MAX_RECEIVES": "5",
    "PROCESSOR": "sandbox",
}
PLACES: dict[bool, dict[str, str]] = {
    True: {"DATABASE_URL": "postgresql://db:5432/payments?sslmode=verify-full", "DATABASE_SECRET_ARN": "arn"},
    False: {"PAYMENTS_TABLE": "payments"},
}


def settings_classes() -> list[type[Settings]]:
    """Every one that there is, those of the container included."""
    found, waiting = set[type[Settings]](), [Settings, *vars(container_settings).values()]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, Settings) and one not in found:
            found.add(one)
            waiting += one.__subclasses__()
    return sorted(found, key=lambda one: one.__name__)


@pytest.mark.parametrize("model", settings_classes())
def test_settings_show_no_secret(model: type[Settings]) -> None:
    made = load(model, {**GIVEN, **PLACES[issubclass(model, RelationalSettings)]})
    assert SECRET not in f"{made!r} {made} {made.__repr_args__()}"


def test_the_settings_that_are_looked_at_hold_secrets() -> None:
    holding = {one.__name__ for one in settings_classes() if SECRET in str(load(one, {**GIVEN, **PLACES[issubclass(one, RelationalSettings)]}).model_dump())}
    assert {"WebSettings", "ConsumerSettings", "PaymentWorkerSettings", "OutboxRelaySettings"} <= holding


def test_a_login_shows_no_password() -> None:
    assert SECRET not in f"{Login('payments', SECRET)!r} {Login('payments', SECRET)}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cvv": "123"}, "cvv"),
        ({"metadata": {"CVC2": 987}}, "metadata.CVC2"),
        ({"metadata": {"a": [{"cardCvv": None}]}}, "metadata.a[0].cardCvv"),
        ({"metadata": {"security_code": "987"}}, "metadata.security_code"),
        ({"metadata": {"Card-Number": "tok"}}, "metadata.Card-Number"),
    ],
)
def test_fields_named_after_card_data_are_refused_whatever_they_hold(walled: Service, change: dict[str, Any], field: str) -> None:
    status, problem, answer = walled.process({**REQUEST, **change})
    assert (status, problem["type"]) == (400, "urn:payments:problem:card-data-refused")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert "987" not in answer["body"]


def test_the_field_is_named_and_the_value_is_not(walled: Service) -> None:
    _, problem, answer = walled.process({**REQUEST, "metadata": {"order": {"note": "pay with 4242-4242-4242-4242"}, "4242 4242 4242 4242": 1}})
    assert [error["field"] for error in problem["errors"]] == ["metadata.order.note", "metadata.(a key)"]
    assert "4242" not in answer["body"]


def test_refused_card_data_is_counted(walled: Service, logged: Callable[[], str]) -> None:
    walled.process({**REQUEST, "cvv": "1"})
    assert '"CardDataRefused"' in logged()


def test_should_a_library_name_a_number_in_an_error_the_log_has_it_removed(
    service: Service, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(*_: Any, **__: Any) -> None:
        raise RuntimeError("cannot store 4242 4242 4242 4242")

    monkeypatch.setattr(PostgresPayments, "accept", careless)
    assert service.process(REQUEST)[0] == 500
    text = logged()
    assert "4242" not in text
    assert "cannot store [card number removed]" in text
