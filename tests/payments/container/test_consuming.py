"""Consumers, relay and their loops, on moto's queue and a real database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from payments import clients
from payments.assembly.relaying import relay_from
from payments.assembly.working import worker_from
from payments.container import consuming, loops
from payments.container.consuming import Consumer, SqsMessages, delay
from payments.container.loops import Loops, Stop
from payments.container.relaying import Relaying
from payments.container.settings import WorkerSettings
from payments.container.work import Work
from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER
from payments.service.relaying import RelayError
from payments.service.working import Message, Worker
from payments.settings import OutboxRelaySettings, PaymentWorkerSettings, SettingsError, load
from payments.telemetry import Telemetry
from tests.payments.service import Service, aws

GRACE = 20.0


@pytest.fixture
def consumer(service: Service, monkeypatch: pytest.MonkeyPatch) -> Consumer:
    monkeypatch.setattr(consuming, "POLL_SECONDS", 0)
    telemetry = Telemetry(PAYMENT_WORKER)
    worker = worker_from(load(PaymentWorkerSettings), telemetry)
    return Consumer(messages=SqsMessages(service.queue), worker=worker, telemetry=telemetry)


def counts(service: Service) -> tuple[int, int]:
    """Of the work queue's messages: those that wait, and those that are hidden."""
    found = aws("sqs").get_queue_attributes(QueueUrl=service.queue, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])[
        "Attributes"
    ]
    return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])


def test_a_batch_is_seen_through_and_removed(service: Service, consumer: Consumer) -> None:
    taken, declined = service.accepted("a")[0], service.accepted("b", payment_token="tok_decline")[0]
    consumer.once(Stop(GRACE))
    assert service.states(taken)[-1] == "captured"
    assert service.states(declined)[-1] == "declined"
    assert counts(service) == (0, 0)
    consumer.once(Stop(GRACE))


def test_a_long_poll_is_waited_for_to_its_end(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def noting(name: str, *, held: float = 0.0) -> Any:
        asked.append(held)
        return clients.client(name, held=held)

    monkeypatch.setattr(consuming, "client", noting)
    monkeypatch.setattr(consuming, "POLL_SECONDS", 1)
    assert SqsMessages(service.queue).take() == []
    assert asked == [1]
    patience = {held: clients.client("sqs", held=held).meta.config.read_timeout for held in (0, 1, 4)}
    assert patience == {held: patience[0] + held for held in patience}


def test_what_fails_comes_again_and_the_rest_does_not(service: Service, consumer: Consumer) -> None:
    taken, stuck = service.accepted("a")[0], service.accepted("b", payment_token="tok_timeout")[0]
    consumer.once(Stop(GRACE))
    assert service.states(taken)[-1] == "captured"
    assert service.states(stuck) == ["received", "submitted"]
    assert counts(service) == (0, 1)


def test_what_is_no_work_is_set_aside(service: Service, consumer: Consumer) -> None:
    aws("sqs").send_message(QueueUrl=service.queue, MessageBody="no work")
    consumer.once(Stop(GRACE))
    assert [reason for reason, _, _ in service.dead()] == ["not_work"]
    assert counts(service) == (0, 0)


def test_a_worker_that_raises_leaves_all_messages_to_come_again(service: Service, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    service.accepted("a", "b")

    def broken(_: Worker, messages: Sequence[Message], **__: Any) -> list[str]:
        raise LookupError(f"{len(messages)} messages")

    monkeypatch.setattr(Worker, "work", broken)
    consumer.once(Stop(GRACE))
    assert counts(service) == (0, 2)


def test_a_queue_that_is_not_told_hands_the_messages_over_again(service: Service, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = service.accepted("a")[0]

    def cut_off(*_: Any) -> list[str]:
        raise ConnectionError("the queue cannot be reached")

    with monkeypatch.context() as broken:
        broken.setattr(SqsMessages, "done", cut_off)
        consumer.once(Stop(GRACE))
    assert service.states(made)[-1] == "captured"
    assert counts(service) == (0, 1)


def test_the_time_for_a_batch_is_over_soon_after_it_is_time_to_stop(service: Service, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    service.accepted("a")
    stop = Stop(GRACE)
    left: list[float] = []

    def noting(_: Worker, messages: Sequence[Message], *, remaining: Callable[[], float]) -> list[str]:
        left.append(remaining())
        stop.set()
        left.append(remaining())
        return []

    monkeypatch.setattr(Worker, "work", noting)
    consumer.once(stop)
    assert left == [pytest.approx(consuming.BATCH_SECONDS, abs=1), pytest.approx(GRACE, abs=1)]


def test_the_time_between_two_tries_grows_up_to_a_limit() -> None:
    assert [delay(receives) for receives in (1, 2, 3, 4, 5, 1000)] == [30, 60, 120, 240, 300, 300]


def test_nobody_else_is_given_a_message_while_it_may_be_worked_on() -> None:
    assert consuming.HIDDEN_SECONDS > consuming.BATCH_SECONDS + GRACE


def test_the_relay_runs_and_stops_when_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.accepted("a")
    telemetry = Telemetry(OUTBOX_RELAY)
    relaying = Relaying(relay=relay_from(load(OutboxRelaySettings), telemetry), every=0.0, telemetry=telemetry)
    stop = Stop(GRACE)
    relaying.once(stop)
    assert [event["state"] for event in service.events()] == ["received"]
    service.accepted("b")
    stop.set()
    relaying.once(stop)
    assert service.events() == []


class Counting:
    """Fails, and notes its turns."""

    telemetry = Telemetry(OUTBOX_RELAY)

    def __init__(self, *, ends: threading.Event | None = None) -> None:
        self.turns = 0
        self.ends = ends

    def once(self, stop: Stop) -> None:
        self.turns += 1
        if self.ends is not None:
            self.ends.wait(30)
        raise RelayError("these tasks failed: work_sent")


def test_a_turn_that_fails_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "AFTER_FAILURE", 0.01)
    turn = Counting()
    running = Loops([turn, turn], grace=10)
    assert not running.alive()
    running.start()
    deadline = time.monotonic() + 20
    while turn.turns < 6:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert running.alive()
    assert running.end() == []
    assert not running.alive()


def test_a_turn_that_does_not_end_is_seen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "STUCK", 0.05)
    ends = threading.Event()
    running = Loops([Counting(ends=ends)], grace=0.05)
    running.start()
    time.sleep(0.1)
    assert not running.alive()
    assert running.end() == ["counting-1"]
    ends.set()


def test_a_container_with_nothing_to_do_says_so(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUMERS", "0")
    monkeypatch.setenv("RELAY_EVERY", "0")
    with pytest.raises(SettingsError, match="nothing for this container to do"):
        Work(load(WorkerSettings))


def test_only_what_runs_has_to_be_configured(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDIT_BUCKET")
    with pytest.raises(SettingsError, match="AUDIT_BUCKET"):
        Work(load(WorkerSettings))
    monkeypatch.setenv("RELAY_EVERY", "0")
    Work(load(WorkerSettings))
    monkeypatch.delenv("PROCESSOR")
    with pytest.raises(SettingsError, match="PROCESSOR"):
        Work(load(WorkerSettings))
