"""Neighbours in AWS that take a call and do not answer: the batch is answered in time, no payment suffers, and the relay tells what was not told."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from payments import clients
from payments.assembly.working import worker_from
from payments.clients import CALL_SECONDS, client
from payments.container import consuming
from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER
from payments.messaging.work_queue import SqsWorkQueue
from payments.service import advancing, projecting, relaying
from payments.service.relaying import RelayError
from payments.service.working import Message
from payments.settings import PaymentWorkerSettings, load
from payments.storage.dynamodb.table import each
from payments.storage.store import CLAIM_TIMEOUT, DatabaseUnavailable
from payments.telemetry import Telemetry
from tests.payments.service import CORRELATION_ID, REGION, Service, context, invoke, scheduled_event, sqs_event

PAYMENTS, STATES = 10, 40
# Of one call, and of the whole batch: five calls one after the other are longer.
CALL, BATCH = 1.0, 5.0


@pytest.fixture
def silence() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times that matter here, a few times shorter."""
    monkeypatch.setattr(projecting, "MARGIN", 2 * CALL)
    monkeypatch.setattr(advancing, "MARGIN", 0.0)


def hang(neighbour: str, address: str, patched: pytest.MonkeyPatch) -> list[str]:
    """From now on no call of that service is answered; those that are begun nevertheless."""
    config = Config(connect_timeout=0.1, read_timeout=CALL - 0.1, retries={"total_max_attempts": 1}, max_pool_connections=32)
    session: Any = boto3
    made = session.client(neighbour, REGION, endpoint_url=address, aws_access_key_id="testing", aws_secret_access_key="testing", config=config)
    begun: list[str] = []
    made.meta.events.register("before-send", lambda **called: begun.append(called["event_name"]))
    patched.setitem(clients._clients, neighbour, made)
    return begun


def until(seconds: float) -> LambdaContext:
    """The context of an invocation that has so long."""
    end = time.monotonic() + seconds
    made = context()
    vars(made)["get_remaining_time_in_millis"] = lambda: int((end - time.monotonic()) * 1000)
    return made


def unsent(service: Service) -> int:
    [(count,)] = service.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND kind = 'state'")
    return count


def assert_all_is_told(service: Service, made: list[str]) -> None:
    assert unsent(service) == 0
    assert sorted((item["payment_id"]["S"], int(item["sequence"]["N"])) for item in service.items()) == sorted(
        (payment_id, sequence) for payment_id in made for sequence in (1, 2, 3, 4)
    )
    assert len(service.objects(service.documents)) == PAYMENTS


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("neighbour", "calls"), [("dynamodb", STATES), ("s3", PAYMENTS + 1), ("sns", STATES // 10)])
def test_a_neighbour_that_hangs_delays_what_is_told_and_nothing_else(
    service: Service, silence: str, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str], *, neighbour: str, calls: int
) -> None:
    made = service.accepted(*"abcdefghij")
    messages = service.taken()
    logged()
    with monkeypatch.context() as patched:
        begun = hang(neighbour, silence, patched)
        answer = invoke(PAYMENT_WORKER, sqs_event(*messages), until(BATCH))
    assert len(begun) < calls, "not all that there was to tell was tried"
    assert answer == {"batchItemFailures": []}
    assert {service.states(payment_id)[-1] for payment_id in made} == {"captured"}
    lines = [json.loads(line) for line in logged().splitlines() if "left to the relay" in line]
    assert {line["payment_id"] for line in lines} == set(made)
    assert {line["correlation_id"] for line in lines} == {CORRELATION_ID}
    missing = unsent(service)
    assert missing >= (PAYMENTS if neighbour == "s3" else STATES)
    before = [event["id"] for event in service.events()]
    assert service.relay()["states_delivered"] == missing
    assert_all_is_told(service, made)
    heard = [*before, *(event["id"] for event in service.events())]
    assert len(heard) == len(set(heard)) == STATES


@pytest.mark.usefixtures("hurried")
def test_rows_are_held_no_longer_than_they_may_be_however_much_time_there_is(service: Service, silence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = service.accepted(*"abcdefghij")
    messages = [Message(str(number), body, 1) for number, body in enumerate(service.taken())]
    worker = worker_from(load(PaymentWorkerSettings), Telemetry(PAYMENT_WORKER))
    with monkeypatch.context() as patched:
        patched.setattr(projecting, "CLAIM_TIMEOUT", 2.5 * CALL)
        begun = hang("dynamodb", silence, patched)
        assert worker.work(messages) == []
    assert len(begun) < STATES
    assert service.relay()["states_delivered"] == STATES
    assert_all_is_told(service, made)


def test_subscribers_are_told_as_long_as_there_is_time_and_the_relay_tells_the_rest(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    made = service.accepted(*"abcdefghij")
    messages = service.taken()
    left, publish = [28.0], client("sns").publish_batch
    about = context()
    vars(about)["get_remaining_time_in_millis"] = lambda: int(left[0] * 1000)

    def slow(**parameters: Any) -> Any:
        left[0] -= projecting.MARGIN
        return publish(**parameters)

    with monkeypatch.context() as patched:
        patched.setattr(client("sns"), "publish_batch", slow)
        assert invoke(PAYMENT_WORKER, sqs_event(*messages), about) == {"batchItemFailures": []}
    first = [event["id"] for event in service.events()]
    assert len(first) == 20
    assert service.relay()["states_delivered"] == STATES - 20
    assert_all_is_told(service, made)
    assert len({*first, *(event["id"] for event in service.events())}) == STATES


def test_without_time_nobody_is_told_and_nothing_is_set_aside(service: Service, logged: Callable[[], str]) -> None:
    [made] = service.accepted("a")
    assert service.work(*service.taken(), seconds=projecting.MARGIN - 0.1) == ["message-0"]
    assert service.events() == []
    assert f'"payment_id": "{made}"' in next(line for line in logged().splitlines() if "states not delivered" in line)
    assert service.work("no work", seconds=CALL_SECONDS - 0.1) == ["message-0"]
    assert service.dead() == []
    assert service.work("no work") == []
    assert [reason for reason, _, _ in service.dead()] == ["not_work"]


def test_work_is_handed_over_as_long_as_there_is_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: Any) -> None:
        raise ConnectionError("cannot be reached")

    with monkeypatch.context() as broken:
        broken.setattr(SqsWorkQueue, "send", cut_off)
        made = service.accepted(*"abcdefghijkl")
    monkeypatch.setattr(relaying, "WORK_AGE", 0.0)
    left, send = [28.0], client("sqs").send_message_batch
    about = context()
    vars(about)["get_remaining_time_in_millis"] = lambda: int(left[0] * 1000)

    def slow(**parameters: Any) -> Any:
        left[0] = 0.0
        return send(**parameters)

    with monkeypatch.context() as patched:
        patched.setattr(client("sqs"), "send_message_batch", slow)
        assert invoke(OUTBOX_RELAY, scheduled_event(), about)["work_sent"] == 10
    assert service.relay()["work_sent"] == 2
    assert len(service.taken()) == len(made)


def test_a_relay_that_gets_no_answer_from_the_bucket_ends_in_time_and_goes_on_later(service: Service, silence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service.accepted("a")
    with monkeypatch.context() as patched:
        begun = hang("s3", silence, patched)
        with pytest.raises(RelayError, match="audit_written"):
            service.relay()
    assert len(begun) == 1
    assert service.audited() == []
    assert service.relay()["audit_written"] == 1


def test_a_table_that_does_not_answer_costs_the_time_of_one_call() -> None:
    begun: list[int] = []

    def hanging(number: int) -> None:
        begun.append(number)
        time.sleep(0.2)
        raise DatabaseUnavailable(f"no answer to {number}")

    with pytest.raises(DatabaseUnavailable, match="no answer to 0"):
        each(hanging, range(100))
    assert len(begun) <= 16


def test_the_times_fit_into_one_another() -> None:
    assert projecting.MARGIN >= 2 * CALL_SECONDS
    assert relaying.MARGIN > projecting.MARGIN
    assert CLAIM_TIMEOUT > projecting.MARGIN
    assert consuming.BATCH_SECONDS <= CLAIM_TIMEOUT < consuming.HIDDEN_SECONDS


def test_a_call_that_nobody_answers_ends_when_it_says(service: Service, silence: str) -> None:
    session: Any = boto3
    made = session.client("sqs", REGION, endpoint_url=silence, aws_access_key_id="testing", aws_secret_access_key="testing", config=clients._CONFIG)
    config: Any = made.meta.config
    assert config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout) < CALL_SECONDS
    with pytest.raises(Exception, match="timeout"):
        made.list_queues()
