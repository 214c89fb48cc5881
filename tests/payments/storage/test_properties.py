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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule, run_state_machine_as_test

from payments.domain.audit import GENESIS, AuditRecord, breaks
from payments.domain.ledger import MOVEMENTS, account, sums
from payments.domain.payment import FINAL, TRANSITIONS, State
from payments.storage.audit_chain import AuditChain
from payments.storage.database import Database
from payments.storage.idempotency import IdempotencyKeys, RecoveryPoint
from payments.storage.ledger import Ledger
from payments.storage.outbox import Kind, Outbox
from payments.storage.payments import Acceptance, KeyReused, Payments, ReferenceInUse, Refused
from tests.payments.postgres import TestDatabase
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

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.storage = Payments(self.database)
        self.outbox = Outbox(self.database)
        self.model: dict[str, Expected] = {}
        self.keys: dict[str, str] = {}
        self.records: list[AuditRecord] = []

    @initialize()
    def begin(self) -> None:
        self.merchant = str(uuid4())
        # What other runs left behind is not this one's.
        IdempotencyKeys(self.database).recover(older_than=0)

    @rule(target=payments, key=KEYS, reference=REFERENCES, amount=AMOUNTS, currency=CURRENCIES)
    def accept(self, key: str, reference: str, amount: int, currency: str) -> str | MultipleResults[str]:
        request = (reference, amount, currency)
        try:
            taken = accept(self.database, key, self.merchant, reference=reference, amount=amount, currency=currency)
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

    @rule(name=payments, after=st.sampled_from(State))
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

    @rule(kind=st.sampled_from(["work", "state"]), limit=st.integers(1, 5), told=st.integers(0, 5))
    def relay(self, kind: Kind, limit: int, told: int) -> None:
        with self.outbox.pending(kind, payment_ids=list(self.model), limit=limit) as claim:
            for row in claim.rows[:told]:
                claim.sent(row)
                if kind == "work":
                    self.model[row.payment_id].work_sent = True

    @rule(limit=st.integers(1, 4))
    def chain(self, limit: int) -> None:
        self.records += AuditChain(self.database).extend(limit)

    @rule()
    def recover(self) -> None:
        """Abandoned are the keys whose payment got under way although nobody noted that the work was sent."""
        owned = [self.model[name] for name in self.keys.values()]
        abandoned = [expected for expected in owned if expected.recovery_point is RecoveryPoint.PAYMENT_CREATED and len(expected.states) > 1]
        assert IdempotencyKeys(self.database).recover(older_than=0) == len(abandoned)
        for expected in abandoned:
            expected.work_sent = True

    @rule()
    def reap(self) -> None:
        """All completed keys go; the payments stay, and keep their references."""
        IdempotencyKeys(self.database).reap(older_than=0)
        completed = [key for key, name in self.keys.items() if self.model[name].recovery_point is RecoveryPoint.COMPLETED]
        for key in completed:
            del self.keys[key]

    @invariant()
    def the_books_sum_to_zero(self) -> None:
        assert set(Ledger(self.database).totals().values()) <= {0}
        for name, expected in self.model.items():
            entries = Ledger(self.database).entries(name)
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
        keys = IdempotencyKeys(self.database)
        for key, name in self.keys.items():
            assert keys.recovery_point(self.merchant, key) is self.model[name].recovery_point

    def teardown(self) -> None:
        """In the end the chain has every change once, in each payment's own order, and holds."""
        chain = AuditChain(self.database)
        while more := chain.extend():
            self.records += more
        states: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for record in self.records:
            states[record.payment_id].append((record.sequence, record.state))
        for name, expected in self.model.items():
            assert states[name] == [(number, state.value) for number, state in enumerate(expected.states, start=1)]
        whole = [AuditRecord.from_canonical(row[0]) for row in self.database.run("SELECT record FROM audit_records ORDER BY position")]
        assert [record.position for record in whole] == list(range(1, len(whole) + 1))
        assert whole[len(whole) - len(self.records) :] == self.records
        previous = GENESIS
        for day, records in groupby(whole, key=lambda record: record.day):
            of_day = list(records)
            assert list(breaks(date.fromisoformat(day), of_day, previous)) == []
            previous = of_day[-1].hash


def test_books_transitions_keys_and_chain_hold_whatever_is_asked_for(database: Database) -> None:
    class Here(Service):
        """On the test's own database."""

    Here.database = database
    run_state_machine_as_test(Here, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


CALLS = st.lists(st.tuples(KEYS, REFERENCES), min_size=1, max_size=4)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(callers=st.lists(CALLS, min_size=2, max_size=4))
def test_a_key_stands_for_one_payment_under_any_interleaving(test_database: TestDatabase, callers: list[list[tuple[str, str]]]) -> None:
    """Threads that accept at the same instant, with keys and references that meet: each outcome is one that some order would have."""
    database = test_database.database()
    merchant = str(uuid4())
    together = threading.Barrier(len(callers))

    def call(calls: list[tuple[str, str]]) -> list[tuple[str, str, Acceptance | type[Refused]]]:
        together.wait()
        return [(key, reference, outcome(key, reference)) for key, reference in calls]

    def outcome(key: str, reference: str) -> Acceptance | type[Refused]:
        try:
            return accept(database, key, merchant, reference=reference)
        except (KeyReused, ReferenceInUse) as refused:
            return type(refused)

    with ThreadPoolExecutor(len(callers)) as pool:
        outcomes = [each for each_caller in pool.map(call, callers) for each in each_caller]
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
    assert database.run("SELECT count(*) FROM payments WHERE merchant = %s", [merchant]) == [(len(by_key),)]
    assert database.run("SELECT count(*) FROM idempotency_keys WHERE merchant = %s", [merchant]) == [(len(by_key),)]
    database.close()
