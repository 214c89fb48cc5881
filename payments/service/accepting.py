"""Taking a payment in: once per idempotency key, however often it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from payments import errors
from payments.domain.payment import PaymentRequest, State, payment_id
from payments.messaging.work_queue import Work, WorkQueue
from payments.service.clock import now
from payments.storage.sessions import Sessions
from payments.storage.transaction_log import Opening, TransactionLog


@dataclass(frozen=True)
class Accepted:
    """The payment's first step, and whether this request was the first one for it."""

    opening: Opening
    first: bool


def accept(request: PaymentRequest, idempotency_key: str, correlation_id: str, *, log: TransactionLog, sessions: Sessions, queue: WorkQueue) -> Accepted:
    """Enters the payment in the log and hands it to the worker.

    The log's condition decides between requests with the same key, also at the same instant. Whoever comes second gets the
    first one's answer, and sends the payment to the worker again as long as it waits there: the first one may have
    stopped between the log and the queue. The worker takes repetitions for what they are.

    Raises the problem `idempotency-key-reused` where the key stands for another request.
    """
    wanted = Opening(
        payment_id=payment_id(idempotency_key),
        sequence=1,
        state=State.RECEIVED,
        occurred_at=now(),
        correlation_id=correlation_id,
        request=request,
        digest=request.digest(),
    )
    opening = log.open(wanted)
    if opening.digest != wanted.digest:
        raise errors.idempotency_key_reused()
    first = opening is wanted
    if first or _waiting(opening.payment_id, log):
        if request.session_id is not None:
            sessions.remember(request.session_id, opening.payment_id)
        queue.send(Work(payment_id=opening.payment_id, correlation_id=opening.correlation_id))
    return Accepted(opening, first)


def _waiting(payment: str, log: TransactionLog) -> bool:
    history = log.history(payment)
    return history is not None and history.last.state is State.RECEIVED
