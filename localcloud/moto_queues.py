"""moto's queues, quick also when they are deep, and no obstacle to others while somebody waits for a message.

moto would count all messages for each one that is received or sent, at several looks at the clock each.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from moto.sqs import models


def quick_when_deep() -> None:
    """Receiving from a queue with thousands of messages takes milliseconds instead of seconds; what is received stays the same."""
    module: Any = models
    module.unix_time_millis = _now
    queues: Any = models.Queue
    queues.messages = property(_visible)
    backends: Any = models.SQSBackend
    backends.is_message_valid_based_on_retention_period = _is_retained


def wait_without(lock: threading.Lock) -> None:
    """While a receive waits for messages (a long poll), it lets go of the lock under which it was begun, so that other requests are answered."""
    queues: Any = models.Queue

    def wait(queue: Any, timeout: float) -> None:
        lock.release()
        try:
            _wait_for_messages(queue, timeout)
        finally:
            lock.acquire()

    queues.wait_for_messages = wait


_wait_for_messages: Any = models.Queue.wait_for_messages


def _visible(queue: Any) -> list[Any]:
    """The messages that are neither in flight nor delayed; the time is looked up once."""
    now = _now()
    return [message for message in queue._messages if message.visible_at < now >= message.delayed_until]  # noqa: SLF001 - moto keeps them nowhere else


def _is_retained(backend: Any, queue_name: str, message: Any) -> bool:
    """Whether a message is still within its queue's retention period."""
    seconds: int = backend.get_queue(queue_name).message_retention_period
    return bool(message.sent_timestamp + seconds * 1000 >= _now())


def _now() -> float:
    """Milliseconds since the epoch; moto takes dates apart for them."""
    return time.time() * 1000.0
