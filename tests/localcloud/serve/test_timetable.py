"""Rules with schedules call functions with EventBridge's event, in the time of the rule or in the caller's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.serve.timetable import Timetable
from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import Deployment

_RECORDER = """
import json, os
def handler(event, context):
    with open(os.environ["RECORD"], "a") as record:
        print(json.dumps(event), file=record)
"""


class _Scheduled:
    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.record = deployment.folder / "record"
        self.record.touch()
        self.function = deployment.function("tick", _RECORDER, variables={"RECORD": str(self.record)})
        self.events = deployment.aws.client("events")

    def rule(self, name: str, *, permit: bool = True, state: str = "ENABLED", expression: str = "rate(1 minute)", **target: str) -> str:
        arn = self.events.put_rule(Name=name, ScheduleExpression=expression, State=state)["RuleArn"]
        self.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": self.function, **target}])
        if permit:
            self.deployment.permit("tick", "events.amazonaws.com", arn)
        return str(arn)

    @property
    def given(self) -> list[Any]:
        return [json.loads(line) for line in self.record.read_text().splitlines()]


@pytest.fixture
def scheduled(deployment: Deployment) -> _Scheduled:
    return _Scheduled(deployment)


def test_a_schedule_calls_its_function_with_eventbridges_event(scheduled: _Scheduled, serve: Serve, eventually: Callable[..., Any]) -> None:
    arn = scheduled.rule("clock")
    began = time.monotonic()
    serve(feeding=True, schedule_every=0.5)
    eventually(lambda: len(scheduled.given) >= 3)
    assert time.monotonic() - began > 1.2
    event = scheduled.given[0]
    assert (event["source"], event["detail-type"], event["detail"], event["version"]) == ("aws.events", "Scheduled Event", {}, "0")
    assert event["resources"] == [arn]
    assert (event["account"], event["region"]) == (scheduled.deployment.aws.account, "us-east-1")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(event["time"])).total_seconds()) < 60
    assert len({event["id"] for event in scheduled.given}) == len(scheduled.given)


def test_a_targets_own_input_takes_the_events_place(scheduled: _Scheduled, serve: Serve, eventually: Callable[..., Any]) -> None:
    scheduled.rule("clock", Input='{"do": "it"}')
    serve(feeding=True, schedule_every=0.2)
    assert eventually(lambda: scheduled.given)[0] == {"do": "it"}


def test_a_schedule_in_its_own_time_does_not_run_at_once(scheduled: _Scheduled, serve: Serve) -> None:
    scheduled.rule("clock")
    serve(feeding=True)
    time.sleep(1.0)
    assert scheduled.given == []


def test_a_disabled_rule_and_one_without_permission_call_nothing(scheduled: _Scheduled, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    scheduled.rule("disabled", state="DISABLED")
    scheduled.rule("forbidden", permit=False)
    serve(feeding=True, schedule_every=0.2)
    time.sleep(1.0)
    assert scheduled.given == []
    assert "rule forbidden: the policy of function tick does not let events.amazonaws.com invoke it" in caplog.text
    assert "rule disabled" not in caplog.text


def test_what_of_rules_cannot_be_served_is_said(scheduled: _Scheduled, serve: Serve) -> None:
    scheduled.events.put_rule(Name="pattern", EventPattern='{"source": ["x"]}')
    scheduled.events.put_targets(Rule="pattern", Targets=[{"Id": "1", "Arn": scheduled.function}])
    scheduled.rule("path", permit=False, InputPath="$.detail")
    problems = serve().deployed.problems
    assert any("rule pattern calls function tick on events" in problem for problem in problems)
    assert any("rule path: its target's InputPath" in problem for problem in problems)


def test_things_are_done_in_the_order_of_their_times_and_a_failure_stops_none() -> None:
    timetable = Timetable()
    timetable.start()
    done: list[str] = []
    last = threading.Event()

    def fail() -> None:
        raise ValueError("on purpose")

    timetable.after(0.6, last.set)
    timetable.after(0.4, lambda: done.append("second"))
    timetable.after(0.1, fail)
    timetable.after(0.2, lambda: done.append("first"))
    assert last.wait(10)
    assert done == ["first", "second"]
    timetable.stop()
