"""Abandoned keys are brought to where their payments are, and completed ones go after their time."""

from __future__ import annotations

import pytest

from payments.domain.payment import State
from payments.storage.database import Database
from payments.storage.idempotency import LIFETIME, IdempotencyKeys, RecoveryPoint
from payments.storage.outbox import Outbox
from payments.storage.payments import Acceptance, KeyReused
from tests.payments.storage.making import DECLINE, accept, walk


def left_behind(database: Database, point: RecoveryPoint) -> None:
    """As a key looks whose transactions did not bring it along."""
    database.run("UPDATE idempotency_keys SET recovery_point = %s", [point])


def taken_and_sent(database: Database) -> Acceptance:
    taken = accept(database)
    assert taken.work is not None
    Outbox(database).mark_sent([taken.work])
    return taken


def test_a_key_whose_work_is_still_in_the_outbox_stays(database: Database) -> None:
    keys = IdempotencyKeys(database)
    accept(database)
    assert keys.recover(older_than=0) == 0
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.PAYMENT_CREATED
    assert keys.recovery_point("default", "key-2") is None


def test_a_key_whose_work_was_sent_is_queued(database: Database) -> None:
    keys = IdempotencyKeys(database)
    taken_and_sent(database)
    left_behind(database, RecoveryPoint.PAYMENT_CREATED)
    assert keys.recover() == 0
    assert keys.recover(older_than=0) == 1
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED
    assert keys.recover(older_than=0) == 0


def test_a_key_whose_payment_is_under_way_is_queued(database: Database) -> None:
    keys = IdempotencyKeys(database)
    walk(database, accept(database).payment_id, [State.SUBMITTED])
    assert keys.recover(older_than=0) == 1
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED


@pytest.mark.parametrize("point", [RecoveryPoint.PAYMENT_CREATED, RecoveryPoint.WORK_QUEUED])
def test_a_key_whose_payment_has_ended_is_completed(database: Database, point: RecoveryPoint) -> None:
    keys = IdempotencyKeys(database)
    walk(database, taken_and_sent(database).payment_id, DECLINE)
    left_behind(database, point)
    assert keys.recover(older_than=0) == 1
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.COMPLETED
    assert keys.recover(older_than=0) == 0


def test_keys_are_kept_for_three_days_and_until_they_are_completed(database: Database) -> None:
    assert LIFETIME == 72 * 3600
    keys = IdempotencyKeys(database)
    completed = accept(database)
    accept(database, "key-2", reference="order 8")
    walk(database, completed.payment_id)
    database.run("UPDATE idempotency_keys SET created_at = now() - interval '71 hours 59 minutes'")
    assert keys.reap() == 0
    database.run("UPDATE idempotency_keys SET created_at = now() - interval '72 hours 1 second'")
    assert keys.reap() == 1
    assert keys.recovery_point("default", "key-1") is None
    assert keys.recovery_point("default", "key-2") is RecoveryPoint.PAYMENT_CREATED


def test_a_reaped_key_is_a_new_one_and_its_payment_is_kept(database: Database) -> None:
    first = accept(database)
    walk(database, first.payment_id)
    with pytest.raises(KeyReused):
        accept(database, reference="order 8")
    assert IdempotencyKeys(database).reap(older_than=0) == 1
    second = accept(database, reference="order 8")
    assert second.first
    assert second.payment_id != first.payment_id
    assert database.run("SELECT count(*) FROM payments") == [(2,)]
