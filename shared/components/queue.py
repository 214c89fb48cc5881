"""A work queue and the dead-letter queue behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared import naming
from shared.component import Component
from shared.environment import Environment
from shared.iam import Statement, policy
from shared.isolation import closed_to_others

# AWS, "Using Lambda with Amazon SQS": six times the function's timeout, so that a message is not seen again while its batch is retried.
_VISIBILITY_FACTOR = 6
_FOURTEEN_DAYS = 14 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class QueueArgs:
    """consumer_timeout: of the function that takes the messages, in seconds. max_receives: how often a message is tried before it is set aside.

    key_arn: the KMS key of both queues.
    """

    consumer_timeout: int
    key_arn: pulumi.Input[str]
    max_receives: int = 5


class Queue(Component):
    """Produces an SQS queue, its dead-letter queue (which only this queue may use), and their policies.

    They refuse callers without TLS, and roles of other environments and accounts.

    Outputs: `queue`, `dead_letters`.
    """

    queue: aws.sqs.Queue
    dead_letters: aws.sqs.Queue

    def __init__(self, name: str, environment: Environment, args: QueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        queue_name, dead_name = (environment.names(word, naming.QUEUE) for word in (name, f"{name}-dlq"))
        self.dead_letters = aws.sqs.Queue(
            f"{name}-dlq",
            name=dead_name,
            message_retention_seconds=_FOURTEEN_DAYS,
            kms_master_key_id=args.key_arn,
            redrive_allow_policy=json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [environment.arn("sqs", queue_name)]}),
            opts=self.child(),
        )
        self.queue = aws.sqs.Queue(
            name,
            name=queue_name,
            visibility_timeout_seconds=args.consumer_timeout * _VISIBILITY_FACTOR,
            message_retention_seconds=_FOURTEEN_DAYS,
            receive_wait_time_seconds=20,
            kms_master_key_id=args.key_arn,
            redrive_policy=self.dead_letters.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": args.max_receives})),
            opts=self.child(),
        )
        for child, queue in ((name, self.queue), (f"{name}-dlq", self.dead_letters)):
            tls = Statement(
                sid="TlsOnly",
                effect="Deny",
                principals="*",
                actions=["sqs:*"],
                resources=[queue.arn],
                conditions={"Bool": {"aws:SecureTransport": "false"}},
            )
            others = closed_to_others(environment, ["sqs:*"], [queue.arn])
            aws.sqs.QueuePolicy(child, queue_url=queue.url, policy=policy(tls, *others), opts=self.child())
        self.register_outputs({"url": self.queue.url, "deadLettersUrl": self.dead_letters.url})
