"""What each function may do, statement by statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from payments.functions import PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from shared.components.queue import Queue
from shared.contracts import DataOutputs
from shared.environment import Environment
from shared.iam import Statement


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What there is to be given access to."""

    data: DataOutputs
    work: Queue
    events_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


def statements_for(function: Function, environment: Environment, reach: Reach, *, log_group_arn: pulumi.Output[str], arn: str) -> list[Statement]:
    """All that a function's role may do: run in the VPC, write its logs and traces, and what its own work needs."""
    return [*_running(arn, log_group_arn), *_work(function, environment, reach)]


def _running(arn: str, log_group_arn: pulumi.Output[str]) -> Sequence[Statement]:
    interfaces = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]
    return [
        Statement(
            sid="NetworkInterfaces",
            actions=interfaces,
            resources=["*"],
            because="Lambda makes the function's interfaces in the role's name, and checks for it before any has an ARN (Lambda, VPC execution role)",
        ),
        # Lambda needs the above, the function's own code does not (Lambda, "Security best practices" for VPC functions).
        Statement(
            sid="NotByTheFunctionItself",
            effect="Deny",
            actions=interfaces,
            resources=["*"],
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": arn}},
        ),
        Statement(sid="Logs", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group_arn.apply(lambda group: f"{group}:*")]),
        Statement(
            sid="Traces",
            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            resources=["*"],
            because="X-Ray has no resource to name for these",
        ),
    ]


def _work(function: Function, environment: Environment, reach: Reach) -> Sequence[Statement]:
    """What the function's own code calls (`payments/`), no call more; a test runs the code against these statements' actions."""
    log, sessions = reach.data.transaction_log_table_arn, reach.data.sessions_table_arn
    append = Statement(sid="AppendTransactionLog", actions=["dynamodb:PutItem", "dynamodb:Query"], resources=[log])

    def key(sid: str, arn: pulumi.Input[str], service: str, *actions: str) -> Statement:
        """Use of a key through the service that encrypts with it, and in no other way."""
        through = {"kms:ViaService": f"{service}.{environment.region}.amazonaws.com"}
        return Statement(sid=sid, actions=actions, resources=[arn], conditions={"StringEquals": through})

    always = [
        # Lambda decrypts the variables in the role's name. Its own grant for that dies with the role; this lives as long as the role does.
        key("EnvironmentKey", reach.key_arn, "lambda", "kms:Decrypt"),
        # Callers of an encrypted table need no more to read and to write it: table keys are made when the table is (DynamoDB, Encryption at rest).
        key("DataKey", reach.data.data_key_arn, "dynamodb", "kms:Decrypt"),
    ]
    if function is PROCESS_PAYMENT:
        return [
            append,
            Statement(sid="Sessions", actions=["dynamodb:UpdateItem"], resources=[sessions]),
            Statement(sid="SendWork", actions=["sqs:SendMessage"], resources=[reach.work.queue.arn]),
            key("SendWorkKey", reach.key_arn, "sqs", "kms:GenerateDataKey", "kms:Decrypt"),
            *always,
        ]
    if function is VERIFY_PAYMENT:
        return [Statement(sid="ReadTransactionLog", actions=["dynamodb:Query"], resources=[log]), *always]
    if function is PAYMENT_WORKER:
        return [
            append,
            # What Lambda asks of the role for the event source mapping; the function itself calls none of these (Lambda, "Using Lambda with Amazon SQS").
            Statement(
                sid="TakeWork",
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                resources=[reach.work.queue.arn],
            ),
            key("TakeWorkKey", reach.key_arn, "sqs", "kms:Decrypt"),
            Statement(sid="PublishEvents", actions=["sns:Publish"], resources=[reach.events_arn]),
            key("PublishEventsKey", reach.key_arn, "sns", "kms:GenerateDataKey", "kms:Decrypt"),
            *always,
        ]
    raise ValueError(f"nobody has said what {function.name} may do; say it here")
