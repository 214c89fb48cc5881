"""Sessions: which payment was made last in each, kept for a day."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from botocore.exceptions import ClientError

from payments.clients import client, error_code

LIFETIME = 24 * 60 * 60
"""Seconds that a session is kept after its last payment."""


class Sessions(Protocol):
    """What the service asks of the sessions."""

    def remember(self, merchant: str, session_id: str, payment_id: str, occurred_at: str) -> None:
        """Notes the payment as the session's last one, unless a later one is; the session's lifetime begins again at that time.

        occurred_at: when the payment was taken in; RFC 3339, in UTC, always with the same number of digits.
        """
        ...


class DynamoSessions:
    """Sessions in a DynamoDB table with hash key `session_id` (S), here `<merchant>/<session id>`, and time to live in `expires_at` (N)."""

    def __init__(self, table: str) -> None:
        self._table = table

    def remember(self, merchant: str, session_id: str, payment_id: str, occurred_at: str) -> None:
        """See Sessions."""
        expiry = int(datetime.fromisoformat(occurred_at).timestamp()) + LIFETIME
        try:
            client("dynamodb").update_item(
                TableName=self._table,
                Key={"session_id": {"S": f"{merchant}/{session_id}"}},
                UpdateExpression="SET last_payment_id = :payment, last_payment_at = :moment, expires_at = :expiry",
                ConditionExpression="attribute_not_exists(last_payment_at) OR last_payment_at < :moment",
                ExpressionAttributeValues={":payment": {"S": payment_id}, ":moment": {"S": occurred_at}, ":expiry": {"N": str(expiry)}},
            )
        except ClientError as error:
            # The session knows this payment, or a later one.
            if error_code(error) != "ConditionalCheckFailedException":
                raise
