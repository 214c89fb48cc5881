"""The chain of audit records in PostgreSQL: takes in what happened to payments, one writer at a time, and knows what the audit bucket has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import TupleRow

from payments.domain.audit import GENESIS, AuditBatch, AuditRecord, timestamp
from payments.storage.postgres.database import Connection, Database

_LOCK_NUMBER = 0x6175_6469_7463_6861
"""Names the lock of the chain's writer among the database's advisory locks."""

_LOCK: LiteralString = "SELECT pg_try_advisory_xact_lock(%s)"
_LAST: LiteralString = """
SELECT now(), last.position, last.day, last.number, last.hash FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (SELECT position, day, number, hash FROM audit_records ORDER BY position DESC LIMIT 1) AS last ON true
"""
# The lock makes this the only transaction that takes rows out, so that they are where they were found. Each change is looked up by its key: a bite
# costs what a bite is, however long the queue and the tables are (OFFSET keeps the server from making joins of the look-ups).
_TAKE: LiteralString = """
WITH next AS MATERIALIZED (
    SELECT ctid AS found, place, payment_id, sequence FROM audit_queue ORDER BY place NULLS FIRST, payment_id, sequence LIMIT %(limit)s
), taken AS (
    DELETE FROM audit_queue WHERE ctid = ANY(ARRAY(SELECT found FROM next))
)
SELECT next.payment_id, payment.merchant, payment.reference, next.sequence, change.state, payment.amount, payment.currency, change.occurred_at,
    change.correlation_id, change.reason, change.processor, change.processor_reference
FROM next
CROSS JOIN LATERAL (
    SELECT * FROM payment_history WHERE payment_history.payment_id = next.payment_id AND payment_history.sequence = next.sequence OFFSET 0
) AS change
CROSS JOIN LATERAL (SELECT * FROM payments WHERE payments.payment_id = next.payment_id OFFSET 0) AS payment
ORDER BY next.place NULLS FIRST, next.payment_id, next.sequence
"""
# Records go in binary form: as text, each of their quotation marks would have to be escaped, which takes longer than all the rest.
_ADD: LiteralString = """
INSERT INTO audit_records (position, day, number, payment_id, sequence, hash, record, batch)
SELECT *, %(batch)s FROM unnest(%(positions)s::bigint[], %(days)s::date[], %(numbers)s::bigint[], %(payment_ids)s::uuid[], %(sequences)s::bigint[],
    %(hashes)b::text[], %(records)b::text[])
"""
_UNWRITTEN: LiteralString = """
SELECT coalesce(batch, position), max(day), max(number), count(*), string_agg(record, E'\\n' ORDER BY position) FROM audit_records
WHERE written_at IS NULL AND position <= (SELECT max(position) FROM (
    SELECT position FROM audit_records WHERE written_at IS NULL AND coalesce(batch, position) = position ORDER BY position LIMIT %(limit)s
) AS ends)
GROUP BY 1 ORDER BY 1
"""
_WRITTEN: LiteralString = """
UPDATE audit_records SET written_at = now()
WHERE written_at IS NULL AND position BETWEEN %(first)s AND %(last)s AND coalesce(batch, position) = ANY(%(batches)s)
"""
_LAG: LiteralString = """
WITH oldest AS MATERIALIZED (
    (SELECT payment_id, sequence FROM audit_queue ORDER BY place NULLS FIRST, payment_id, sequence LIMIT 1)
    UNION ALL (SELECT payment_id, sequence FROM audit_records WHERE written_at IS NULL ORDER BY position LIMIT 1)
)
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(change.occurred_at)), 0) FROM oldest CROSS JOIN LATERAL (
    SELECT occurred_at FROM payment_history WHERE payment_history.payment_id = oldest.payment_id AND payment_history.sequence = oldest.sequence OFFSET 0
) AS change
"""


class PostgresAuditChain:
    """See AuditChain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def extend(self, limit: int = 500) -> list[AuditRecord]:
        """See AuditChain."""
        with self._database.transaction() as connection:
            if not _one(connection, _LOCK, (_LOCK_NUMBER,))[0]:
                return []
            now, *last = _one(connection, _LAST)
            rows = connection.execute(_TAKE, {"limit": limit}).fetchall()
            records = list(_linked(rows, now, last))
            if records:
                connection.execute(_ADD, _columns(records))
        return records

    def unwritten(self, limit: int = 8) -> list[AuditBatch]:
        """See AuditChain."""
        rows = self._database.run(_UNWRITTEN, {"limit": limit}, repeatable=True)
        return [AuditBatch(name=name, day=day, number=number, size=size, text=text) for name, day, number, size, text in rows]

    def written(self, batches: Sequence[AuditBatch]) -> None:
        """See AuditChain."""
        if batches:
            # A batch is called by the position of its last record.
            names = [batch.name for batch in batches]
            first = min(batch.name - batch.size + 1 for batch in batches)
            self._database.run(_WRITTEN, {"first": first, "last": max(names), "batches": names}, repeatable=True)

    def lag(self) -> float:
        """See AuditChain."""
        return max(0.0, float(self._database.run(_LAG, repeatable=True)[0][0]))


def _linked(rows: Iterable[TupleRow], now: datetime, last: Sequence[Any]) -> Iterator[AuditRecord]:
    """The changes as records behind the last one, whose columns are None where there is none yet."""
    position, day, number, previous = last
    # The day never goes back, whatever clocks do: a record never lands in front of one that is there.
    today = now.astimezone(UTC).date()
    today = today if day is None else max(today, day)
    count = (number or 0) if day == today else 0
    previous = previous or GENESIS
    for offset, row in enumerate(rows, start=1):
        record = _record(row, position=(position or 0) + offset, day=today.isoformat(), number=count + offset, recorded_at=timestamp(now)).linked(previous)
        previous = record.hash
        yield record


def _record(row: TupleRow, **place: Any) -> AuditRecord:
    payment_id, merchant, reference, sequence, state, amount, currency, occurred_at, correlation_id, reason, processor, processor_reference = row
    return AuditRecord(
        payment_id=str(payment_id),
        merchant=merchant,
        reference=reference,
        sequence=sequence,
        state=state,
        amount=amount,
        currency=currency,
        occurred_at=timestamp(occurred_at),
        correlation_id=correlation_id,
        reason=reason,
        processor=processor,
        processor_reference=processor_reference,
        **place,
    )


def _columns(records: list[AuditRecord]) -> dict[str, Any]:
    return {
        "batch": records[-1].position,
        "positions": [record.position for record in records],
        "days": [record.day for record in records],
        "numbers": [record.number for record in records],
        "payment_ids": [UUID(record.payment_id) for record in records],
        "sequences": [record.sequence for record in records],
        "hashes": [record.hash for record in records],
        "records": [record.canonical() for record in records],
    }


def _one(connection: Connection, query: LiteralString, parameters: tuple[int, ...] | None = None) -> TupleRow:
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise LookupError("a statement that always has one row had none")
    return row
