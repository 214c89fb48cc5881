"""What runs by the clock."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from payments.functions import Function, functions_for
from projects.app.variables import store_of
from shared import naming
from shared.component import Component
from shared.environment import Environment

# Lambda's and EventBridge's shortest: what could not start for so long is left to the run after it.
_AGE_SECONDS = 60


class Schedules(Component):
    """Produces the EventBridge rule that calls each function with `every_minutes`, the permission for that, and what becomes of calls that fail.

    A run that fails is not repeated, neither by EventBridge nor by Lambda: the next one does the same work.
    """

    def __init__(
        self, name: str, environment: Environment, *, functions: Mapping[str, aws.lambda_.Function], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        for function in functions_for(store_of(environment)):
            if function.every_minutes is not None:
                self._schedule(function, function.every_minutes, functions[function.name])
        self.register_outputs({})

    def _schedule(self, function: Function, minutes: int, made: aws.lambda_.Function) -> None:
        config = aws.lambda_.FunctionEventInvokeConfig(
            function.name,
            function_name=made.name,
            maximum_event_age_in_seconds=_AGE_SECONDS,
            maximum_retry_attempts=0,
            opts=self.child(),
        )
        rule = aws.cloudwatch.EventRule(
            function.name,
            name=self.environment.names(function.name, naming.RULE),
            description=f"Payment service: runs {function.name}",
            schedule_expression=rate(minutes),
            state="ENABLED",
            force_destroy=True,
            opts=self.child(),
        )
        allowed = aws.lambda_.Permission(
            function.name,
            statement_id="Schedule",
            action="lambda:InvokeFunction",
            function=made.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self.child(),
        )
        aws.cloudwatch.EventTarget(
            function.name,
            rule=rule.name,
            target_id=function.name,
            arn=made.arn,
            retry_policy={"maximum_event_age_in_seconds": _AGE_SECONDS, "maximum_retry_attempts": 0},
            force_destroy=True,
            # The first call comes at once, and finds the permission and what is to become of failures.
            opts=self.child(depends_on=[allowed, config]),
        )


def rate(minutes: int) -> str:
    """EventBridge's expression, which has the singular for one (EventBridge, "Rate expressions")."""
    return f"rate({minutes} minute{'' if minutes == 1 else 's'})"
