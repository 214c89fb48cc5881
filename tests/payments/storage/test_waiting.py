"""In PostgreSQL, whoever comes second with a key waits for the first one's lock; and a connection that breaks makes no second payment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from payments.domain.payment import PaymentRequest
from payments.storage.postgres import statements
from payments.storage.postgres.database import Connection, Database
from payments.storage.postgres.store import PostgresStore
from payments.storage.store import Acceptance, KeyInProgress
from tests.payments.postgres import TestDatabase
from tests.payments.storage.making import REQUEST, accept, another, answer


def in_progress(connection: Connection) -> str:
    """Takes the key with the usual request on a connection that is in a transaction; the payment's id."""
    request = PaymentRequest.model_validate(REQUEST)
    payment_id = "01900000-0000-7000-8000-000000000000"
    wanted = {
        **{name: getattr(request, name) for name in ("amount", "currency", "payment_token", "reference", "session_id")},
        "payment_id": payment_id,
        "merchant": "default",
        "key": "key-1",
        "answer": answer(payment_id),
        "correlation_id": "request-0",
        "metadata": request.canonical_metadata(),
        "digest": bytes.fromhex(request.digest()),
    }
    connection.execute(statements.ACCEPT, wanted)
    return payment_id


def waiting(database: Database) -> bool:
    """Whether someone in the database waits for a lock."""
    return bool(database.run("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"))


def meanwhile(test_database: TestDatabase, ended: Callable[[Connection], object]) -> tuple[str, Acceptance]:
    """The id that one transaction takes, and what becomes of another call when the first ends while it waits."""
    with test_database.connector()() as first, ThreadPoolExecutor(1) as pool:
        watching, calling = test_database.database(), test_database.database()
        first.execute("BEGIN")
        payment_id = in_progress(first)
        outcome: Future[Acceptance] = pool.submit(accept, PostgresStore(calling))
        while not waiting(watching):
            assert not outcome.done()
        ended(first)
        second = outcome.result(5)
        watching.close()
        calling.close()
        return payment_id, second


def test_whoever_comes_second_waits_for_the_first_and_gets_its_answer(test_database: TestDatabase) -> None:
    payment_id, second = meanwhile(test_database, lambda first: first.execute("COMMIT"))
    assert second == Acceptance(payment_id, answer(payment_id), first=False, work=None)


def test_whoever_comes_second_is_the_first_when_the_first_gives_up(test_database: TestDatabase) -> None:
    payment_id, second = meanwhile(test_database, lambda first: first.execute("ROLLBACK"))
    assert second.first
    assert second.payment_id != payment_id


def test_whoever_comes_second_does_not_wait_long(test_database: TestDatabase) -> None:
    impatient = test_database.database(options={"lock_timeout": "50"})
    with test_database.connector()() as first:
        first.execute("BEGIN")
        in_progress(first)
        with pytest.raises(KeyInProgress):
            accept(PostgresStore(impatient))
        with pytest.raises(KeyInProgress):
            accept(PostgresStore(impatient), "key-2")
        first.execute("ROLLBACK")
    assert accept(PostgresStore(impatient)).first
    impatient.close()


def test_a_broken_connection_does_not_make_a_second_payment(test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server commits, and the answer is lost on the way: the repetition inside `accept` finds what the first try did."""
    database = test_database.database()
    accept(PostgresStore(database), "key-0", reference="order 0")
    with test_database.connector()() as other:
        query = """
            CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.key = 'key-1' AND NOT EXISTS (SELECT FROM pg_class WHERE relname = 'vanished') THEN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                END IF;
                RETURN NULL;
            END
            $$
        """
        other.execute(query)
        other.execute(
            "CREATE CONSTRAINT TRIGGER vanishing AFTER INSERT ON idempotency_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION vanish()"
        )
    connect = database._connect

    def connected() -> Connection:
        with test_database.connector()() as other:
            other.execute("DROP TRIGGER vanishing ON idempotency_keys")
        return connect()

    monkeypatch.setattr(database, "_connect", connected)
    assert accept(PostgresStore(database)).first
    assert database.run("SELECT count(*) FROM payments") == [(2,)]
    database.close()


def test_an_answer_that_was_lost_after_the_commit_is_found(test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    database = test_database.database()
    run = database.run
    lost: list[str] = []

    def run_and_lose(query: str, *arguments: object, **options: bool) -> object:
        """What `run` does when a connection breaks right after the commit: it asks again."""
        if query == statements.ACCEPT and not lost:
            lost.append(query)
            run(query, *arguments, **options)  # type: ignore[arg-type]
        return run(query, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "run", run_and_lose)
    taken = accept(PostgresStore(database))
    assert lost
    assert taken.first
    with PostgresStore(database).outbox.pending("work") as work:
        assert [row.id for row in work] == [taken.work]
    database.close()


def test_a_writer_that_finds_another_at_it_does_not_wait(test_database: TestDatabase) -> None:
    one, other = test_database.database(), test_database.database()
    another(PostgresStore(one))
    with one.transaction():
        assert len(PostgresStore(one).chain.extend()) == 1
        assert PostgresStore(other).chain.extend() == []
    another(PostgresStore(other))
    assert [record.position for record in PostgresStore(other).chain.extend()] == [2]
    one.close()
    other.close()


def test_a_claim_may_take_longer_than_other_transactions(database: Database) -> None:
    with PostgresStore(database).outbox.pending("work"), database.transaction() as connection:
        assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("1min",)
    assert database.run("SHOW idle_in_transaction_session_timeout") == [("10s",)]
