"""An SNS topic."""

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

# SNS takes none but these in a topic's policy, and `sns:*` neither ("Policy statement action out of service scope"); its default policy has them.
_ACTIONS = (
    "sns:Publish",
    "sns:Subscribe",
    "sns:GetTopicAttributes",
    "sns:SetTopicAttributes",
    "sns:AddPermission",
    "sns:RemovePermission",
    "sns:ListSubscriptionsByTopic",
    "sns:DeleteTopic",
)


@dataclass(frozen=True, kw_only=True)
class TopicArgs:
    """key_arn: the KMS key of its messages. publishers: AWS services that may publish on behalf of this account, such as `cloudwatch.amazonaws.com`."""

    key_arn: pulumi.Input[str]
    publishers: Sequence[str] = ()


class Topic(Component):
    """Produces an encrypted SNS topic that takes nothing without TLS, and nothing from other accounts and other environments.

    Outputs: `arn`.
    """

    arn: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, args: TopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        topic = aws.sns.Topic(
            name,
            name=environment.names(name, naming.TOPIC),
            kms_master_key_id=args.key_arn,
            # What subscribers by HTTPS verify is signed by SHA-256; 1, the default, is SHA-1 (SNS developer guide, "Verifying the signatures").
            signature_version=2,
            opts=self.child(),
        )
        statements = [
            Statement(
                sid="TlsOnly",
                effect="Deny",
                principals="*",
                actions=["sns:Publish"],
                resources=[topic.arn],
                conditions={"Bool": {"aws:SecureTransport": "false"}},
            ),
            Statement(
                sid="Account",
                principals={"AWS": environment.arn("iam", "root", region="")},
                actions=_ACTIONS,
                resources=[topic.arn],
            ),
            *closed_to_others(environment, _ACTIONS, [topic.arn]),
        ]
        if args.publishers:
            statements.append(
                Statement(
                    sid="Services",
                    principals={"Service": list(args.publishers)},
                    actions=["sns:Publish"],
                    resources=[topic.arn],
                    conditions={"StringEquals": {"aws:SourceAccount": environment.account}},
                )
            )
        aws.sns.TopicPolicy(name, arn=topic.arn, policy=policy(*statements), opts=self.child())
        self.arn = topic.arn
        self.register_outputs({"arn": self.arn})
