"""The outbox: what was decided in a transaction and is to be told outside the database, kept until it was."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, LiteralString
from uuid import UUID

from payments.domain.audit import timestamp
from payments.storage.database import Database

Kind = Literal["work", "state"]
"""`work`: the worker is to be told of a payment. `state`: everyone is to be told of a payment's state."""

CLAIM_TIMEOUT = 60
"""Seconds that claimed rows may wait for being sent; then the server lets others have them."""

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


@dataclass(frozen=True)
class OutboxRow:
    """Something to be told.

    sequence: of the payment's change that it is about.
    body: what there is to tell, JSON-ready: of `work`, `payment_id` and `correlation_id`; of `state`, besides these, `merchant`, `sequence`,
    `state`, `amount`, `currency`, `reference`, `session_id`, `occurred_at` (RFC 3339, UTC), `reason`, `processor`, `processor_reference`.
    """

    id: int
    kind: Kind
    payment_id: str
    sequence: int
    body: dict[str, Any]


@dataclass
class Claim:
    """Rows that nobody else is given as long as they are held."""

    rows: tuple[OutboxRow, ...]
    _sent: set[int] = field(default_factory=set[int])

    def __iter__(self) -> Iterator[OutboxRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def sent(self, row: OutboxRow) -> None:
        """Notes that the row was told; threads may call it."""
        self._sent.add(row.id)

    def ids(self, *, sent: bool) -> list[int]:
        """Ids of the rows that were told, or of the others."""
        return [row.id for row in self.rows if (row.id in self._sent) is sent]


class Outbox:
    """The rows of all payments. Every method raises DatabaseUnavailable where the database is to blame."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def pending(self, kind: Kind, *, payment_ids: Iterable[str] | None = None, older_than: float = 0.0, limit: int = 100) -> Generator[Claim]:
        """Claims rows that were not told yet, oldest first; at the end of the block those that `sent` was called for are marked as told.

        The others have one more attempt counted and are claimed again later. Rows that someone else has claimed are left out. A crash, an exception
        and a lost connection leave everything as it was, so that what was told may be told again: whoever is told has to stand that.
        The block is a transaction that may take CLAIM_TIMEOUT seconds.

        payment_ids: only rows of these payments. older_than: only rows that were written so many seconds ago or longer.
        """
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
        """Marks rows as told; for `work`, the payment's idempotency key is at `work_queued` from then on."""
        if wanted := list(ids):
            self._database.run(_MARK_SENT, {"ids": wanted}, repeatable=True)

    def reap(self, *, older_than: float, limit: int = 1000) -> int:
        """Removes rows that were told more than so many seconds ago; how many."""
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
