"""The chain of audit records in PostgreSQL: takes in what happened to payments, one writer at a time, and knows what the audit bucket has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import TupleRow

from payments.domain.audit import GENESIS, AuditRecord, timestamp
from payments.storage.postgres.database import Connection, Database

_LOCK_NUMBER = 0x6175_6469_7463_6861
"""Names the lock of the chain's writer among the database's advisory locks."""

_LOCK: LiteralString = "SELECT pg_try_advisory_xact_lock(%s)"
_LAST: LiteralString = """
SELECT now(), last.position, last.day, last.number, last.hash FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (SELECT position, day, number, hash FROM audit_records ORDER BY position DESC LIMIT 1) AS last ON true
"""
# The lock makes this the only transaction that takes rows out.
_TAKE: LiteralString = """
WITH next AS (
    SELECT payment_id, sequence FROM audit_queue JOIN payment_history USING (payment_id, sequence) ORDER BY occurred_at, payment_id, sequence LIMIT %(limit)s
), taken AS (
    DELETE FROM audit_queue USING next WHERE audit_queue.payment_id = next.payment_id AND audit_queue.sequence = next.sequence
)
SELECT next.payment_id, payments.merchant, payments.reference, next.sequence, change.state, payments.amount, payments.currency, change.occurred_at,
    change.correlation_id, change.reason, change.processor, change.processor_reference
FROM next JOIN payment_history AS change USING (payment_id, sequence) JOIN payments ON payments.payment_id = change.payment_id
ORDER BY change.occurred_at, next.payment_id, next.sequence
"""
_ADD: LiteralString = """
INSERT INTO audit_records (position, day, number, payment_id, sequence, hash, record)
SELECT * FROM unnest(%(positions)s::bigint[], %(days)s::date[], %(numbers)s::bigint[], %(payment_ids)s::uuid[], %(sequences)s::bigint[],
    %(hashes)s::text[], %(records)s::text[])
"""
_UNWRITTEN: LiteralString = "SELECT record FROM audit_records WHERE written_at IS NULL ORDER BY position LIMIT %(limit)s"
_WRITTEN: LiteralString = "UPDATE audit_records SET written_at = now() WHERE position = ANY(%(positions)s) AND written_at IS NULL"


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

    def unwritten(self, limit: int = 500) -> list[AuditRecord]:
        """See AuditChain."""
        return [AuditRecord.from_canonical(row[0]) for row in self._database.run(_UNWRITTEN, {"limit": limit}, repeatable=True)]

    def written(self, records: Iterable[AuditRecord]) -> None:
        """See AuditChain."""
        if wanted := [record.position for record in records]:
            self._database.run(_WRITTEN, {"positions": wanted}, repeatable=True)


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
