"""Telling the world outside the database of a payment's states: transaction log, session, receipt, and whoever subscribes."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

from payments.domain.payment import State, event_id
from payments.messaging.events import PaymentEvent, PaymentEvents
from payments.storage.receipts import Receipt, Receipts
from payments.storage.sessions import Sessions
from payments.storage.store import Outbox, OutboxRow
from payments.storage.transaction_log import Entry, TransactionLog
from payments.telemetry import Telemetry

_THREADS = 8
_ENTRY_FIELDS = frozenset(field.name for field in fields(Entry))


@dataclass(frozen=True)
class Delivery:
    """How many rows of the outbox were claimed, and how many of these were told to all."""

    claimed: int
    sent: int


@dataclass(frozen=True, kw_only=True)
class Projector:
    """Delivers the outbox's `state` rows. Each may be delivered any number of times, by several at once and in any order: the result is the same.

    source: base URL of the environment's API, which receipts and events name.
    """

    outbox: Outbox
    log: TransactionLog
    sessions: Sessions
    receipts: Receipts
    events: PaymentEvents
    telemetry: Telemetry
    source: str | None = None

    def deliver(self, *, payment_ids: Iterable[str] | None = None, older_than: float = 0.0, limit: int = 100) -> Delivery:
        """Delivers what has not been yet; a row that fails is logged and tried again another time.

        payment_ids, older_than (seconds), limit: which rows, and how many.
        Raises DatabaseUnavailable, and what the topic raises; then the rows are delivered again another time.
        """
        with self.outbox.pending("state", payment_ids=payment_ids, older_than=older_than, limit=limit) as claim:
            rows = list(claim)
            if not rows:
                return Delivery(0, 0)
            with ThreadPoolExecutor(min(_THREADS, len(rows))) as threads:
                kept = [row for row, done in zip(rows, threads.map(self._kept, rows), strict=True) if done]
            # Subscribers are told last: by then, whatever they look up is there.
            told = [row for row, taken in zip(kept, self.events.publish([_event(row, self.source) for row in kept]), strict=True) if taken]
            for row in told:
                claim.sent(row)
        return Delivery(len(rows), len(told))

    def _kept(self, row: OutboxRow) -> bool:
        body = row.body
        try:
            with self.telemetry.span("projection", payment_id=row.payment_id, state=body["state"]):
                self.log.append(Entry(**{name: value for name, value in body.items() if name in _ENTRY_FIELDS}))
                if row.sequence == 1 and body["session_id"] is not None:
                    self.sessions.remember(body["merchant"], body["session_id"], row.payment_id, body["occurred_at"])
                if body["state"] == State.CAPTURED:
                    self.receipts.write(_receipt(body, self.source))
        except Exception as error:
            # One row's failure holds up no other; the outbox keeps it.
            self.telemetry.log.warning("state not delivered, left to the relay", payment_id=row.payment_id, sequence=row.sequence, exc_info=error)
            return False
        return True


def _receipt(body: dict[str, Any], source: str | None) -> Receipt:
    return Receipt(
        payment_id=body["payment_id"],
        merchant=body["merchant"],
        reference=body["reference"],
        amount=body["amount"],
        currency=body["currency"],
        processor=body["processor"],
        processor_reference=body["processor_reference"],
        captured_at=body["occurred_at"],
        source=source,
    )


def _event(row: OutboxRow, source: str | None) -> PaymentEvent:
    body = row.body
    return PaymentEvent(
        id=event_id(row.payment_id, row.sequence),
        payment_id=row.payment_id,
        merchant=body["merchant"],
        state=State(body["state"]),
        sequence=row.sequence,
        amount=body["amount"],
        currency=body["currency"],
        reference=body["reference"],
        reason=body["reason"],
        occurred_at=body["occurred_at"],
        correlation_id=body["correlation_id"],
        source=source,
    )
