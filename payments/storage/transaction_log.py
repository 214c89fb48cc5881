"""The transaction log: what happened to each payment, in order, never changed and never removed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from payments.clients import client, error_code


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of a payment. It holds no payment token and no metadata.

    sequence: 1 for the first change, then without gaps.
    amount: in the currency's minor unit.
    occurred_at: RFC 3339, in UTC.
    """

    payment_id: str
    sequence: int
    merchant: str
    state: str
    amount: int
    currency: str
    reference: str
    occurred_at: str
    correlation_id: str
    reason: str | None
    processor: str | None
    processor_reference: str | None


class TransactionLog(Protocol):
    """What the service asks of the log."""

    def append(self, entry: Entry) -> bool:
        """Adds a change; False, and nothing added, where the log already has that one of the payment."""
        ...


class DynamoTransactionLog:
    """The log in a DynamoDB table with hash key `payment_id` (S) and range key `sequence` (N)."""

    def __init__(self, table: str) -> None:
        self._table = table

    def append(self, entry: Entry) -> bool:
        """See TransactionLog."""
        try:
            client("dynamodb").put_item(TableName=self._table, Item=_item(entry), ConditionExpression="attribute_not_exists(payment_id)")
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _item(entry: Entry) -> dict[str, Any]:
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in asdict(entry).items() if value is not None}
