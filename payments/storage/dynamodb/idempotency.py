"""Idempotency keys in the table, after the request."""

from __future__ import annotations

from collections.abc import Mapping

from payments.domain.payment import FINAL
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import Expressions, Item
from payments.storage.dynamodb.payments import completion
from payments.storage.dynamodb.table import Key, Table, each, micros
from payments.storage.store import RecoveryPoint


class DynamoIdempotencyKeys:
    """See IdempotencyKeys."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._looked_at = 0

    def recovery_point(self, merchant: str, key: str) -> RecoveryPoint | None:
        """See IdempotencyKeys."""
        item = self._table.get(items.idempotency_key(merchant, key))
        if item is None or self._is_over(item):
            return None
        return RecoveryPoint(item["recovery_point"])

    def recover(self, *, older_than: float = 60.0, limit: int = 1000) -> int:
        """See IdempotencyKeys."""
        until = micros(self._table.now()) - int(older_than * 1_000_000)
        found = self._table.due("key", until, limit, since=self._looked_at)
        kept = {(item["pk"], item["sk"]): item for item in self._table.get_all(found)}
        payments = {item["payment_id"]: item for item in self._table.get_all(items.payment_key(item["payment_id"]) for item in kept.values())}
        recovered = each(lambda key: self._recovered(key, kept[key], payments), [key for key in found if key in kept])
        waiting = [int(item["due_at"]) for item in kept.values() if "due_at" in item]
        self._looked_at = max(waiting, default=0) + 1 if len(found) == limit else 0
        return sum(recovered)

    def reap(self, *, limit: int = 1000) -> int:  # noqa: ARG002 - as all keys have it
        """See IdempotencyKeys. DynamoDB removes them by their time to live, so there is never anything to do; until it has, they count as gone."""
        return 0

    def _recovered(self, key: Key, item: Item, payments: Mapping[str, Item]) -> bool:
        """Whether the key was behind its payment, and is no more."""
        payment = payments.get(item["payment_id"])
        if payment is None:
            return False
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
