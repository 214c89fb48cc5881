"""A CloudWatch log group, encrypted, with the environment's retention."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.component import Component
from shared.environment import Environment


@dataclass(frozen=True, kw_only=True)
class LogGroupArgs:
    """log_group: its physical name; services that name their own log groups (Lambda, API Gateway) prescribe it. key_arn: the KMS key."""

    log_group: pulumi.Input[str]
    key_arn: pulumi.Input[str]


class LogGroup(Component):
    """Produces a log group that keeps its events as long as the page says (`platform:logRetentionDays`).

    Outputs: `arn` (without the `:*` that IAM wants for its streams), `name`.
    """

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, args: LogGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        group = aws.cloudwatch.LogGroup(
            name,
            name=args.log_group,
            kms_key_id=args.key_arn,
            retention_in_days=environment.platform.log_retention_days,
            opts=self.child(),
        )
        self.arn = group.arn
        self.name = group.name
        self.register_outputs({"arn": self.arn, "name": self.name})
