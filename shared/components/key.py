"""A customer-managed KMS key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared import naming
from shared.component import Component
from shared.environment import Environment
from shared.iam import Statement, policy
from shared.isolation import closed_to_others


@dataclass(frozen=True, kw_only=True)
class KeyArgs:
    """What a key is for, and which AWS services may use it on behalf of the account.

    users: statements for services that use the key directly (CloudWatch Logs, CloudTrail, SNS). IAM roles of the account get
    their use of the key from their own policies, which the first statement of every key policy lets them do.
    """

    description: str
    users: Sequence[Statement] = ()


class Key(Component):
    """Produces a symmetric key that rotates every year (PCI DSS 3.7.4) and that roles of other environments cannot use, and its alias.

    Outputs: `arn`, `id`.
    """

    arn: pulumi.Output[str]
    id: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        administration = Statement(
            sid="Account",
            principals={"AWS": environment.arn("iam", "root", region="")},
            actions=["kms:*"],
            resources=["*"],
            because="a key policy's resource is always the key itself, and without this statement nobody could administer it (AWS KMS, Default key policy)",
        )
        key = aws.kms.Key(
            name,
            description=args.description,
            enable_key_rotation=True,
            deletion_window_in_days=7,
            policy=policy(administration, *closed_to_others(environment, ["kms:*"], ["*"]), *args.users),
            opts=self.child(),
        )
        aws.kms.Alias(name, name=f"alias/{environment.names(name, naming.ALIAS)}", target_key_id=key.key_id, opts=self.child())
        self.arn = key.arn
        self.id = key.key_id
        self.register_outputs({"arn": self.arn})


_USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")

PUBLISHES = ("kms:Decrypt", "kms:GenerateDataKey*")
"""What a service needs of a topic's key to publish there (SNS, "Enable compatibility between event sources from AWS services and encrypted topics")."""


def use_by_service(
    environment: Environment,
    service: str,
    *,
    sid: str,
    actions: Sequence[str] = _USE,
    context: str = "",
    arn: pulumi.Input[str] | None = None,
) -> Statement:
    """Lets an AWS service use the key it is in the policy of, on behalf of this account only.

    context: the encryption-context key that names the resource which the service encrypts, with `arn` as its value (CloudWatch Logs, CloudTrail).
    """
    own = {"StringEquals": {"aws:SourceAccount": environment.account}}
    conditions = {"ArnLike": {f"kms:EncryptionContext:{context}": arn}} if context else own
    return Statement(
        sid=sid,
        principals={"Service": service},
        actions=actions,
        resources=["*"],
        because="a key policy's resource is always the key itself",
        conditions=conditions,
    )
