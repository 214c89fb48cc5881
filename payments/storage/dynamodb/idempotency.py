"""Idempotency keys in the table, after the request."""

from __future__ import annotations

from payments.domain.payment import FINAL
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import Expressions, Item
from payments.storage.dynamodb.payments import completion
from payments.storage.dynamodb.table import Key, Table, micros
from payments.storage.store import RecoveryPoint


class DynamoIdempotencyKeys:
    """See IdempotencyKeys."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def recovery_point(self, merchant: str, key: str) -> RecoveryPoint | None:
        """See IdempotencyKeys."""
        item = self._table.get(items.idempotency_key(merchant, key))
        if item is None or self._is_over(item):
            return None
        return RecoveryPoint(item["recovery_point"])

    def recover(self, *, older_than: float = 60.0, limit: int = 1000) -> int:
        """See IdempotencyKeys."""
        until = micros(self._table.now()) - int(older_than * 1_000_000)
        kept = {(item["pk"], item["sk"]): item for item in self._table.get_all(self._table.due("key", until))}
        payments = {item["payment_id"]: item for item in self._table.get_all(items.payment_key(item["payment_id"]) for item in kept.values())}
        done = 0
        for key, item in sorted(kept.items(), key=lambda found: found[1].get("due_at", 0)):
            payment = payments.get(item["payment_id"])
            if done < limit and payment is not None and self._recovered(key, item, payment):
                done += 1
        return done

    def reap(self, *, limit: int = 1000) -> int:  # noqa: ARG002 - as all keys have it
        """See IdempotencyKeys. DynamoDB removes them by their time to live, so there is never anything to do; until it has, they count as gone."""
        return 0

    def _recovered(self, key: Key, item: Item, payment: Item) -> bool:
        """Whether the key was behind its payment, and is no more."""
        point, expressions = RecoveryPoint(item["recovery_point"]), Expressions()
        if point is not RecoveryPoint.COMPLETED and payment["state"] in FINAL:
            update = completion(expressions, self._table.now())
        elif point is RecoveryPoint.PAYMENT_CREATED and (payment["state"] != "received" or self._was_sent(item["payment_id"])):
            update = f"SET {expressions.set({'recovery_point': RecoveryPoint.WORK_QUEUED.value})}"
        else:
            return False
        here = expressions.equal({"payment_id": item["payment_id"], "recovery_point": point.value})
        return self._table.update(key, update, here, expressions) is not None

    def _was_sent(self, payment_id: str) -> bool:
        return self._table.get(items.outbox_key(payment_id, "work", 1)) is None

    def _is_over(self, item: Item) -> bool:
        return "expires_at" in item and int(item["expires_at"]) <= int(self._table.now().timestamp())
