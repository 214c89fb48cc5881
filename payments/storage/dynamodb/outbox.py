"""The outbox in the table. What is to be told waits under the time at which it is due; whoever claims it puts that off, and removes it once it was told."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from typing import cast
from uuid import uuid4

from payments.storage import store
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import Expressions, Item
from payments.storage.dynamodb.table import Cancelled, Key, Table, change, each, micros, remove
from payments.storage.store import Claim, Kind, OutboxRow, RecoveryPoint


class DynamoOutbox:
    """See Outbox."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @contextmanager
    def pending(self, kind: Kind, *, payment_ids: Iterable[str] | None = None, older_than: float = 0.0, limit: int = 100) -> Generator[Claim]:
        """See Outbox."""
        now = micros(self._table.now())
        until = now - int(older_than * 1_000_000)
        # Of payments that someone is at, all is due at once: whoever wrote it may have had a clock that is ahead of this one.
        when = until if older_than else None
        found = self._table.due(kind, until, limit) if payment_ids is None else self._of(list(payment_ids), kind, when)[:limit]
        token = str(uuid4())
        claimed = [item for item in each(lambda key: self._claimed(key, token, now), found) if item]
        claim = Claim(tuple(map(_row, claimed)))
        due = {row.id: int(item["due_before"]) for row, item in zip(claim.rows, claimed, strict=True)}
        try:
            yield claim
        except BaseException:
            # Where even that fails, the claim ends by itself.
            with suppress(store.DatabaseUnavailable):
                each(lambda row: self._released(row, token, due[row.id], attempts=0), claim.rows)
            raise
        told = set(claim.ids(sent=True))
        self._removed(kind, [row.id for row in claim.rows if row.id in told])
        again = micros(self._table.now())
        each(lambda row: self._released(row, token, again, attempts=1), [row for row in claim.rows if row.id not in told])

    def mark_sent(self, ids: Iterable[str]) -> None:
        """See Outbox."""
        each(self._worked, list(ids))

    def reap(self, *, older_than: float, limit: int = 1000) -> int:  # noqa: ARG002 - as all outboxes have it
        """See Outbox. What was told is removed at once, so there is never anything to do."""
        return 0

    def _of(self, payment_ids: Sequence[str], kind: Kind, until: int | None) -> list[Key]:
        """The keys of all that is to be told of payments, oldest first."""
        found = each(lambda payment_id: self._table.query(*items.outbox_of(payment_id, kind)), payment_ids)
        rows = sorted((item for of_payment in found for item in of_payment), key=lambda item: (item["due_at"], item["sequence"]))
        return [(item["pk"], item["sk"]) for item in rows if until is None or item["due_at"] <= until]

    def _claimed(self, key: Key, token: str, now: int) -> Item | None:
        """The row, where it is there still: it was not told yet, and nobody else has claimed it, or they did and have not come back in time."""
        expressions = Expressions()
        lease = now + int(store.CLAIM_TIMEOUT * 1_000_000)
        due = expressions.name("due_at")
        update = f"SET {expressions.name('due_before')} = {due}, {expressions.set({'due_at': lease, 'claim': token})}"
        free = f"attribute_exists({expressions.name('pk')}) AND ({expressions.absent('claim')} OR {expressions.at_most('due_at', now)})"
        return self._table.update(key, update, free, expressions)

    def _released(self, row: OutboxRow, token: str, due_at: int, *, attempts: int) -> None:
        """Lets others have a row; nothing where it is theirs already."""
        expressions = Expressions()
        count = expressions.name("attempts")
        update = f"SET {expressions.set({'due_at': due_at})}, {count} = {count} + {expressions.value(attempts)} REMOVE {expressions.name('claim')}"
        self._table.update(items.outbox_key(row.payment_id, row.kind, row.sequence), update, expressions.equal({"claim": token}), expressions)

    def _removed(self, kind: Kind, ids: Sequence[store.RowId]) -> None:
        if kind == "work":
            self.mark_sent(map(str, ids))
        else:
            self._table.delete_all(items.outbox_key(*_parts(str(name))[:3]) for name in ids)

    def _worked(self, name: str) -> None:
        """The worker was told; the payment's key says so, unless it is further already."""
        payment_id, kind, sequence, merchant, key = _parts(name)
        row = items.outbox_key(payment_id, kind, sequence)
        expressions = Expressions()
        update = f"SET {expressions.set({'recovery_point': RecoveryPoint.WORK_QUEUED.value})}"
        here = expressions.equal({"payment_id": payment_id, "recovery_point": RecoveryPoint.PAYMENT_CREATED.value})
        try:
            self._table.transact([remove(row), change(items.idempotency_key(merchant, key), update, here, expressions)])
        except Cancelled:
            self._table.delete_all([row])


def row_id(item: Item) -> str:
    """The name of a row of the outbox, by which it and the payment's idempotency key are found."""
    return json.dumps([item["payment_id"], item["kind"], int(item["sequence"]), item.get("merchant", ""), item.get("idempotency_key", "")], ensure_ascii=False)


def _parts(name: str) -> tuple[str, Kind, int, str, str]:
    payment_id, kind, sequence, merchant, key = json.loads(name)
    return payment_id, cast(Kind, kind), sequence, merchant, key


def _row(item: Item) -> OutboxRow:
    return OutboxRow(row_id(item), item["kind"], item["payment_id"], int(item["sequence"]), json.loads(item["body"]))
