"""Payments in PostgreSQL: taken in, found, and moved from state to state. Each of these is one statement, and so one round trip and one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from payments.domain.ledger import MOVEMENTS
from payments.domain.payment import FINAL, Change, Payment, PaymentRequest, State, Step, new_payment_id
from payments.storage.postgres import statements
from payments.storage.postgres.database import Database, LockTimeout
from payments.storage.store import Acceptance, KeyInProgress, KeyReused, ReferenceInUse

_ACCEPT_ATTEMPTS = 3

# The ledger's rules as columns for the statement that moves payments, so that they are written down once.
_LEGS = [(state.value, leg.holder.value, leg.sign) for state, legs in MOVEMENTS.items() for leg in legs]
_MOVEMENTS = {
    "movements": [state for state, _, _ in _LEGS],
    "holders": [holder for _, holder, _ in _LEGS],
    "signs": [sign for _, _, sign in _LEGS],
    "final": sorted(state.value for state in FINAL),
}


class PostgresPayments:
    """See Payments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, request: PaymentRequest, *, merchant: str, key: str, correlation_id: str, answer: Callable[[str], str]) -> Acceptance:
        """See Payments."""
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
        """See Payments."""
        if (payment_id is None) == (reference is None):
            raise ValueError("a payment is found by its id or by its reference: name exactly one of them")
        if payment_id is not None:
            rows = self._database.run(statements.FIND_BY_ID, {"merchant": merchant, "payment_id": payment_id}, repeatable=True)
        else:
            rows = self._database.run(statements.FIND_BY_REFERENCE, {"merchant": merchant, "reference": reference}, repeatable=True)
        return next(iter(_payments(rows)), None)

    def load(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        """See Payments."""
        rows = self._database.run(statements.LOAD, {"payment_ids": [UUID(name) for name in payment_ids]}, repeatable=True)
        return {payment.payment_id: payment for payment in _payments(rows)}

    def advance(self, steps: Sequence[Step]) -> set[str]:
        """See Payments. All of the steps are made, or, when an exception is raised, none; but when the connection broke, they may have been."""
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
