"""The transitions are a way from `received` to an end, and nothing else is a step."""

from __future__ import annotations

import itertools
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.domain.card_data import has_card_number
from payments.domain.ledger import MOVEMENTS, Entry, Holder, account, sums
from payments.domain.payment import FINAL, TRANSITIONS, ForbiddenTransitionError, State, Step, new_payment_id

PAIRS = list(itertools.product(State, State))


def reached(start: State) -> set[State]:
    """All states that a payment can come to from there."""
    found = {start}
    while more := {after for before in found for after in TRANSITIONS[before]} - found:
        found |= more
    return found


def test_every_state_can_be_reached_and_none_twice() -> None:
    assert set(TRANSITIONS) == set(State)
    assert reached(State.RECEIVED) == set(State)
    assert all(before not in reached(after) for before, afters in TRANSITIONS.items() for after in afters)


def test_final_states_lead_nowhere_but_to_a_refund() -> None:
    assert {state: set(TRANSITIONS[state]) for state in FINAL if TRANSITIONS[state]} == {State.CAPTURED: {State.REFUNDED}}
    assert all(TRANSITIONS[state] for state in set(State) - FINAL)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_step_is_made_where_there_is_a_transition(before: State, after: State) -> None:
    if after in TRANSITIONS[before]:
        assert Step(payment_id="p", before=before, after=after, correlation_id="c").after is after
    else:
        with pytest.raises(ForbiddenTransitionError, match=f"p: {before} -> {after} is no transition"):
            Step(payment_id="p", before=before, after=after, correlation_id="c")


def test_tables_cannot_be_changed() -> None:
    for table in (TRANSITIONS, MOVEMENTS):
        assert not hasattr(table, "__setitem__")


@pytest.mark.parametrize("state", sorted(State))
def test_money_moves_in_balance_or_not_at_all(state: State) -> None:
    legs = MOVEMENTS.get(state, ())
    assert sum(leg.sign for leg in legs) == 0
    assert {leg.holder for leg in legs} in (set(), set(Holder))
    assert all(leg.sign in {1, -1} for leg in legs)


def test_a_refund_is_a_capture_turned_round() -> None:
    turned = {(leg.holder, -leg.sign) for leg in MOVEMENTS[State.CAPTURED]}
    assert {(leg.holder, leg.sign) for leg in MOVEMENTS[State.REFUNDED]} == turned


@given(st.lists(st.tuples(st.integers(1, 10**11), st.sampled_from(["EUR", "JPY"]), st.sampled_from(sorted(MOVEMENTS)))))
def test_entries_sum_to_zero_in_every_currency(payments: list[tuple[int, str, State]]) -> None:
    entries = [
        Entry(str(number), state, account(leg.holder, "name"), leg.sign * amount, currency)
        for number, (amount, currency, state) in enumerate(payments)
        for leg in MOVEMENTS[state]
    ]
    assert sums(entries) == dict.fromkeys({currency for _, currency, _ in payments}, 0)
    if entries:
        assert any(sums(entries[1:]).values())


def test_ids_of_payments_are_new_each_time_and_follow_the_clock() -> None:
    before = time.time_ns() // 1_000_000
    made = [uuid.UUID(new_payment_id()) for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert len(set(made)) == len(made)
    assert {(each.version, each.variant) for each in made} == {(7, uuid.RFC_4122)}
    moments = [each.int >> 80 for each in made]
    assert moments == sorted(moments)
    assert before <= moments[0] <= moments[-1] <= after


def test_no_id_of_a_payment_is_taken_for_a_card_number() -> None:
    assert not any(has_card_number(new_payment_id()) for _ in range(1000))
