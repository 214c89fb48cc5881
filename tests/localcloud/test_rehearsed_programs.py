"""A program that is rehearsed runs to its end, whatever waits for what, and fails with what failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from moto import mock_aws

from localcloud import wire
from localcloud.aws import Clouds
from localcloud.rehearsal import Failed, Program, Refused, Run, run


class LateError(Exception):
    """Of a callback."""


def rehearsed(main: Callable[[], object]) -> Run:
    with mock_aws():
        return run(Program(main=main, project="app", stack="dev", config={"aws:region": "us-east-1"}), Clouds())


def fail(_: Any) -> Any:
    raise LateError("late")


def queue(name: str, **inputs: Any) -> aws.sqs.Queue:
    return aws.sqs.Queue(name, name=name, **inputs)


def after(depth: int, value: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """An output that is there only after many others, each of which makes the next."""
    return value if depth == 0 else value.apply(lambda arn: after(depth - 1, pulumi.Output.from_input(arn)))


def test_what_is_made_in_callbacks_of_callbacks_is_made() -> None:
    def main() -> None:
        first = queue("first")
        after(30, first.arn).apply(lambda _: after(3, queue("second").arn).apply(lambda _: queue("third")))
        pulumi.export("arn", after(20, first.arn))

    made = rehearsed(main)
    assert [one.name for one in made.resources] == ["first", "second", "third"]
    assert made.outputs == {"arn": "arn:aws:sqs:us-east-1:123456789012:first"}


@pytest.mark.parametrize("depth", [0, 1, 25])
def test_a_callback_that_fails_fails_the_program(depth: int) -> None:
    def main() -> None:
        after(depth, queue("first").arn).apply(fail)
        queue("second")

    with pytest.raises(LateError, match="late"):
        rehearsed(main)


def test_a_resource_that_cannot_be_made_fails_the_program_with_its_name() -> None:
    def main() -> None:
        queue("first")
        aws.sqs.QueuePolicy("policy", queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/none", policy="{}")

    with pytest.raises(Failed, match="'policy' of app"):
        rehearsed(main)


def test_the_first_of_several_faults_is_told() -> None:
    def main() -> None:
        refused = queue("first", visibility_timeout_seconds=-1)
        refused.arn.apply(fail)
        queue("second", visibility_timeout_seconds=-2)

    with pytest.raises(Refused, match="'first' of app"):
        rehearsed(main)


def test_a_program_after_one_that_failed_knows_nothing_of_it() -> None:
    with pytest.raises(LateError):
        rehearsed(lambda: after(3, queue("first").arn).apply(fail))
    assert [one.name for one in rehearsed(lambda: queue("second")).resources] == ["second"]


def test_an_answer_to_the_engine_that_is_not_there_yet_is_a_fault() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with pytest.raises(TypeError, match="not there yet"):
            wire.dump({"arn": loop.create_future()})
    finally:
        asyncio.set_event_loop(None)
        loop.close()
