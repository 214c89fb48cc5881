"""Sessions: which payment was made last in each, kept for a day."""

from __future__ import annotations

import time
from typing import Protocol

from payments.clients import client

LIFETIME = 24 * 60 * 60
"""Seconds that a session is kept after its last payment."""


class Sessions(Protocol):
    """What the service asks of the sessions."""

    def remember(self, session_id: str, payment_id: str) -> None:
        """Notes the payment as the session's last one and gives the session its full lifetime again."""
        ...


class DynamoSessions:
    """Sessions in a DynamoDB table with hash key `session_id` (S) and time to live in `expires_at` (N)."""

    def __init__(self, table: str) -> None:
        self._table = table

    def remember(self, session_id: str, payment_id: str) -> None:
        """See Sessions."""
        client("dynamodb").update_item(
            TableName=self._table,
            Key={"session_id": {"S": session_id}},
            UpdateExpression="SET last_payment_id = :payment, expires_at = :expiry",
            ExpressionAttributeValues={":payment": {"S": payment_id}, ":expiry": {"N": str(int(time.time()) + LIFETIME)}},
        )
