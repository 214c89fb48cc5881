"""Clients whose calls go to moto without HTTP answer as botocore's own do through moto's way into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.serialize import XFormedAttributePicker
from moto.moto_api._internal import mock_random

from localcloud.aws import Clouds
from localcloud.in_process import MotoIsOff
from localcloud.moto_settings import as_a_control_plane

ACCOUNT, REGION = "123456789012", "us-east-2"
HERE = {"LocationConstraint": REGION}
Call = Callable[[Any], Any]


def there_and_back(kms: Any, key: str) -> Any:
    return kms.decrypt(KeyId=key, CiphertextBlob=kms.encrypt(KeyId=key, Plaintext=b"\0\xff")["CiphertextBlob"])["Plaintext"]


# One of each protocol: EC2's, Query, JSON, REST with JSON, REST with XML, and what they do with errors, bytes and streams.
CALLS: dict[str, tuple[str, Call]] = {
    "ec2": ("ec2", lambda ec2: [ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["CidrBlock"], ec2.describe_availability_zones()]),
    "ec2, an error": ("ec2", lambda ec2: ec2.describe_subnets(SubnetIds=["subnet-0123456789abcdef0"])),
    "query": ("iam", lambda iam: [iam.create_role(RoleName="a", AssumeRolePolicyDocument="{}")["Role"]["Arn"], iam.list_roles()["Roles"][0]["RoleName"]]),
    "query, an error": ("iam", lambda iam: iam.get_role(RoleName="nobody")),
    "json": ("logs", lambda logs: [logs.create_log_group(logGroupName="a b/c"), logs.describe_log_groups()["logGroups"][0]["arn"]]),
    "json, an error": ("logs", lambda logs: logs.put_retention_policy(logGroupName="none", retentionInDays=7)),
    "json or query": ("sqs", lambda sqs: [sqs.create_queue(QueueName="work")["QueueUrl"], sqs.list_queues()["QueueUrls"]]),
    "rest and json": ("apigateway", lambda api: [api.create_rest_api(name="a", tags={"a b": "ü"})["tags"], api.get_rest_apis()["items"][0]["name"]]),
    "rest and json, an error": ("lambda", lambda functions: functions.get_function(FunctionName="none")),
    "rest and xml": (
        "s3",
        lambda s3: [s3.create_bucket(Bucket="a-b", CreateBucketConfiguration={"LocationConstraint": REGION}), s3.get_bucket_location(Bucket="a-b")],
    ),
    "rest and xml, an error": ("s3", lambda s3: s3.get_bucket_policy(Bucket="none")),
    "bytes": ("kms", lambda kms: there_and_back(kms, kms.create_key()["KeyMetadata"]["KeyId"])),
}


def of(call: Call, client: Any) -> Any:
    try:
        return without_its_id(call(client))
    except ClientError as error:
        return type(error).__name__, error.operation_name, without_its_id(error.response)


def without_its_id(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: without_its_id(value) for name, value in answer.items() if name not in {"ResponseMetadata", "RequestId"}}
    return [without_its_id(value) for value in answer] if isinstance(answer, list) else answer


@pytest.mark.parametrize("name", CALLS)
def test_a_call_answers_what_botocores_would(name: str) -> None:
    service, call = CALLS[name]
    as_a_control_plane()
    with mock_aws():
        theirs = of(call, boto3.client(service, region_name=REGION))
    with mock_aws():
        assert of(call, Clouds().get(ACCOUNT, REGION).client(service)) == theirs


def test_what_is_streamed_comes_back() -> None:
    with mock_aws():
        s3 = Clouds().get(ACCOUNT, "us-east-1").client("s3")
        s3.create_bucket(Bucket="streams")
        s3.put_object(Bucket="streams", Key="a b/ü", Body=b"\0paid\r\n", ChecksumAlgorithm="SHA256")
        assert s3.get_object(Bucket="streams", Key="a b/ü")["Body"].read() == b"\0paid\r\n"
        assert s3.head_object(Bucket="streams", Key="a b/ü")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_outside_of_moto_a_call_goes_nowhere() -> None:
    with mock_aws():
        sqs = Clouds().get(ACCOUNT, REGION).client("sqs")
        sqs.list_queues()
    with pytest.raises(MotoIsOff, match="ListQueues"):
        sqs.list_queues()


def test_the_names_that_moto_is_made_to_remember_are_those_that_it_finds() -> None:
    """On the answers of a call each of EC2 and IAM, with objects of many classes."""
    as_a_control_plane()
    find: Any = XFormedAttributePicker.get_possible_keys
    asked: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def both(picker: Any, context: Any) -> Any:
        asked.append((tuple(find(picker, context)), tuple(find.__wrapped__(picker, context))))
        return asked[-1][0]

    with mock_aws(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(XFormedAttributePicker, "get_possible_keys", both)
        aws = Clouds().get(ACCOUNT, REGION)
        for name in ("ec2", "query", "json"):
            of(CALLS[name][1], aws.client(CALLS[name][0]))
    assert len(asked) > 50
    assert [pair for pair in asked if pair[0] != pair[1]] == []


def test_ids_of_requests_are_letters_and_digits_and_no_two_are_the_same() -> None:
    as_a_control_plane()
    drawn = [mock_random.get_random_string(length=52) for _ in range(100)]
    assert {len(one) for one in drawn} == {52}
    assert all(one.isalnum() and one.isascii() for one in drawn)
    assert len(set(drawn)) == 100
    assert mock_random.get_random_string(length=9, include_digits=False, lower_case=True).isalpha()
