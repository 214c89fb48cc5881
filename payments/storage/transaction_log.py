"""The transaction log: what happened to each payment, in order, never changed and never removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from payments.clients import client, error_code
from payments.domain.payment import PaymentRequest, State


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One step of a payment.

    sequence: 1 for the first step, then without gaps.
    occurred_at: RFC 3339, in UTC.
    """

    payment_id: str
    sequence: int
    state: State
    occurred_at: str
    correlation_id: str


@dataclass(frozen=True, kw_only=True)
class Opening(Entry):
    """A payment's first step, with the request and its digest, by which a repeated request is told from another one."""

    request: PaymentRequest
    digest: str


@dataclass(frozen=True)
class History:
    """All steps of a payment, the first one first."""

    opening: Opening
    later: tuple[Entry, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every step."""
        return (self.opening, *self.later)

    @property
    def last(self) -> Entry:
        """The step that tells where the payment stands."""
        return self.entries[-1]


class TransactionLog(Protocol):
    """What the service asks of the log."""

    def open(self, opening: Opening) -> Opening:
        """Adds a payment's first step. The answer is the step that the log holds: the given one, or an earlier one with the same payment id."""
        ...

    def append(self, entry: Entry) -> bool:
        """Adds a later step; False, and nothing added, where the log already has that sequence number."""
        ...

    def history(self, payment_id: str) -> History | None:
        """All that was added before the call, or None for an unknown payment."""
        ...


class DynamoTransactionLog:
    """The log in a DynamoDB table with hash key `payment_id` (S) and range key `sequence` (N)."""

    def __init__(self, table: str) -> None:
        self._table = table

    def open(self, opening: Opening) -> Opening:
        """See TransactionLog."""
        item = {**_item(opening), "request": {"S": opening.request.canonical()}, "digest": {"S": opening.digest}}
        earlier = self._put(item)
        return opening if earlier is None else _opening(earlier)

    def append(self, entry: Entry) -> bool:
        """See TransactionLog."""
        return self._put(_item(entry)) is None

    def history(self, payment_id: str) -> History | None:
        """See TransactionLog. Reads consistently: what an earlier call added is seen."""
        query = client("dynamodb").get_paginator("query")
        pages = query.paginate(
            TableName=self._table,
            KeyConditionExpression="payment_id = :id",
            ExpressionAttributeValues={":id": {"S": payment_id}},
            ConsistentRead=True,
            ScanIndexForward=True,
        )
        items = [item for page in pages for item in page["Items"]]
        return History(_opening(items[0]), tuple(_entry(item) for item in items[1:])) if items else None

    def _put(self, item: dict[str, Any]) -> dict[str, Any] | None:
        """Adds the item; where its key is taken, the item that has it."""
        try:
            client("dynamodb").put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(payment_id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return error.response["Item"]
        return None


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "payment_id": {"S": entry.payment_id},
        "sequence": {"N": str(entry.sequence)},
        "state": {"S": entry.state},
        "occurred_at": {"S": entry.occurred_at},
        "correlation_id": {"S": entry.correlation_id},
    }


def _fields(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "payment_id": item["payment_id"]["S"],
        "sequence": int(item["sequence"]["N"]),
        "state": State(item["state"]["S"]),
        "occurred_at": item["occurred_at"]["S"],
        "correlation_id": item["correlation_id"]["S"],
    }


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(**_fields(item))


def _opening(item: dict[str, Any]) -> Opening:
    return Opening(**_fields(item), request=PaymentRequest.from_canonical(item["request"]["S"]), digest=item["digest"]["S"])
