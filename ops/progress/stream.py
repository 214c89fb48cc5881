"""Progress for programs: one JSON object per line (`--stream`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self

from ops.progress.lines import Lines
from ops.report import Result, plain


def _now() -> datetime:
    return datetime.now(UTC)


class JsonProgress:
    """Writes each event with its `time` (ISO 8601, UTC, milliseconds) and its name, `event`, as one line of JSON.

    A `stack_done` holds the stack's result under `result`, in the words of the report's schema.
    """

    def __init__(self, file: IO[str], now: Callable[[], datetime] = _now) -> None:
        """Write to this stream, which is flushed after each line."""
        self._lines = Lines(file)
        self._now = now

    def emit(self, event: str, **fields: object) -> None:
        """Write one event."""
        time = self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._lines.write(json.dumps({"time": time, "event": event, **fields}, ensure_ascii=False))

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """Nothing to undo: every line is written already."""

    def stack_started(self, project: str, stack: str) -> None:
        """Write it."""
        self.emit("stack_started", project=project, stack=stack)

    def resource_started(self, project: str, urn: str, type: str, name: str, op: str) -> None:  # noqa: A002 - the engine's word
        """Write it."""
        self.emit("resource_started", project=project, urn=urn, type=type, name=name, op=op)

    def resource_done(self, project: str, urn: str, op: str, failed: bool) -> None:
        """Write it."""
        self.emit("resource_done", project=project, urn=urn, op=op, failed=failed)

    def note(self, project: str, message: str) -> None:
        """Write it."""
        self.emit("note", project=project, message=plain(message))

    def stack_done(self, result: Result) -> None:
        """Write it, with all that the report will say of the stack."""
        self.emit("stack_done", project=result.project, stack=result.stack, result=result.as_dict())
