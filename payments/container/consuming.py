"""The work queue's messages, taken by long polls and given to the worker: what Lambda does between SQS and the function."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from payments.clients import client
from payments.container.loops import Stop
from payments.functions import Metric
from payments.service.working import Message, Worker
from payments.telemetry import Telemetry

BATCH = 10
"""Messages that are asked for at once; SQS gives no more."""

POLL_SECONDS = 4
"""For which SQS waits for a message: soon enough over when the container is to stop."""

BATCH_SECONDS = 60.0
"""For the work on a batch."""

HIDDEN_SECONDS = 120
"""For which nobody else is given a batch's messages: twice what it may take."""

# Doubled each time: with the five receives of a page's default a message is tried for seven and a half minutes, which a failover of the database, or a
# processor that is out for a while, takes less than.
_FIRST_DELAY = 30
_LONGEST_DELAY = 300


@dataclass(frozen=True)
class Taken:
    """A message, and what SQS wants to hear when it is done with."""

    message: Message
    receipt: str


class SqsMessages:
    """The work queue from its other end."""

    def __init__(self, url: str) -> None:
        self._url = url

    def take(self) -> list[Taken]:
        """As many messages as there are, BATCH at most; none where none came within POLL_SECONDS."""
        answer = client("sqs", held=POLL_SECONDS).receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=POLL_SECONDS,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return [Taken(Message(each["MessageId"], each["Body"], int(each["Attributes"]["ApproximateReceiveCount"])), each["ReceiptHandle"]) for each in found]

    def done(self, messages: Sequence[Taken]) -> list[str]:
        """Removes messages; the ids of those that SQS did not remove."""
        entries = [{"Id": str(number), "ReceiptHandle": taken.receipt} for number, taken in enumerate(messages)]
        return self._failed(messages, client("sqs").delete_message_batch(QueueUrl=self._url, Entries=entries) if entries else {})

    def hand_back(self, messages: Sequence[Taken]) -> list[str]:
        """Has messages come again, each the later the more often it came; the ids of those that come when SQS would have them come anyway."""
        entries = [
            {"Id": str(number), "ReceiptHandle": taken.receipt, "VisibilityTimeout": delay(taken.message.receives)} for number, taken in enumerate(messages)
        ]
        return self._failed(messages, client("sqs").change_message_visibility_batch(QueueUrl=self._url, Entries=entries) if entries else {})

    def _failed(self, messages: Sequence[Taken], answer: dict[str, Any]) -> list[str]:
        return [messages[int(each["Id"])].message.id for each in answer.get("Failed", [])]


def delay(receives: int) -> int:
    """Seconds until a message comes again that came so often."""
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(receives - 1, 16))


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """Takes a batch, has it worked on, and tells the queue which messages are done with. Any number of consumers may share what they are made of."""

    messages: SqsMessages
    worker: Worker
    telemetry: Telemetry

    def once(self, stop: Stop) -> None:
        """Works on one batch, where there is one. A batch that came in the very moment of stopping is worked on too: it is hidden from all others."""
        batch = self.messages.take()
        if not batch:
            return
        deadline = time.monotonic() + BATCH_SECONDS
        with self.telemetry.correlated(str(uuid.uuid4())):
            try:
                back = self._worked(batch, lambda: min(deadline - time.monotonic(), stop.remaining()))
                self._settle(self.messages.done, [taken for taken in batch if taken.message.id not in back])
                self._settle(self.messages.hand_back, [taken for taken in batch if taken.message.id in back])
            finally:
                self.telemetry.flush()

    def _worked(self, batch: Iterable[Taken], remaining: Callable[[], float]) -> set[str]:
        messages = [taken.message for taken in batch]
        try:
            return set(self.worker.work(messages, remaining=remaining))
        except Exception:
            # All messages come again; what was done for some of them is not done twice.
            self.telemetry.count(Metric.MESSAGE_FAILED, len(messages))
            self.telemetry.log.exception("batch failed")
            return {message.id for message in messages}

    def _settle(self, tell: Callable[[Sequence[Taken]], list[str]], messages: Sequence[Taken]) -> None:
        try:
            failed = tell(messages)
        except Exception as error:
            # They come again when they are no longer hidden, and find their payments where they were left.
            self.telemetry.log.warning("queue not told of messages", messages=[taken.message.id for taken in messages], exc_info=error)
            return
        if failed:
            self.telemetry.log.warning("queue did not do as told with messages", messages=failed)
