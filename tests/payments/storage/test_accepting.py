"""A key stands for one payment, whoever asks at the same instant, and a payment is kept with all that belongs to it or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from payments.domain.payment import State
from payments.storage.store import Acceptance, KeyReused, RecoveryPoint, ReferenceInUse, Store
from tests.payments.kept import Kept
from tests.payments.storage.making import accept, answer

ONE = {"payments": 1, "keys": 1, "changes": 1, "waiting": 1, "outbox": 2}
"""What one payment that was just taken in is kept as."""


def test_a_payment_is_taken_in_with_all_that_belongs_to_it(kept: Kept) -> None:
    store = kept.store
    metadata = {"a": {"b": [1, 2.5, None, "\0"]}, "long": "x" * 30_000}
    taken = accept(store, session_id="session-1", metadata=metadata)
    assert taken.first
    assert taken.answer == answer(taken.payment_id)
    payment = store.payments.find("default", payment_id=taken.payment_id)
    assert payment is not None
    assert (payment.payment_id, payment.merchant, payment.state) == (taken.payment_id, "default", State.RECEIVED)
    assert (payment.amount, payment.currency, payment.payment_token, payment.reference) == (1050, "EUR", "tok_approve", "order 7")
    assert (payment.session_id, payment.metadata) == ("session-1", metadata)
    assert [(change.sequence, change.state, change.correlation_id) for change in payment.history] == [(1, State.RECEIVED, "request-1")]
    with store.outbox.pending("work") as work:
        assert [(row.id, row.body) for row in work] == [(taken.work, {"payment_id": taken.payment_id, "correlation_id": "request-1"})]
    with store.outbox.pending("state") as states:
        assert [(row.payment_id, row.sequence, row.body["state"]) for row in states] == [(taken.payment_id, 1, "received")]
    assert store.keys.recovery_point("default", "key-1") is RecoveryPoint.PAYMENT_CREATED
    assert kept.counts() == ONE


def test_a_repetition_is_given_the_first_answer_and_changes_nothing(kept: Kept) -> None:
    store = kept.store
    first = accept(store)
    again = accept(store)
    assert again == Acceptance(first.payment_id, first.answer, first=False, work=None)
    assert kept.counts() == ONE


def test_a_key_is_refused_for_another_request(kept: Kept) -> None:
    store = kept.store
    accept(store)
    with pytest.raises(KeyReused):
        accept(store, amount=1051)
    assert kept.counts()["payments"] == 1


def test_a_reference_belongs_to_one_payment_of_a_merchant(kept: Kept) -> None:
    store = kept.store
    accept(store)
    with pytest.raises(ReferenceInUse):
        accept(store, "key-2")
    assert kept.counts()["keys"] == 1
    assert accept(store, "key-2", reference="order 8").first


def test_keys_references_and_payments_belong_to_their_merchant(store: Store) -> None:
    one, other = accept(store), accept(store, merchant="other")
    assert one.first
    assert other.first
    assert one.payment_id != other.payment_id
    payments = store.payments
    assert payments.find("other", payment_id=one.payment_id) is None
    found = payments.find("other", reference="order 7")
    assert found is not None
    assert found.payment_id == other.payment_id
    assert payments.find("nobody", reference="order 7") is None
    assert set(payments.load([one.payment_id, other.payment_id, "00000000-0000-7000-8000-000000000000"])) == {one.payment_id, other.payment_id}


def test_a_payment_is_found_by_exactly_one_name(store: Store) -> None:
    payments = store.payments
    with pytest.raises(ValueError, match="exactly one"):
        payments.find("default")
    with pytest.raises(ValueError, match="exactly one"):
        payments.find("default", payment_id="00000000-0000-7000-8000-000000000000", reference="order 7")


@pytest.mark.parametrize("same_request", [True, False])
def test_of_many_at_the_same_instant_one_takes_the_payment_in(kept: Kept, same_request: bool) -> None:
    callers = 8
    together = threading.Barrier(callers)

    def call(number: int) -> Acceptance | type[Exception]:
        together.wait()
        try:
            return accept(kept.store, amount=1050 if same_request else 1050 + number)
        except KeyReused:
            return KeyReused

    with ThreadPoolExecutor(callers) as pool:
        outcomes = list(pool.map(call, range(callers)))
    acceptances = [outcome for outcome in outcomes if isinstance(outcome, Acceptance)]
    assert [acceptance.first for acceptance in acceptances].count(True) == 1
    assert len(acceptances) == (callers if same_request else 1)
    assert len({(acceptance.payment_id, acceptance.answer) for acceptance in acceptances}) == 1
    assert kept.counts() == ONE


def test_a_reference_is_given_once_at_the_same_instant_too(kept: Kept) -> None:
    callers = 6
    together = threading.Barrier(callers)

    def call(number: int) -> bool:
        together.wait()
        try:
            return accept(kept.store, f"key-{number}").first
        except ReferenceInUse:
            return False

    with ThreadPoolExecutor(callers) as pool:
        assert list(pool.map(call, range(callers))).count(True) == 1
    assert kept.counts() == ONE
