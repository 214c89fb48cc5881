"""The chain of audit records in the table. Its end is one item: whoever extends the chain changes it from what they read, so that two cannot at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date
from typing import Any

from payments.domain.audit import GENESIS, AuditRecord, timestamp
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import Expressions, Item
from payments.storage.dynamodb.table import TRANSACTION, Cancelled, Conflict, Key, Table, change, each

_HEAD: Key = ("audit", "head")
_UNWRITTEN = "record"


class DynamoAuditChain:
    """See AuditChain."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def extend(self, limit: int = 500) -> list[AuditRecord]:
        """See AuditChain. Many records are several transactions, each of which leaves a chain that holds."""
        made: list[AuditRecord] = []
        while len(made) < limit:
            waiting = self._waiting(min(limit - len(made), TRANSACTION - 1))
            if not waiting:
                break
            head = self._table.get(_HEAD) or {}
            records = list(self._linked(waiting, head))
            try:
                self._table.transact([_moved(head, records[-1]), *map(_chained, records)])
            except (Cancelled, Conflict):
                # Another one is at it, and goes on.
                break
            made += records
        return made

    def unwritten(self, limit: int = 500) -> list[AuditRecord]:
        """See AuditChain."""
        found = self._table.get_all(self._table.due(_UNWRITTEN, limit=limit, shards=1))
        records = [AuditRecord.from_canonical(item["record"]) for item in found if item.get("due_shard") == _UNWRITTEN]
        return sorted(records, key=lambda record: record.position)

    def written(self, records: Iterable[AuditRecord]) -> None:
        """See AuditChain."""
        each(self._noted, list(records))

    def _waiting(self, limit: int) -> list[dict[str, Any]]:
        """The oldest changes that are not chained. The index may lag, and may have a payment's later change first: the table itself is asked for all before."""
        found = self._table.due("audit", limit=limit)
        whole = {(pk, f"audit#{sequence:04}") for pk, sk in found for sequence in range(1, int(sk.rpartition("#")[2]) + 1)}
        waiting = [json.loads(item["change"]) for item in self._table.get_all(whole) if "position" not in item]
        return sorted(waiting, key=lambda one: (one["occurred_at"], one["payment_id"], one["sequence"]))[:limit]

    def _linked(self, changes: Iterable[dict[str, Any]], head: Item) -> Iterator[AuditRecord]:
        """The changes as records behind the head."""
        now = self._table.now()
        # The day never goes back, whatever clocks do: a record never lands in front of one that is there.
        today = now.astimezone(UTC).date()
        today = max(today, date.fromisoformat(head["day"])) if head else today
        position, previous = int(head.get("position", 0)), str(head.get("hash", GENESIS))
        count = int(head["number"]) if head and head["day"] == today.isoformat() else 0
        for offset, one in enumerate(changes, start=1):
            place: dict[str, Any] = {"position": position + offset, "day": today.isoformat(), "number": count + offset, "recorded_at": timestamp(now)}
            record = AuditRecord(**one, **place).linked(previous)
            previous = record.hash
            yield record

    def _noted(self, record: AuditRecord) -> None:
        expressions = Expressions()
        update = f"SET {expressions.set({'written_at': timestamp(self._table.now())})} REMOVE {expressions.name('due_shard')}, {expressions.name('due_at')}"
        waiting = expressions.equal({"position": record.position, "due_shard": _UNWRITTEN})
        self._table.update(items.audit_key(record.payment_id, record.sequence), update, waiting, expressions)


def _moved(head: Item, last: AuditRecord) -> dict[str, Any]:
    """The chain's end is the last record, where it still was what was read."""
    expressions = Expressions()
    update = f"SET {expressions.set({'position': last.position, 'day': last.day, 'number': last.number, 'hash': last.hash})}"
    here = expressions.equal({"position": head["position"], "hash": head["hash"]}) if head else expressions.absent("pk")
    return change(_HEAD, update, here, expressions)


def _chained(record: AuditRecord) -> dict[str, Any]:
    """The change is in the chain, and in no other place of it."""
    expressions = Expressions()
    values = {"position": record.position, "record": record.canonical(), "due_shard": _UNWRITTEN, "due_at": record.position}
    update = f"SET {expressions.set(values)}"
    waiting = f"attribute_exists({expressions.name('pk')}) AND {expressions.absent('position')}"
    return change(items.audit_key(record.payment_id, record.sequence), update, waiting, expressions)
