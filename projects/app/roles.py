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
    log, sessions = reach.data.transaction_log_table_arn, reach.data.sessions_table_arn
    append = Statement(sid="AppendTransactionLog", actions=["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query"], resources=[log])
    messages = Statement(sid="MessageKey", actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[reach.key_arn])
    own = Statement(sid="EnvironmentKey", actions=["kms:Decrypt"], resources=[reach.key_arn])
    if function is PROCESS_PAYMENT:
        return [
            append,
            Statement(sid="Sessions", actions=["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources=[sessions]),
            Statement(sid="SendWork", actions=["sqs:SendMessage"], resources=[reach.work.queue.arn]),
            _data_key(environment, reach, "dynamodb"),
            messages,
        ]
    if function is VERIFY_PAYMENT:
        return [
            Statement(sid="ReadTransactionLog", actions=["dynamodb:GetItem", "dynamodb:Query"], resources=[log]),
            _data_key(environment, reach, "dynamodb"),
            own,
        ]
    if function is PAYMENT_WORKER:
        return [
            append,
            Statement(
                sid="TakeWork",
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
                resources=[reach.work.queue.arn],
            ),
            Statement(sid="PublishEvents", actions=["sns:Publish"], resources=[reach.events_arn]),
            _data_key(environment, reach, "dynamodb"),
            messages,
        ]
    raise ValueError(f"nobody has said what {function.name} may do; say it here")


def _data_key(environment: Environment, reach: Reach, service: str) -> Statement:
    """Use of the data key, through the service that encrypts with it and in no other way."""
    return Statement(
        sid="DataKey",
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[reach.data.data_key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{environment.region}.amazonaws.com"}},
    )
