"""Submitting a payment that was received, and announcing it."""

from __future__ import annotations

from payments.domain.payment import State, event_id
from payments.messaging.events import PaymentEvent, PaymentEvents
from payments.messaging.work_queue import Work
from payments.service.clock import now
from payments.storage.transaction_log import Entry, TransactionLog


class UnknownPaymentError(LookupError):
    """A message names a payment that the log does not have."""


def submit(work: Work, *, log: TransactionLog, events: PaymentEvents) -> bool:
    """Enters the step `submitted` in the log and announces it; whether this call entered it.

    A message may come several times, and a worker may stop between log and announcement. So a repetition announces
    again what the log holds; the event's id is the same, and subscribers drop it.
    """
    history = log.history(work.payment_id)
    if history is None:
        raise UnknownPaymentError(f"payment {work.payment_id} is not in the transaction log, so there is nothing to submit")
    step = next((entry for entry in history.later if entry.state is State.SUBMITTED), None)
    entered = False
    if step is None:
        step = Entry(
            payment_id=work.payment_id,
            sequence=history.last.sequence + 1,
            state=State.SUBMITTED,
            occurred_at=now(),
            correlation_id=work.correlation_id,
        )
        entered = log.append(step)
        if not entered:
            return submit(work, log=log, events=events)
    request = history.opening.request
    events.publish(
        PaymentEvent(
            id=event_id(step.payment_id, step.sequence),
            payment_id=step.payment_id,
            state=step.state,
            sequence=step.sequence,
            amount=request.amount,
            currency=request.currency,
            reference=request.reference,
            occurred_at=step.occurred_at,
            correlation_id=step.correlation_id,
        )
    )
    return entered
