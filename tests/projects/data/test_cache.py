"""Redis, as ElastiCache, Secrets Manager and CloudWatch Logs have it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pulumi
import pytest

from localcloud.rehearsal import Run
from projects.data.cache import Cache
from projects.data.cache_settings import CacheSettings
from projects.data.keys import data_key
from shared.contracts import NetworkingOutputs
from shared.environment import Environment
from tests.projects.harness import Cloud, empty_aws, network


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("staging") as cloud:
        cloud.published("networking", network(cloud))
        yield cloud


def rehearse(cloud: Cloud, **settings: Any) -> Run:
    asked = CacheSettings.model_validate({"node_type": "cache.m7g.large", "replicas": 1, **settings})

    def components(environment: Environment) -> None:
        Cache("cache", environment, asked, network=cloud.take(NetworkingOutputs), key_arn=data_key(environment).arn)

    return cloud.make(components)


def make(cloud: Cloud, **settings: Any) -> dict[str, Any]:
    """Makes the cache; answers what ElastiCache says about it."""
    rehearse(cloud, **settings)
    [group] = cloud.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    return group


def key_of(cloud: Cloud) -> str:
    [alias] = [alias for alias in cloud.client("kms").list_aliases()["Aliases"] if alias["AliasName"] == "alias/data-staging-main"]
    arn: str = cloud.client("kms").describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"]
    return arn


def test_it_speaks_tls_only_asks_for_a_token_and_is_encrypted_with_our_key(cloud: Cloud) -> None:
    group = make(cloud)
    assert (group["TransitEncryptionEnabled"], group["TransitEncryptionMode"]) == (True, "required")
    assert group["AuthTokenEnabled"]
    assert (group["AtRestEncryptionEnabled"], group["KmsKeyId"]) == (True, key_of(cloud))


@pytest.mark.parametrize(("replicas", "takes_over"), [(0, "disabled"), (1, "enabled"), (5, "enabled")])
def test_a_replica_takes_over_where_there_is_one(cloud: Cloud, replicas: int, takes_over: str) -> None:
    group = make(cloud, replicas=replicas)
    assert (group["AutomaticFailover"], group["MultiAZ"]) == (takes_over, takes_over)
    assert len(group["MemberClusters"]) == 1 + replicas


def test_the_page_decides(cloud: Cloud) -> None:
    group = make(cloud, node_type="cache.t4g.micro", backup_retention_days=3, backup_window="01:00-02:00", maintenance_window="sat:05:00-sat:06:00")
    assert (group["CacheNodeType"], group["SnapshotRetentionLimit"], group["SnapshotWindow"]) == ("cache.t4g.micro", 3, "01:00-02:00")


def test_it_stands_in_the_private_subnets_behind_its_own_security_group(cloud: Cloud) -> None:
    [made] = [one for one in rehearse(cloud).resources if one.type == "aws:elasticache/replicationGroup:ReplicationGroup"]
    outputs = cloud.runs["networking"].outputs
    [subnets] = [
        one for one in cloud.client("elasticache").describe_cache_subnet_groups()["CacheSubnetGroups"] if one["CacheSubnetGroupName"] == "cache-staging-main"
    ]
    assert {subnet["SubnetIdentifier"] for subnet in subnets["Subnets"]} == set(outputs["privateSubnetIds"])
    assert made.inputs["subnetGroupName"] == "cache-staging-main"
    assert made.inputs["securityGroupIds"] == [outputs["securityGroupIds"]["cache"]]


def test_the_secret_is_the_whole_url_under_our_key(cloud: Cloud) -> None:
    group = make(cloud)
    secrets = cloud.client("secretsmanager")
    secret = secrets.describe_secret(SecretId="cache-staging-main")
    assert secret["KmsKeyId"] == key_of(cloud)
    url = urlsplit(secrets.get_secret_value(SecretId="cache-staging-main")["SecretString"])
    assert (url.scheme, url.username, url.port, url.path) == ("rediss", "", 6379, "/0")
    assert url.hostname == group["NodeGroups"][0]["PrimaryEndpoint"]["Address"].lower()
    # ElastiCache takes 16 to 128 characters; one that a URL would have to escape would reach Redis as another.
    assert re.fullmatch(r"[A-Za-z0-9]{64}", url.password or "")


def test_the_secret_refuses_others_before_it_has_a_value(cloud: Cloud) -> None:
    made = [one.type for one in rehearse(cloud).resources]
    assert made.index("aws:secretsmanager/secretPolicy:SecretPolicy") < made.index("aws:secretsmanager/secretVersion:SecretVersion")
    secrets = cloud.client("secretsmanager")
    said = {one["Sid"]: one for one in json.loads(secrets.get_resource_policy(SecretId="cache-staging-main")["ResourcePolicy"])["Statement"]}
    assert set(said) == {"OnlyThisEnvironment", "OnlyThisSuffix", "OnlyThisAccount"}
    arn = secrets.describe_secret(SecretId="cache-staging-main")["ARN"]
    for statement in said.values():
        assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "secretsmanager:*", arn)


def test_the_token_is_a_secret_of_the_state(cloud: Cloud) -> None:
    made = rehearse(cloud)
    url = cloud.client("secretsmanager").get_secret_value(SecretId="cache-staging-main")["SecretString"]
    assert urlsplit(url).password not in str(made.outputs)


def test_another_deployment_leaves_the_token_that_the_group_was_made_with(cloud: Cloud) -> None:
    ignored: dict[str, list[str]] = {}

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        if args.type_ == "aws:elasticache/replicationGroup:ReplicationGroup":
            ignored[args.name] = list(args.opts.ignore_changes or ())

    def components(environment: Environment) -> None:
        pulumi.runtime.register_stack_transformation(look)
        asked = CacheSettings(node_type="cache.t4g.micro", replicas=0)
        Cache("cache", environment, asked, network=cloud.take(NetworkingOutputs), key_arn=data_key(environment).arn)

    cloud.make(components)
    assert ignored == {"cache": ["auth_token"]}


def test_its_logs_go_to_groups_with_our_key_and_the_pages_retention(cloud: Cloud) -> None:
    [made] = [one for one in rehearse(cloud).resources if one.type == "aws:elasticache/replicationGroup:ReplicationGroup"]
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/vendedlogs/elasticache/cache-staging-main/")["logGroups"]
    key = cloud.runs["networking"].outputs["logKeyArn"]
    assert {(group["kmsKeyId"], group["retentionInDays"]) for group in groups} == {(key, 14)}
    delivered = {one["logType"]: one["destination"] for one in made.inputs["logDeliveryConfigurations"]}
    assert delivered == {name.rpartition("/")[2]: name for name in (group["logGroupName"] for group in groups)}
    assert set(delivered) == {"slow-log", "engine-log"}
