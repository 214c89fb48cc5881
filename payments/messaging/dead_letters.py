"""The queue for messages that cannot be worked on, where people look at them and may replay them."""

from __future__ import annotations

import json
from typing import Protocol

from payments.clients import client
from payments.domain.card_data import REMOVED, findings, has_card_number, redacted


class DeadLetters(Protocol):
    """What the service asks of the queue."""

    def put(self, body: str, *, reason: str, source_message_id: str) -> None:
        """Keeps a message, free of card data.

        reason: a short code. source_message_id: the id that the message had in the queue it came from.
        """
        ...


class SqsDeadLetters:
    """The queue in SQS. Reason and message id are message attributes."""

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, body: str, *, reason: str, source_message_id: str) -> None:
        """See DeadLetters."""
        attributes = {"reason": reason, "source_message_id": source_message_id}
        client("sqs").send_message(
            QueueUrl=self._url,
            # SQS takes no empty message.
            MessageBody=without_card_data(body) or "(empty)",
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
        )


def without_card_data(body: str) -> str:
    """The body with card numbers removed; nothing is kept of one that holds card data in another way, such as a verification code."""
    try:
        found = any(findings(json.loads(body)))
    except ValueError:
        found = False
    except RecursionError:
        # What cannot be looked through may hold anything.
        found = True
    if found:
        return REMOVED
    kept = redacted(body)
    return REMOVED if has_card_number(kept) else kept
