"""What runs by the clock, as EventBridge and Lambda have it."""

from __future__ import annotations

import json

import pytest

from payments.functions import FUNCTIONS
from projects.app.schedules import rate
from tests.projects.app.upstream import name, outputs
from tests.projects.harness import Cloud


def test_the_relay_alone_runs_every_minute(staging: Cloud) -> None:
    events, arns = staging.client("events"), outputs(staging)["functionArns"]
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    assert set(rules) == {name(staging, function.name) for function in FUNCTIONS if function.every_minutes} == {name(staging, "outbox-relay")}
    rule = rules[name(staging, "outbox-relay")]
    assert (rule["ScheduleExpression"], rule["State"], rule["EventBusName"]) == ("rate(1 minute)", "ENABLED", "default")
    [target] = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == arns["outbox-relay"]


def test_only_its_rule_may_call_it(staging: Cloud) -> None:
    policy = staging.client("lambda").get_policy(FunctionName=name(staging, "outbox-relay"))["Policy"]
    [statement] = json.loads(policy)["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Allow", "lambda:InvokeFunction", {"Service": "events.amazonaws.com"})
    rule = staging.environment.arn("events", f"rule/{name(staging, 'outbox-relay')}")
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": rule}}


def test_a_run_that_fails_or_comes_too_late_is_left_to_the_next(staging: Cloud) -> None:
    physical = name(staging, "outbox-relay")
    [target] = staging.client("events").list_targets_by_rule(Rule=physical)["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    config = staging.client("lambda").get_function_event_invoke_config(FunctionName=physical)
    assert (config["MaximumEventAgeInSeconds"], config["MaximumRetryAttempts"]) == (60, 0)


def test_a_run_ends_before_the_next_begins(staging: Cloud) -> None:
    for function in FUNCTIONS:
        if function.every_minutes is not None:
            about = staging.client("lambda").get_function_configuration(FunctionName=name(staging, function.name))
            assert about["Timeout"] < 60 * function.every_minutes


@pytest.mark.parametrize(("minutes", "expression"), [(1, "rate(1 minute)"), (2, "rate(2 minutes)"), (60, "rate(60 minutes)")])
def test_one_has_the_singular(minutes: int, expression: str) -> None:
    assert rate(minutes) == expression
