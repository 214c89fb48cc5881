"""Taking a payment in: once per idempotency key, however often it is asked for."""

from __future__ import annotations

from payments import errors
from payments.domain.payment import Model, PaymentRequest, State
from payments.messaging.work_queue import Work, WorkQueue
from payments.storage.store import Acceptance, KeyInProgress, KeyReused, Outbox, Payments, ReferenceInUse
from payments.telemetry import Telemetry


class Accepted(Model):
    """What the first request with an idempotency key is answered, and every repetition of it, byte for byte."""

    payment_id: str
    state: State = State.RECEIVED


def accept(request: PaymentRequest, *, merchant: str, key: str, correlation_id: str, payments: Payments) -> Acceptance:
    """Keeps the payment, the key, the answer, and what is to be sent because of it, in one transaction.

    Raises the problems `idempotency-key-reused`, `idempotency-key-in-progress` and `reference-in-use`.
    """
    try:
        return payments.accept(request, merchant=merchant, key=key, correlation_id=correlation_id, answer=_answer)
    except KeyReused:
        raise errors.idempotency_key_reused() from None
    except KeyInProgress:
        raise errors.idempotency_key_in_progress() from None
    except ReferenceInUse:
        raise errors.reference_in_use() from None


def hand_over(acceptance: Acceptance, *, correlation_id: str, queue: WorkQueue, outbox: Outbox, telemetry: Telemetry) -> None:
    """Sends a payment that was just taken in to the worker, so that it need not wait for the relay.

    A failure is logged and is no failure of the request: the outbox has the row, and the relay sends it.
    """
    if acceptance.work is None:
        return
    try:
        queue.send(Work(payment_id=acceptance.payment_id, correlation_id=correlation_id))
        outbox.mark_sent([acceptance.work])
    except Exception as error:
        # Whatever it is, the payment is kept, and the relay goes on from here.
        telemetry.log.warning("work not handed over, left to the relay", payment_id=acceptance.payment_id, exc_info=error)


def _answer(payment_id: str) -> str:
    return Accepted(payment_id=payment_id).model_dump_json()
