"""Announcements of what happened to a payment, for whoever subscribes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from payments.clients import client
from payments.domain.payment import Model, State

_BATCH = 10
"""Messages in a call; SNS takes no more."""


class PaymentEvent(Model):
    """A payment came to a state.

    id: the same each time this event is sent, so that subscribers can drop repetitions.
    sequence: of the state in the payment's history, by which subscribers can tell what came first.
    amount: in the currency's minor unit.
    reason: why the processor declined or refused, as its short code.
    occurred_at: RFC 3339, in UTC.
    source: base URL of the API that took the payment in, where the service was told of it.
    """

    version: Literal[1] = 1
    id: str
    payment_id: str
    merchant: str
    state: State
    sequence: int
    amount: int
    currency: str
    reference: str
    reason: str | None
    occurred_at: str
    correlation_id: str
    source: str | None = None


class PaymentEvents(Protocol):
    """What the service asks of the topic."""

    def publish(self, events: Sequence[PaymentEvent], on_time: Callable[[], bool]) -> list[bool]:
        """Tells every subscriber, at least once; whether each event was taken. Raises where none could be, for a reason that they share.

        on_time: whether there is time for one more call; where there is not, the rest is not taken.
        """
        ...


class SnsPaymentEvents:
    """The topic in SNS. The message attribute `state` is there for subscribers' filter policies."""

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn

    def publish(self, events: Sequence[PaymentEvent], on_time: Callable[[], bool]) -> list[bool]:
        """See PaymentEvents."""
        taken = [False] * len(events)
        for start in range(0, len(events), _BATCH):
            if not on_time():
                break
            entries = [
                {
                    "Id": str(index),
                    "Message": event.model_dump_json(),
                    "MessageAttributes": {"state": {"DataType": "String", "StringValue": event.state}},
                }
                for index, event in enumerate(events[start : start + _BATCH], start)
            ]
            answer = client("sns").publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=entries)
            for done in answer.get("Successful", []):
                taken[int(done["Id"])] = True
        return taken
