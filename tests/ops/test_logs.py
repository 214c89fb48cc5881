"""The functions' logs: all groups in the order of time, each event once, and lines that people can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from moto import mock_aws

from ops import logs
from ops.logs import Event, SinceError
from tests.ops.somewhere import client

GROUPS = {"process-payment": "/aws/lambda/process-payment-dev", "payment-worker": "/aws/lambda/payment-worker-dev"}
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with mock_aws():
        made = client("logs")
        for group in GROUPS.values():
            made.create_log_group(logGroupName=group)
            made.create_log_stream(logGroupName=group, logStreamName="2026/11/21/[$LATEST]1")
        yield made


def log(cloudwatch: Any, function: str, *lines: tuple[float, str]) -> None:
    """Lines, each with the seconds before now at which it was written."""
    entries = [{"timestamp": int((NOW - timedelta(seconds=ago)).timestamp() * 1000), "message": message} for ago, message in lines]
    cloudwatch.put_log_events(logGroupName=GROUPS[function], logStreamName="2026/11/21/[$LATEST]1", logEvents=entries)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), (" 5m ", 300)])
def test_a_length_of_time_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert logs.since(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "1.5h", "10 min", "9999999s", "yesterday"])
def test_any_other_length_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SinceError, match=r"--since .*: a length of time is a number and a unit, such as 90s, 10m, 2h or 1d"):
        logs.since(text)


def test_groups_are_those_that_lambda_writes_to() -> None:
    assert logs.groups({"payment-worker": "payment-worker-dev"}) == {"payment-worker": "/aws/lambda/payment-worker-dev"}


def test_events_of_all_functions_come_in_the_order_of_time(cloudwatch: Any) -> None:
    log(cloudwatch, "process-payment", (30, "first\n"), (10, "third"))
    log(cloudwatch, "payment-worker", (900, "too old"), (20, "second"))
    found = logs.events(cloudwatch, GROUPS, NOW - timedelta(minutes=10))
    assert [(event.function, event.message) for event in found] == [("process-payment", "first"), ("payment-worker", "second"), ("process-payment", "third")]
    assert found[0].at == NOW - timedelta(seconds=30)
    assert found[0].as_dict() == {"time": found[0].at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "function": "process-payment", "message": "first"}


def test_a_group_that_is_not_there_yet_holds_nothing(cloudwatch: Any) -> None:
    log(cloudwatch, "payment-worker", (5, "here"))
    found = logs.events(cloudwatch, {**GROUPS, "outbox-relay": "/aws/lambda/none"}, NOW - timedelta(minutes=1))
    assert [event.message for event in found] == ["here"]


class Pages:
    """Answers in pages, as CloudWatch does: some empty, and some with events that were on the page before."""

    exceptions = type("Exceptions", (), {"ResourceNotFoundException": KeyError})

    def __init__(self) -> None:
        self.asked: list[str] = []

    def filter_log_events(self, **options: Any) -> dict[str, Any]:
        self.asked.append(options.get("nextToken", ""))
        page = {"": ([], "2"), "2": (["a"], "3"), "3": ([], "4"), "4": (["b"], "")}[self.asked[-1]]
        made = [{"eventId": name, "timestamp": 1000, "message": name} for name in page[0]]
        return {"events": made, **({"nextToken": page[1]} if page[1] else {})}


def test_every_page_is_read_also_behind_an_empty_one() -> None:
    pages = Pages()
    found = logs.events(pages, {"payment-worker": "/aws/lambda/payment-worker-dev"}, datetime(1970, 1, 1, tzinfo=UTC))
    assert [event.message for event in found] == ["a", "b"]
    assert pages.asked == ["", "2", "3", "4"]


def test_following_shows_new_events_once_and_late_ones_too(cloudwatch: Any) -> None:
    log(cloudwatch, "process-payment", (20, "before"))
    written = iter(
        [
            [(5, "new")],
            [],
            [(12, "late")],  # older than what was shown already
            [(1, "newest")],
        ]
    )

    def pause(_: float) -> None:
        if lines := next(written, []):
            log(cloudwatch, "process-payment", *lines)

    following = logs.follow(cloudwatch, GROUPS, NOW - timedelta(minutes=1), pause=pause)
    assert [event.message for event in islice(following, 4)] == ["before", "new", "late", "newest"]


def test_following_forgets_what_it_need_not_look_for_again(cloudwatch: Any) -> None:
    starts: list[datetime] = []
    log(cloudwatch, "process-payment", (300, "old"), (5, "young"))

    class Watched:
        exceptions = cloudwatch.exceptions

        def filter_log_events(self, **options: Any) -> Any:
            starts.append(datetime.fromtimestamp(options["startTime"] / 1000, UTC))
            return cloudwatch.filter_log_events(**options)

    calls = iter(range(2))

    def pause(_: float) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(logs.follow(Watched(), {"process-payment": GROUPS["process-payment"]}, NOW - timedelta(minutes=10), pause=pause))
    assert starts == [NOW - timedelta(minutes=10), NOW - timedelta(seconds=35), NOW - timedelta(seconds=35)]


def shown(message: Any) -> str:
    text = message if isinstance(message, str) else json.dumps(message)
    told = logs.line(Event(NOW, "payment-worker", "1", text), 15)
    time, function, rest = told.split(" ", 2)
    assert (len(time), function) == (12, "payment-worker")
    return rest.strip()


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred\x1b[0m and \x07 loud", "red and  loud"),
        ("[1, 2]", "[1, 2]"),
        (
            {"level": "INFO", "location": "handler:1", "message": "payment captured", "timestamp": "now", "service": "payment-worker", "payment_id": "1"},
            "INFO    payment captured  payment_id=1",
        ),
        ({"level": "ERROR", "message": {"why": "é"}, "attempts": 2, "cause": None}, 'ERROR   {"why": "é"}  attempts=2'),
        ({"level": "ERROR", "message": "broke", "exception": "Traceback\nValueError"}, "ERROR   broke\nTraceback\nValueError"),
        (
            {
                "_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "Payments", "Metrics": [{"Name": "PaymentCaptured"}, {"Name": "MessageFailed"}]}]},
                "PaymentCaptured": [1.0, 1.0],
                "stage": "dev",
            },
            "METRIC  PaymentCaptured=2 MessageFailed=?",
        ),
        ({"_aws": 1}, "METRIC"),
        (
            {"type": "platform.report", "record": {"requestId": "r-1", "status": "timeout", "metrics": {"durationMs": 3.1}}},
            "LAMBDA  report r-1 timeout durationMs=3.1",
        ),
        ({"type": "platform.start"}, "LAMBDA  start"),
    ],
)
def test_a_line_says_what_was_logged(message: Any, line: str) -> None:
    assert shown(message) == line


def test_tasks_log_into_the_groups_of_their_definitions() -> None:
    with mock_aws():
        ecs, made = client("ecs"), dict[str, str]()
        for name, group in (("web", "/ecs/web"), ("worker", "/ecs/all"), ("migrate", "/ecs/all"), ("silent", "")):
            options = {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": group}}} if group else {}
            definition = ecs.register_task_definition(family=name, containerDefinitions=[{"name": name, "image": "i:1", "memory": 64, **options}])
            made[name] = definition["taskDefinition"]["taskDefinitionArn"]
        assert logs.groups_of_tasks(ecs, made) == {"web": "/ecs/web", "worker+migrate": "/ecs/all"}
