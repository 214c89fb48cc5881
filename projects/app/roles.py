"""What each function, and each task, may do: what its own work needs, in the way that `payments/` does it, and what it takes to run there.

Tests run the service's code against these statements' actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi

from payments.functions import PAYMENT_WORKER, Variable
from projects.app.grants import Use, api_key_secrets, cache_secret, granted
from shared.iam import Statement


def function_statements(use: Use, variables: Iterable[Variable], *, log_group_arn: pulumi.Output[str], arn: str) -> list[Statement]:
    """All that the role of the one function in `use` may do: run in the VPC, write its logs and traces, and what its variables let it."""
    found = [
        *_running(arn, log_group_arn),
        # Lambda decrypts the variables in the role's name. Its own grant for that dies with the role; this lives as long as the role does.
        use.app_key("EnvironmentKey", "lambda", "kms:Decrypt"),
        *granted(variables, use),
    ]
    if PAYMENT_WORKER in use.functions:
        # What Lambda asks of the role for the event source mapping; the function itself calls none of these (Lambda, "Using Lambda with Amazon SQS").
        found += _takes(use, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return _once(found)


def task_statements(use: Use, variables: Iterable[Variable]) -> list[Statement]:
    """All that the role of a task's own code may do: it takes from the queue itself, and what writes its logs has a role of its own."""
    found = granted(variables, use)
    if PAYMENT_WORKER in use.functions:
        found += _takes(use, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
    return _once(found)


def execution_statements(
    use: Use, *, log_group_arns: Sequence[pulumi.Output[str]], repository_arn: pulumi.Input[str] | None, api_key_arns: Sequence[pulumi.Input[str]]
) -> list[Statement]:
    """What ECS does before a task's code runs: fetch the image, open the log, read the secrets that become variables."""
    found = [
        Statement(
            sid="Logs",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[arn.apply(lambda group: f"{group}:*") for arn in log_group_arns],
        )
    ]
    if repository_arn is not None:
        found += [
            Statement(
                sid="Registry",
                actions=["ecr:GetAuthorizationToken"],
                resources=["*"],
                because="the token is for the registry, which is no resource (Service Authorization Reference, ECR)",
            ),
            Statement(
                sid="Image",
                actions=["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
                resources=[repository_arn],
            ),
        ]
    return [*found, *api_key_secrets(use, api_key_arns), *(cache_secret(use) if use.environment.shape.cache else [])]


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


def _takes(use: Use, *actions: str) -> list[Statement]:
    return [Statement(sid="TakeWork", actions=actions, resources=[use.reach.work.queue.arn]), use.messages()]


def _once(statements: Sequence[Statement]) -> list[Statement]:
    """Without those that several variables ask for: all tables have one key, and both queues."""
    return list({statement.sid: statement for statement in statements}.values())
