"""What ECS and the tasks may do, as IAM has it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.projects.app.test_containers import PARTS
from tests.projects.app.upstream import key_of, name, outputs, statements
from tests.projects.harness import Cloud

TASKS = [f"{part}-task" for part in PARTS]
KMS = ("kms:Decrypt", "kms:GenerateDataKey")


def allowed(cloud: Cloud, role: str) -> dict[str, set[str]]:
    """Resources by action, beside the use of keys."""
    found: dict[str, set[str]] = {}
    for statement in statements(cloud, role).values():
        for action in statement["Action"]:
            if not action.startswith("kms:"):
                found.setdefault(action, set()).update(statement["Resource"])
    return found


def keys(cloud: Cloud, role: str) -> set[tuple[str, str, tuple[str, ...]]]:
    """Which key is used through which service."""
    stores = cloud.runs["data"].outputs
    known = {key_of(cloud): "app", stores["dataKeyArn"]: "data"}
    found: set[tuple[str, str, tuple[str, ...]]] = set()
    for statement in statements(cloud, role).values():
        if any(action.startswith("kms:") for action in statement["Action"]):
            [key] = statement["Resource"]
            [(condition, test)] = statement["Condition"].items()
            assert (condition, set(test)) == ("StringEquals", {"kms:ViaService"})
            found.add((known[key], test["kms:ViaService"].removesuffix(".us-east-1.amazonaws.com"), tuple(sorted(statement["Action"]))))
    return found


@pytest.mark.parametrize("role", [*TASKS, "task-execution"])
def test_only_tasks_of_this_account_and_region_take_the_role(fargate: Cloud, role: str) -> None:
    [trust] = fargate.client("iam").get_role(RoleName=name(fargate, role))["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Effect"], trust["Principal"], trust["Action"]) == ("Allow", {"Service": "ecs-tasks.amazonaws.com"}, "sts:AssumeRole")
    account, arn = fargate.environment.account, fargate.environment.arn("ecs", "*")
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": arn}}


def test_each_task_has_a_role_of_its_own(fargate: Cloud) -> None:
    roles: dict[str, Any] = {}
    for part, arn in outputs(fargate)["taskDefinitionArns"].items():
        found = fargate.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        roles[part] = (found["taskRoleArn"].rsplit("/", 1)[-1], found["executionRoleArn"].rsplit("/", 1)[-1])
    assert roles == {part: (f"payment-{part}-task-prod", "payment-task-execution-prod") for part in PARTS}


def test_the_tasks_may_do_what_the_service_does_there(fargate: Cloud) -> None:
    stores, published = fargate.runs["data"].outputs, outputs(fargate)
    work, dead = (fargate.environment.arn("sqs", published[queue]) for queue in ("workQueueName", "deadLetterQueueName"))
    database = {"secretsmanager:GetSecretValue": {stores["databaseSecretArn"]}}
    assert allowed(fargate, "migrate-task") == database
    assert allowed(fargate, "web-task") == {**database, "sqs:SendMessage": {work}}
    assert allowed(fargate, "worker-task") == {
        **database,
        "sqs:ReceiveMessage": {work},
        "sqs:DeleteMessage": {work},
        "sqs:ChangeMessageVisibility": {work},
        "sqs:SendMessage": {work, dead},
        "sns:Publish": {published["paymentEventsTopicArn"]},
        "dynamodb:PutItem": {stores["transactionLogTableArn"]},
        "s3:PutObject": {f"{stores['documentsBucketArn']}/receipts/*", f"{stores['auditBucketArn']}/audit/*"},
    }


def test_keys_are_used_through_the_service_that_encrypts_with_them(fargate: Cloud) -> None:
    secret = ("data", "secretsmanager", ("kms:Decrypt",))
    assert keys(fargate, "migrate-task") == {secret}
    assert keys(fargate, "web-task") == {secret, ("app", "sqs", KMS)}
    assert keys(fargate, "worker-task") == {secret, ("app", "sqs", KMS), ("app", "sns", KMS), ("data", "dynamodb", ("kms:Decrypt",)), ("data", "s3", KMS)}
    assert keys(fargate, "task-execution") == {secret, ("app", "secretsmanager", ("kms:Decrypt",))}


def test_ecs_fetches_this_image_writes_these_logs_and_reads_these_secrets(fargate: Cloud) -> None:
    logs = {f"{fargate.environment.arn('logs', f'log-group:/aws/ecs/payment-{part}-prod')}:*" for part in PARTS}
    arn = fargate.client("secretsmanager").describe_secret(SecretId="payment-api-keys-1-prod")["ARN"]
    repository = {fargate.environment.arn("ecr", "repository/payment-service-prod")}
    assert allowed(fargate, "task-execution") == {
        "logs:CreateLogStream": logs,
        "logs:PutLogEvents": logs,
        "ecr:GetAuthorizationToken": {"*"},
        "ecr:BatchCheckLayerAvailability": repository,
        "ecr:GetDownloadUrlForLayer": repository,
        "ecr:BatchGetImage": repository,
        "secretsmanager:GetSecretValue": {fargate.runs["data"].outputs["cacheSecretArn"], arn},
    }


@pytest.mark.parametrize("role", TASKS)
def test_nothing_is_allowed_wholesale(fargate: Cloud, role: str) -> None:
    for action, resources in allowed(fargate, role).items():
        assert "*" not in action
        assert "*" not in resources
