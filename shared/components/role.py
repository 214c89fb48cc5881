"""An IAM role for one purpose, with its one policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared import naming
from shared.component import Component
from shared.environment import Environment
from shared.iam import Statement, policy, trust
from shared.isolation import boundary_arn


@dataclass(frozen=True, kw_only=True)
class RoleArgs:
    """service: who assumes the role. description: for whom reads it in the console. statements: all that the role may do."""

    service: str
    description: str
    statements: Sequence[Statement]
    source_arn: pulumi.Input[str] | None = None


class Role(Component):
    """Produces an IAM role and its inline policy of the same name; inline, because a policy that is used once should go with its role.

    Whatever that policy says, the role is bounded to its environment (projects/networking/boundary.py).

    Outputs: `arn`, `name`. What needs the role's permissions at its own creation depends on `policy`.
    """

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    policy: aws.iam.RolePolicy

    def __init__(self, name: str, environment: Environment, args: RoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        called = environment.names(name, naming.ROLE)
        role = aws.iam.Role(
            name,
            name=called,
            description=args.description,
            assume_role_policy=trust(args.service, account=environment.account, arn=args.source_arn),
            permissions_boundary=boundary_arn(environment),
            force_detach_policies=True,
            opts=self.child(),
        )
        self.policy = aws.iam.RolePolicy(name, name=called, role=role.name, policy=policy(*args.statements), opts=self.child())
        self.arn = role.arn
        self.name = role.name
        self.register_outputs({"arn": self.arn, "name": self.name})
