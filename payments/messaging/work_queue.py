"""The queue between the route that takes payments in and the worker that submits them."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from payments.clients import client
from payments.domain.payment import Model


class Work(Model):
    """A message: which payment to submit. It holds nothing else of the payment, so a dead-letter queue holds nothing either.

    correlation_id: the request that the worker's logs are to be found by.
    """

    payment_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    correlation_id: str


class WorkQueue(Protocol):
    """What the service asks of the queue."""

    def send(self, work: Work) -> None:
        """Sends a message, which arrives at least once."""
        ...


class SqsWorkQueue:
    """The queue in SQS."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, work: Work) -> None:
        """See WorkQueue."""
        client("sqs").send_message(QueueUrl=self._url, MessageBody=work.model_dump_json())
