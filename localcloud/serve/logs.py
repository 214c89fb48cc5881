"""Log lines on their way to CloudWatch Logs of the local cloud: in batches, and never in the way of what is logged."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.aws import Aws

log = logging.getLogger("localcloud.serve")

# PutLogEvents (CloudWatch Logs API reference): at most 10,000 events, and 1,048,576 bytes with 26 more for each event; an event is at most 256 KiB.
_MOST_EVENTS, _MOST_BYTES, _PER_EVENT, _LONGEST = 10_000, 1_048_576, 26, 256 * 1024 - 26
_MOST_WAITING = 100_000

Line = tuple[int, str]
"""Milliseconds since the epoch, and the line."""


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class LogWriter:
    """Writes lines to log groups every `interval` seconds.

    A group that is not there is not made (the function's role or API Gateway would need one), and is told of once. When the cloud does not take
    lines fast enough, the oldest that wait are dropped, and their number is logged.
    """

    def __init__(self, aws: Aws, interval: float = 0.5) -> None:
        self._client: Any = aws.client("logs")
        self._interval = interval
        self._waiting: deque[tuple[str, str, Line]] = deque(maxlen=_MOST_WAITING)
        self._dropped = 0
        self._streams: set[tuple[str, str]] = set()
        self._failed: set[str] = set()
        self._flushing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        """Writes from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, and no more after that."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self.flush()

    def write(self, group: str, stream: str, lines: Iterable[Line]) -> None:
        """Takes lines for a stream; returns at once."""
        for line in lines:
            self._dropped += len(self._waiting) == _MOST_WAITING
            self._waiting.append((group, stream, line))

    def flush(self) -> None:
        """Writes what waits now."""
        with self._flushing:
            grouped: dict[tuple[str, str], list[Line]] = {}
            for _ in range(len(self._waiting)):
                group, stream, line = self._waiting.popleft()
                grouped.setdefault((group, stream), []).append(line)
            for (group, stream), lines in grouped.items():
                self._put(group, stream, lines)
        if self._dropped:
            log.warning("%d log lines were dropped: they came faster than the local cloud takes them", self._dropped)
            self._dropped = 0

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.flush()

    def _put(self, group: str, stream: str, lines: list[Line]) -> None:
        try:
            if (group, stream) not in self._streams:
                self._make(group, stream)
            for batch in batches(lines):
                self._client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": at, "message": text} for at, text in batch])
        except (BotoCoreError, ClientError) as error:
            if group not in self._failed:
                self._failed.add(group)
                log.warning("log group %s takes no lines (told once): %s", group, error)

    def _make(self, group: str, stream: str) -> None:
        try:
            self._client.create_log_stream(logGroupName=group, logStreamName=stream)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        self._streams.add((group, stream))


def batches(lines: list[Line]) -> Iterable[list[Line]]:
    """The lines in the order of their times, empty ones left out, in batches of what one call takes."""
    batch: list[Line] = []
    size = 0
    for at, text in sorted(lines, key=lambda line: line[0]):
        encoded = text.encode()[:_LONGEST]
        if not encoded:
            continue
        cost = len(encoded) + _PER_EVENT
        if batch and (len(batch) == _MOST_EVENTS or size + cost > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((at, encoded.decode(errors="ignore")))
        size += cost
    if batch:
        yield batch
