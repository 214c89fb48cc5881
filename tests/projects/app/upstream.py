"""The app program in a stand-in network, with the data program's outputs."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from shared.environment import environment_of
from shared.page import Page
from tests.projects.harness import Cloud, empty_aws, network
from tests.projects.observability.upstream import data

STRIPE = {
    "name": "stripe",
    "secretArn": "arn:aws:secretsmanager:us-east-1:234567890123:secret:payments/stripe-AbCdEf",
    "secretKeyArn": "arn:aws:kms:us-east-1:234567890123:key/0e8f3c1a-2b4d-4c6e-8f10-1a2b3c4d5e6f",
    "endpoint": "https://stripe.example.com",
}
"""A page's processor with all that one can say."""


@contextmanager
def deployed(environment: str, *, without: Any = (), **changed: Any) -> Generator[Cloud]:
    """An AWS with the app deployed for a page, some of whose keys may be `changed`, and some left out."""
    with empty_aws(environment, **changed) as cloud:
        cloud.page = Page(cloud.page.name, {key: value for key, value in cloud.page.config.items() if key not in without})
        cloud.environment = environment_of(cloud.page)
        cloud.published("networking", network(cloud))
        cloud.published("data", stores(cloud))
        cloud.deploy("app")
        yield cloud


def stores(cloud: Cloud) -> dict[str, Any]:
    """The outputs of data; the bucket that a load balancer writes its log to is there, and lets it."""
    found = data(cloud)
    if cloud.environment.shape.compute == "containers":
        s3, bucket = cloud.client("s3"), found["accessLogsBucketName"]
        s3.create_bucket(Bucket=bucket)
        writer = {"Effect": "Allow", "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, "Action": "s3:PutObject"}
        statement = {**writer, "Resource": f"arn:aws:s3:::{bucket}/load-balancer/AWSLogs/{cloud.environment.account}/*"}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return found


def outputs(cloud: Cloud) -> dict[str, Any]:
    """What the app publishes."""
    return cloud.runs["app"].outputs


def name(cloud: Cloud, word: str) -> str:
    """The physical name of what is called `word`."""
    platform = cloud.environment.platform
    return platform.naming.format(resource=word, stage=platform.stage, suffix=platform.environment_suffix)


def key_of(cloud: Cloud) -> str:
    """The ARN of the app's key."""
    kms = cloud.client("kms")
    [alias] = [alias for alias in kms.list_aliases()["Aliases"] if alias["AliasName"] == f"alias/{name(cloud, 'app')}"]
    arn: str = kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"]
    return arn


def statements(cloud: Cloud, word: str) -> dict[str, dict[str, Any]]:
    """What the role of a function, or of what is called `word`, may do, by statement; actions and resources always as lists."""
    iam, role = cloud.client("iam"), name(cloud, word)
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    found = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
    return {one["Sid"]: {**one, "Action": _many(one["Action"]), "Resource": _many(one["Resource"])} for one in found}


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
