"""Idempotency keys in PostgreSQL, after the request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

from payments.domain.payment import FINAL
from payments.storage.postgres.database import Database
from payments.storage.store import KEY_LIFETIME, RecoveryPoint

_FIND: LiteralString = "SELECT recovery_point FROM idempotency_keys WHERE merchant = %(merchant)s AND key = %(key)s"
# The point follows from what else is kept. Completed keys, which are nearly all, are not read: only the index of the others has this order. Each payment
# is looked up by its id, as a join would read all payments once the server takes the open keys for many; OFFSET keeps it from making a join of it.
_RECOVER: LiteralString = """
WITH open AS MATERIALIZED (
    SELECT payment_id, recovery_point, created_at FROM idempotency_keys
    WHERE recovery_point <> 'completed' AND created_at <= now() - %(older_than)s * interval '1 second'
        AND (recovery_point, created_at, payment_id) > (%(point)s, %(since)s, %(after)s)
    ORDER BY recovery_point, created_at, payment_id LIMIT %(limit)s
), stuck AS MATERIALIZED (
    SELECT open.payment_id, open.recovery_point, CASE WHEN payment.state = ANY(%(final)s::text[]) THEN 'completed' ELSE 'work_queued' END AS point
    FROM open CROSS JOIN LATERAL (SELECT state FROM payments WHERE payments.payment_id = open.payment_id OFFSET 0) AS payment
    WHERE payment.state = ANY(%(final)s::text[]) OR (open.recovery_point = 'payment_created' AND (payment.state <> 'received'
        OR (SELECT count(*) FROM outbox WHERE outbox.payment_id = open.payment_id AND kind = 'work' AND sent_at IS NULL) = 0))
), locked AS MATERIALIZED (
    SELECT stuck.payment_id, stuck.point FROM stuck CROSS JOIN LATERAL (
        SELECT FROM idempotency_keys AS keys WHERE keys.payment_id = stuck.payment_id AND keys.recovery_point = stuck.recovery_point
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS free
), moved AS (
    UPDATE idempotency_keys SET recovery_point = (SELECT point FROM locked WHERE locked.payment_id = idempotency_keys.payment_id)
    WHERE payment_id = ANY(ARRAY(SELECT payment_id FROM locked)) RETURNING payment_id
)
SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM open), recovery_point AS point, created_at AS since, payment_id AS after
FROM open ORDER BY recovery_point DESC, created_at DESC, payment_id DESC LIMIT 1
"""
_BEGINNING = ("", datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
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
        self._looked_at = _BEGINNING

    def recovery_point(self, merchant: str, key: str) -> RecoveryPoint | None:
        """See IdempotencyKeys."""
        rows = self._database.run(_FIND, {"merchant": merchant, "key": key}, repeatable=True)
        return RecoveryPoint(rows[0][0]) if rows else None

    def recover(self, *, older_than: float = 60.0, limit: int = 1000) -> int:
        """See IdempotencyKeys."""
        point, since, after = self._looked_at
        place = {"point": point, "since": since, "after": after}
        parameters = {**place, "older_than": older_than, "limit": limit, "final": sorted(state.value for state in FINAL)}
        rows = self._database.run(_RECOVER, parameters, repeatable=True)
        recovered, looked, *last = rows[0] if rows else (0, 0)
        self._looked_at = (last[0], last[1], last[2]) if looked == limit else _BEGINNING
        return int(recovered)

    def reap(self, *, older_than: float = KEY_LIFETIME, limit: int = 1000) -> int:
        """See IdempotencyKeys. older_than: seconds, for which keys are kept."""
        return len(self._database.run(_REAP, {"older_than": older_than, "limit": limit}, repeatable=True))
