"""The table in which everything about payments is kept, and the calls that it takes.

Its keys: `pk` (S) and `sk` (S). Its index `due`, which needs the keys alone: `due_shard` (S) and `due_at` (N). Its time to live: `expires_at` (N, seconds).

| item | pk | sk | due_shard, while it waits |
|---|---|---|---|
| payment, with its history | `payment#<id>` | `payment` | |
| something to be told | `payment#<id>` | `outbox#<kind>#<sequence>` | `<kind>#<shard>`; due_at in microseconds since 1970 |
| change for the audit chain | `payment#<id>` | `audit#<sequence>` | `audit#<shard>` until it is chained |
| batch of audit records | `audit` | `batch#<position of the last record>` | `record` until it is in the bucket; due_at is the position |
| entry of the ledger | `payment#<id>` | `ledger#<movement>#<account>` | |
| idempotency key | `key#<key>` | the merchant | `key#<shard>` until its payment came to an end |
| whose a reference is | `reference#<reference>` | the merchant | |
| end of the audit chain | `audit` | `head` | |

Keys of all merchants are spread over all partitions, so that one busy merchant is as quick as many.
"""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from payments.clients import client, error_code, is_busy
from payments.storage.dynamodb.expressions import Expressions, Item, decoded, encoded
from payments.storage.store import DatabaseUnavailable

T = TypeVar("T")
R = TypeVar("R")
Key = tuple[str, str]
"""pk and sk."""

INDEX = "due"
SHARDS = 4
"""Partitions of the index over which each kind of item is spread: DynamoDB takes 1,000 writes a second in one."""

PATIENCE = 2.0
"""Seconds for which a write is tried again that meets another transaction; PostgreSQL's locks are waited for as long."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THREADS = 8
# Of BatchGetItem, BatchWriteItem and TransactWriteItems ("Service, account, and table quotas").
_READS, _WRITES, TRANSACTION = 100, 25, 100
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.4  # seconds

_CONFLICTS = frozenset({"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"})
_THROTTLED = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})  # of one action; botocore tries a whole call again that was throttled
FAILED = "ConditionalCheckFailed"


class Conflict(DatabaseUnavailable):
    """Another transaction was at one of the items for longer than PATIENCE. Nothing was done."""


class Cancelled(Exception):  # noqa: N818 - what happened to the transaction; the caller knows what it means
    """A transaction's conditions do not hold; nothing of it was done.

    failed: the numbers of the actions whose conditions do not hold. items: by number, the item that was in the way, where the action asks for it.
    """

    def __init__(self, reasons: Sequence[Mapping[str, Any]]) -> None:
        super().__init__([reason.get("Code") for reason in reasons])
        self.failed = {number for number, reason in enumerate(reasons) if reason.get("Code") == FAILED}
        self.items = {number: decoded(reason["Item"]) for number, reason in enumerate(reasons) if reason.get("Item")}


@dataclass(frozen=True)
class Table:
    """The table. Every method raises DatabaseUnavailable where DynamoDB is to blame; reads are strongly consistent but for those of the index.

    clock: tells the time, with a time zone.
    """

    name: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def get(self, key: Key) -> Item | None:
        """An item; None where there is none."""
        found = self._call("get_item", Key=_key(key), ConsistentRead=True).get("Item")
        return decoded(found) if found else None

    def get_all(self, keys: Iterable[Key]) -> list[Item]:
        """The items of these keys that there are, in no order."""
        wanted = list(dict.fromkeys(keys))
        return [item for found in each(self._batch, [wanted[start : start + _READS] for start in range(0, len(wanted), _READS)]) for item in found]

    def query(self, pk: str, prefix: str) -> list[Item]:
        """The items of a partition whose sort keys begin so, in their order."""
        expressions = Expressions()
        condition = f"{expressions.name('pk')} = {expressions.value(pk)} AND begins_with({expressions.name('sk')}, {expressions.value(prefix)})"
        return [decoded(item) for item in self._pages("query", KeyConditionExpression=condition, ConsistentRead=True, **expressions.parameters())]

    def scan(self, prefix: str) -> Iterator[Item]:
        """All items whose sort keys begin so; reads the whole table."""
        expressions = Expressions()
        condition = f"begins_with({expressions.name('sk')}, {expressions.value(prefix)})"
        return (decoded(item) for item in self._pages("scan", FilterExpression=condition, ConsistentRead=True, **expressions.parameters()))

    def due(self, kind: str, until: int | None = None, limit: int | None = None, *, since: int = 0, shards: int = SHARDS) -> list[Key]:
        """The keys of items of a kind that the index has, in the order in which they are due; what was written just now may be missing, or there still.

        until: only those that are due then or earlier. limit: no more than so many. since: only those that are due then or later.
        """

        def of(shard: str) -> list[tuple[int, Key]]:
            expressions = Expressions()
            condition = f"{expressions.name('due_shard')} = {expressions.value(shard)}"
            if since and until is not None:
                condition += f" AND {expressions.name('due_at')} BETWEEN {expressions.value(since)} AND {expressions.value(until)}"
            elif until is not None:
                condition += f" AND {expressions.at_most('due_at', until)}"
            pages = self._pages("query", IndexName=INDEX, KeyConditionExpression=condition, **expressions.parameters(), **({"Limit": limit} if limit else {}))
            return [(int(item["due_at"]["N"]), (item["pk"]["S"], item["sk"]["S"])) for item in islice(pages, limit)]

        found = merge(*each(of, [kind] if shards == 1 else [f"{kind}#{number}" for number in range(shards)]))
        return [key for _, key in islice(found, limit)]

    def update(self, key: Key, update: str, condition: str, expressions: Expressions) -> Item | None:
        """Changes an item; the whole item afterwards, None where the condition does not hold, and nothing was done."""
        parameters = {"UpdateExpression": update, "ConditionExpression": condition, **expressions.parameters()}
        try:
            return decoded(self._persistent("update_item", Key=_key(key), ReturnValues="ALL_NEW", **parameters)["Attributes"])
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return None

    def delete_all(self, keys: Iterable[Key]) -> None:
        """Removes items; where one fails, the others may be gone."""
        waiting: list[dict[str, Any]] = [{"DeleteRequest": {"Key": _key(key)}} for key in keys]
        patience = _Patience()
        while waiting:
            asked = waiting[:_WRITES]
            left = self._call("batch_write_item", RequestItems={self.name: asked}).get("UnprocessedItems", {}).get(self.name, [])
            waiting = [*left, *waiting[_WRITES:]]
            if len(left) < len(asked):
                patience.renew()
            if left:
                patience.wait(_busy())

    def transact(self, actions: Sequence[dict[str, Any]]) -> None:
        """Does all actions or none of them; raises Cancelled where a condition does not hold."""
        named = [{kind: {"TableName": self.name, **action} for kind, action in one.items()} for one in actions]
        try:
            self._persistent("transact_write_items", TransactItems=named)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            raise Cancelled(_reasons(error)) from error

    def now(self) -> datetime:
        """The time."""
        return self.clock().astimezone(UTC)

    def _batch(self, keys: Sequence[Key]) -> list[Item]:
        found: list[Item] = []
        asked = [_key(key) for key in keys]
        patience = _Patience()
        while True:
            answer = self._call("batch_get_item", RequestItems={self.name: {"Keys": asked, "ConsistentRead": True}})
            found += [decoded(item) for item in answer["Responses"].get(self.name, [])]
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not left:
                return found
            if len(left) < len(asked):
                patience.renew()
            patience.wait(_busy())
            asked = left

    def _pages(self, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            answer = self._call(operation, **parameters, **start)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _persistent(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """A write, tried again while another transaction is at the same items, or DynamoDB is busy with one of them."""
        patience = _Patience()
        while True:
            try:
                return self._call(operation, **parameters)
            except ClientError as error:
                codes = {error_code(error)} | {str(reason.get("Code")) for reason in _reasons(error)}
                # A condition that does not hold may do so once the other transaction is over.
                if not codes & (_CONFLICTS | _THROTTLED):
                    raise
            patience.wait(Conflict(f"others were at the same items for over {PATIENCE:g} s; nothing was done") if codes & _CONFLICTS else _busy())

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        about = {} if operation.startswith(("batch", "transact")) else {"TableName": self.name}
        try:
            return getattr(client("dynamodb"), operation)(**about, **parameters)
        except (ClientError, BotoCoreError) as error:
            if not is_busy(error) or (isinstance(error, ClientError) and error_code(error) in _CONFLICTS):
                raise
            raise DatabaseUnavailable(f"DynamoDB did not do it in time ({type(error).__name__}); the same can be asked for again") from error


def put(item: Item, condition: str = "", expressions: Expressions | None = None, *, old: bool = False) -> dict[str, Any]:
    """Writes an item, as an action of a transaction; only where there is none, unless a condition says otherwise. old: tells what was in the way."""
    found = expressions or Expressions()
    parameters = {"Item": encoded(item), "ConditionExpression": condition or found.absent("pk"), **found.parameters()}
    return {"Put": {**parameters, **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if old else {})}}


def change(key: Key, update: str, condition: str, expressions: Expressions) -> dict[str, Any]:
    """Changes an item, as an action of a transaction."""
    return {"Update": {"Key": _key(key), "UpdateExpression": update, "ConditionExpression": condition, **expressions.parameters()}}


def remove(key: Key) -> dict[str, Any]:
    """Removes an item, as an action of a transaction."""
    return {"Delete": {"Key": _key(key)}}


def shard(kind: str, name: str) -> str:
    """The partition of the index for an item of a kind: the same each time for a payment's id, or another name."""
    return f"{kind}#{zlib.crc32(name.encode()) % SHARDS}"


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def each(do: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What `do` makes of each item, several at a time; raises what the first one raised that failed, and begins nothing more then.

    So a table that does not answer costs the time of one call, and not that of all of them.
    """
    if len(items) < 2:
        return [do(item) for item in items]
    over = threading.Event()

    def once(item: T) -> R:
        if over.is_set():
            raise CancelledError
        try:
            return do(item)
        except Exception:
            over.set()
            raise

    with ThreadPoolExecutor(min(_THREADS, len(items))) as threads:
        return list(threads.map(once, items))


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    response: dict[str, Any] = error.response
    return response.get("CancellationReasons", [])


def _busy() -> DatabaseUnavailable:
    return DatabaseUnavailable(f"DynamoDB was busy for over {PATIENCE:g} s; the same can be asked for again")


class _Patience:
    """Pauses between attempts, longer from one to the next and never the same ("full jitter"), for PATIENCE."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Something was done: what is left has all the time again."""
        self._deadline, self._longest = time.monotonic() + PATIENCE, _FIRST_PAUSE

    def wait(self, otherwise: DatabaseUnavailable) -> None:
        """Until the next attempt; raises `otherwise` where there has been time for enough of them."""
        if time.monotonic() > self._deadline:
            raise otherwise
        time.sleep(random.uniform(0, self._longest))  # noqa: S311 - no secret
        self._longest = min(_LONGEST_PAUSE, 2 * self._longest)
