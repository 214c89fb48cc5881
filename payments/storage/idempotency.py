"""Idempotency keys after the request: where each stands, and when it may go. They are written by Payments, together with the payment."""

from __future__ import annotations

from enum import StrEnum
from typing import LiteralString

from payments.domain.payment import FINAL
from payments.storage.database import Database

LIFETIME = 72 * 60 * 60
"""Seconds that a key is kept at least."""


class RecoveryPoint(StrEnum):
    """How far the request behind a key came; from each point, the rest can be done without its caller."""

    PAYMENT_CREATED = "payment_created"
    """The payment is kept; the worker may not have been told."""
    WORK_QUEUED = "work_queued"
    """The worker was told."""
    COMPLETED = "completed"
    """The payment came to a final state: nothing is left to do."""


_FIND: LiteralString = "SELECT recovery_point FROM idempotency_keys WHERE merchant = %(merchant)s AND key = %(key)s"
# The point follows from what else is kept; the oldest keys first.
_RECOVER: LiteralString = """
WITH stuck AS (
    SELECT keys.payment_id, CASE WHEN payments.state = ANY(%(final)s::text[]) THEN 'completed' ELSE 'work_queued' END AS point
    FROM idempotency_keys AS keys JOIN payments USING (payment_id)
    WHERE keys.recovery_point <> 'completed' AND keys.created_at <= now() - %(older_than)s * interval '1 second'
        AND (payments.state = ANY(%(final)s::text[]) OR (keys.recovery_point = 'payment_created' AND (payments.state <> 'received'
            OR NOT EXISTS (SELECT FROM outbox WHERE outbox.payment_id = keys.payment_id AND kind = 'work' AND sent_at IS NULL))))
    ORDER BY keys.created_at LIMIT %(limit)s FOR NO KEY UPDATE OF keys SKIP LOCKED
)
UPDATE idempotency_keys SET recovery_point = stuck.point FROM stuck WHERE idempotency_keys.payment_id = stuck.payment_id
RETURNING idempotency_keys.payment_id
"""
_REAP: LiteralString = """
WITH old AS (
    SELECT merchant, key FROM idempotency_keys
    WHERE recovery_point = 'completed' AND created_at < now() - %(older_than)s * interval '1 second'
    ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency_keys USING old WHERE idempotency_keys.merchant = old.merchant AND idempotency_keys.key = old.key
RETURNING idempotency_keys.payment_id
"""


class IdempotencyKeys:
    """The keys of all merchants. Every method raises DatabaseUnavailable where the database is to blame."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recovery_point(self, merchant: str, key: str) -> RecoveryPoint | None:
        """Where a key stands; None where there is none."""
        rows = self._database.run(_FIND, {"merchant": merchant, "key": key}, repeatable=True)
        return RecoveryPoint(rows[0][0]) if rows else None

    def recover(self, *, older_than: float = 60.0, limit: int = 1000) -> int:
        """Brings abandoned keys to the point that their payments are at; how many.

        Points are advanced in the transactions that they depend on. This is for keys whose outbox row went another way.

        older_than: only keys that were taken so many seconds ago or longer.
        """
        parameters = {"older_than": older_than, "limit": limit, "final": sorted(state.value for state in FINAL)}
        return len(self._database.run(_RECOVER, parameters, repeatable=True))

    def reap(self, *, older_than: float = LIFETIME, limit: int = 1000) -> int:
        """Removes keys that were taken more than so many seconds ago and are completed; how many. A request with such a key is a new one then."""
        return len(self._database.run(_REAP, {"older_than": older_than, "limit": limit}, repeatable=True))
