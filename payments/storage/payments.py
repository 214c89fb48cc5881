"""Payments in PostgreSQL: taken in, found, and moved from state to state. Each of these is one statement, and so one round trip and one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from payments.domain.ledger import MOVEMENTS
from payments.domain.payment import FINAL, Change, Payment, PaymentRequest, State, Step, new_payment_id
from payments.storage import statements
from payments.storage.database import Database, DatabaseUnavailable, LockTimeout

_ACCEPT_ATTEMPTS = 3

# The ledger's rules as columns for the statement that moves payments, so that they are written down once.
_LEGS = [(state.value, leg.holder.value, leg.sign) for state, legs in MOVEMENTS.items() for leg in legs]
_MOVEMENTS = {
    "movements": [state for state, _, _ in _LEGS],
    "holders": [holder for _, holder, _ in _LEGS],
    "signs": [sign for _, _, sign in _LEGS],
    "final": sorted(state.value for state in FINAL),
}


class Refused(Exception):  # noqa: N818 - what happens to the request; the service makes a problem of it
    """The request was not accepted, and nothing of it was kept."""


class KeyReused(Refused):
    """The idempotency key stands for another request."""


class KeyInProgress(Refused):
    """Another request with the key (or the reference) is being accepted right now and has not ended in time: repeat in a second."""


class ReferenceInUse(Refused):
    """Another payment of the merchant has the reference."""


@dataclass(frozen=True)
class Acceptance:
    """What became of a request.

    answer: the stored one, for repetitions too.
    first: whether this call took the payment in; False for a repetition.
    work: id in the outbox of the unit of work, which is to be sent to the worker at once; None for a repetition.
    """

    payment_id: str
    answer: str
    first: bool
    work: int | None


class Payments:
    """The payments of all merchants. Every method raises DatabaseUnavailable where the database is to blame."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, request: PaymentRequest, *, merchant: str, key: str, correlation_id: str, answer: Callable[[str], str]) -> Acceptance:
        """Takes a payment in, or finds that the key has done so: key, payment, first change, outbox and answer are written together or not at all.

        Of several calls at the same instant with one key, one takes the payment in; the others wait for it and give its answer.

        answer: makes the answer that is kept, from the payment's id.
        Raises KeyReused, KeyInProgress or ReferenceInUse.
        """
        payment_id = new_payment_id()
        wanted: dict[str, Any] = {
            "payment_id": payment_id,
            "merchant": merchant,
            "key": key,
            "digest": bytes.fromhex(request.digest()),
            "answer": answer(payment_id),
            "correlation_id": correlation_id,
            "amount": request.amount,
            "currency": request.currency,
            "payment_token": request.payment_token,
            "reference": request.reference,
            "session_id": request.session_id,
            "metadata": request.canonical_metadata(),
        }
        for _ in range(_ACCEPT_ATTEMPTS):
            # Nothing comes back where another call committed the key after this statement began: the next look sees it. Should the key be
            # reaped between the two, there is nothing to see, and it is free again.
            rows = self._accepted(wanted) or self._database.run(statements.FIND_KEY, wanted, repeatable=True)
            if rows:
                return _acceptance(wanted, *rows[0])
        raise KeyInProgress

    def find(self, merchant: str, *, payment_id: str | None = None, reference: str | None = None) -> Payment | None:
        """A merchant's payment, by exactly one of its two names; None where the merchant has no such payment."""
        if (payment_id is None) == (reference is None):
            raise ValueError("a payment is found by its id or by its reference: name exactly one of them")
        if payment_id is not None:
            rows = self._database.run(statements.FIND_BY_ID, {"merchant": merchant, "payment_id": payment_id}, repeatable=True)
        else:
            rows = self._database.run(statements.FIND_BY_REFERENCE, {"merchant": merchant, "reference": reference}, repeatable=True)
        return next(iter(_payments(rows)), None)

    def load(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        """The payments with these ids, of whatever merchant, by id; unknown ids are left out."""
        rows = self._database.run(statements.LOAD, {"payment_ids": [UUID(name) for name in payment_ids]}, repeatable=True)
        return {payment.payment_id: payment for payment in _payments(rows)}

    def advance(self, steps: Sequence[Step]) -> set[str]:
        """Moves payments, at most one step each, and writes with each step its change, ledger entries, outbox row and recovery point.

        A step is made only from its own `before`: where a payment stands elsewhere, nothing happens to it. The answer is the ids of those that moved.
        All of them move, or, when an exception is raised, none; but when the connection broke, it may have been done.
        """
        if not steps:
            return set()
        if len({step.payment_id for step in steps}) < len(steps):
            raise ValueError("two steps of one payment cannot be made at once: the second depends on how the first one ends")
        columns: dict[str, Any] = {
            "payment_ids": [UUID(step.payment_id) for step in steps],
            "befores": [step.before for step in steps],
            "afters": [step.after for step in steps],
            "correlation_ids": [step.correlation_id for step in steps],
            "reasons": [step.reason for step in steps],
            "processors": [step.processor for step in steps],
            "processor_references": [step.processor_reference for step in steps],
        }
        return {str(row[0]) for row in self._database.run(statements.ADVANCE, {**columns, **_MOVEMENTS})}

    def _accepted(self, wanted: dict[str, Any]) -> list[tuple[Any, ...]]:
        try:
            # Repeatable: where the first try was done after all, the second finds the key with this very payment.
            return self._database.run(statements.ACCEPT, wanted, repeatable=True)
        except LockTimeout as error:
            raise KeyInProgress from error
        except statements.UniqueViolation as error:
            if error.diag.constraint_name != statements.REFERENCE_CONSTRAINT:
                raise
            raise ReferenceInUse from error


def _acceptance(wanted: dict[str, Any], payment_id: UUID, digest: bytes, answer: str, work: int | None) -> Acceptance:
    if digest != wanted["digest"]:
        raise KeyReused
    first = str(payment_id) == wanted["payment_id"]
    return Acceptance(str(payment_id), answer, first, work if first else None)


def _payments(rows: Iterable[tuple[Any, ...]]) -> list[Payment]:
    """Payments from one row per change, a payment's rows together and in order; what belongs to the payment is in its first row."""
    found: dict[UUID, tuple[tuple[Any, ...], list[Change]]] = {}
    for row in rows:
        payment_id, sequence, state, occurred_at, correlation_id, reason, *payment = row
        _, changes = found.setdefault(payment_id, (tuple(payment), []))
        changes.append(Change(sequence, State(state), occurred_at, correlation_id, reason))
    return [_payment(str(payment_id), payment, tuple(changes)) for payment_id, (payment, changes) in found.items()]


def _payment(payment_id: str, columns: tuple[Any, ...], history: tuple[Change, ...]) -> Payment:
    merchant, amount, currency, payment_token, reference, session_id, metadata, state, processor, processor_reference = columns
    return Payment(
        payment_id=payment_id,
        merchant=merchant,
        amount=amount,
        currency=currency,
        payment_token=payment_token,
        reference=reference,
        session_id=session_id,
        metadata=metadata,
        state=State(state),
        processor=processor,
        processor_reference=processor_reference,
        history=history,
    )


__all__ = ["Acceptance", "DatabaseUnavailable", "KeyInProgress", "KeyReused", "Payments", "ReferenceInUse", "Refused", "Step"]
