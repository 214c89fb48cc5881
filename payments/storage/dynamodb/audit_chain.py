"""The chain of audit records in the table. Its end is one item: whoever extends the chain changes it from what they read, so that two cannot at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from payments.domain.audit import GENESIS, AuditBatch, AuditRecord, records_of, timestamp
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import Expressions, Item
from payments.storage.dynamodb.table import TRANSACTION, Cancelled, Conflict, Key, Table, change, each

_HEAD: Key = ("audit", "head")
_UNWRITTEN = "record"
_TRANSACTIONS = 5
"""Of one `extend`, so that its caller has an eye on the time."""


class DynamoAuditChain:
    """See AuditChain."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def extend(self, limit: int = 500) -> list[AuditRecord]:
        """See AuditChain. Many records are several transactions, each of which is a batch and leaves a chain that holds."""
        made: list[AuditRecord] = []
        for _ in range(_TRANSACTIONS):
            waiting = self._waiting(min(limit - len(made), TRANSACTION - 2))
            if not waiting:
                break
            head = self._table.get(_HEAD) or {}
            records = list(self._linked(waiting, head))
            try:
                self._table.transact([_moved(head, records[-1]), _batched(records), *map(_chained, records)])
            except (Cancelled, Conflict):
                # Another one is at it, and goes on.
                break
            made += records
        return made

    def unwritten(self, limit: int = 8) -> list[AuditBatch]:
        """See AuditChain."""
        found = self._table.get_all(self._table.due(_UNWRITTEN, limit=limit, shards=1))
        batches = [self._batch(item) for item in found if item.get("due_shard") == _UNWRITTEN]
        return sorted(batches, key=lambda batch: (batch.day, batch.number))

    def written(self, batches: Sequence[AuditBatch]) -> None:
        """See AuditChain."""
        each(self._noted, batches)

    def lag(self) -> float:
        """See AuditChain."""
        waiting = [json.loads(item["change"]) for item in self._table.get_all(self._table.due("audit", limit=1)) if "position" not in item]
        since = [one["occurred_at"] for one in waiting]
        since += [record.occurred_at for batch in self.unwritten(limit=1) for record in records_of(batch.text)]
        return max(0.0, (self._table.now() - datetime.fromisoformat(min(since))).total_seconds()) if since else 0.0

    def _batch(self, item: Item) -> AuditBatch:
        """A batch with its records, which are kept with the changes. A record that waits by itself is a batch too."""
        keys = [items.audit_key(*change) for change in json.loads(item["changes"])] if "changes" in item else [(item["pk"], item["sk"])]
        records = sorted((AuditRecord.from_canonical(one["record"]) for one in self._table.get_all(keys)), key=lambda record: record.position)
        last = records[-1]
        text = "\n".join(record.canonical() for record in records)
        return AuditBatch(name=(item["pk"], item["sk"]), day=date.fromisoformat(last.day), number=last.number, size=len(records), text=text)

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

    def _noted(self, batch: AuditBatch) -> None:
        expressions = Expressions()
        update = f"SET {expressions.set({'written_at': timestamp(self._table.now())})} REMOVE {expressions.name('due_shard')}, {expressions.name('due_at')}"
        self._table.update(batch.name, update, expressions.equal({"due_shard": _UNWRITTEN}), expressions)


def _moved(head: Item, last: AuditRecord) -> dict[str, Any]:
    """The chain's end is the last record, where it still was what was read."""
    expressions = Expressions()
    update = f"SET {expressions.set({'position': last.position, 'day': last.day, 'number': last.number, 'hash': last.hash})}"
    here = expressions.equal({"position": head["position"], "hash": head["hash"]}) if head else expressions.absent("pk")
    return change(_HEAD, update, here, expressions)


def _batched(records: Sequence[AuditRecord]) -> dict[str, Any]:
    """These records are one object of the audit bucket, which does not have it yet."""
    expressions = Expressions()
    position = records[-1].position
    changes = json.dumps([[record.payment_id, record.sequence] for record in records])
    update = f"SET {expressions.set({'changes': changes, 'due_shard': _UNWRITTEN, 'due_at': position})}"
    return change(items.batch_key(position), update, expressions.absent("pk"), expressions)


def _chained(record: AuditRecord) -> dict[str, Any]:
    """The change is in the chain, and in no other place of it."""
    expressions = Expressions()
    values = {"position": record.position, "record": record.canonical()}
    update = f"SET {expressions.set(values)} REMOVE {expressions.name('due_shard')}, {expressions.name('due_at')}"
    waiting = f"attribute_exists({expressions.name('pk')}) AND {expressions.absent('position')}"
    return change(items.audit_key(record.payment_id, record.sequence), update, waiting, expressions)
