"""Whatever is asked for, in whatever order and at whatever instant: books that sum to zero, no forbidden way, one payment per key."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule, run_state_machine_as_test

from payments.domain.audit import GENESIS, AuditRecord, breaks
from payments.domain.ledger import MOVEMENTS, account, sums
from payments.domain.payment import FINAL, TRANSITIONS, State
from payments.storage.postgres.database import Database
from payments.storage.store import KEY_LIFETIME, Acceptance, KeyReused, Kind, RecoveryPoint, ReferenceInUse, Refused
from tests.payments.kept import InPostgres, Kept
from tests.payments.storage.making import accept, step

KEYS = st.sampled_from(["key a", "key b", "key c"])
REFERENCES = st.sampled_from(["reference a", "reference b", "reference c"])
AMOUNTS = st.sampled_from([1, 99_999_999_999])
CURRENCIES = st.sampled_from(["EUR", "JPY"])
STEPS = st.sampled_from([(before, after) for before, afters in TRANSITIONS.items() for after in sorted(afters)])


@dataclass
class Expected:
    """A payment as the model has it."""

    key: str
    request: tuple[str, int, str]
    states: list[State]
    work_sent: bool = False

    @property
    def recovery_point(self) -> RecoveryPoint:
        """Where its key has to stand."""
        if FINAL & set(self.states):
            return RecoveryPoint.COMPLETED
        return RecoveryPoint.WORK_QUEUED if self.work_sent else RecoveryPoint.PAYMENT_CREATED


class Service(RuleBasedStateMachine):
    """Everything that storage is asked to do, beside a model of what it has to come to. Each run has a merchant of its own."""

    payments = Bundle[str]("payments")

    kept: Kept

    def __init__(self) -> None:
        super().__init__()
        self.store = self.kept.store
        self.storage = self.store.payments
        self.outbox = self.store.outbox
        self.model: dict[str, Expected] = {}
        self.keys: dict[str, str] = {}
        self.records: list[AuditRecord] = []

    @initialize()
    def begin(self) -> None:
        self.merchant = str(uuid4())
        # What other runs left behind is not this one's.
        self.store.keys.recover(older_than=0)

    @rule(target=payments, key=KEYS, reference=REFERENCES, amount=AMOUNTS, currency=CURRENCIES)
    def accept(self, key: str, reference: str, amount: int, currency: str) -> str | MultipleResults[str]:
        request = (reference, amount, currency)
        try:
            taken = accept(self.store, key, self.merchant, reference=reference, amount=amount, currency=currency)
        except KeyReused:
            assert self.model[self.keys[key]].request != request
        except ReferenceInUse:
            assert key not in self.keys
            assert reference in {expected.request[0] for expected in self.model.values()}
        else:
            if key in self.keys:
                assert (taken.payment_id, taken.first) == (self.keys[key], False)
                assert self.model[taken.payment_id].request == request
                return multiple()
            assert taken.first
            assert taken.payment_id not in self.model
            self.keys[key] = taken.payment_id
            self.model[taken.payment_id] = Expected(key, request, [State.RECEIVED])
            return taken.payment_id
        return multiple()

    @rule(names=st.lists(payments, min_size=1, max_size=4, unique=True), after=st.sampled_from(sorted(FINAL)))
    def go_on(self, names: list[str], after: State) -> None:
        """As far on the way to a final state as the way leads there; without this rule hardly any payment would be captured."""
        for wanted in (State.SUBMITTED, State.AUTHORIZED, State.CAPTURED, after):
            steps = [step(name, self.model[name].states[-1], wanted) for name in names if wanted in TRANSITIONS[self.model[name].states[-1]]]
            assert self.storage.advance(steps) == {made.payment_id for made in steps}
            for made in steps:
                self.model[made.payment_id].states.append(made.after)

    @rule(moves=st.lists(st.tuples(payments, STEPS), max_size=4, unique_by=lambda move: move[0]))
    def advance(self, moves: list[tuple[str, tuple[State, State]]]) -> None:
        moved = self.storage.advance([step(name, before, after) for name, (before, after) in moves])
        expected = {name: after for name, (before, after) in moves if self.model[name].states[-1] is before}
        assert moved == set(expected)
        for name, after in expected.items():
            self.model[name].states.append(after)

    @rule(kind=st.sampled_from(["work", "state"]), limit=st.integers(1, 5), told=st.integers(0, 5))
    def relay(self, kind: Kind, limit: int, told: int) -> None:
        with self.outbox.pending(kind, payment_ids=list(self.model), limit=limit) as claim:
            for row in claim.rows[:told]:
                claim.sent(row)
                if kind == "work":
                    self.model[row.payment_id].work_sent = True

    @rule(limit=st.integers(1, 4))
    def chain(self, limit: int) -> None:
        self.records += self.store.chain.extend(limit)

    @rule()
    def recover(self) -> None:
        """Abandoned are the keys whose payment got under way although nobody noted that the work was sent."""
        owned = [self.model[name] for name in self.keys.values()]
        abandoned = [expected for expected in owned if expected.recovery_point is RecoveryPoint.PAYMENT_CREATED and len(expected.states) > 1]
        assert self.store.keys.recover(older_than=0) == len(abandoned)
        for expected in abandoned:
            expected.work_sent = True

    @rule()
    def reap(self) -> None:
        """All completed keys go; the payments stay, and keep their references."""
        self.kept.later(KEY_LIFETIME + 1)
        self.store.keys.reap()
        completed = [key for key, name in self.keys.items() if self.model[name].recovery_point is RecoveryPoint.COMPLETED]
        for key in completed:
            del self.keys[key]

    @invariant()
    def the_books_sum_to_zero(self) -> None:
        assert set(self.store.ledger.totals().values()) <= {0}
        for name, expected in self.model.items():
            entries = self.store.ledger.entries(name)
            holders = {"processor": "sandbox", "merchant": self.merchant}
            legs = {
                (state, account(leg.holder, holders[leg.holder]), leg.sign * expected.request[1])
                for state in expected.states
                for leg in MOVEMENTS.get(state, ())
            }
            assert {(entry.movement, entry.account, entry.amount) for entry in entries} == legs
            assert len(entries) == len(legs)
            assert set(sums(entries)) <= {expected.request[2]}

    @invariant()
    def every_payment_is_where_the_model_has_it(self) -> None:
        found = self.storage.load(self.model)
        assert set(found) == set(self.model)
        for name, expected in self.model.items():
            payment = found[name]
            assert (payment.merchant, payment.reference, payment.amount, payment.currency) == (self.merchant, *expected.request)
            assert payment.state is expected.states[-1]
            assert [(change.sequence, change.state) for change in payment.history] == list(enumerate(expected.states, start=1))
            assert sorted(change.occurred_at for change in payment.history) == [change.occurred_at for change in payment.history]

    @invariant()
    def every_key_is_where_its_payment_has_it(self) -> None:
        keys = self.store.keys
        for key, name in self.keys.items():
            assert keys.recovery_point(self.merchant, key) is self.model[name].recovery_point

    def teardown(self) -> None:
        """In the end the chain has every change once, in each payment's own order, and holds."""
        chain = self.store.chain
        while more := chain.extend():
            self.records += more
        states: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for record in self.records:
            states[record.payment_id].append((record.sequence, record.state))
        for name, expected in self.model.items():
            assert states[name] == [(number, state.value) for number, state in enumerate(expected.states, start=1)]
        whole = self.kept.records()
        assert [record.position for record in whole] == list(range(1, len(whole) + 1))
        assert whole[len(whole) - len(self.records) :] == self.records
        previous = GENESIS
        for day, records in groupby(whole, key=lambda record: record.day):
            of_day = list(records)
            assert list(breaks(date.fromisoformat(day), of_day, previous)) == []
            previous = of_day[-1].hash


class ServiceInPostgres(Service):
    """PostgreSQL refuses a forbidden way also where the program is not asked."""

    database: Database

    @rule(name=Service.payments, after=st.sampled_from(State))
    def force(self, name: str, after: State) -> None:
        """Around the program: only the database is in the way."""
        before = self.model[name].states[-1]
        try:
            with self.database.transaction() as connection:
                connection.execute("UPDATE payments SET state = %s WHERE payment_id = %s", [after, name])
                raise psycopg.Rollback
        except psycopg.errors.CheckViolation:
            assert after not in TRANSITIONS[before]
        else:
            assert after in TRANSITIONS[before]


@pytest.mark.parametrize("machine", [ServiceInPostgres, Service], ids=["postgres", "dynamodb"])
def test_books_transitions_keys_and_chain_hold_whatever_is_asked_for(machine: type[Service], request: pytest.FixtureRequest) -> None:
    class Here(machine):
        """In the test's own store."""

    Here.kept = request.getfixturevalue("in_postgres" if machine is ServiceInPostgres else "in_dynamo")
    if isinstance(Here.kept, InPostgres):
        Here.database = Here.kept.database
    # What is asked of moto takes ten times as long.
    runs, steps = (40, 30) if machine is ServiceInPostgres else (5, 12)
    run_state_machine_as_test(Here, settings=settings(max_examples=runs, stateful_step_count=steps, deadline=None))


CALLS = st.lists(st.tuples(KEYS, REFERENCES), min_size=1, max_size=4)


def test_a_key_stands_for_one_payment_under_any_interleaving(kept: Kept) -> None:
    """Threads that accept at the same instant, with keys and references that meet: each outcome is one that some order would have."""

    @settings(max_examples=30 if isinstance(kept, InPostgres) else 8, deadline=None)
    @given(callers=st.lists(CALLS, min_size=2, max_size=4))
    def interleaved(callers: list[list[tuple[str, str]]]) -> None:
        merchant = str(uuid4())
        together = threading.Barrier(len(callers))

        def call(calls: list[tuple[str, str]]) -> list[tuple[str, str, Acceptance | type[Refused]]]:
            together.wait()
            return [(key, reference, outcome(key, reference)) for key, reference in calls]

        def outcome(key: str, reference: str) -> Acceptance | type[Refused]:
            try:
                return accept(kept.store, key, merchant, reference=reference)
            except (KeyReused, ReferenceInUse) as refused:
                return type(refused)

        with ThreadPoolExecutor(len(callers)) as pool:
            outcomes = [each for each_caller in pool.map(call, callers) for each in each_caller]
        assert kept.of(merchant) == (len(_owned(outcomes)),) * 2

    interleaved()


def _owned(outcomes: list[tuple[str, str, Acceptance | type[Refused]]]) -> set[str]:
    """The keys that stand for a payment; fails where no order of the calls would have had these outcomes."""
    owners: dict[str, str] = {}
    by_key: dict[str, list[tuple[str, Acceptance]]] = defaultdict(list)
    for key, reference, result in outcomes:
        if isinstance(result, Acceptance):
            by_key[key].append((reference, result))
    for key, taken in by_key.items():
        assert len({(reference, acceptance.payment_id, acceptance.answer) for reference, acceptance in taken}) == 1
        assert [acceptance.first for _, acceptance in taken].count(True) == 1
        assert taken[0][0] not in owners
        owners[taken[0][0]] = key
    for key, reference, result in outcomes:
        if result is KeyReused:
            assert by_key[key][0][0] != reference
        elif result is ReferenceInUse:
            assert owners[reference] != key
    return set(by_key)
