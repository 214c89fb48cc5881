"""Announcements of what happened to a payment, for whoever subscribes."""

from __future__ import annotations

from typing import Literal, Protocol

from payments.clients import client
from payments.domain.payment import Model, State


class PaymentEvent(Model):
    """A payment came to a state.

    id: the same each time this event is sent, so that subscribers can drop repetitions.
    amount: in the currency's minor unit.
    occurred_at: RFC 3339, in UTC.
    """

    version: Literal[1] = 1
    id: str
    payment_id: str
    state: State
    sequence: int
    amount: int
    currency: str
    reference: str
    occurred_at: str
    correlation_id: str


class PaymentEvents(Protocol):
    """What the service asks of the topic."""

    def publish(self, event: PaymentEvent) -> None:
        """Tells every subscriber, at least once."""
        ...


class SnsPaymentEvents:
    """The topic in SNS. The message attribute `state` is there for subscribers' filter policies."""

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn

    def publish(self, event: PaymentEvent) -> None:
        """See PaymentEvents."""
        client("sns").publish(
            TopicArn=self._topic_arn,
            Message=event.model_dump_json(),
            MessageAttributes={"state": {"DataType": "String", "StringValue": event.state}},
        )
