"""The outbox in PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, LiteralString
from uuid import UUID

from payments.domain.audit import timestamp
from payments.storage.postgres.database import Database
from payments.storage.store import CLAIM_TIMEOUT, Claim, Kind, OutboxRow

_LET_WAIT: LiteralString = "SELECT set_config('idle_in_transaction_session_timeout', %s, true)"

# Rows that failed before come after those that did not, so that they hold up nothing.
_CLAIM: LiteralString = """
WITH claimed AS (
    SELECT id, kind, payment_id, sequence, attempts FROM outbox
    WHERE sent_at IS NULL AND kind = %(kind)s AND created_at <= now() - %(older_than)s * interval '1 second'
    ORDER BY attempts, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
"""
_CLAIM_OF: LiteralString = """
WITH claimed AS (
    SELECT id, kind, payment_id, sequence, attempts FROM outbox
    WHERE sent_at IS NULL AND kind = %(kind)s AND payment_id = ANY(%(payment_ids)s) AND created_at <= now() - %(older_than)s * interval '1 second'
    ORDER BY attempts, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
"""
_CLAIMED: LiteralString = """
SELECT claimed.id, claimed.payment_id, claimed.sequence, payments.merchant, change.state, payments.amount, payments.currency, payments.reference,
    payments.session_id, change.occurred_at, change.correlation_id, change.reason, change.processor, change.processor_reference
FROM claimed JOIN payment_history AS change USING (payment_id, sequence) JOIN payments ON payments.payment_id = change.payment_id
ORDER BY claimed.attempts, claimed.id
"""
_MARK_SENT: LiteralString = """
WITH sent AS (
    UPDATE outbox SET sent_at = now(), attempts = attempts + 1 WHERE id = ANY(%(ids)s) AND sent_at IS NULL RETURNING kind, payment_id
)
UPDATE idempotency_keys SET recovery_point = 'work_queued' FROM sent
WHERE sent.kind = 'work' AND idempotency_keys.payment_id = sent.payment_id AND recovery_point = 'payment_created'
"""
_MARK_FAILED: LiteralString = "UPDATE outbox SET attempts = attempts + 1 WHERE id = ANY(%(ids)s)"
_REAP: LiteralString = """
WITH old AS (
    SELECT id FROM outbox WHERE sent_at < now() - %(older_than)s * interval '1 second' ORDER BY sent_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM outbox USING old WHERE outbox.id = old.id RETURNING outbox.id
"""


class PostgresOutbox:
    """See Outbox. What was told stays for a while, until it is reaped."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def pending(self, kind: Kind, *, payment_ids: Iterable[str] | None = None, older_than: float = 0.0, limit: int = 100) -> Generator[Claim]:
        """See Outbox. The block is a transaction: a crash, an exception and a lost connection leave everything as it was."""
        parameters: dict[str, Any] = {"kind": kind, "older_than": older_than, "limit": limit}
        query = _CLAIM
        if payment_ids is not None:
            parameters["payment_ids"] = [UUID(name) for name in payment_ids]
            query = _CLAIM_OF
        with self._database.transaction() as connection:
            connection.execute(_LET_WAIT, (f"{CLAIM_TIMEOUT}s",))
            claim = Claim(tuple(_row(kind, *row) for row in connection.execute(query + _CLAIMED, parameters)))
            yield claim
            if sent := claim.ids(sent=True):
                connection.execute(_MARK_SENT, {"ids": sent})
            if failed := claim.ids(sent=False):
                connection.execute(_MARK_FAILED, {"ids": failed})

    def mark_sent(self, ids: Iterable[int]) -> None:
        """See Outbox."""
        if wanted := list(ids):
            self._database.run(_MARK_SENT, {"ids": wanted}, repeatable=True)

    def reap(self, *, older_than: float, limit: int = 1000) -> int:
        """See Outbox."""
        return len(self._database.run(_REAP, {"older_than": older_than, "limit": limit}, repeatable=True))


def _row(kind: Kind, row_id: int, payment_id: UUID, sequence: int, *about: Any) -> OutboxRow:
    merchant, state, amount, currency, reference, session_id, occurred_at, correlation_id, reason, processor, processor_reference = about
    body: dict[str, Any] = {"payment_id": str(payment_id), "correlation_id": correlation_id}
    if kind == "state":
        body |= {
            "merchant": merchant,
            "sequence": sequence,
            "state": state,
            "amount": amount,
            "currency": currency,
            "reference": reference,
            "session_id": session_id,
            "occurred_at": timestamp(occurred_at),
            "reason": reason,
            "processor": processor,
            "processor_reference": processor_reference,
        }
    return OutboxRow(row_id, kind, str(payment_id), sequence, body)
