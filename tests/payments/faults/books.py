"""What is written of a payment where payments are kept: read past the service, from the tables themselves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from localcloud.stores.postgres import PostgresServer
from payments.storage.postgres.database import Database


class Books(Protocol):
    """Of all payments."""

    def ledger(self, payment_id: str) -> list[int]:
        """The amounts of a payment's entries."""
        ...

    def total(self) -> int:
        """The sum over all entries."""
        ...

    def waiting(self, payment_id: str) -> int:
        """How much is to be told of a payment still."""
        ...

    def recovery_point(self, payment_id: str) -> str:
        """Where its key stands."""
        ...


@dataclass(frozen=True)
class PostgresBooks:
    """In a database."""

    server: PostgresServer
    database: Database

    @contextmanager
    def reaching(self) -> Generator[None]:
        """Libpq in this process finds the server, as it does in the handlers' processes."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PGHOSTADDR", self.server.address)
            yield

    def rows(self, query: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        """Of the database."""
        with self.reaching():
            return list(self.database.run(query, parameters))

    def ledger(self, payment_id: str) -> list[int]:
        return [amount for (amount,) in self.rows("SELECT amount FROM ledger_entries WHERE payment_id = %s", payment_id)]

    def total(self) -> int:
        return int(self.rows("SELECT coalesce(sum(amount), 0) FROM ledger_entries")[0][0])

    def waiting(self, payment_id: str) -> int:
        return int(self.rows("SELECT count(*) FROM outbox WHERE payment_id = %s AND sent_at IS NULL", payment_id)[0][0])

    def recovery_point(self, payment_id: str) -> str:
        return str(self.rows("SELECT recovery_point FROM idempotency_keys WHERE payment_id = %s", payment_id)[0][0])


@dataclass(frozen=True)
class TableBooks:
    """In a DynamoDB table, of which a client is given."""

    dynamodb: Any
    table: str

    def ledger(self, payment_id: str) -> list[int]:
        return [int(item["amount"]["N"]) for item in self._items(payment_id) if item["sk"]["S"].startswith("ledger#")]

    def total(self) -> int:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return sum(int(item["amount"]["N"]) for page in pages for item in page["Items"] if item["sk"]["S"].startswith("ledger#"))

    def waiting(self, payment_id: str) -> int:
        return sum(item["sk"]["S"].startswith("outbox#") for item in self._items(payment_id))

    def recovery_point(self, payment_id: str) -> str:
        (payment,) = (item for item in self._items(payment_id) if item["sk"]["S"] == "payment")
        key = {"pk": {"S": f"key#{payment['idempotency_key']['S']}"}, "sk": payment["merchant"]}
        return str(self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]["recovery_point"]["S"])

    def _items(self, payment_id: str) -> list[dict[str, Any]]:
        named = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": f"payment#{payment_id}"}}}
        return self.dynamodb.query(TableName=self.table, ConsistentRead=True, **named)["Items"]
