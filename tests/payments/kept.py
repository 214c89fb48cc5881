"""Payments kept in either kind of store, for the tests that both have to pass; time is what a test says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import boto3
import pytest
from moto import mock_aws

from payments import clients
from payments.domain.audit import GENESIS, AuditRecord
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import decoded, encoded
from payments.storage.dynamodb.store import DynamoStore
from payments.storage.dynamodb.table import INDEX, Table, micros
from payments.storage.postgres.database import Database
from payments.storage.postgres.store import PostgresStore
from payments.storage.store import KEY_LIFETIME, RecoveryPoint, Store

TABLE = "payments-dev"
# Of the table, as the infrastructure makes it.
KEYS: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in (("pk", "S"), ("sk", "S"), ("due_shard", "S"), ("due_at", "N"))],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": INDEX,
            "KeySchema": [{"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "due_at", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


class Kept(ABC):
    """A store, and what a test needs to know and to do besides."""

    store: Store

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """How many there are: payments, keys, changes, changes that wait for the chain, and rows of the outbox that were not told."""

    @abstractmethod
    def of(self, merchant: str) -> tuple[int, int]:
        """How many payments and keys a merchant has."""

    @abstractmethod
    def records(self) -> list[AuditRecord]:
        """The whole chain, in order."""

    @abstractmethod
    def later(self, seconds: float) -> None:
        """That much time goes by."""

    @abstractmethod
    def left_behind(self, merchant: str, key: str, point: RecoveryPoint) -> None:
        """A key looks as one does whose transactions did not bring it along."""

    @abstractmethod
    def removed(self) -> None:
        """All keys go whose time is over."""

    @abstractmethod
    def today(self) -> date:
        """The day in UTC, by the clock that decides."""

    @abstractmethod
    def chained_on(self, day: date) -> AuditRecord:
        """The one change that waits gets into the chain on that day; its record, which has to be the chain's first."""


@dataclass
class InPostgres(Kept):
    """In a database of the test's own."""

    database: Database
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = PostgresStore(self.database)

    def counts(self) -> dict[str, int]:
        queries: dict[str, LiteralString] = {
            "payments": "SELECT count(*) FROM payments",
            "keys": "SELECT count(*) FROM idempotency_keys",
            "changes": "SELECT count(*) FROM payment_history",
            "waiting": "SELECT count(*) FROM audit_queue",
            "outbox": "SELECT count(*) FROM outbox WHERE sent_at IS NULL",
        }
        return {name: self.database.run(query)[0][0] for name, query in queries.items()}

    def of(self, merchant: str) -> tuple[int, int]:
        queries: tuple[LiteralString, ...] = (
            "SELECT count(*) FROM payments WHERE merchant = %s",
            "SELECT count(*) FROM idempotency_keys WHERE merchant = %s",
        )
        payments, keys = (self.database.run(query, [merchant])[0][0] for query in queries)
        return payments, keys

    def records(self) -> list[AuditRecord]:
        return [AuditRecord.from_canonical(row[0]) for row in self.database.run("SELECT record FROM audit_records ORDER BY position")]

    def later(self, seconds: float) -> None:
        # The server's clock stays; all that was written before is that much older.
        self.database.run("UPDATE outbox SET created_at = created_at - %(by)s, sent_at = sent_at - %(by)s", {"by": timedelta(seconds=seconds)})
        self.database.run("UPDATE idempotency_keys SET created_at = created_at - %(by)s", {"by": timedelta(seconds=seconds)})

    def left_behind(self, merchant: str, key: str, point: RecoveryPoint) -> None:
        self.database.run("UPDATE idempotency_keys SET recovery_point = %s WHERE merchant = %s AND key = %s", [point, merchant, key])

    def removed(self) -> None:
        self.store.keys.reap()

    def today(self) -> date:
        return self.database.run("SELECT (now() AT TIME ZONE 'UTC')::date")[0][0]

    def chained_on(self, day: date) -> AuditRecord:
        (record,) = self.store.chain.extend()
        moved = AuditRecord.from_canonical(record.canonical().replace(record.day, day.isoformat())).linked(GENESIS)
        self.database.run("ALTER TABLE audit_records DISABLE TRIGGER USER")
        self.database.run("UPDATE audit_records SET day = %s, hash = %s, record = %s", [day, moved.hash, moved.canonical()])
        self.database.run("ALTER TABLE audit_records ENABLE TRIGGER USER")
        return moved


@dataclass
class InDynamo(Kept):
    """In a table of moto's."""

    store: Store = field(init=False)
    ahead: timedelta = timedelta()

    def __post_init__(self) -> None:
        clients.client("dynamodb").create_table(TableName=TABLE, **KEYS)
        self.table = Table(TABLE, lambda: datetime.now(UTC) + self.ahead)
        self.store = DynamoStore(self.table)

    def counts(self) -> dict[str, int]:
        found = Counter[str]()
        for item in self.items():
            found["payments"] += item["sk"] == "payment"
            found["changes"] += len(item.get("history", ()))
            found["keys"] += item["pk"].startswith("key#")
            found["outbox"] += item["sk"].startswith("outbox#")
            found["waiting"] += item["sk"].startswith("audit#") and "position" not in item
        return dict(found)

    def of(self, merchant: str) -> tuple[int, int]:
        found = list(self.items())
        return sum(item.get("merchant") == merchant and item["sk"] == "payment" for item in found), sum(
            item["sk"] == merchant and item["pk"].startswith("key#") for item in found
        )

    def records(self) -> list[AuditRecord]:
        found = sorted((item for item in self.items() if "record" in item), key=lambda item: item["position"])
        return [AuditRecord.from_canonical(item["record"]) for item in found]

    def later(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    def left_behind(self, merchant: str, key: str, point: RecoveryPoint) -> None:
        item = self.table.get(items.idempotency_key(merchant, key))
        assert item is not None
        over = (
            {"expires_at": int(self.table.now().timestamp()) + KEY_LIFETIME}
            if point is RecoveryPoint.COMPLETED
            else {"due_shard": "key#0", "due_at": item.get("due_at", micros(self.table.now()))}
        )
        kept = {name: value for name, value in item.items() if name not in {"expires_at", "due_shard", "due_at"}}
        behind = {**kept, "recovery_point": point.value, **over}
        clients.client("dynamodb").put_item(TableName=TABLE, Item=encoded(behind))

    def removed(self) -> None:
        # What DynamoDB does by itself, some time later.
        now = self.table.now().timestamp()
        over = [item for item in self.items() if "expires_at" in item and item["expires_at"] < now]
        self.table.delete_all((item["pk"], item["sk"]) for item in over)

    def today(self) -> date:
        return self.table.now().date()

    def chained_on(self, day: date) -> AuditRecord:
        before, self.ahead = self.ahead, self.ahead + (day - self.today())
        (record,) = self.store.chain.extend()
        self.ahead = before
        return record

    @staticmethod
    def items() -> Iterator[dict[str, Any]]:
        """All that the table has."""
        for page in clients.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE):
            yield from map(decoded, page["Items"])


@pytest.fixture
def in_dynamo(monkeypatch: pytest.MonkeyPatch) -> Iterator[InDynamo]:
    """An empty table."""
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    made = session.client("dynamodb", config=clients._CONFIG)  # as the service makes it
    monkeypatch.setattr(clients, "_clients", {"dynamodb": made})
    with mock_aws():
        yield InDynamo()


@pytest.fixture
def in_postgres(database: Database) -> InPostgres:
    """An empty database."""
    return InPostgres(database)


@pytest.fixture(params=["postgres", "dynamodb"])
def kept(request: pytest.FixtureRequest) -> Kept:
    """One of the two."""
    return request.getfixturevalue("in_postgres" if request.param == "postgres" else "in_dynamo")


@pytest.fixture
def store(kept: Kept) -> Store:
    """The store alone."""
    return kept.store
