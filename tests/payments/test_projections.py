"""What is told of a payment outside the database: the transaction log, the session, the receipt, and the events."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from payments.messaging.events import SnsPaymentEvents
from payments.storage.receipts import S3Receipts
from payments.storage.sessions import DynamoSessions
from payments.storage.transaction_log import DynamoTransactionLog
from tests.payments.service import REGION, REQUEST, Service, aws

CAPTURED = ["received", "submitted", "authorized", "captured"]


def logged_states(service: Service) -> list[tuple[int, str]]:
    return sorted((int(item["sequence"]["N"]), item["state"]["S"]) for item in service.items())


def unsent(service: Service) -> int:
    [(count,)] = service.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL")
    return count


def test_everyone_is_told_of_every_state(service: Service) -> None:
    [made] = service.accepted("a", session_id="session-1")
    service.work(*service.taken())
    assert logged_states(service) == list(enumerate(CAPTURED, start=1))
    events = service.events()
    assert sorted((event["sequence"], event["state"]) for event in events) == list(enumerate(CAPTURED, start=1))
    first = next(event for event in events if event["sequence"] == 1)
    assert {name: first[name] for name in ("version", "payment_id", "merchant", "amount", "currency", "reference", "reason")} == {
        "version": 1,
        "payment_id": made,
        "merchant": "a1b2c3d4e5",
        "amount": 1050,
        "currency": "EUR",
        "reference": "order a",
        "reason": None,
    }
    assert unsent(service) == 0


def test_a_captured_payment_has_a_receipt(service: Service) -> None:
    captured, _ = service.accepted("a"), service.accepted("b", payment_token="tok_decline")
    service.work(*service.taken())
    [(key, receipt)] = service.objects(service.documents).items()
    assert key == f"receipts/{captured[0]}.json"
    moment = service.verify({"payment_id": captured[0]})[1]["history"][-1]["occurred_at"]
    assert receipt["processor_reference"].startswith("sandbox_")
    assert {name: receipt[name] for name in ("amount", "currency", "total", "reference", "captured_at")} == {
        "amount": 1050,
        "currency": "EUR",
        "total": "10.50 EUR",
        "reference": "order a",
        "captured_at": moment,
    }


@pytest.mark.parametrize("source", ["https://api.example.com/v1", None])
def test_events_and_receipts_name_the_api_where_it_is_known(service: Service, source: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if source:
        monkeypatch.setenv("API_URL", source)
    service.accepted("a")
    service.work(*service.taken())
    assert {event["source"] for event in service.events()} == {source}
    [receipt] = service.objects(service.documents).values()
    assert receipt["source"] == source


def test_the_session_remembers_its_last_payment_for_a_day(service: Service) -> None:
    first, second = service.accepted("a", "b", session_id="session-1")
    one, other = service.taken()
    service.work(other)
    service.work(one)
    [session] = service.items(service.sessions_table)
    assert (session["session_id"]["S"], session["last_payment_id"]["S"]) == ("a1b2c3d4e5/session-1", second)
    received = datetime.fromisoformat(service.verify({"payment_id": second})[1]["history"][0]["occurred_at"])
    assert int(session["expires_at"]["N"]) == int(received.timestamp()) + 86_400
    assert service.states(first) == CAPTURED


def test_nothing_told_holds_the_token_or_the_metadata(service: Service) -> None:
    service.process({**REQUEST, "metadata": {"note": "between us"}, "session_id": "s"})
    service.work(*service.taken())
    service.relay()
    tables = [service.items(), service.items(service.sessions_table), service.objects(service.documents)]
    told = json.dumps([tables, service.events(), [record.canonical() for record in service.audited()]])
    assert "tok_approve" not in told
    assert "between us" not in told


def test_subscribers_can_filter_by_state(service: Service) -> None:
    url = aws("sqs").create_queue(QueueName="captures")["QueueUrl"]
    aws("sns").subscribe(
        TopicArn=service.topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:123456789012:captures",
        Attributes={"FilterPolicy": json.dumps({"state": ["captured"]})},
    )
    service.accepted("a")
    service.work(*service.taken())
    assert [json.loads(json.loads(body)["Message"])["state"] for body in service.taken(url)] == ["captured"]


@pytest.mark.parametrize(
    ("owner", "method"), [(DynamoTransactionLog, "append"), (DynamoSessions, "remember"), (S3Receipts, "write"), (SnsPaymentEvents, "publish")]
)
def test_what_could_not_be_told_is_told_by_the_relay(
    service: Service, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str], owner: type[Any], method: str
) -> None:
    def cut_off(*_: Any) -> None:
        raise ConnectionError("cannot be reached")

    [made] = service.accepted("a", session_id="s")
    with monkeypatch.context() as broken:
        broken.setattr(owner, method, cut_off)
        assert service.work(*service.taken()) == []
    assert service.states(made) == CAPTURED
    assert unsent(service) > 0
    assert "left to the relay" in logged()
    service.relay()
    assert unsent(service) == 0
    assert logged_states(service) == list(enumerate(CAPTURED, start=1))
    assert len(service.items(service.sessions_table)) == len(service.objects(service.documents)) == 1
    assert {event["state"] for event in service.events()} == set(CAPTURED)


def test_a_message_that_the_topic_does_not_take_is_sent_again_alone(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = SnsPaymentEvents.publish

    def all_but_one(events: SnsPaymentEvents, wanted: list[Any], on_time: Callable[[], bool]) -> list[bool]:
        return [*publish(events, wanted[1:2], on_time), *[False] * (len(wanted) - 1)][::-1] if len(wanted) == 4 else publish(events, wanted, on_time)

    service.accepted("a")
    with monkeypatch.context() as patched:
        patched.setattr(SnsPaymentEvents, "publish", all_but_one)
        service.work(*service.taken())
    assert unsent(service) == 3


def test_telling_twice_is_telling_once(service: Service) -> None:
    service.accepted("a", session_id="s")
    [message] = service.taken()
    service.work(message)
    before = [service.items(), service.items(service.sessions_table), service.objects(service.documents)]
    first = service.events()
    service.rows("UPDATE outbox SET sent_at = NULL WHERE kind = 'state'")
    service.work(message)
    assert [service.items(), service.items(service.sessions_table), service.objects(service.documents)] == before
    by_id = {event["id"]: event for event in first}
    again = service.events()
    assert len(again) == 4
    assert all(by_id[event["id"]] == event for event in again)
