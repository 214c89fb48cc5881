"""Telling the world outside the database of a payment's states: transaction log, session, receipt, and whoever subscribes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

from payments.clients import CALL_SECONDS
from payments.domain.payment import State, event_id
from payments.messaging.events import PaymentEvent, PaymentEvents
from payments.storage.receipts import Receipt, Receipts
from payments.storage.sessions import Sessions
from payments.storage.store import CLAIM_TIMEOUT, Outbox, OutboxRow
from payments.storage.transaction_log import Entry, TransactionLog
from payments.telemetry import Telemetry

MARGIN = 2 * CALL_SECONDS
"""Seconds before the caller's end at which nobody is told any more: for a call that hangs, and for noting what was told until then."""

_THREADS = 8
_ENTRY_FIELDS = frozenset(field.name for field in fields(Entry))


@dataclass(frozen=True)
class Delivery:
    """How many rows of the outbox were claimed, and how many of these were told to all."""

    claimed: int
    sent: int


class OutOfTimeError(RuntimeError):
    """The caller's time is nearly over, so nothing was told."""


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

    def deliver(
        self, *, payment_ids: Iterable[str] | None = None, older_than: float = 0.0, limit: int = 100, remaining: Callable[[], float] = lambda: math.inf
    ) -> Delivery:
        """Delivers what has not been yet; a row that fails, or that there is no time for, is logged and tried again another time.

        payment_ids, older_than (seconds), limit: which rows, and how many. remaining: seconds that are left; the rows may be held for CLAIM_TIMEOUT.
        Raises OutOfTimeError, DatabaseUnavailable, and what the topic raises; then the rows are delivered again another time.
        """
        end = time.monotonic() + CLAIM_TIMEOUT

        def on_time() -> bool:
            return min(remaining(), end - time.monotonic()) >= MARGIN

        if not on_time():
            raise OutOfTimeError(f"less than {MARGIN:g} s are left, which is what telling may take")
        with self.outbox.pending("state", payment_ids=payment_ids, older_than=older_than, limit=limit) as claim:
            rows = list(claim)
            if not rows:
                return Delivery(0, 0)
            with ThreadPoolExecutor(min(_THREADS, len(rows))) as threads:
                kept = [row for row, done in zip(rows, threads.map(lambda row: self._kept(row, on_time), rows), strict=True) if done]
            # Subscribers are told last: by then, whatever they look up is there.
            told = 0
            for row, taken in zip(kept, self.events.publish([_event(row, self.source) for row in kept], on_time), strict=True):
                if taken:
                    claim.sent(row)
                    told += 1
                else:
                    self.telemetry.log.warning("event not taken, left to the relay", **_about(row))
        return Delivery(len(rows), told)

    def _kept(self, row: OutboxRow, on_time: Callable[[], bool]) -> bool:
        """Whether all is kept of a row that others may look up. Nothing is begun that may not end in time."""
        try:
            with self.telemetry.span("projection", payment_id=row.payment_id, state=row.body["state"]):
                for keep in self._keeping(row):
                    if not on_time():
                        self.telemetry.log.warning("no time for a state, left to the relay", **_about(row))
                        return False
                    keep()
        except Exception as error:
            # One row's failure holds up no other; the outbox keeps it.
            self.telemetry.log.warning("state not delivered, left to the relay", exc_info=error, **_about(row))
            return False
        return True

    def _keeping(self, row: OutboxRow) -> Iterable[Callable[[], object]]:
        """What is to be done for a row, one call each."""
        body = row.body
        yield lambda: self.log.append(Entry(**{name: value for name, value in body.items() if name in _ENTRY_FIELDS}))
        if row.sequence == 1 and body["session_id"] is not None:
            yield lambda: self.sessions.remember(body["merchant"], body["session_id"], row.payment_id, body["occurred_at"])
        if body["state"] == State.CAPTURED:
            yield lambda: self.receipts.write(_receipt(body, self.source))


def _about(row: OutboxRow) -> dict[str, Any]:
    """What a line about a row is found by. The request's id too: a thread of the pool has none by itself, and a batch is of many requests."""
    return {"payment_id": row.payment_id, "sequence": row.sequence, "correlation_id": row.body["correlation_id"]}


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
