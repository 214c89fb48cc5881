"""The worker: every message of a batch by itself, and repetitions that change nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from payments.messaging.events import SnsPaymentEvents
from payments.storage.transaction_log import DynamoTransactionLog
from tests.payments.service import REQUEST, Service, aws

UNKNOWN = json.dumps({"payment_id": "2b0a1f0e-7f5e-5c9b-9d0a-000000000000", "correlation_id": "c"})


def received(service: Service, *keys: str) -> list[str]:
    """The messages of as many new payments."""
    for key in keys:
        assert service.process(REQUEST, key)[0] == 202
    return service.taken()


def steps(service: Service) -> list[tuple[str, str]]:
    return sorted((item["sequence"]["N"], item["state"]["S"]) for item in service.items())


def test_a_payment_is_submitted_and_announced(service: Service) -> None:
    [message] = received(service, "a")
    assert service.work(message) == []
    assert steps(service) == [("1", "received"), ("2", "submitted")]
    [event] = service.events()
    assert {name: event[name] for name in ("version", "state", "sequence", "amount", "currency", "reference")} == {
        "version": 1,
        "state": "submitted",
        "sequence": 2,
        "amount": 1050,
        "currency": "EUR",
        "reference": "order 7",
    }
    assert "tok_approve" not in json.dumps(event)


def test_subscribers_can_filter_by_state(service: Service) -> None:
    aws("sqs").create_queue(QueueName="refunds")
    url = aws("sqs").get_queue_url(QueueName="refunds")["QueueUrl"]
    aws("sns").subscribe(
        TopicArn=service.topic,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:refunds",
        Attributes={"FilterPolicy": json.dumps({"state": ["refunded"]})},
    )
    service.work(*received(service, "a"))
    assert len(service.events()) == 1
    assert service.taken(url) == []


def test_a_repeated_message_is_no_error_and_enters_nothing(service: Service) -> None:
    [message] = received(service, "a")
    assert service.work(message, message) == []
    assert service.work(message) == []
    assert steps(service) == [("1", "received"), ("2", "submitted")]
    assert len({event["id"] for event in service.events()}) == 1


def test_two_workers_at_once_enter_one_step(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    [message] = received(service, "a")
    append = DynamoTransactionLog.append

    def overtaken(log: DynamoTransactionLog, entry: Any) -> bool:
        monkeypatch.setattr(DynamoTransactionLog, "append", append)
        assert service.work(message) == []
        return append(log, entry)

    monkeypatch.setattr(DynamoTransactionLog, "append", overtaken)
    assert service.work(message) == []
    assert steps(service) == [("1", "received"), ("2", "submitted")]
    assert len({(event["id"], event["occurred_at"]) for event in service.events()}) == 1


def test_an_announcement_that_failed_is_made_up_for(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    [message] = received(service, "a")

    def cut_off(*_: Any) -> None:
        raise ConnectionError("the topic cannot be reached")

    with monkeypatch.context() as broken:
        broken.setattr(SnsPaymentEvents, "publish", cut_off)
        assert service.work(message) == ["message-0"]
    assert service.events() == []
    assert service.work(message) == []
    assert [event["state"] for event in service.events()] == ["submitted"]
    assert steps(service) == [("1", "received"), ("2", "submitted")]


@pytest.mark.parametrize("poison", ["", "{}", "[]", "null", "text", '{"payment_id": "../x", "correlation_id": "c"}', UNKNOWN])
def test_only_the_message_at_fault_is_handed_back(service: Service, poison: str) -> None:
    first, last = received(service, "a", "b")
    assert service.work(first, poison, last) == ["message-1"]
    assert [item["state"]["S"] for item in service.items()].count("submitted") == 2


def test_the_log_names_the_message_and_the_reason_but_not_the_content(service: Service, logged: Any) -> None:
    service.work('{"payment_id": "what came in", "correlation_id": "c"}', UNKNOWN)
    text = logged()
    lines = [json.loads(line) for line in text.splitlines() if '"_aws"' not in line]
    assert [(line["message_id"], line["receive_count"]) for line in lines] == [("message-0", "1"), ("message-1", "1")]
    assert lines[0]["fields"] == ["payment_id"]
    assert "not in the transaction log" in lines[1]["message"]
    assert "what came in" not in text
    assert '"MessageFailed":[1.0,1.0]' in text.replace(" ", "")


def test_all_messages_of_a_batch_may_fail_without_failing_the_function(service: Service) -> None:
    assert service.work("x", "y") == ["message-0", "message-1"]


def test_a_failed_message_is_counted_for_its_stage_even_as_the_first_thing_that_happens(service: Service, logged: Any) -> None:
    service.work("x")
    [entry] = [json.loads(line) for line in logged().splitlines() if '"_aws"' in line]
    assert (entry["MessageFailed"], entry["stage"]) == ([1.0], "dev")


def test_a_missing_environment_variable_hands_the_messages_back_and_is_named(service: Service, monkeypatch: pytest.MonkeyPatch, logged: Any) -> None:
    messages = received(service, "a")
    monkeypatch.delenv("PAYMENT_EVENTS_TOPIC_ARN")
    assert service.work(*messages) == ["message-0"]
    assert "PAYMENT_EVENTS_TOPIC_ARN: is missing" in logged()
