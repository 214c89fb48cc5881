"""Deliveries in any order and number, and neighbours that fail for a while."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

from tests.payments.faults.books import PostgresBooks
from tests.payments.faults.invariants import DECLINED as DECLINED_PATH
from tests.payments.faults.invariants import Watcher, assert_done_once, assert_in_order
from tests.payments.faults.world import World
from tests.payments.postgres import PASSWORD, USER
from tests.payments.processors.stripe_api import APPROVED, DECLINED, Trouble


def books(world: World) -> PostgresBooks:
    assert isinstance(world.books, PostgresBooks)
    return world.books


def accepted(world: World, token: str = APPROVED) -> Watcher:
    body = {"amount": 1050, "currency": "EUR", "payment_token": token, "reference": f"order {uuid.uuid4()}"}
    answer = world.process(str(uuid.uuid4()), body)
    assert answer.status == 202
    return Watcher(world, answer.body["payment_id"])


def test_messages_may_come_twice_late_and_in_another_order(world: World) -> None:
    watchers = [*(accepted(world) for _ in range(3)), accepted(world, DECLINED)]
    batch = world.take()
    assert len(batch) == 4
    world.hand_over([batch[2], batch[0], batch[2]])
    for watcher in watchers:
        watcher.look()
    world.hand_over(list(reversed(batch)))
    world.hand_over(batch)
    world.settle()
    world.hand_over(batch)
    for watcher in watchers[:3]:
        assert_done_once(world, watcher)
    assert_done_once(world, watchers[3], DECLINED_PATH)
    assert_in_order(world)


def test_a_charge_whose_answer_was_lost_is_made_once(world: World) -> None:
    watcher = accepted(world)
    world.stripe.troubles.extend([Trouble(drop=True, after=True), Trouble(status=500), Trouble(drop=True, after=True)])
    world.settle()
    assert_done_once(world, watcher)


def test_a_processor_that_is_down_delays_payments_and_fails_none(world: World) -> None:
    watcher = accepted(world)
    world.stripe.down = True
    try:
        for _ in range(3):
            answer = world.work()
            assert answer is not None
            assert len(answer.value["batchItemFailures"]) == 1
            assert watcher.look() == "submitted"
    finally:
        world.stripe.down = False
    world.settle()
    assert_done_once(world, watcher)
    assert_in_order(world)


def test_requests_with_one_key_at_the_same_instant_make_one_payment(world: World) -> None:
    """The zygote runs one handler at a time, so the instant is made by threads on the same database, as two Lambda environments would."""
    from payments.domain.payment import PaymentRequest
    from payments.storage.postgres.payments import KeyInProgress, PostgresPayments

    request = PaymentRequest.model_validate({"amount": 1, "currency": "EUR", "payment_token": APPROVED, "reference": f"order {uuid.uuid4()}"})
    payments, key = PostgresPayments(books(world).database), str(uuid.uuid4())

    def accept(number: int) -> str | None:
        try:
            return payments.accept(request, merchant="merchant-1", key=key, correlation_id=str(number), answer=lambda payment_id: payment_id).payment_id
        except KeyInProgress:
            return None

    with books(world).reaching(), ThreadPoolExecutor(8) as threads:
        ids = {found for found in threads.map(accept, range(32)) if found}
    assert len(ids) == 1
    world.settle()
    assert_done_once(world, Watcher(world, ids.pop()))


def test_rotated_credentials_are_read_again(world: World) -> None:
    before = accepted(world)
    secrets = world.client("secretsmanager")
    try:
        books(world).server.create_role(USER, "rotated for tests")
        secrets.put_secret_value(SecretId=world.names["database_secret"], SecretString=json.dumps({"username": USER, "password": "rotated for tests"}))
        after = accepted(world)
        world.settle()
    finally:
        books(world).server.create_role(USER, PASSWORD)
        secrets.put_secret_value(SecretId=world.names["database_secret"], SecretString=json.dumps({"username": USER, "password": PASSWORD}))
    assert_done_once(world, before)
    assert_done_once(world, after)


def test_a_database_whose_connections_break_loses_nothing(world: World) -> None:
    watchers = [accepted(world) for _ in range(2)]
    books(world).rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    world.settle()
    for watcher in watchers:
        assert_done_once(world, watcher)
    assert_in_order(world)
