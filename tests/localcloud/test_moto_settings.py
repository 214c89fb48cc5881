"""Where moto would do something of its own accord: hand messages out, deny requests, make images."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from projects.data.buckets import Buckets
from projects.data.keys import data_key
from projects.data.settings import BucketSettings
from shared.environment import Environment
from tests.localcloud.engine import Engine
from tests.localcloud.examples import lambda_
from tests.localcloud.life import make
from tests.projects.harness import empty_aws


def client(engine: Engine, service: str) -> Any:
    return engine.clouds.get(engine.account, engine.region).client(service)


def test_a_queue_with_a_function_keeps_its_messages_for_whoever_runs_the_function(engine: Engine) -> None:
    make(engine, lambda_.SMALL)
    url, queue = engine.create("aws:sqs/queue:Queue", {"name": "work", "visibilityTimeoutSeconds": 180})
    engine.create("aws:lambda/eventSourceMapping:EventSourceMapping", {"eventSourceArn": queue["arn"], "functionName": "verify-payment"})
    sqs = client(engine, "sqs")
    sqs.send_message(QueueUrl=url, MessageBody="pay")
    [message] = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert (message["Body"], message["Attributes"]["ApproximateReceiveCount"]) == ("pay", "1")


@pytest.mark.parametrize("word", ["documents", "audit", "access-logs"])
def test_the_data_programs_buckets_take_objects(word: str) -> None:
    with empty_aws("dev") as cloud:

        def components(environment: Environment) -> None:
            Buckets("buckets", environment, BucketSettings(expire_days=30), key_arn=data_key(environment).arn)

        cloud.make(components)
        s3 = cloud.client("s3")
        [bucket] = [found["Name"] for found in s3.list_buckets()["Buckets"] if found["Name"].startswith(word)]
        conditions = [statement.get("Condition") for statement in json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]]
        assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
        s3.put_object(Bucket=bucket, Key="statement.txt", Body=b"paid")
        assert s3.get_object(Bucket=bucket, Key="statement.txt")["Body"].read() == b"paid"


def test_a_policy_without_conditions_still_denies(engine: Engine) -> None:
    s3 = client(engine, "s3")
    s3.create_bucket(Bucket="closed")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::closed/*"}
    s3.put_bucket_policy(Bucket="closed", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    with pytest.raises(ClientError, match=r"\(403\)"):
        s3.put_object(Bucket="closed", Key="a", Body=b"")


def test_a_condition_of_a_keys_policy_is_not_guessed(engine: Engine) -> None:
    kms = client(engine, "kms")
    deny: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    for condition, open_ in (({"Condition": {"StringNotEquals": {"aws:PrincipalTag/Suffix": "main"}}}, True), ({}, False)):
        key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**deny, **condition}]}))["KeyMetadata"]["KeyId"]
        if open_:
            assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                kms.describe_key(KeyId=key)


def test_images_are_there_for_those_who_ask(engine: Engine) -> None:
    ec2 = client(engine, "ec2")
    ec2.run_instances(ImageId="ami-03cf127a", InstanceType="t4g.nano", MinCount=1, MaxCount=1)
    filters = [{"Name": "name", "Values": ["al2023-ami-2023*"]}, {"Name": "architecture", "Values": ["arm64"]}]
    assert {image["ImageOwnerAlias"] for image in ec2.describe_images(Owners=["amazon"], Filters=filters)["Images"]} == {"amazon"}


def test_a_deleted_cluster_is_described_and_not_listed(engine: Engine) -> None:
    ecs = client(engine, "ecs")
    kept, deleted = (ecs.create_cluster(clusterName=name)["cluster"]["clusterArn"] for name in ("kept", "deleted"))
    assert ecs.list_clusters()["clusterArns"] == [kept, deleted]
    ecs.delete_cluster(cluster=deleted)
    assert ecs.list_clusters()["clusterArns"] == [kept]
    assert [cluster["status"] for cluster in ecs.describe_clusters(clusters=[deleted])["clusters"]] == ["INACTIVE"]
