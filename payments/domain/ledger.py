"""The ledger's rules: which money movement a change of state is, and between which accounts.

Double entry: every movement has legs whose amounts sum to zero, so all entries together do, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from payments.domain.payment import State


class Holder(StrEnum):
    """Who holds an account."""

    PROCESSOR = "processor"
    """The money that a processor owes us."""
    MERCHANT = "merchant"
    """The money that we owe a merchant."""


@dataclass(frozen=True)
class Leg:
    """One side of a movement.

    sign: 1 for a debit, -1 for a credit, by which the payment's amount is multiplied.
    """

    holder: Holder
    sign: int


MOVEMENTS: Mapping[State, tuple[Leg, ...]] = MappingProxyType(
    {
        State.CAPTURED: (Leg(Holder.PROCESSOR, 1), Leg(Holder.MERCHANT, -1)),
        State.REFUNDED: (Leg(Holder.PROCESSOR, -1), Leg(Holder.MERCHANT, 1)),
    }
)
"""The states on whose entry money moves. Each moves once in a payment's life."""


@dataclass(frozen=True)
class Entry:
    """A row of the ledger.

    movement: the state whose entry moved the money.
    account: `<holder>:<name>`, for example `merchant:default`.
    amount: in the currency's minor unit; positive for a debit, negative for a credit.
    """

    payment_id: str
    movement: State
    account: str
    amount: int
    currency: str


def account(holder: Holder, name: str) -> str:
    """The name of the account that a merchant or a processor holds."""
    return f"{holder}:{name}"


def sums(entries: Iterable[Entry]) -> dict[str, int]:
    """By currency, what the entries sum to: zero wherever the books are right."""
    totals: dict[str, int] = {}
    for entry in entries:
        totals[entry.currency] = totals.get(entry.currency, 0) + entry.amount
    return totals
