"""What is to be told is claimed by one at a time, and stays until it was told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from payments.domain.payment import State
from payments.storage.database import Database
from payments.storage.idempotency import IdempotencyKeys, RecoveryPoint
from payments.storage.outbox import Kind, Outbox, OutboxRow
from tests.payments.postgres import TestDatabase
from tests.payments.storage.making import CAPTURE, accept, another, walk


def pending(database: Database, kind: Kind = "work", limit: int = 100) -> list[tuple[OutboxRow, int]]:
    """The rows that are not told yet, each with the attempts that failed; nothing is claimed longer than this call takes."""
    with database.transaction() as connection:
        attempts = dict(connection.execute("SELECT id, attempts FROM outbox").fetchall())
        with Outbox(database).pending(kind, limit=limit) as claim:
            rows = list(claim)
        connection.execute("UPDATE outbox SET attempts = attempts - 1 WHERE id = ANY(%s)", [[row.id for row in rows]])
    return [(row, attempts[row.id]) for row in rows]


def test_what_was_told_is_not_claimed_again(database: Database) -> None:
    payment_ids = [another(database) for _ in range(3)]
    with Outbox(database).pending("work") as claim:
        assert [row.payment_id for row in claim] == payment_ids
        claim.sent(claim.rows[0])
        claim.sent(claim.rows[2])
    assert [(row.payment_id, attempts) for row, attempts in pending(database)] == [(payment_ids[1], 1)]
    assert len(pending(database, "state")) == 3


def test_what_failed_holds_up_nothing_else(database: Database) -> None:
    failing, *others = (another(database) for _ in range(3))
    with Outbox(database).pending("work", limit=1) as claim:
        assert [row.payment_id for row in claim] == [failing]
    assert [row.payment_id for row, _ in pending(database, limit=2)] == others
    assert [row.payment_id for row, _ in pending(database)] == [*others, failing]


def test_an_exception_leaves_everything_as_it_was(database: Database) -> None:
    another(database)

    def broken() -> None:
        with Outbox(database).pending("work") as claim:
            claim.sent(claim.rows[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert [attempts for _, attempts in pending(database)] == [0]


def test_a_row_is_claimed_by_one_at_a_time(test_database: TestDatabase) -> None:
    database = test_database.database()
    payment_ids = {another(database) for _ in range(40)}

    def take(_: int) -> list[str]:
        taken: list[str] = []
        while True:
            with Outbox(database).pending("work", limit=3) as claim:
                taken += [row.payment_id for row in claim]
                for row in claim:
                    claim.sent(row)
            if not claim.rows:
                return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [name for names in pool.map(take, range(4)) for name in names]
    assert sorted(taken) == sorted(payment_ids)
    database.close()


def test_what_another_has_claimed_is_left_out_and_not_waited_for(test_database: TestDatabase) -> None:
    one, other = test_database.database(), test_database.database(options={"lock_timeout": "50"})
    payment_id = another(one)
    with Outbox(one).pending("work") as claim:
        assert len(claim) == 1
        with Outbox(other).pending("work") as theirs:
            assert len(theirs) == 0
        later = another(other)
        with Outbox(other).pending("work") as theirs:
            assert [row.payment_id for row in theirs] == [later]
    assert {row.payment_id for row, _ in pending(one)} == {payment_id, later}
    one.close()
    other.close()


def test_a_claim_may_take_longer_than_other_transactions(database: Database) -> None:
    with Outbox(database).pending("work"), database.transaction() as connection:
        assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("1min",)
    assert database.run("SHOW idle_in_transaction_session_timeout") == [("10s",)]


def test_rows_are_chosen_by_payment_and_by_age(database: Database) -> None:
    one, other = another(database), another(database)
    outbox = Outbox(database)
    with outbox.pending("work", payment_ids=[other]) as claim:
        assert [row.payment_id for row in claim] == [other]
    with outbox.pending("work", payment_ids=[]) as claim:
        assert len(claim) == 0
    with outbox.pending("work", older_than=60) as claim:
        assert len(claim) == 0
    database.run("UPDATE outbox SET created_at = created_at - interval '61 seconds' WHERE payment_id = %s", [one])
    with outbox.pending("work", older_than=60) as claim:
        assert [row.payment_id for row in claim] == [one]
    with outbox.pending("work", payment_ids=[other], older_than=60) as claim:
        assert len(claim) == 0


def test_a_sent_unit_of_work_brings_its_key_further_and_a_state_does_not(database: Database) -> None:
    outbox, keys = Outbox(database), IdempotencyKeys(database)
    taken = accept(database)
    with outbox.pending("state") as claim:
        claim.sent(claim.rows[0])
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.PAYMENT_CREATED
    assert taken.work is not None
    outbox.mark_sent([taken.work])
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED
    assert pending(database) == []
    outbox.mark_sent([taken.work])
    outbox.mark_sent([])
    assert database.run("SELECT attempts FROM outbox WHERE id = %s", [taken.work]) == [(1,)]


def test_a_late_note_takes_no_key_back(database: Database) -> None:
    taken = accept(database)
    walk(database, taken.payment_id)
    assert taken.work is not None
    Outbox(database).mark_sent([taken.work])
    assert IdempotencyKeys(database).recovery_point("default", "key-1") is RecoveryPoint.COMPLETED


def test_old_rows_are_reaped_once_they_were_told(database: Database) -> None:
    outbox = Outbox(database)
    told, untold = accept(database), accept(database, "key-2", reference="order 8")
    assert told.work is not None
    outbox.mark_sent([told.work])
    assert outbox.reap(older_than=3600) == 0
    database.run("UPDATE outbox SET sent_at = sent_at - interval '2 hours', created_at = created_at - interval '2 hours'")
    assert outbox.reap(older_than=3600) == 1
    assert [row.payment_id for row, _ in pending(database)] == [untold.payment_id]


def test_states_are_told_in_the_order_in_which_they_came(database: Database) -> None:
    walk(database, another(database))
    assert [row.body["state"] for row, _ in pending(database, "state")] == [State.RECEIVED, *CAPTURE]
