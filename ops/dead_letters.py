"""The dead-letter queue: which messages were set aside, why, and giving them to the worker again.

A message's body is never shown: it may be anything that once came into the queue. What is shown is the payment that it names.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

_BATCH = 10  # SQS's own limit for a receive and for a batch of entries
_LISTED_SECONDS = 60  # how long a message that is being shown stays hidden from others
_REPLAYED_SECONDS = 120  # how long one stays hidden that is being given back
_WAIT_SECONDS = 1

MOST: Final = 1000
"""How many messages are shown at most."""

# What is shown of a message: ids in the form of a UUID, and codes. Neither can hold a card number.
_ID = re.compile(r"[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}", re.IGNORECASE)
_CODE = re.compile(r"[a-z][a-z_-]{0,63}")


class DeadLetterError(RuntimeError):
    """Messages could not be given back to the work queue; they are still in the dead-letter queue."""


@dataclass(frozen=True)
class DeadLetter:
    """A message that was set aside.

    id: SQS's. sent: when it came into this queue (aware). reason: a short code, `unknown` where SQS itself set it aside after too many tries.
    source: the id that it had in the work queue. payment_id, correlation_id: of the payment that it names; empty when it names none.
    size: of its body, in bytes.
    """

    id: str
    sent: datetime
    reason: str
    source: str
    payment_id: str
    correlation_id: str
    size: int

    def as_dict(self) -> dict[str, str | int]:
        """The message for machines."""
        sent = self.sent.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {**vars(self), "sent": sent}


@dataclass(frozen=True)
class Replayed:
    """moved: messages that were given back to the work queue. kept: messages that were left, as their reason is another than the one asked for."""

    moved: tuple[DeadLetter, ...]
    kept: int


def show(client: Any, queue: str, *, wait: int = _WAIT_SECONDS) -> list[DeadLetter]:
    """What is in the queue, oldest first, without taking anything from it; at most MOST messages.

    client: of SQS. queue: URL. wait: seconds that an empty answer is waited for, so that none of SQS's servers is left out.
    """
    held: dict[str, dict[str, Any]] = {}
    try:
        for message in _messages(client, queue, hidden=_LISTED_SECONDS, wait=wait, seen=held):
            held[message["MessageId"]] = message
            if len(held) >= MOST:
                break
    finally:
        _release(client, queue, list(held.values()))
    return sorted((_letter(message) for message in held.values()), key=lambda letter: letter.sent)


def replay(client: Any, queue: str, work: str, *, reason: str = "", wait: int = _WAIT_SECONDS, clock: Callable[[], float] = time.time) -> Replayed:
    """Gives messages back to the work queue (URL `work`), all of them or those with one reason; a message is deleted here only once it is there.

    Killed in between, a message is in both queues, and the worker does nothing the second time. What comes into the queue while this runs
    (a message that failed again, above all) is left for the next call. Raises DeadLetterError.
    """
    started = clock()
    moved: list[DeadLetter] = []
    left: dict[str, dict[str, Any]] = {}
    try:
        for batch in _batches(client, queue, wait=wait, left=left):
            chosen = [message for message in batch if _sent(message).timestamp() <= started and (not reason or _letter(message).reason == reason)]
            chosen_ids = {message["MessageId"] for message in chosen}
            left |= {message["MessageId"]: message for message in batch if message["MessageId"] not in chosen_ids}
            if chosen:
                _give_back(client, queue, work, chosen)
                moved += map(_letter, chosen)
    finally:
        _release(client, queue, list(left.values()))
    return Replayed(tuple(moved), len(left))


def _give_back(client: Any, queue: str, work: str, messages: list[dict[str, Any]]) -> None:
    entries = [{"Id": str(number), "MessageBody": message["Body"]} for number, message in enumerate(messages)]
    sent = client.send_message_batch(QueueUrl=work, Entries=entries)
    done = [messages[int(entry["Id"])] for entry in sent.get("Successful", [])]
    if done:
        receipts = [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(done)]
        client.delete_message_batch(QueueUrl=queue, Entries=receipts)
    if failed := sent.get("Failed", []):
        lost = [messages[int(entry["Id"])] for entry in failed]
        _release(client, queue, lost)
        raise DeadLetterError(
            f"{len(failed)} messages could not be given back to the work queue ({failed[0].get('Code')}: {failed[0].get('Message', 'no reason given')}); "
            "they are still in the dead-letter queue. Next: run the same command again"
        )


def _batches(client: Any, queue: str, *, wait: int, left: dict[str, dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """What is received, batch by batch, until nothing new comes; `left`: what was received before and is still there."""
    while True:
        received = _receive(client, queue, hidden=_REPLAYED_SECONDS, wait=wait)
        new = [message for message in received if message["MessageId"] not in left]
        left |= {message["MessageId"]: message for message in received if message["MessageId"] in left}
        if not new:
            return
        yield new


def _messages(client: Any, queue: str, *, hidden: int, wait: int, seen: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        received = _receive(client, queue, hidden=hidden, wait=wait)
        new = [message for message in received if message["MessageId"] not in seen]
        yield from new
        if not new:
            return


def _receive(client: Any, queue: str, *, hidden: int, wait: int) -> list[dict[str, Any]]:
    answer: dict[str, Any] = client.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=_BATCH,
        VisibilityTimeout=hidden,
        WaitTimeSeconds=wait,
        AttributeNames=["SentTimestamp"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def _release(client: Any, queue: str, messages: list[dict[str, Any]]) -> None:
    """Makes messages visible again at once, for whoever looks next."""
    for start in range(0, len(messages), _BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, message in enumerate(messages[start : start + _BATCH])
        ]
        client.change_message_visibility_batch(QueueUrl=queue, Entries=entries)


def _letter(message: dict[str, Any]) -> DeadLetter:
    attributes: dict[str, Any] = message.get("MessageAttributes") or {}
    work = _work(message["Body"])
    return DeadLetter(
        id=message["MessageId"],
        sent=_sent(message),
        reason=_shown(attributes.get("reason", {}).get("StringValue"), _CODE) or "unknown",
        source=_shown(attributes.get("source_message_id", {}).get("StringValue"), _ID),
        payment_id=_shown(work.get("payment_id"), _ID),
        correlation_id=_shown(work.get("correlation_id"), _ID),
        size=len(message["Body"].encode()),
    )


def _sent(message: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


def _work(body: str) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _shown(value: Any, form: re.Pattern[str]) -> str:
    """The value where it has that form; empty for anything else, which is not to be shown."""
    return value if isinstance(value, str) and form.fullmatch(value) else ""
