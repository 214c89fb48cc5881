"""What calls of DynamoDB cost in capacity, reckoned from the sizes of the items that they read and write, as AWS bills them.

moto answers a made-up ConsumedCapacity. Sources: DynamoDB developer guide, "DynamoDB item sizes and formats", "Capacity unit consumption for write
operations", "Managing complex workflows with DynamoDB transactions" and "Using Global Secondary Indexes, provisioned throughput considerations".
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.payments.service import aws

_ENTRY = ("due_shard", "due_at", "pk", "sk")
_WRITES = {"PutItem": 1, "UpdateItem": 1, "DeleteItem": 1, "BatchWriteItem": 1, "TransactWriteItems": 2}


class Meter:
    """Counts what every call costs from now on, as (table, `write` or `read`); an index is `<table>/<index>`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.units: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._lock, self._within = threading.RLock(), False
        call = BaseClient.__dict__["_make_api_call"]

        def metered(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            with self._lock:
                if self._within or client.meta.service_model.service_name != "dynamodb":
                    return call(client, operation, parameters)
                before = self._items() if operation in _WRITES else {}
                answer = call(client, operation, parameters)
                if operation in _WRITES:
                    self._written(before, self._items(), _WRITES[operation])
                else:
                    self._read(operation, parameters, answer)
                return answer

        patch.setattr(BaseClient, "_make_api_call", metered)

    def _items(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every item of every table."""
        self._within = True
        try:
            found: dict[tuple[str, str], dict[str, Any]] = {}
            for table in aws("dynamodb").list_tables()["TableNames"]:
                names = [key["AttributeName"] for key in aws("dynamodb").describe_table(TableName=table)["Table"]["KeySchema"]]
                found |= {(table, str([item[name] for name in names])): item for item in aws("dynamodb").scan(TableName=table)["Items"]}
            return found
        finally:
            self._within = False

    def _written(self, before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any], copies: int) -> None:
        """A write costs its larger item by the KiB, twice in a transaction; an index's entry that moves is deleted and put."""
        for place in before.keys() | after.keys():
            old, new = before.get(place), after.get(place)
            if old == new:
                continue
            table = place[0]
            self.units[table, "write"] += copies * _kib(max(_size(old), _size(new)))
            entries = [entry for entry in (_entry(old), _entry(new)) if entry]
            if len(entries) < 2 or entries[0] != entries[1]:
                self.units[f"{table}/due", "write"] += sum(_kib(_size(entry)) for entry in entries)

    def _read(self, operation: str, parameters: dict[str, Any], answer: dict[str, Any]) -> None:
        """A strongly consistent read costs by 4 KiB, any other half of that; a query the sum of what it found, and never nothing."""
        if operation == "GetItem":
            self._costs(parameters["TableName"], [_size(answer.get("Item"))], parameters.get("ConsistentRead"))
        elif operation == "BatchGetItem":
            for table, asked in parameters["RequestItems"].items():
                sizes = [_size(item) for item in answer["Responses"].get(table, [])]
                self._costs(table, sizes + [0] * (len(asked["Keys"]) - len(sizes)), asked.get("ConsistentRead"))
        elif operation == "Query":
            index = parameters.get("IndexName")
            found = [_entry(item) if index else item for item in answer["Items"]]
            self._costs(f"{parameters['TableName']}/{index}" if index else parameters["TableName"], [sum(map(_size, found))], parameters.get("ConsistentRead"))
        else:
            raise AssertionError(f"{operation} is not reckoned here")

    def _costs(self, table: str, sizes: Iterable[int], consistent: object) -> None:
        self.units[table, "read"] += sum(max(1, math.ceil(size / 4096)) for size in sizes) / (1 if consistent else 2)


def _entry(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the index, which has keys alone, has of an item."""
    return {name: item[name] for name in _ENTRY} if item and "due_shard" in item else None


def _kib(size: int) -> int:
    return math.ceil(size / 1024)


def _size(item: dict[str, Any] | None) -> int:
    return sum(len(name.encode()) + _value(value) for name, value in item.items()) if item else 0


def _value(value: dict[str, Any]) -> int:
    """Bytes of an attribute's value: a list or a map has three of its own, and one for each member."""
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return math.ceil(len(content.strip("-")) / 2) + 1
        case "L":
            return 3 + sum(1 + _value(one) for one in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value(one) for name, one in content.items())
        case _:
            return 1
