"""moto's DynamoDB, with transactions that are atomic between threads: its own copy the whole table, and put that copy back over what others wrote meanwhile."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from moto.dynamodb import exceptions, models
from moto.dynamodb.comparisons import get_filter_expression

# One at a time, in each process: all that reads or writes items.
_DATA_PLANE = ("get_item", "put_item", "update_item", "delete_item", "query", "scan", "transact_write_items")
_LARGEST = 100  # "TransactWriteItems" in the API reference

_lock = threading.RLock()


def transactions_are_atomic() -> None:
    """Conditions are checked before anything is written, a transaction that fails undoes its own writes alone, and nobody sees half of one."""
    backend: Any = models.DynamoDBBackend
    if getattr(backend.transact_write_items, "__wrapped__", None) is _transact:
        return
    backend.transact_write_items = _transact
    for name in _DATA_PLANE:
        setattr(backend, name, _alone(getattr(backend, name)))


def _alone(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def alone(*args: Any, **kwargs: Any) -> Any:
        with _lock:
            return method(*args, **kwargs)

    return alone


def _transact(backend: Any, transact_items: Sequence[Mapping[str, Any]]) -> None:
    if len(transact_items) > _LARGEST:
        raise exceptions.TooManyTransactionsException
    actions: list[tuple[str, Any, dict[str, Any]]] = []
    for one in transact_items:
        if len(one) > 1:
            raise exceptions.TransactWriteSingleOpException
        kind, action = next(iter(one.items()))
        actions.append((kind, action, _key(backend, kind, action)))
    places = [(action["TableName"], str(sorted(key.items()))) for _, action, key in actions]
    if len(set(places)) < len(places):
        raise exceptions.MultipleTransactionsException
    items = [backend.get_item(action["TableName"], key) for _, action, key in actions]
    reasons = [_reason(action, item) for (_, action, _), item in zip(actions, items, strict=True)]
    if any(code for code, _, _ in reasons):
        raise exceptions.TransactionCanceledException(reasons)
    before = copy.deepcopy(items)
    try:
        for kind, action, key in actions:
            _write(backend, kind, action, key)
    except Exception:
        for (_, action, key), item in zip(actions, before, strict=True):
            _restore(backend, action["TableName"], key, item)
        raise


def _key(backend: Any, kind: str, action: Mapping[str, Any]) -> dict[str, Any]:
    if kind != "Put":
        return dict(action["Key"])
    table = backend.get_table(action["TableName"])
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    return {name: action["Item"][name] for name in names}


def _reason(action: Mapping[str, Any], item: Any) -> tuple[str | None, str | None, Any]:
    condition = action.get("ConditionExpression")
    if condition is None or get_filter_expression(condition, action.get("ExpressionAttributeNames"), action.get("ExpressionAttributeValues")).expr(item):
        return None, None, None
    kept = item.to_json()["Attributes"] if item and action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else None
    return "ConditionalCheckFailed", "The conditional request failed", kept


def _write(backend: Any, kind: str, action: Mapping[str, Any], key: dict[str, Any]) -> None:
    about = {
        "expression_attribute_names": action.get("ExpressionAttributeNames"),
        "expression_attribute_values": action.get("ExpressionAttributeValues"),
        "condition_expression": action.get("ConditionExpression"),
    }
    if kind == "Put":
        backend.put_item(action["TableName"], action["Item"], **about)
    elif kind == "Delete":
        backend.delete_item(action["TableName"], key, **about)
    elif kind == "Update":
        backend.update_item(action["TableName"], key, update_expression=action["UpdateExpression"], **about)


def _restore(backend: Any, name: str, key: dict[str, Any], item: Any) -> None:
    """Puts an item back as it was before the transaction, or away where there was none."""
    backend.delete_item(name, key)
    if item is not None:
        backend.put_item(name, item.to_json()["Attributes"])
