"""Idempotency keys in PostgreSQL, after the request."""

from __future__ import annotations

from typing import LiteralString

from payments.domain.payment import FINAL
from payments.storage.postgres.database import Database
from payments.storage.store import KEY_LIFETIME, RecoveryPoint

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


class PostgresIdempotencyKeys:
    """See IdempotencyKeys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recovery_point(self, merchant: str, key: str) -> RecoveryPoint | None:
        """See IdempotencyKeys."""
        rows = self._database.run(_FIND, {"merchant": merchant, "key": key}, repeatable=True)
        return RecoveryPoint(rows[0][0]) if rows else None

    def recover(self, *, older_than: float = 60.0, limit: int = 1000) -> int:
        """See IdempotencyKeys."""
        parameters = {"older_than": older_than, "limit": limit, "final": sorted(state.value for state in FINAL)}
        return len(self._database.run(_RECOVER, parameters, repeatable=True))

    def reap(self, *, older_than: float = KEY_LIFETIME, limit: int = 1000) -> int:
        """See IdempotencyKeys. older_than: seconds, for which keys are kept."""
        return len(self._database.run(_REAP, {"older_than": older_than, "limit": limit}, repeatable=True))
