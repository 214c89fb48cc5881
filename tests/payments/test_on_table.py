"""The handlers where payments are kept in a DynamoDB table: the same answers, and the same traces of a payment everywhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from payments import clients
from payments.domain.payment import State, Step
from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT
from payments.messaging.work_queue import SqsWorkQueue
from payments.service import relaying
from payments.service.auditing import verify
from payments.storage.audit_trail import S3AuditTrail
from payments.storage.dynamodb.outbox import DynamoOutbox
from payments.storage.dynamodb.payments import DynamoPayments
from payments.storage.store import DatabaseUnavailable
from tests.payments.kept import TABLE
from tests.payments.service import REQUEST, Service, aws

CAPTURED = ["received", "submitted", "authorized", "captured"]


def waiting(service: Service) -> list[str]:
    """What is still to be told."""
    return sorted(item["sk"]["S"] for item in service.items(TABLE) if item["sk"]["S"].startswith("outbox#"))


def test_a_payment_is_seen_through_and_told_of(table_service: Service) -> None:
    service = table_service
    [made] = service.accepted("a", session_id="session-1")
    assert service.work(*service.taken()) == []
    assert service.states(made) == CAPTURED
    assert sorted(event["state"] for event in service.events()) == sorted(CAPTURED)
    assert sorted(item["state"]["S"] for item in service.items()) == sorted(CAPTURED)
    assert [item["last_payment_id"]["S"] for item in service.items(service.sessions_table)] == [made]
    assert list(service.objects(service.documents)) == [f"receipts/{made}.json"]
    assert waiting(service) == []
    assert service.verify({"reference": "order a"})[1] == service.verify({"payment_id": made})[1]


def test_the_relay_leaves_a_chain_that_holds(table_service: Service) -> None:
    service = table_service
    service.accepted("a", "b")
    service.work(*service.taken())
    counts = service.relay()
    assert (counts["audit_chained"], counts["audit_written"]) == (8, 8)
    verdict = verify(datetime.now(UTC).date(), S3AuditTrail(service.audit, lambda: aws("s3")))
    assert (verdict.intact, verdict.records) == (True, 8)
    assert set(service.relay().values()) == {0}


def test_a_repeated_request_is_given_the_first_answer(table_service: Service) -> None:
    service = table_service
    first, again = (service.process(REQUEST)[2] for _ in range(2))
    assert (first["statusCode"], again["statusCode"]) == (202, 202)
    assert again["body"] == first["body"]
    status, problem, _ = service.process({**REQUEST, "amount": 7})
    assert (status, problem["type"]) == (422, "urn:payments:problem:idempotency-key-reused")
    status, problem, _ = service.process(REQUEST, "another")
    assert (status, problem["type"]) == (409, "urn:payments:problem:reference-in-use")
    assert len(service.taken()) == 1


def test_requests_with_one_key_at_the_same_instant_make_one_payment(table_service: Service) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = [answer for _, _, answer in pool.map(lambda _: table_service.process(REQUEST), range(12))]
    assert {answer["statusCode"] for answer in answers} == {202}
    assert len({answer["body"] for answer in answers}) == 1
    assert len(table_service.taken()) == 1


def test_work_that_was_not_handed_over_is_sent_by_the_relay(table_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: Any) -> None:
        raise ConnectionError("cannot be reached")

    service = table_service
    with monkeypatch.context() as broken:
        broken.setattr(SqsWorkQueue, "send", cut_off)
        [made] = service.accepted("a")
    assert service.taken() == []
    assert service.relay()["work_sent"] == 0
    monkeypatch.setattr(relaying, "WORK_AGE", 0.0)
    assert service.relay()["work_sent"] == 1
    service.work(*service.taken())
    assert service.states(made) == CAPTURED


def test_what_is_told_twice_is_the_same(table_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were told, and not removed, are told again."""
    service = table_service
    service.accepted("a")
    with monkeypatch.context() as broken:
        broken.setattr(DynamoOutbox, "_removed", lambda *_: None)
        service.work(*service.taken())
        monkeypatch.setattr("payments.storage.store.CLAIM_TIMEOUT", 0)
    before, told = service.items(), service.events()
    for item in service.items(TABLE):
        if item["sk"]["S"].startswith("outbox#"):
            aws("dynamodb").put_item(TableName=TABLE, Item={**item, "due_at": {"N": "0"}})
    assert service.relay()["states_delivered"] == 4
    assert service.items() == before
    assert {event["id"] for event in service.events()} == {event["id"] for event in told}


def test_what_was_captured_is_counted_though_another_step_of_its_batch_failed(
    table_service: Service, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    service, moved = table_service, DynamoPayments._moved
    unlucky, *others = service.accepted("a", "b", "c")
    captured = threading.Semaphore(0)

    def failing(payments: DynamoPayments, step: Step, payment: Any) -> bool:
        if (step.payment_id, step.after) == (unlucky, State.CAPTURED):
            # Steps that have not begun by then would not be made at all.
            assert all(captured.acquire(timeout=20) for _ in others)
            raise DatabaseUnavailable("busy")
        done = moved(payments, step, payment)
        if step.after is State.CAPTURED:
            captured.release()
        return done

    messages = service.taken()
    logged()
    with monkeypatch.context() as patched:
        patched.setattr(DynamoPayments, "_moved", failing)
        assert len(service.work(*messages)) == 3
    assert logged().count('"payment captured"') == 2
    assert service.work(*messages) == []
    assert logged().count('"payment captured"') == 1


def test_a_table_that_is_busy_is_told_as_such(table_service: Service, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]) -> None:
    from botocore.exceptions import ClientError

    class Busy:
        def get_item(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "GetItem")

    monkeypatch.setitem(clients._clients, "dynamodb", Busy())
    status, problem, answer = table_service.verify({"reference": "order 7"})
    assert (status, problem["type"]) == (503, "urn:payments:problem:temporarily-unavailable")
    assert answer["headers"]["Retry-After"]
    assert "slow down" not in answer["body"]
    assert "DynamoDB" in logged()


def test_only_declared_services_are_called(table_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret is read: nobody needs a password."""
    service, asked, client = table_service, set[str](), clients.client

    def noted(name: str) -> Any:
        asked.add(name)
        return client(name)

    def of(call: Callable[[], Any]) -> set[str]:
        asked.clear()
        call()
        return set(asked)

    for module in list(sys.modules.values()):
        if module.__name__.startswith("payments.") and getattr(module, "client", None) is client:
            monkeypatch.setattr(module, "client", noted)
    assert of(lambda: service.process({**REQUEST, "session_id": "s"})) == {"dynamodb", "sqs"} < set(PROCESS_PAYMENT.services)
    messages = service.taken()
    assert of(lambda: service.work(*messages, "not work")) == set(PAYMENT_WORKER.services) - {"secretsmanager"}
    assert of(lambda: service.verify({"reference": REQUEST["reference"]})) == {"dynamodb"} < set(VERIFY_PAYMENT.services)
    service.accepted("b")
    monkeypatch.setattr(relaying, "WORK_AGE", 0.0)
    assert of(service.relay) <= set(OUTBOX_RELAY.services) - {"secretsmanager"}
