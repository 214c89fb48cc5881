"""Feeds functions from SQS queues, as Lambda's event source mappings do."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.aws import Aws
from localcloud.serve.functions import Functions, UnknownFunctionError
from localcloud.serve.model import QueueMapping, ServeError
from localcloud.serve.pool import Outcome, ThrottledError

log = logging.getLogger("localcloud.serve")

# ReceiveMessage hands out at most ten; an invocation is also made when its payload would come near six megabytes.
_MOST_AT_ONCE = 10
_MOST_BYTES = 5 * 1024 * 1024
_FASTEST, _SLOWEST, _AFTER_ERROR = 0.02, 0.25, 1.0  # seconds between looks at a queue: after a message, when there was none for a while, and after an error


class Poller:
    """One mapping at work: `concurrency` threads, each of which takes a batch, calls the function, and deletes what is done.

    What failed stays in the queue and is handed out again when its visibility timeout is over, as with Lambda; after the queue's
    maxReceiveCount SQS itself moves it to the dead-letter queue.
    redelivery: seconds of visibility timeout in place of the queue's own, for whoever cannot wait for that.
    """

    def __init__(self, aws: Aws, functions: Functions, mapping: QueueMapping, *, redelivery: int | None = None) -> None:
        self.mapping = mapping
        self._sqs: Any = aws.client("sqs")
        self._functions, self._region, self._redelivery = functions, aws.region, redelivery
        self._stopping = threading.Event()
        self._looking = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Polls from now on."""
        most = self._functions.pool(self.mapping.function).most
        for number in range(max(1, min(most, self.mapping.concurrency or most))):
            thread = threading.Thread(target=self._run, name=f"poller-{self.mapping.function}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Takes no more messages. Batches that the function works on go on until they end, or the function does."""
        self._stopping.set()

    def join(self, seconds: float) -> None:
        """Waits for the threads to end."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._stopping.is_set():
            # One thread looks while the others work, so that an empty queue costs the local cloud no more than one client does.
            with self._looking:
                batch = self._next_batch()
            if not batch:
                return
            try:
                self._work(batch)
            except Exception:
                # Whatever it was, the queue goes on being read; these messages come again.
                log.exception("queue %s: a batch could not be worked on", self.mapping.queue_arn)

    def _next_batch(self) -> list[dict[str, Any]]:
        """Waits for messages; none when polling is to stop."""
        pause = _FASTEST
        while not self._stopping.is_set():
            try:
                if batch := self._batch():
                    return batch
            except (BotoCoreError, ClientError) as error:
                log.warning("queue %s cannot be read: %s", self.mapping.queue_arn, error)
                pause = _AFTER_ERROR
            except Exception:
                log.exception("queue %s cannot be read", self.mapping.queue_arn)
                pause = _AFTER_ERROR
            self._stopping.wait(pause)
            pause = min(_SLOWEST, pause * 1.5)
        return []

    def _batch(self) -> list[dict[str, Any]]:
        """Messages for one invocation: as many as the mapping wants, or as came until its window was over."""
        messages = self._receive(self.mapping.batch_size)
        if not messages or not self.mapping.window:
            return messages
        end = time.monotonic() + self.mapping.window
        while len(messages) < self.mapping.batch_size and time.monotonic() < end and _size(messages) < _MOST_BYTES:
            more = self._receive(self.mapping.batch_size - len(messages))
            messages += more
            if not more and self._stopping.wait(min(0.1, max(0.0, end - time.monotonic()))):
                break
        return messages

    def _receive(self, most: int) -> list[dict[str, Any]]:
        # Never a long poll: the local cloud takes one request at a time and would keep all others waiting.
        given = self._sqs.receive_message(
            QueueUrl=self.mapping.queue_url,
            MaxNumberOfMessages=min(most, _MOST_AT_ONCE),
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            **({} if self._redelivery is None else {"VisibilityTimeout": self._redelivery}),
        )
        return list(given.get("Messages") or [])

    def _work(self, messages: list[dict[str, Any]]) -> None:
        event = {"Records": [record(message, self.mapping, self._region) for message in messages]}
        try:
            outcome = self._functions.invoke(self.mapping.function, json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
        except (ThrottledError, UnknownFunctionError, ServeError) as error:
            log.warning("queue %s: %s", self.mapping.queue_arn, error)
            return
        except (BotoCoreError, ClientError, OSError) as error:
            log.warning("queue %s: function %s cannot be called, so its messages will come again: %s", self.mapping.queue_arn, self.mapping.function, error)
            return
        failed = failures(outcome, [message["MessageId"] for message in messages], partial=self.mapping.partial)
        try:
            self._delete([message for message in messages if message["MessageId"] not in failed])
        except (BotoCoreError, ClientError) as error:
            log.warning("queue %s: messages that are done could not be deleted and will come again: %s", self.mapping.queue_arn, error)

    def _delete(self, done: list[dict[str, Any]]) -> None:
        for start in range(0, len(done), _MOST_AT_ONCE):
            entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(done[start : start + _MOST_AT_ONCE])]
            refused = self._sqs.delete_message_batch(QueueUrl=self.mapping.queue_url, Entries=entries).get("Failed")
            if refused:
                log.warning("queue %s: %d messages that are done could not be deleted and will come again", self.mapping.queue_arn, len(refused))


def failures(outcome: Outcome, ids: list[str], *, partial: bool) -> set[str]:
    """The messages that are not done ("Implementing partial batch responses"): all when the function failed or its report cannot be read."""
    everything = set(ids)
    if outcome.error:
        return everything
    if not partial:
        return set()
    try:
        answer: Any = json.loads(outcome.payload)
    except ValueError:
        return everything
    # Nothing at all, and a report without failures, are a success.
    reported = (answer or {}).get("batchItemFailures") or [] if isinstance(answer, dict | None) else None
    if not isinstance(reported, list):
        return everything
    named = {str(entry.get("itemIdentifier")) if isinstance(entry, dict) else "" for entry in reported}
    return named if everything.issuperset(named) else everything


def record(message: Mapping[str, Any], mapping: QueueMapping, region: str) -> dict[str, Any]:
    """A message as the function gets it."""
    attributes = message.get("MessageAttributes") or {}
    found: dict[str, Any] = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue_arn,
        "awsRegion": region,
    }
    return {**found, "md5OfMessageAttributes": message["MD5OfMessageAttributes"]} if message.get("MD5OfMessageAttributes") else found


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return found


def _size(messages: list[dict[str, Any]]) -> int:
    return sum(len(message["Body"]) for message in messages)


class Pollers:
    """The pollers of all mappings."""

    def __init__(self, make: Callable[[QueueMapping], Poller]) -> None:
        self._make = make
        self._pollers: dict[str, Poller] = {}

    def update(self, mappings: tuple[QueueMapping, ...]) -> None:
        """Polls for these mappings from now on."""
        wanted = {mapping.id: mapping for mapping in mappings}
        for id_, poller in list(self._pollers.items()):
            if wanted.get(id_) != poller.mapping:
                poller.stop()
                del self._pollers[id_]
        for id_, mapping in wanted.items():
            if id_ not in self._pollers:
                self._pollers[id_] = self._make(mapping)
                self._pollers[id_].start()

    def stop(self, seconds: float) -> None:
        """Takes no more messages, and waits for those under way."""
        for poller in self._pollers.values():
            poller.stop()
        for poller in self._pollers.values():
            poller.join(seconds)
        self._pollers.clear()
