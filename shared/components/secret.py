"""Secrets that a program puts into Secrets Manager itself."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.component import Component
from shared.iam import policy
from shared.isolation import closed_to_others


@dataclass(frozen=True)
class Kept:
    """A secret's ARN, and its version with the value."""

    arn: pulumi.Output[str]
    version: aws.secretsmanager.SecretVersion


def kept_secret(owner: Component, name: str, *, description: str, value: pulumi.Output[str], key_arn: pulumi.Input[str], once: bool = False) -> Kept:
    """Children of a component: a secret, the policy that refuses roles of other environments and other accounts, and the version with the value.

    once: whether the value of the first deployment stays, whatever `value` is later: for values that every look-up makes anew.
    """
    secret = aws.secretsmanager.Secret(
        name,
        name=owner.environment.names(name),
        description=description,
        kms_key_id=key_arn,
        # A name in its recovery window cannot be made again, and what the value opens goes with it.
        recovery_window_in_days=0,
        opts=owner.child(),
    )
    others = closed_to_others(owner.environment, ["secretsmanager:*"], [secret.arn])
    closed = aws.secretsmanager.SecretPolicy(name, secret_arn=secret.arn, policy=policy(*others), block_public_policy=True, opts=owner.child())
    # Nobody else is to have read it before the policy is there.
    opts = owner.child(depends_on=[closed], ignore_changes=["secretString"] if once else None)
    return Kept(secret.arn, aws.secretsmanager.SecretVersion(name, secret_id=secret.id, secret_string=pulumi.Output.secret(value), opts=opts))
