"""The queue between what takes payments in and the worker that sees them through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from pydantic import Field

from payments.clients import client
from payments.domain.payment import Model

_BATCH = 10
"""Messages in a call; SQS takes no more."""


class Work(Model):
    """A message: which payment to see through. It holds nothing else of the payment, so a dead-letter queue holds nothing either.

    correlation_id: the request that the worker's logs are to be found by.
    """

    payment_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    correlation_id: Annotated[str, Field(max_length=256)]


class WorkQueue(Protocol):
    """What the service asks of the queue."""

    def send(self, work: Work) -> None:
        """Sends a message, which arrives at least once."""
        ...

    def send_all(self, works: Sequence[Work], on_time: Callable[[], bool]) -> list[bool]:
        """Sends messages; whether each was sent. Raises where none could be, for a reason that they share.

        on_time: whether there is time for one more call; where there is not, the rest is not sent.
        """
        ...


class SqsWorkQueue:
    """The queue in SQS."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, work: Work) -> None:
        """See WorkQueue."""
        client("sqs").send_message(QueueUrl=self._url, MessageBody=work.model_dump_json())

    def send_all(self, works: Sequence[Work], on_time: Callable[[], bool]) -> list[bool]:
        """See WorkQueue."""
        sent = [False] * len(works)
        for start in range(0, len(works), _BATCH):
            if not on_time():
                break
            entries = [{"Id": str(index), "MessageBody": work.model_dump_json()} for index, work in enumerate(works[start : start + _BATCH], start)]
            answer = client("sqs").send_message_batch(QueueUrl=self._url, Entries=entries)
            for done in answer.get("Successful", []):
                sent[int(done["Id"])] = True
        return sent
