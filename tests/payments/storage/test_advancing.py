"""Payments move from where they stand, many at once, and each move writes all that follows from it."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from payments.domain.ledger import MOVEMENTS, Entry, Holder, account
from payments.domain.payment import FINAL, TRANSITIONS, State
from payments.storage.store import RecoveryPoint, Store
from tests.payments.storage.making import CAPTURE, DECLINE, accept, another, step, walk


def test_a_step_is_made_from_where_the_payment_stands_and_from_nowhere_else(store: Store) -> None:
    payments = store.payments
    payment_id = accept(store).payment_id
    assert payments.advance([step(payment_id, State.SUBMITTED, State.AUTHORIZED)]) == set()
    assert payments.advance([step(payment_id, State.RECEIVED, State.SUBMITTED)]) == {payment_id}
    assert payments.advance([step(payment_id, State.RECEIVED, State.SUBMITTED)]) == set()
    found = payments.load([payment_id])[payment_id]
    assert [change.state for change in found.history] == [State.RECEIVED, State.SUBMITTED]


def test_every_step_is_in_the_history_with_what_is_known_of_it(store: Store) -> None:
    payments = store.payments
    payment_id = accept(store).payment_id
    payments.advance([step(payment_id, State.RECEIVED, State.SUBMITTED)])
    payments.advance([step(payment_id, State.SUBMITTED, State.AUTHORIZED, processor_reference="ref-1")])
    payments.advance([step(payment_id, State.AUTHORIZED, State.FAILED, reason="expired")])
    found = payments.find("default", payment_id=payment_id)
    assert found is not None
    assert (found.state, found.processor, found.processor_reference) == (State.FAILED, "sandbox", "ref-1")
    assert [(change.sequence, change.state, change.correlation_id, change.reason) for change in found.history] == [
        (1, State.RECEIVED, "request-1", None),
        (2, State.SUBMITTED, "message-1", None),
        (3, State.AUTHORIZED, "message-1", None),
        (4, State.FAILED, "message-1", "expired"),
    ]
    moments = [change.occurred_at for change in found.history]
    assert all(one < other for one, other in itertools.pairwise(moments))
    assert all(moment.utcoffset() is not None for moment in moments)


def test_a_batch_moves_each_payment_on_its_own(store: Store) -> None:
    payments = store.payments
    received, submitted, captured = (another(store) for _ in range(3))
    walk(store, submitted, [State.SUBMITTED])
    walk(store, captured)
    unknown = "01900000-0000-7000-8000-000000000000"
    steps = [
        step(received, State.RECEIVED, State.SUBMITTED),
        step(submitted, State.SUBMITTED, State.DECLINED, reason="no_money"),
        step(captured, State.RECEIVED, State.SUBMITTED),
        step(unknown, State.RECEIVED, State.SUBMITTED),
    ]
    assert payments.advance(steps) == {received, submitted}
    found = payments.load([received, submitted, captured])
    assert [found[name].state for name in (received, submitted, captured)] == [State.SUBMITTED, State.DECLINED, State.CAPTURED]
    assert payments.advance([]) == set()
    assert payments.load([]) == {}


def test_two_steps_of_a_payment_are_not_made_at_once(store: Store) -> None:
    payment_id = accept(store).payment_id
    with pytest.raises(ValueError, match="at once"):
        store.payments.advance([step(payment_id, State.RECEIVED, State.SUBMITTED), step(payment_id, State.SUBMITTED, State.AUTHORIZED)])


def test_money_moves_on_capture_and_back_on_refund(store: Store) -> None:
    payment_id = accept(store, merchant="shop").payment_id
    walk(store, payment_id)
    ledger = store.ledger
    captured = [Entry(payment_id, State.CAPTURED, "processor:sandbox", 1050, "EUR"), Entry(payment_id, State.CAPTURED, "merchant:shop", -1050, "EUR")]
    assert ledger.entries(payment_id) == captured
    assert ledger.balances() == {("processor:sandbox", "EUR"): 1050, ("merchant:shop", "EUR"): -1050}
    assert ledger.totals() == {"EUR": 0}
    store.payments.advance([step(payment_id, State.CAPTURED, State.REFUNDED)])
    back = [Entry(payment_id, State.REFUNDED, "merchant:shop", 1050, "EUR"), Entry(payment_id, State.REFUNDED, "processor:sandbox", -1050, "EUR")]
    assert ledger.entries(payment_id) == captured + back
    assert set(ledger.balances().values()) == {0}


@pytest.mark.parametrize("after", sorted(set(State) - {State.RECEIVED}))
def test_the_ledger_has_what_the_rules_say_of_each_state(store: Store, after: State) -> None:
    """The rules are the domain's table; here they are computed anew and compared with what the statement wrote."""
    before = {state: list(path) for path in paths() for state in path}
    path = next(path for path in sorted(paths(), key=len) if path[-1] is after)
    assert after in before
    payment_id = accept(store).payment_id
    walk(store, payment_id, path)
    names = {Holder.PROCESSOR: "sandbox", Holder.MERCHANT: "default"}
    expected = {(state, account(leg.holder, names[leg.holder]), leg.sign * 1050) for state in path for leg in MOVEMENTS.get(state, ())}
    assert {(entry.movement, entry.account, entry.amount) for entry in store.ledger.entries(payment_id)} == expected


def paths() -> list[tuple[State, ...]]:
    """Every way that a payment can go, without the state `received` in which all begin."""
    found: list[tuple[State, ...]] = []
    open_ends: list[tuple[State, ...]] = [(State.RECEIVED,)]
    while open_ends:
        path = open_ends.pop()
        longer = [(*path, after) for after in sorted(TRANSITIONS[path[-1]])]
        found += [way[1:] for way in longer]
        open_ends += longer
    return found


def test_each_step_is_told(store: Store) -> None:
    taken = accept(store, session_id="session-1")
    walk(store, taken.payment_id, DECLINE)
    with store.outbox.pending("state") as rows:
        assert [(row.sequence, row.body["state"], row.body["processor"]) for row in rows] == [
            (1, "received", None),
            (2, "submitted", "sandbox"),
            (3, "declined", "sandbox"),
        ]
        found = store.payments.load([taken.payment_id])[taken.payment_id]
        assert rows.rows[2].body == {
            "payment_id": taken.payment_id,
            "merchant": "default",
            "sequence": 3,
            "state": "declined",
            "amount": 1050,
            "currency": "EUR",
            "reference": "order 7",
            "session_id": "session-1",
            "correlation_id": "message-1",
            "reason": None,
            "processor": "sandbox",
            "processor_reference": None,
            "occurred_at": found.history[2].occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }


@pytest.mark.parametrize("path", [CAPTURE, DECLINE, (State.SUBMITTED, State.FAILED)])
def test_the_key_is_completed_with_its_payment(store: Store, path: tuple[State, ...]) -> None:
    keys = store.keys
    taken = accept(store)
    assert taken.work is not None
    store.outbox.mark_sent([taken.work])
    for before, after in itertools.pairwise((State.RECEIVED, *path)):
        assert keys.recovery_point("default", "key-1") is RecoveryPoint.WORK_QUEUED
        store.payments.advance([step(taken.payment_id, before, after)])
    assert path[-1] in FINAL
    assert keys.recovery_point("default", "key-1") is RecoveryPoint.COMPLETED


def test_batches_with_the_same_payments_wait_for_one_another(store: Store) -> None:
    """Each in another order, so that they would block each other if they did not lock in one order; and each step is made by one of them."""
    payment_ids = [another(store) for _ in range(30)]
    callers = 4
    together = threading.Barrier(callers)

    def call(number: int) -> list[set[str]]:
        ordered = payment_ids[number * 7 :] + payment_ids[: number * 7]
        moved: list[set[str]] = []
        for before, after in itertools.pairwise((State.RECEIVED, *CAPTURE)):
            together.wait()
            moved.append(store.payments.advance([step(name, before, after) for name in (reversed(ordered) if number % 2 else ordered)]))
        return moved

    with ThreadPoolExecutor(callers) as pool:
        outcomes = list(pool.map(call, range(callers)))
    for round_ in zip(*outcomes, strict=True):
        assert sorted(name for moved in round_ for name in moved) == sorted(payment_ids)
    assert all(len(store.ledger.entries(name)) == 2 for name in payment_ids)
