"""What is to be told is claimed by one at a time, and stays until it was told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from payments.domain.payment import State
from payments.storage.store import Kind, OutboxRow, RecoveryPoint, Store
from tests.payments.kept import Kept
from tests.payments.storage.making import CAPTURE, accept, another, walk


def pending(store: Store, kind: Kind = "work", limit: int = 100) -> list[OutboxRow]:
    """The rows that are not told yet; none is claimed any more afterwards, and no attempt is counted."""
    found: list[OutboxRow] = []

    def look() -> None:
        with store.outbox.pending(kind, limit=limit) as claim:
            found.extend(claim)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        look()
    return found


def test_what_was_told_is_not_claimed_again(store: Store) -> None:
    payment_ids = [another(store) for _ in range(3)]
    with store.outbox.pending("work") as claim:
        assert [row.payment_id for row in claim] == payment_ids
        claim.sent(claim.rows[0])
        claim.sent(claim.rows[2])
    assert [row.payment_id for row in pending(store)] == [payment_ids[1]]
    assert len(pending(store, "state")) == 3


def test_what_failed_holds_up_nothing_else(store: Store) -> None:
    failing, *others = (another(store) for _ in range(3))
    with store.outbox.pending("work", limit=1) as claim:
        assert [row.payment_id for row in claim] == [failing]
    assert [row.payment_id for row in pending(store, limit=2)] == others
    assert [row.payment_id for row in pending(store)] == [*others, failing]


def test_an_exception_leaves_everything_as_it_was(store: Store) -> None:
    payment_ids = [another(store) for _ in range(2)]

    def broken() -> None:
        with store.outbox.pending("work", limit=1) as claim:
            claim.sent(claim.rows[0])
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            broken()
        assert [row.payment_id for row in pending(store)] == payment_ids


def test_a_row_is_claimed_by_one_at_a_time(store: Store) -> None:
    payment_ids = {another(store) for _ in range(40)}

    def take(_: int) -> list[str]:
        taken: list[str] = []
        while True:
            with store.outbox.pending("work", limit=3) as claim:
                taken += [row.payment_id for row in claim]
                for row in claim:
                    claim.sent(row)
            if not claim.rows:
                return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [name for names in pool.map(take, range(4)) for name in names]
    # Who finds everything claimed stops; the last one finds the rest.
    assert sorted(taken + take(0)) == sorted(payment_ids)


def test_what_another_has_claimed_is_left_out_and_not_waited_for(store: Store) -> None:
    """Others are other threads: each has a connection of its own."""
    payment_id = another(store)

    def theirs(**which: Any) -> list[str]:
        def look() -> list[str]:
            with store.outbox.pending("work", **which) as claim:
                return [row.payment_id for row in claim]

        return pool.submit(look).result(5)

    with ThreadPoolExecutor(1) as pool:
        with store.outbox.pending("work") as claim:
            assert len(claim) == 1
            assert theirs() == []
            assert theirs(payment_ids=[payment_id]) == []
            later = pool.submit(another, store).result(5)
            assert theirs() == [later]
        assert set(theirs()) == {payment_id, later}


def test_what_was_told_in_the_meantime_stays_told(store: Store) -> None:
    taken = accept(store)
    assert taken.work is not None
    with store.outbox.pending("work") as claim:
        assert [row.id for row in claim] == [taken.work]
        pool = ThreadPoolExecutor(1)
        done = pool.submit(store.outbox.mark_sent, [taken.work])
    done.result(5)
    pool.shutdown()
    assert pending(store) == []


def test_rows_are_chosen_by_payment_and_by_age(kept: Kept) -> None:
    store, outbox = kept.store, kept.store.outbox
    one = another(store)
    kept.later(61)
    other = another(store)
    with outbox.pending("work", payment_ids=[other]) as claim:
        assert [row.payment_id for row in claim] == [other]
    with outbox.pending("work", payment_ids=[]) as claim:
        assert len(claim) == 0
    with outbox.pending("work", older_than=120) as claim:
        assert len(claim) == 0
    with outbox.pending("work", older_than=60) as claim:
        assert [row.payment_id for row in claim] == [one]
    with outbox.pending("work", payment_ids=[other], older_than=60) as claim:
        assert len(claim) == 0


def test_a_sent_unit_of_work_brings_its_key_further_and_a_state_does_not(store: Store) -> None:
    outbox, keys = store.outbox, store.keys
    taken = accept(store)
    with outbox.pending("state") as claim:
        claim.sent(claim.rows[0])
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.PAYMENT_CREATED
    assert taken.work is not None
    outbox.mark_sent([taken.work])
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED
    assert pending(store) == []
    outbox.mark_sent([taken.work])
    outbox.mark_sent([])
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED


def test_a_late_note_takes_no_key_back(store: Store) -> None:
    taken = accept(store)
    walk(store, taken.payment_id)
    assert taken.work is not None
    store.outbox.mark_sent([taken.work])
    assert store.keys.recovery_point("default", "key-1") is RecoveryPoint.COMPLETED


def test_what_was_told_is_not_kept_for_ever(kept: Kept) -> None:
    store = kept.store
    told, untold = accept(store), accept(store, "key-2", reference="order 8")
    assert told.work is not None
    store.outbox.mark_sent([told.work])
    assert store.outbox.reap(older_than=3600) == 0
    kept.later(7200)
    store.outbox.reap(older_than=3600)
    assert store.outbox.reap(older_than=3600) == 0
    assert [row.payment_id for row in pending(store)] == [untold.payment_id]


def test_states_are_told_in_the_order_in_which_they_came(store: Store) -> None:
    walk(store, another(store))
    assert [row.body["state"] for row in pending(store, "state")] == [State.RECEIVED, *CAPTURE]
