"""Every step of a payment's way that leaves the process, with the process killed right before it and right after it."""

from __future__ import annotations

import uuid

import pytest

from tests.payments.faults.invariants import Watcher, assert_done_once, assert_in_order
from tests.payments.faults.world import Fault, World
from tests.payments.processors.stripe_api import APPROVED

# All ways out of the process: statements (most are transactions of their own), commits of transactions of several, AWS calls and the processor.
# Each call of each is a step; a test goes on to the next until the handler makes no such call any more.
STEPS = {
    "statement": "psycopg:Connection.execute",
    "commit": "psycopg:Transaction.__exit__",
    "aws": "botocore.client:BaseClient._make_api_call",
    "processor": "requests:Session.request",
}
HANDLERS = {
    "process_payment": ("statement", "aws"),
    "payment_worker": ("statement", "commit", "aws", "processor"),
    "outbox_relay": ("statement", "commit", "aws"),
}
CASES = [(handler, step, when) for handler, steps in HANDLERS.items() for step in steps for when in ("before", "after")]


# Where payments are in a table, every change of it: what is read in between leaves things as they were.
TABLE_STEPS = {
    "write": "payments.storage.dynamodb.table:Table._persistent",
    "removal": "payments.storage.dynamodb.table:Table.delete_all",
}
TABLE_HANDLERS = {"process_payment": ("write",), "payment_worker": ("write", "removal"), "outbox_relay": ("write", "removal")}
# Before a removal is after whatever was told, which is another step's end.
TABLE_CASES = [
    (handler, step, when)
    for handler, steps in TABLE_HANDLERS.items()
    for step in steps
    for when in ("before", "after")
    if (step, when) != ("removal", "before")
]


def a_payment() -> dict[str, object]:
    return {"amount": 1050, "currency": "EUR", "payment_token": APPROVED, "reference": f"order {uuid.uuid4()}", "session_id": f"s-{uuid.uuid4()}"}


@pytest.mark.parametrize(("handler", "step", "when"), CASES)
def test_a_payment_comes_through_a_kill_at_any_step(world: World, handler: str, step: str, when: str) -> None:
    nth = 0
    while True:
        nth += 1
        fault = Fault(STEPS[step], when, nth)
        if not _lived_through(world, handler, fault):
            break
    assert_in_order(world)
    assert nth > 1, f"{handler} takes no such step: it is in the wrong list"


@pytest.mark.parametrize(("handler", "step", "when"), TABLE_CASES)
def test_a_payment_in_a_table_comes_through_a_kill_at_any_change(table_world: World, handler: str, step: str, when: str) -> None:
    nth = 0
    while True:
        nth += 1
        if not _lived_through(table_world, handler, Fault(TABLE_STEPS[step], when, nth)):
            break
    assert_in_order(table_world)
    assert nth > 1, f"{handler} makes no such change: it is in the wrong list"


def test_the_handlers_take_no_other_kind_of_step(world: World) -> None:
    """The lists above are whole: a step that a handler takes and its list does not have would never be tested."""
    for handler, steps in HANDLERS.items():
        for step in STEPS.keys() - set(steps):
            assert not _lived_through(world, handler, Fault(STEPS[step], "before")), f"{handler} takes the step {step}: add it to HANDLERS"


def _lived_through(world: World, handler: str, fault: Fault) -> bool:
    """One payment, with one invocation killed; whether it was."""
    key, body = str(uuid.uuid4()), a_payment()
    answer = world.process(key, body, fault if handler == "process_payment" else None)
    killed = answer.killed
    if killed:
        # A caller without an answer asks again, with the same key.
        answer = world.process(key, body)
    assert answer.status == 202
    watcher = Watcher(world, answer.body["payment_id"])
    if handler == "outbox_relay":
        killed = world.relay(fault).killed
        watcher.look()
    if handler == "payment_worker":
        done = world.work(fault)
        assert done is not None
        killed = done.killed
        watcher.look()
    world.settle()
    assert_done_once(world, watcher)
    return killed
