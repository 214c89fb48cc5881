"""Payments told from the cache are those of the database, and never go back, whoever moves and whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from payments.domain.payment import TRANSITIONS, Payment, State
from payments.service.verifying import PaymentStatus
from payments.storage import cache as caching
from payments.storage.cache import PAUSE, PaymentCache
from payments.storage.cached_payments import SEQUENCES, CachedPayments
from payments.storage.postgres.database import Database, DatabaseUnavailable
from payments.storage.postgres.payments import PostgresPayments
from payments.storage.postgres.store import PostgresStore
from tests.payments.container.conftest import Clock
from tests.payments.container.redis_server import RedisServer
from tests.payments.postgres import TestDatabase
from tests.payments.storage.making import CAPTURE, another, step, walk


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """One entry for each time that the database was asked for a payment."""
    asked: list[Any] = []
    find = PostgresPayments.find

    def noted(self: PostgresPayments, merchant: str, **name: Any) -> Payment | None:
        asked.append(name)
        return find(self, merchant, **name)

    monkeypatch.setattr(PostgresPayments, "find", noted)
    return asked


def state(payments: CachedPayments, payment_id: str) -> State:
    found = payments.find("default", payment_id=payment_id)
    assert found is not None
    return found.state


def test_what_callers_are_told_is_the_same_from_the_cache(payments: CachedPayments, database: Database, asked: list[Any]) -> None:
    made = another(PostgresStore(database), reference="order 1", session_id="s", metadata={"a": 1})
    walk(PostgresStore(database), made)
    read = [payments.find("default", payment_id=made), payments.find("default", payment_id=made), payments.find("default", reference="order 1")]
    assert len(asked) == 1
    first, *rest = [PaymentStatus.of(payment).model_dump_json() for payment in read if payment]
    assert rest == [first, first]


def test_a_payment_that_there_is_not_is_asked_for_each_time(payments: CachedPayments, database: Database, asked: list[Any]) -> None:
    assert payments.find("default", reference="order 1") is None
    another(PostgresStore(database), reference="order 1")
    assert payments.find("default", reference="order 1") is not None
    assert payments.find("somebody else", reference="order 1") is None
    with pytest.raises(ValueError, match="exactly one"):
        payments.find("default")
    assert len(asked) == 4


def test_a_step_is_told_as_soon_as_it_is_committed(payments: CachedPayments, database: Database, another_cache: Callable[[], PaymentCache]) -> None:
    elsewhere = CachedPayments(PostgresPayments(database), another_cache())
    made, bystander = another(PostgresStore(database)), another(PostgresStore(database))
    at = State.RECEIVED
    for after in CAPTURE:
        assert state(payments, made) is at
        assert elsewhere.advance([step(made, at, after), step(bystander, State.AUTHORIZED, State.CAPTURED)]) == {made}
        assert state(payments, made) is after
        at = after
    assert elsewhere.advance([step(made, State.CAPTURED, State.REFUNDED)]) == {made}
    assert state(payments, made) is State.REFUNDED


def test_a_reading_that_comes_too_late_is_neither_kept_nor_told(
    payments: CachedPayments, database: Database, another_cache: Callable[[], PaymentCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = CachedPayments(PostgresPayments(database), another_cache())
    made = another(PostgresStore(database))
    find = PostgresPayments.find

    def overtaken(self: PostgresPayments, merchant: str, **name: Any) -> Payment | None:
        monkeypatch.setattr(PostgresPayments, "find", find)
        old = find(self, merchant, **name)
        elsewhere.advance([step(made, State.RECEIVED, State.SUBMITTED)])
        return old

    monkeypatch.setattr(PostgresPayments, "find", overtaken)
    assert state(payments, made) is State.SUBMITTED
    assert state(elsewhere, made) is State.SUBMITTED


def test_a_move_that_nobody_told_the_cache_of_is_seen_when_its_time_is_over(
    payments: CachedPayments, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "MOVING_SECONDS", 1.5)
    made = another(PostgresStore(database))
    assert state(payments, made) is State.RECEIVED
    walk(PostgresStore(database), made)
    assert state(payments, made) is State.RECEIVED
    time.sleep(1.55)
    assert state(payments, made) is State.CAPTURED


def test_a_redis_that_missed_a_step_does_not_take_a_process_back(
    payments: CachedPayments, database: Database, redis_server: RedisServer, clock: Clock, asked: list[Any]
) -> None:
    made = another(PostgresStore(database))
    walk(PostgresStore(database), made)
    assert state(payments, made) is State.CAPTURED
    redis_server.freeze()
    assert payments.advance([step(made, State.CAPTURED, State.REFUNDED)]) == {made}
    assert state(payments, made) is State.REFUNDED
    redis_server.thaw()
    clock.now += PAUSE
    assert payments._cache.get("default", caching.Name(made, None)) is not None
    asked.clear()
    assert [state(payments, made) for _ in range(3)] == [State.REFUNDED] * 3
    assert len(asked) == 1


def test_without_redis_everything_is_told_by_the_database(payments: CachedPayments, database: Database, redis_server: RedisServer) -> None:
    redis_server.stop()
    made = another(PostgresStore(database))
    assert payments.advance([step(made, State.RECEIVED, State.SUBMITTED)]) == {made}
    assert state(payments, made) is State.SUBMITTED


def test_after_an_error_of_the_database_the_cache_tells_nothing_old(
    payments: CachedPayments, database: Database, monkeypatch: pytest.MonkeyPatch, asked: list[Any]
) -> None:
    made = another(PostgresStore(database))
    assert state(payments, made) is State.RECEIVED
    advance = PostgresPayments.advance

    def cut_off(self: PostgresPayments, steps: Any) -> set[str]:
        advance(self, steps)
        raise DatabaseUnavailable("the connection broke during the commit")

    with monkeypatch.context() as broken:
        broken.setattr(PostgresPayments, "advance", cut_off)
        with pytest.raises(DatabaseUnavailable):
            payments.advance([step(made, State.RECEIVED, State.SUBMITTED)])
    assert state(payments, made) is State.SUBMITTED


def test_states_never_go_back_for_readers_in_several_processes(
    test_database: TestDatabase, another_cache: Callable[[], PaymentCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "MOVING_SECONDS", 0.02)
    database = test_database.database()
    names = [another(PostgresStore(database)) for _ in range(12)]
    readers = [CachedPayments(PostgresPayments(database), another_cache()) for _ in range(4)]
    writer = CachedPayments(PostgresPayments(database), another_cache())
    told = dict.fromkeys(names, 0)
    faults: list[tuple[str, int, int]] = []
    done = threading.Event()

    def read(payments: CachedPayments) -> None:
        while not done.is_set():
            for name in names:
                before = told[name]  # told by someone, to the end, before this reading begins
                found = payments.find("default", payment_id=name)
                assert found is not None
                sequence = found.history[-1].sequence
                if sequence < before:
                    faults.append((name, before, sequence))
                told[name] = max(told[name], sequence)

    threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    at = State.RECEIVED
    for after in CAPTURE:
        for name in names:
            assert writer.advance([step(name, at, after)]) == {name}
        at = after
    time.sleep(0.1)
    done.set()
    for thread in threads:
        thread.join()
    database.close()
    assert faults == []
    assert set(told.values()) == {4}


def test_the_sequence_after_a_step_follows_from_the_state_before_it() -> None:
    assert dict(SEQUENCES) == {State.RECEIVED: 1, State.SUBMITTED: 2, State.AUTHORIZED: 3, State.CAPTURED: 4}
    assert set(SEQUENCES) == {state for state in State if TRANSITIONS[state]}
