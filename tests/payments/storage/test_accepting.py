"""A key stands for one payment, whoever asks at the same instant, and a payment is kept with all that belongs to it or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import LiteralString

import pytest

from payments.domain.payment import PaymentRequest, State
from payments.storage import statements
from payments.storage.database import Connection, Database
from payments.storage.idempotency import IdempotencyKeys, RecoveryPoint
from payments.storage.outbox import Outbox
from payments.storage.payments import Acceptance, KeyInProgress, KeyReused, Payments, ReferenceInUse
from tests.payments.postgres import TestDatabase
from tests.payments.storage.making import REQUEST, accept, answer

COUNT: dict[str, LiteralString] = {
    "idempotency_keys": "SELECT count(*) FROM idempotency_keys",
    "payments": "SELECT count(*) FROM payments",
    "payment_history": "SELECT count(*) FROM payment_history",
    "audit_queue": "SELECT count(*) FROM audit_queue",
    "outbox": "SELECT count(*) FROM outbox",
}
TABLES = tuple(COUNT)


def rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    return {table: database.run(query)[0][0] for table, query in COUNT.items()}


def test_a_payment_is_taken_in_with_all_that_belongs_to_it(database: Database) -> None:
    metadata = {"a": {"b": [1, 2.5, None, "\0"]}, "long": "x" * 30_000}
    taken = accept(database, session_id="session-1", metadata=metadata)
    assert taken.first
    assert taken.answer == answer(taken.payment_id)
    payment = Payments(database).find("default", payment_id=taken.payment_id)
    assert payment is not None
    assert (payment.payment_id, payment.merchant, payment.state) == (taken.payment_id, "default", State.RECEIVED)
    assert (payment.amount, payment.currency, payment.payment_token, payment.reference) == (1050, "EUR", "tok_approve", "order 7")
    assert (payment.session_id, payment.metadata) == ("session-1", metadata)
    assert [(change.sequence, change.state, change.correlation_id) for change in payment.history] == [(1, State.RECEIVED, "request-1")]
    with Outbox(database).pending("work") as work, Outbox(database).pending("state") as states:
        assert [(row.id, row.body) for row in work] == [(taken.work, {"payment_id": taken.payment_id, "correlation_id": "request-1"})]
        assert [(row.payment_id, row.sequence, row.body["state"]) for row in states] == [(taken.payment_id, 1, "received")]
    assert IdempotencyKeys(database).recovery_point("default", "key-1") is RecoveryPoint.PAYMENT_CREATED
    assert rows(database) == dict.fromkeys(TABLES, 1) | {"outbox": 2}


def test_a_repetition_is_given_the_first_answer_and_changes_nothing(database: Database) -> None:
    first = accept(database)
    again = accept(database)
    assert again == Acceptance(first.payment_id, first.answer, first=False, work=None)
    assert rows(database) == dict.fromkeys(TABLES, 1) | {"outbox": 2}


def test_a_key_is_refused_for_another_request(database: Database) -> None:
    accept(database)
    with pytest.raises(KeyReused):
        accept(database, amount=1051)
    assert rows(database)["payments"] == 1


def test_a_reference_belongs_to_one_payment_of_a_merchant(database: Database) -> None:
    accept(database)
    with pytest.raises(ReferenceInUse):
        accept(database, "key-2")
    assert rows(database)["idempotency_keys"] == 1
    assert accept(database, "key-2", reference="order 8").first


def test_keys_references_and_payments_belong_to_their_merchant(database: Database) -> None:
    one, other = accept(database), accept(database, merchant="other")
    assert one.first
    assert other.first
    assert one.payment_id != other.payment_id
    payments = Payments(database)
    assert payments.find("other", payment_id=one.payment_id) is None
    found = payments.find("other", reference="order 7")
    assert found is not None
    assert found.payment_id == other.payment_id
    assert payments.find("nobody", reference="order 7") is None
    assert set(payments.load([one.payment_id, other.payment_id, "00000000-0000-7000-8000-000000000000"])) == {one.payment_id, other.payment_id}


def test_a_payment_is_found_by_exactly_one_name(database: Database) -> None:
    payments = Payments(database)
    with pytest.raises(ValueError, match="exactly one"):
        payments.find("default")
    with pytest.raises(ValueError, match="exactly one"):
        payments.find("default", payment_id="00000000-0000-7000-8000-000000000000", reference="order 7")


@pytest.mark.parametrize("same_request", [True, False])
def test_of_many_at_the_same_instant_one_takes_the_payment_in(test_database: TestDatabase, same_request: bool) -> None:
    callers = 8
    together = threading.Barrier(callers)
    shared = test_database.database()

    def call(number: int) -> Acceptance | type[Exception]:
        together.wait()
        try:
            return accept(shared, amount=1050 if same_request else 1050 + number)
        except KeyReused:
            return KeyReused

    with ThreadPoolExecutor(callers) as pool:
        outcomes = list(pool.map(call, range(callers)))
    acceptances = [outcome for outcome in outcomes if isinstance(outcome, Acceptance)]
    assert [acceptance.first for acceptance in acceptances].count(True) == 1
    assert len(acceptances) == (callers if same_request else 1)
    assert len({(acceptance.payment_id, acceptance.answer) for acceptance in acceptances}) == 1
    assert rows(shared) == dict.fromkeys(TABLES, 1) | {"outbox": 2}
    shared.close()


def test_a_reference_is_given_once_at_the_same_instant_too(test_database: TestDatabase) -> None:
    callers = 6
    together = threading.Barrier(callers)
    shared = test_database.database()

    def call(number: int) -> bool:
        together.wait()
        try:
            return accept(shared, f"key-{number}").first
        except ReferenceInUse:
            return False

    with ThreadPoolExecutor(callers) as pool:
        assert list(pool.map(call, range(callers))).count(True) == 1
    assert rows(shared) == dict.fromkeys(TABLES, 1) | {"outbox": 2}
    shared.close()


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
        outcome: Future[Acceptance] = pool.submit(accept, calling)
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
            accept(impatient)
        with pytest.raises(KeyInProgress):
            accept(impatient, "key-2")
        first.execute("ROLLBACK")
    assert accept(impatient).first
    impatient.close()


def test_a_broken_connection_does_not_make_a_second_payment(test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server commits, and the answer is lost on the way: the repetition inside `accept` finds what the first try did."""
    database = test_database.database()
    accept(database, "key-0", reference="order 0")
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
    assert accept(database).first
    assert rows(database)["payments"] == 2
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
    taken = accept(database)
    assert lost
    assert taken.first
    with Outbox(database).pending("work") as work:
        assert [row.id for row in work] == [taken.work]
    database.close()
