"""The dead-letter queue: shown without taking from it, replayed without losing anything, and never a body on the screen."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from ops import dead_letters
from ops.dead_letters import DeadLetterError, replay, show
from tests.ops.somewhere import client


class Queues:
    """The work queue and its dead-letter queue."""

    def __init__(self) -> None:
        self.sqs = client("sqs")
        self.work = self.sqs.create_queue(QueueName="work")["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName="dead")["QueueUrl"]

    def set_aside(self, body: str = "", reason: str = "", source: str = "") -> str:
        """Puts a message into the dead-letter queue; answers the id of the payment that it names."""
        payment = str(uuid.uuid4())
        given = {"reason": reason, "source_message_id": source}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in given.items() if value}
        work = json.dumps({"payment_id": payment, "correlation_id": str(uuid.uuid4())})
        self.sqs.send_message(QueueUrl=self.dead, MessageBody=body or work, MessageAttributes=attributes)
        return payment

    def payments(self, queue: str) -> list[str]:
        """The payments that a queue's visible messages name."""
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"])["payment_id"] for message in messages]
        return sorted(found)


@pytest.fixture
def queues() -> Iterator[Queues]:
    with mock_aws():
        yield Queues()


def test_messages_are_shown_with_reason_and_payment_and_stay_where_they_are(queues: Queues) -> None:
    source = str(uuid.uuid4())
    first = queues.set_aside(reason="unknown_payment", source=source)
    second = queues.set_aside()
    wanted = sorted([(first, "unknown_payment", source), (second, "unknown", "")])
    for _ in range(2):
        letters = show(queues.sqs, queues.dead, wait=0)
        assert sorted((letter.payment_id, letter.reason, letter.source) for letter in letters) == wanted
        assert all(letter.size > 50 and letter.correlation_id for letter in letters)
    assert queues.payments(queues.dead) == sorted([first, second])


def test_more_than_one_batch_is_shown_oldest_first(queues: Queues) -> None:
    wanted = {queues.set_aside() for _ in range(25)}
    letters = show(queues.sqs, queues.dead, wait=0)
    assert {letter.payment_id for letter in letters} == wanted
    assert [letter.sent for letter in letters] == sorted(letter.sent for letter in letters)


def test_an_empty_queue_shows_nothing(queues: Queues) -> None:
    assert show(queues.sqs, queues.dead, wait=0) == []


@pytest.mark.parametrize(
    "body", ["4242424242424242", '{"payment_id": "4242424242424242"}', '["4242424242424242"]', '{"payment_id": 4242424242424242}', "\x09{"]
)
def test_no_body_is_shown_whatever_it_is(queues: Queues, body: str) -> None:
    queues.set_aside(body=body, reason="4242424242424242", source="4242424242424242")
    (letter,) = show(queues.sqs, queues.dead, wait=0)
    assert (letter.payment_id, letter.reason, letter.source, letter.correlation_id) == ("", "unknown", "", "")
    assert letter.size == len(body)
    assert "4242" not in json.dumps(letter.as_dict()).replace(letter.id, "")


def test_a_message_for_machines_has_a_time_in_utc(queues: Queues) -> None:
    payment = queues.set_aside(reason="too_many_receives")
    (letter,) = show(queues.sqs, queues.dead, wait=0)
    written = letter.as_dict()
    assert set(written) == {"id", "sent", "reason", "source", "payment_id", "correlation_id", "size"}
    assert written["payment_id"] == payment
    assert str(written["sent"]).endswith("Z")


def test_all_messages_go_back_to_the_work_queue(queues: Queues) -> None:
    wanted = sorted(queues.set_aside(reason="unknown_payment") for _ in range(12))
    done = replay(queues.sqs, queues.dead, queues.work, wait=0, clock=lambda: time.time() + 1)
    assert sorted(letter.payment_id for letter in done.moved) == wanted
    assert done.kept == 0
    assert queues.payments(queues.work) == wanted
    assert show(queues.sqs, queues.dead, wait=0) == []


def test_a_replayed_message_is_as_it_was_sent_first_without_the_reason(queues: Queues) -> None:
    queues.set_aside(body='{"a": 1}', reason="not_work")
    replay(queues.sqs, queues.dead, queues.work, wait=0, clock=lambda: time.time() + 1)
    (message,) = queues.sqs.receive_message(QueueUrl=queues.work, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"a": 1}'
    assert "MessageAttributes" not in message


def test_only_messages_with_the_reason_go_back_and_the_others_are_visible_at_once(queues: Queues) -> None:
    wanted = queues.set_aside(reason="too_many_receives")
    other = queues.set_aside(reason="unknown_payment")
    done = replay(queues.sqs, queues.dead, queues.work, reason="too_many_receives", wait=0, clock=lambda: time.time() + 1)
    assert ([letter.payment_id for letter in done.moved], done.kept) == ([wanted], 1)
    assert queues.payments(queues.work) == [wanted]
    assert queues.payments(queues.dead) == [other]


def test_what_fails_again_while_replaying_is_left_for_the_next_call(queues: Queues) -> None:
    queues.set_aside()
    done = replay(queues.sqs, queues.dead, queues.work, wait=0, clock=lambda: time.time() - 60)
    assert (done.moved, done.kept) == ((), 1)
    assert len(show(queues.sqs, queues.dead, wait=0)) == 1


class Failing:
    """SQS, which refuses some entries of a batch, or breaks where a test says."""

    def __init__(self, sqs: Any, *, refused: str = "", breaks: str = "") -> None:
        self._sqs, self._refused, self._breaks = sqs, refused, breaks

    def __getattr__(self, name: str) -> Any:
        if name == self._breaks:
            raise ConnectionError(name)
        return getattr(self._sqs, name)

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - SQS's names
        if self._breaks == "send_message_batch":
            raise ConnectionError
        good = [entry for entry in Entries if not self._refused or self._refused not in entry["MessageBody"]]
        sent: dict[str, Any] = self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=good) if good else {}
        return {"Successful": sent.get("Successful", []), "Failed": [{"Id": e["Id"], "Code": "Throttled"} for e in Entries if e not in good]}


def test_what_sqs_refuses_stays_in_the_dead_letter_queue(queues: Queues) -> None:
    good, bad = queues.set_aside(), queues.set_aside()
    with pytest.raises(DeadLetterError, match=r"1 messages could not be given back .*Throttled.*still in the dead-letter queue"):
        replay(Failing(queues.sqs, refused=bad), queues.dead, queues.work, wait=0, clock=lambda: time.time() + 1)
    assert queues.payments(queues.work) == [good]
    assert queues.payments(queues.dead) == [bad]


@pytest.mark.parametrize(("breaks", "in_work", "in_dead"), [("send_message_batch", False, True), ("delete_message_batch", True, True)])
def test_a_crash_at_any_step_loses_no_message(queues: Queues, monkeypatch: pytest.MonkeyPatch, breaks: str, in_work: bool, in_dead: bool) -> None:
    monkeypatch.setattr(dead_letters, "_REPLAYED_SECONDS", 0)
    payment = queues.set_aside()
    with pytest.raises(ConnectionError):
        replay(Failing(queues.sqs, breaks=breaks), queues.dead, queues.work, wait=0, clock=lambda: time.time() + 1)
    monkeypatch.undo()
    assert (payment in queues.payments(queues.work)) is in_work
    assert bool(show(queues.sqs, queues.dead, wait=0)) is in_dead
