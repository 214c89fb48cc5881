"""Abandoned keys are brought to where their payments are, and completed ones go after their time."""

from __future__ import annotations

import pytest

from payments.domain.payment import State
from payments.storage.store import KEY_LIFETIME, Acceptance, KeyReused, RecoveryPoint, ReferenceInUse, Store
from tests.payments.kept import Kept
from tests.payments.storage.making import DECLINE, accept, another, walk


def taken_and_sent(store: Store) -> Acceptance:
    taken = accept(store)
    assert taken.work is not None
    store.outbox.mark_sent([taken.work])
    return taken


def test_a_key_whose_work_is_still_in_the_outbox_stays(store: Store) -> None:
    keys = store.keys
    accept(store)
    assert keys.recover(older_than=0) == 0
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.PAYMENT_CREATED
    assert keys.recovery_point("default", "key-2") is None


def test_a_key_whose_work_was_sent_is_queued(kept: Kept) -> None:
    keys = kept.store.keys
    taken_and_sent(kept.store)
    kept.left_behind("default", "key-1", RecoveryPoint.PAYMENT_CREATED)
    assert keys.recover() == 0
    kept.later(61)
    assert keys.recover() == 1
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED
    assert keys.recover(older_than=0) == 0


def test_a_key_whose_payment_is_under_way_is_queued(store: Store) -> None:
    keys = store.keys
    walk(store, accept(store).payment_id, [State.SUBMITTED])
    assert keys.recover(older_than=0) == 1
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED


@pytest.mark.parametrize("point", [RecoveryPoint.PAYMENT_CREATED, RecoveryPoint.WORK_QUEUED])
def test_a_key_whose_payment_has_ended_is_completed(kept: Kept, point: RecoveryPoint) -> None:
    keys = kept.store.keys
    walk(kept.store, taken_and_sent(kept.store).payment_id, DECLINE)
    kept.left_behind("default", "key-1", point)
    assert keys.recover(older_than=0) == 1
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.COMPLETED
    assert keys.recover(older_than=0) == 0


def test_a_bite_looks_at_some_of_the_open_keys_and_the_next_one_at_those_behind_them(store: Store) -> None:
    """However many keys stay open, each gets its turn."""
    keys = store.keys
    ids = [another(store) for _ in range(7)]
    walk(store, ids[-1], [State.SUBMITTED])
    assert [keys.recover(older_than=0, limit=3) for _ in range(3)].count(1) == 1
    walk(store, ids[2], [State.SUBMITTED])
    assert sum(keys.recover(older_than=0, limit=3) for _ in range(3)) == 1


def test_a_bite_recovers_as_many_keys_as_it_looks_at(kept: Kept) -> None:
    store = kept.store
    for number in range(5):
        walk(store, accept(store, f"key {number}", reference=f"order {number}").payment_id)
        kept.left_behind("default", f"key {number}", RecoveryPoint.WORK_QUEUED)
    keys = store.keys
    assert [keys.recover(older_than=0, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_keys_are_kept_for_three_days_and_until_they_are_completed(kept: Kept) -> None:
    assert KEY_LIFETIME == 72 * 3600
    store, keys = kept.store, kept.store.keys
    completed = accept(store)
    accept(store, "key-2", reference="order 8")
    walk(store, completed.payment_id)
    kept.later(71 * 3600 + 59 * 60)
    keys.reap()
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.COMPLETED
    kept.later(61)
    keys.reap()
    assert keys.recovery_point("default", "key-1") is None
    assert keys.recovery_point("default", "key-2") is RecoveryPoint.PAYMENT_CREATED
    assert accept(store, "key-2", reference="order 8").first is False


def test_a_key_whose_time_is_over_is_a_new_one_and_its_payment_is_kept(kept: Kept) -> None:
    store = kept.store
    first = accept(store)
    walk(store, first.payment_id)
    with pytest.raises(KeyReused):
        accept(store, reference="order 8")
    kept.later(KEY_LIFETIME + 1)
    store.keys.reap()
    with pytest.raises(ReferenceInUse):
        accept(store)
    second = accept(store, reference="order 8")
    assert second.first
    assert second.payment_id != first.payment_id
    assert kept.counts()["payments"] == 2
    assert set(store.payments.load([first.payment_id, second.payment_id])) == {first.payment_id, second.payment_id}


def test_a_payment_whose_key_is_gone_goes_on(kept: Kept) -> None:
    """A key that was completed by mistake, and whose time is over, holds up no money."""
    store = kept.store
    taken = accept(store)
    kept.left_behind("default", "key-1", RecoveryPoint.COMPLETED)
    kept.later(KEY_LIFETIME + 1)
    kept.removed()
    assert kept.counts()["keys"] == 0
    walk(store, taken.payment_id)
    assert len(store.ledger.entries(taken.payment_id)) == 2
