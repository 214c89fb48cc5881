"""The components that are used twice, as AWS has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.component import Component
from shared.components.key import Key, KeyArgs, use_by_service
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.queue import Queue, QueueArgs
from shared.components.role import Role, RoleArgs
from shared.components.topic import Topic, TopicArgs
from shared.environment import Environment
from shared.iam import Statement
from tests.projects.harness import Cloud, empty_aws

ACCOUNT = "234567890123"
READ = Statement(sid="Read", actions=["s3:GetObject"], resources=["arn:aws:s3:::documents/*"])


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("staging") as cloud:
        yield cloud


def key_arn(cloud: Cloud) -> str:
    arn: str = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    return arn


def attributes(cloud: Cloud, queue: str) -> dict[str, Any]:
    sqs = cloud.client("sqs")
    found: dict[str, Any] = sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], AttributeNames=["All"])["Attributes"]
    return found


KEPT_OUT = ("OnlyThisEnvironment", "OnlyThisSuffix", "OnlyThisAccount")


def closed(statements: list[dict[str, Any]], action: str | list[str], resource: str) -> bool:
    """Whether these are the statements that refuse the roles of other environments and accounts, for this action and resource."""
    denied = all((one["Effect"], one["Action"], one["Resource"], one["Principal"]) == ("Deny", action, resource, {"AWS": "*"}) for one in statements)
    return denied and tuple(one["Sid"] for one in statements) == KEPT_OUT


def test_a_key_rotates_has_an_alias_and_is_administered_by_the_account(cloud: Cloud) -> None:
    cloud.make(lambda environment: Key("data", environment, KeyArgs(description="Data")))
    kms = cloud.client("kms")
    about = kms.describe_key(KeyId="alias/data-staging-main")["KeyMetadata"]
    assert (about["Description"], about["KeySpec"], about["KeyUsage"]) == ("Data", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert kms.get_key_rotation_status(KeyId=about["KeyId"])["KeyRotationEnabled"]
    statement, *others = json.loads(kms.get_key_policy(KeyId=about["KeyId"], PolicyName="default")["Policy"])["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*")
    assert closed(others, "kms:*", "*")


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ({}, {"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        ({"context": "aws:logs:arn", "arn": "arn:aws:logs:*"}, {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:*"}}),
    ],
)
def test_a_service_uses_a_key_for_this_account_or_for_what_it_encrypts_only(cloud: Cloud, asked: dict[str, str], condition: dict[str, Any]) -> None:
    def components(environment: Environment) -> None:
        user = use_by_service(environment, "sns.amazonaws.com", sid="Sns", **asked)
        Key("events", environment, KeyArgs(description="Events", users=[user]))

    cloud.make(components)
    kms = cloud.client("kms")
    key = kms.describe_key(KeyId="alias/events-staging-main")["KeyMetadata"]["KeyId"]
    *_, user = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"]
    assert (user["Sid"], user["Principal"], user["Condition"]) == ("Sns", {"Service": "sns.amazonaws.com"}, condition)
    assert "kms:*" not in user["Action"]


@pytest.mark.parametrize(("timeout", "receives"), [(1, 5), (28, 1), (900, 1000)])
def test_a_queue_waits_six_times_its_consumers_timeout_and_then_sets_messages_aside(cloud: Cloud, timeout: int, receives: int) -> None:
    key = key_arn(cloud)
    cloud.make(lambda environment: Queue("work", environment, QueueArgs(consumer_timeout=timeout, key_arn=key, max_receives=receives)))
    work, dead = attributes(cloud, "work-staging-main"), attributes(cloud, "work-dlq-staging-main")
    assert int(work["VisibilityTimeout"]) == 6 * timeout
    redrive = json.loads(work["RedrivePolicy"])
    assert (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])) == (dead["QueueArn"], receives)
    for queue in (work, dead):
        assert queue["KmsMasterKeyId"] == key
        assert queue["MessageRetentionPeriod"] == "1209600"
        statement, *others = json.loads(queue["Policy"])["Statement"]
        assert closed(others, "sqs:*", queue["QueueArn"])
        assert (statement["Sid"], statement["Effect"], statement["Resource"]) == ("TlsOnly", "Deny", queue["QueueArn"])


def test_only_its_queue_may_use_a_dead_letter_queue(cloud: Cloud) -> None:
    key = key_arn(cloud)
    made = cloud.make(lambda environment: Queue("work", environment, QueueArgs(consumer_timeout=1, key_arn=key)))
    # moto keeps no redriveAllowPolicy, so what is sent is all there is to be looked at.
    [dead] = [resource for resource in made.resources if resource.type.endswith(":Queue") and resource.name == "work-dlq" and resource.id]
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [attributes(cloud, "work-staging-main")["QueueArn"]]}
    assert json.loads(dead.inputs["redriveAllowPolicy"]) == allowed


@pytest.mark.parametrize("publishers", [[], ["cloudwatch.amazonaws.com"]])
def test_a_topic_takes_messages_from_its_account_and_the_named_services_only(cloud: Cloud, publishers: list[str]) -> None:
    key = key_arn(cloud)
    made = cloud.make(lambda environment: Topic("alarms", environment, TopicArgs(key_arn=key, publishers=publishers)))
    # moto keeps no version of signatures, so what is sent is all there is to be looked at.
    assert [one.inputs["signatureVersion"] for one in made.resources if one.type == "aws:sns/topic:Topic"] == [2]
    found = cloud.client("sns").get_topic_attributes(TopicArn=cloud.environment.arn("sns", "alarms-staging-main"))["Attributes"]
    assert found["KmsMasterKeyId"] == key
    statements = {statement["Sid"]: statement for statement in json.loads(found["Policy"])["Statement"]}
    assert set(statements) == {"TlsOnly", "Account", *KEPT_OUT} | ({"Services"} if publishers else set())
    assert closed([statements[sid] for sid in KEPT_OUT], statements["Account"]["Action"], cloud.environment.arn("sns", "alarms-staging-main"))
    assert "sns:*" not in statements["Account"]["Action"]
    assert statements["Account"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    if publishers:
        assert statements["Services"]["Principal"] == {"Service": publishers}
        assert statements["Services"]["Action"] == "sns:Publish"
        assert statements["Services"]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_role_has_its_one_policy_inline_and_its_trust(cloud: Cloud) -> None:
    args = RoleArgs(service="vpc-flow-logs.amazonaws.com", description="Writes flow logs", statements=[READ], source_arn="arn:aws:ec2:::vpc-flow-log/*")
    cloud.make(lambda environment: Role("flow-logs", environment, args))
    iam = cloud.client("iam")
    about = iam.get_role(RoleName="flow-logs-staging-main")["Role"]
    assert about["Description"] == "Writes flow logs"
    assert about["PermissionsBoundary"]["PermissionsBoundaryArn"] == f"arn:aws:iam::{ACCOUNT}:policy/boundary-staging-main"
    [trust] = about["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:aws:ec2:::vpc-flow-log/*"}
    assert iam.list_role_policies(RoleName="flow-logs-staging-main")["PolicyNames"] == ["flow-logs-staging-main"]
    document = iam.get_role_policy(RoleName="flow-logs-staging-main", PolicyName="flow-logs-staging-main")["PolicyDocument"]
    assert document["Statement"] == [{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::documents/*"}]


def test_a_log_group_is_encrypted_and_kept_as_long_as_the_page_says(cloud: Cloud) -> None:
    key = key_arn(cloud)
    cloud.make(lambda environment: LogGroup("access", environment, LogGroupArgs(log_group="/aws/access", key_arn=key)))
    [group] = cloud.client("logs").describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"], group["kmsKeyId"]) == ("/aws/access", 14, key)


COMPONENTS: dict[str, Callable[[Environment], Component]] = {
    "Key": lambda environment: Key("one", environment, KeyArgs(description="One")),
    "LogGroup": lambda environment: LogGroup("one", environment, LogGroupArgs(log_group="one", key_arn="arn:aws:kms:us-east-1:234567890123:key/1")),
    "Queue": lambda environment: Queue("one", environment, QueueArgs(consumer_timeout=1, key_arn="alias/aws/sqs")),
    "Role": lambda environment: Role("one", environment, RoleArgs(service="lambda.amazonaws.com", description="One", statements=[READ])),
    "Topic": lambda environment: Topic("one", environment, TopicArgs(key_arn="alias/aws/sns")),
}


@pytest.mark.parametrize("name", list(COMPONENTS))
def test_every_child_hangs_on_its_component_and_no_logical_name_has_the_environment_in_it(cloud: Cloud, name: str) -> None:
    made = cloud.make(COMPONENTS[name])
    component, *children = made.resources
    assert component.type == f"payments:shared:{name}"
    assert children
    assert {child.parent for child in children} == {component.urn}
    assert not any("staging" in resource.name or "main" in resource.name for resource in made.resources)
    assert all("staging-main" in child.inputs.get("name", "staging-main") or name in {"Role", "LogGroup"} for child in children)


def test_a_components_type_is_its_projects() -> None:
    class Here(Component):
        def __init__(self, name: str, environment: Environment) -> None:
            super().__init__(name, environment)
            self.register_outputs({})

    Here.__module__ = "projects.app.somewhere"
    with empty_aws("dev") as cloud:
        made = cloud.make(lambda environment: Here("here", environment))
    assert [resource.type for resource in made.resources] == ["payments:app:Here"]
