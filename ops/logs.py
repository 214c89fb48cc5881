"""What the functions or containers log, read from CloudWatch Logs: all of them together, in the order of time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.report import plain

# CloudWatch Logs shows an event some seconds after it was written; what is older than this is not looked for again.
_LATE = timedelta(seconds=30)
_POLL_SECONDS = 2.0
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

MOST = timedelta(days=3653)
"""How far back one may look: the longest retention of CloudWatch Logs (PutRetentionPolicy, retentionInDays) but for ever."""

# Fields of the logger that the line shows elsewhere, or that are the same on every line.
_SHOWN_ELSEWHERE = frozenset({
    "timestamp", "level", "message", "service", "location", "function_name", "function_arn", "function_memory_size", "function_request_id", "cold_start",
    "xray_trace_id", "exception", "exception_name", "stack_trace", "sampling_rate",
})  # fmt: skip


class SinceError(ValueError):
    """A --since that is no length of time."""


@dataclass(frozen=True)
class Event:
    """One line of a log.

    at: when it was written (aware). function: its short name, or what the container runs. id: CloudWatch's, the same however often it is read.
    message: as it was logged.
    """

    at: datetime
    function: str
    id: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The event for machines; `message` as it was logged."""
        return {"time": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "function": self.function, "message": self.message}


def since(text: str) -> timedelta:
    """A length of time as it is written on the command line: 90s, 10m, 2h, 1d, at most MOST. Raises SinceError."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if not match:
        raise SinceError(f"--since {text}: a length of time is a number and a unit, such as 90s, 10m, 2h or 1d")
    found = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if found > MOST:
        raise SinceError(f"--since {text}: at most {MOST.days}d, the longest retention that CloudWatch Logs counts")
    return found


def groups(functions: Mapping[str, str]) -> dict[str, str]:
    """The log group of each function, by the function's short name."""
    return {name: f"/aws/lambda/{physical}" for name, physical in functions.items()}


def groups_of_tasks(client: Any, definitions: Mapping[str, str]) -> dict[str, str]:
    """The log group of each task definition (ARN), by what it runs; client: of ECS. Those that share a group share a line."""
    found: dict[str, list[str]] = {}
    for name, arn in definitions.items():
        container = client.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"][0]
        group = ((container.get("logConfiguration") or {}).get("options") or {}).get("awslogs-group")
        if group:
            found.setdefault(group, []).append(name)
    return {"+".join(names): group for group, names in found.items()}


def events(client: Any, of: Mapping[str, str], start: datetime) -> list[Event]:
    """All events since `start`, in the order of time; `of`: log groups by function. A group that nothing was ever logged to holds none."""
    found = [event for function, group in of.items() for event in _events(client, function, group, start)]
    return sorted(found, key=lambda event: event.at)


def follow(client: Any, of: Mapping[str, str], start: datetime, *, pause: Callable[[float], None] = time.sleep) -> Iterator[Event]:
    """Events since `start`, and then new ones as they come, each once; ends when whoever iterates does.

    An event is shown when it can be read, so one that CloudWatch delivers late comes after younger ones.
    """
    shown: dict[str, datetime] = {}
    while True:
        new = [event for event in events(client, of, start) if event.id not in shown]
        yield from new
        shown |= {event.id: event.at for event in new}
        start = max(start, max(shown.values(), default=start) - _LATE)
        shown = {id_: at for id_, at in shown.items() if at >= start}
        pause(_POLL_SECONDS)


def line(event: Event, width: int) -> str:
    """An event for people, on one line (a stack trace below it); `width`: of the column of function names."""
    at = event.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    return f"{at} {event.function:<{width}}  {_told(event.message)}"


def _told(message: str) -> str:
    try:
        record: Any = json.loads(message)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return plain(message)
    if "_aws" in record:
        return plain(_metrics(record))
    if str(record.get("type", "")).startswith("platform."):
        return plain(_platform(record))
    return plain(_logged(record))


def _logged(record: dict[str, Any]) -> str:
    level, text = str(record.get("level", "INFO")), record.get("message", "")
    more = " ".join(f"{name}={_value(value)}" for name, value in record.items() if name not in _SHOWN_ELSEWHERE and value is not None)
    trace = f"\n{record['exception']}" if record.get("exception") else ""
    return f"{level:<7} {_value(text)}{f'  {more}' if more else ''}{trace}"


def _metrics(record: dict[str, Any]) -> str:
    """A record in CloudWatch's embedded metric format: the counts."""
    declared = record["_aws"].get("CloudWatchMetrics", []) if isinstance(record["_aws"], dict) else []
    names = [metric["Name"] for directive in declared for metric in directive.get("Metrics", [])]
    counts = [f"{name}={_number(record.get(name))}" for name in names]
    return f"METRIC  {' '.join(counts)}"


def _number(value: Any) -> str:
    """A metric's value, or the sum of its values where a record holds several."""
    values: list[Any] = value if isinstance(value, list) else [value]
    numbers = [number for number in values if isinstance(number, int | float)]
    return f"{sum(numbers):g}" if numbers else "?"


def _platform(record: dict[str, Any]) -> str:
    """Lambda's own records, in the JSON format of its logs."""
    about: dict[str, Any] = record["record"] if isinstance(record.get("record"), dict) else {}
    kind = str(record["type"]).removeprefix("platform.")
    metrics: dict[str, Any] = about["metrics"] if isinstance(about.get("metrics"), dict) else {}
    more = " ".join(f"{name}={value}" for name, value in metrics.items())
    return f"LAMBDA  {kind} {about.get('requestId', '')} {about.get('status', '')} {more}".rstrip()


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _events(client: Any, function: str, group: str, start: datetime) -> Iterator[Event]:
    page: dict[str, str] = {}
    while True:
        try:
            answer: dict[str, Any] = client.filter_log_events(logGroupName=group, startTime=int(start.timestamp() * 1000), **page)
        except client.exceptions.ResourceNotFoundException:
            return
        for event in answer["events"]:
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            yield Event(at, function, f"{group} {event['eventId']}", event["message"].rstrip("\n"))
        if not answer.get("nextToken"):
            return
        page = {"nextToken": answer["nextToken"]}
