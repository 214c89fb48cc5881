"""What the database refuses by itself, whatever program asks for it."""

from __future__ import annotations

import itertools
from typing import LiteralString

import psycopg
import pytest

from payments.domain.payment import TRANSITIONS, State
from payments.storage.postgres.audit_chain import PostgresAuditChain
from payments.storage.postgres.database import Database
from payments.storage.postgres.payments import PostgresPayments
from payments.storage.postgres.store import PostgresStore
from tests.payments.storage.making import CAPTURE, accept, step, walk
from tests.payments.storage.test_advancing import paths


def test_the_table_of_transitions_is_the_programs(database: Database) -> None:
    expected = {(before, after) for before, afters in TRANSITIONS.items() for after in afters} | {(None, State.RECEIVED)}
    assert {(before, after) for before, after in database.run("SELECT before, after FROM allowed_transitions")} == expected


@pytest.mark.parametrize("before", sorted(State))
def test_no_payment_moves_where_no_transition_leads(database: Database, before: State) -> None:
    payment_id = accept(PostgresStore(database)).payment_id
    walk(PostgresStore(database), payment_id, next((path for path in sorted(paths(), key=len) if path[-1] is before), ()))
    for after in set(State) - TRANSITIONS[before] | {before}:
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            database.run("UPDATE payments SET state = %s WHERE payment_id = %s", [after, payment_id])
        assert refused.value.diag.constraint_name == "allowed_transitions"
    for after in TRANSITIONS[before]:
        with database.transaction() as connection:
            connection.execute("UPDATE payments SET state = %s WHERE payment_id = %s", [after, payment_id])
            raise psycopg.Rollback


@pytest.mark.parametrize("state", sorted(set(State) - {State.RECEIVED}))
def test_no_payment_begins_but_as_received(database: Database, state: State) -> None:
    query = """
        INSERT INTO payments (payment_id, merchant, amount, currency, payment_token, reference, metadata, state, sequence, changed_at)
        VALUES (gen_random_uuid(), 'default', 1, 'EUR', 'tok', 'r', '{}', %s, 1, now())
    """
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run(query, [state])
    database.run(query, [State.RECEIVED])


KEPT: dict[str, LiteralString] = {
    "history, changed": "UPDATE payment_history SET state = 'captured'",
    "history, removed": "DELETE FROM payment_history",
    "history, emptied": "TRUNCATE payment_history CASCADE",
    "payment, removed": "DELETE FROM payments",
    "payments, emptied": "TRUNCATE payments CASCADE",
    "ledger, changed": "UPDATE ledger_entries SET amount = amount * 2",
    "ledger, removed": "DELETE FROM ledger_entries",
    "ledger, emptied": "TRUNCATE ledger_entries",
    "audit, changed": "UPDATE audit_records SET record = ''",
    "audit, removed": "DELETE FROM audit_records",
    "audit, emptied": "TRUNCATE audit_records",
}


@pytest.mark.parametrize("what", KEPT)
def test_what_happened_is_neither_changed_nor_removed(database: Database, what: str) -> None:
    payment_id = accept(PostgresStore(database)).payment_id
    walk(PostgresStore(database), payment_id)
    PostgresAuditChain(database).extend()
    with pytest.raises(psycopg.errors.RestrictViolation, match="never changed or removed"):
        database.run(KEPT[what])


@pytest.mark.parametrize(
    "entries",
    [
        [("processor:sandbox", 100, "EUR")],
        [("processor:sandbox", 100, "EUR"), ("merchant:default", -99, "EUR")],
        [("processor:sandbox", 100, "EUR"), ("merchant:default", -100, "USD")],
        [("processor:sandbox", 2**62, "EUR"), ("merchant:default", 2**62, "EUR")],
    ],
)
def test_a_movement_that_does_not_sum_to_zero_is_not_committed(database: Database, entries: list[tuple[str, int, str]]) -> None:
    payment_id = accept(PostgresStore(database)).payment_id
    query: LiteralString = "INSERT INTO ledger_entries (payment_id, movement, account, amount, currency, entered_at) VALUES (%s, 'captured', %s, %s, %s, now())"
    with database.transaction() as connection:
        for entry in entries:
            connection.execute(query, [payment_id, *entry])
        # All of it is there until the transaction would end, or says that it is complete.
        assert connection.execute("SELECT count(*) FROM ledger_entries").fetchone() == (len(entries),)
        with pytest.raises(psycopg.errors.CheckViolation, match="do not sum to zero"):
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert database.run("SELECT count(*) FROM ledger_entries") == [(0,)]


def test_nothing_is_added_to_a_movement_that_is_complete(database: Database) -> None:
    payment_id = accept(PostgresStore(database)).payment_id
    walk(PostgresStore(database), payment_id)
    query = "INSERT INTO ledger_entries (payment_id, movement, account, amount, currency, entered_at) VALUES (%s, 'captured', %s, 1, 'EUR', now())"
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.run(query, [payment_id, "merchant:default"])
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run(query, [payment_id, "merchant:other"])


def test_a_step_is_all_or_nothing(database: Database) -> None:
    """A capture that the ledger refuses leaves no trace of the payment's move either."""
    payment_id = accept(PostgresStore(database)).payment_id
    walk(PostgresStore(database), payment_id, CAPTURE[:2])
    database.run("ALTER TABLE ledger_entries ADD CONSTRAINT refuse_all CHECK (false) NOT VALID")
    with pytest.raises(psycopg.errors.CheckViolation):
        PostgresPayments(database).advance([step(payment_id, State.AUTHORIZED, State.CAPTURED)])
    found = PostgresPayments(database).load([payment_id])[payment_id]
    assert (found.state, len(found.history)) == (State.AUTHORIZED, 3)
    assert list(itertools.chain(*database.run("SELECT count(*) FROM outbox"))) == [4]
