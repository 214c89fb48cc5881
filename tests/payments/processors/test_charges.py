"""What the worker tells a processor of a payment."""

from __future__ import annotations

import math

from payments.domain.payment import State
from payments.functions import PAYMENT_WORKER
from payments.processors.base import Approved, Charge, Outcome
from payments.service.advancing import Advancing
from payments.storage.postgres.database import Database
from payments.storage.postgres.payments import PostgresPayments
from payments.storage.postgres.store import PostgresStore
from payments.telemetry import Telemetry
from tests.payments.scripted import Scripted
from tests.payments.storage.making import another, walk


def charged(database: Database, payment_id: str) -> Charge:
    """What the processor was asked to authorize when the payment was seen through."""
    charges: list[Charge] = []

    def authorize(charge: Charge) -> Outcome:
        charges.append(charge)
        return Approved("reference")

    processor = Scripted(answers={"authorize": authorize})
    advancing = Advancing(payments=PostgresPayments(database), processor=processor, telemetry=Telemetry(PAYMENT_WORKER))
    assert advancing.see_through({payment_id: "message-1"}, remaining=lambda: math.inf) == {}
    (charge,) = charges
    return charge


def test_a_payment_that_may_have_been_asked_for_before_says_since_when(database: Database) -> None:
    made = another(PostgresStore(database))
    walk(PostgresStore(database), made, [State.SUBMITTED])
    (submitted,) = [change for change in PostgresPayments(database).load([made])[made].history if change.state is State.SUBMITTED]
    assert charged(database, made).since == submitted.occurred_at


def test_a_payment_that_is_asked_for_the_first_time_says_nothing(database: Database) -> None:
    assert charged(database, another(PostgresStore(database))).since is None
