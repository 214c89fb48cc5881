"""What moto's ElastiCache was given: calls that AWS has, seen through boto3 alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from botocore.exceptions import ClientError

from tests.localcloud.engine import Engine
from tests.localcloud.examples.elasticache import PLAIN, REPLICATION_GROUP, SUBNET_GROUP, VALKEY
from tests.localcloud.life import make

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def cache(engine: Engine) -> Any:
    return engine.clouds.get(engine.account, engine.region).client("elasticache")


def group(cache: Any, **about: Any) -> dict[str, Any]:
    return cache.create_replication_group(ReplicationGroupId="sessions", ReplicationGroupDescription="Sessions", **about)["ReplicationGroup"]


def test_a_group_has_the_nodes_that_were_asked_for(cache: Any) -> None:
    made = group(cache, NumCacheClusters=3, EngineVersion="7.1", Engine="redis")
    assert made["MemberClusters"] == ["sessions-001", "sessions-002", "sessions-003"]
    nodes = cache.describe_cache_clusters()["CacheClusters"]
    assert [(node["CacheClusterId"], node["EngineVersion"]) for node in nodes] == [(name, "7.1") for name in made["MemberClusters"]]
    shard = made["NodeGroups"][0]
    assert [member["CurrentRole"] for member in shard["NodeGroupMembers"]] == ["primary", "replica", "replica"]
    assert shard["PrimaryEndpoint"]["Address"] != shard["ReaderEndpoint"]["Address"]


def test_replicas_come_and_go(cache: Any) -> None:
    group(cache, NumCacheClusters=2)
    more = cache.increase_replica_count(ReplicationGroupId="sessions", NewReplicaCount=3, ApplyImmediately=True)["ReplicationGroup"]
    assert len(more["MemberClusters"]) == 4
    fewer = cache.decrease_replica_count(ReplicationGroupId="sessions", NewReplicaCount=0, ApplyImmediately=True)["ReplicationGroup"]
    assert fewer["MemberClusters"] == ["sessions-001"]


def test_a_deleted_group_is_gone_and_its_name_is_free(cache: Any) -> None:
    made = group(cache, Tags=[{"Key": "Environment", "Value": "dev"}])
    cache.delete_replication_group(ReplicationGroupId="sessions")
    assert cache.describe_replication_groups()["ReplicationGroups"] == []
    assert cache.describe_cache_clusters()["CacheClusters"] == []
    assert cache.list_tags_for_resource(ResourceName=made["ARN"])["TagList"] == []
    group(cache)


def test_logs_are_added_changed_and_ended_by_their_type(cache: Any) -> None:
    def delivery(kind: str, log_group: str) -> dict[str, Any]:
        details = {"CloudWatchLogsDetails": {"LogGroup": log_group}}
        return {"LogType": kind, "LogFormat": "json", "DestinationType": "cloudwatch-logs", "DestinationDetails": details}

    group(cache, LogDeliveryConfigurations=[delivery("slow-log", "a"), delivery("engine-log", "b")])
    wanted = [{"LogType": "slow-log", "Enabled": False}, {**delivery("engine-log", "c"), "Enabled": True}]
    cache.modify_replication_group(ReplicationGroupId="sessions", LogDeliveryConfigurations=wanted)
    left = cache.describe_replication_groups(ReplicationGroupId="sessions")["ReplicationGroups"][0]["LogDeliveryConfigurations"]
    assert [(each["LogType"], each["DestinationDetails"]["CloudWatchLogsDetails"]["LogGroup"]) for each in left] == [("engine-log", "c")]


def test_a_token_is_set_and_taken_away(cache: Any) -> None:
    def has_token() -> bool:
        return bool(cache.describe_replication_groups(ReplicationGroupId="sessions")["ReplicationGroups"][0]["AuthTokenEnabled"])

    group(cache, TransitEncryptionEnabled=True)
    assert not has_token()
    cache.modify_replication_group(ReplicationGroupId="sessions", AuthToken=TOKEN, AuthTokenUpdateStrategy="ROTATE")
    assert has_token()
    cache.modify_replication_group(ReplicationGroupId="sessions", AuthToken=TOKEN, AuthTokenUpdateStrategy="DELETE")
    assert not has_token()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda cache: cache.delete_replication_group(ReplicationGroupId="gone"), "ReplicationGroupNotFoundFault"),
        (lambda cache: cache.modify_replication_group(ReplicationGroupId="gone"), "ReplicationGroupNotFoundFault"),
        (lambda cache: cache.delete_cache_subnet_group(CacheSubnetGroupName="gone"), "CacheSubnetGroupNotFoundFault"),
        (lambda cache: group(cache, CacheSubnetGroupName="gone"), "CacheSubnetGroupNotFoundFault"),
        (lambda cache: cache.delete_cache_parameter_group(CacheParameterGroupName="gone"), "CacheParameterGroupNotFound"),
        (lambda cache: cache.describe_cache_parameters(CacheParameterGroupName="gone"), "CacheParameterGroupNotFound"),
        (lambda cache: cache.describe_cache_clusters(CacheClusterId="gone"), "CacheClusterNotFound"),
    ],
)
def test_what_is_not_there_is_said_to_be_missing(cache: Any, call: Callable[[Any], Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        call(cache)
    assert refused.value.response["Error"]["Code"].removesuffix("Fault") == code.removesuffix("Fault")


def test_groups_in_use_cannot_be_deleted(engine: Engine) -> None:
    _, _, _, made = make(engine, REPLICATION_GROUP)
    for name, type_ in (("subnets", SUBNET_GROUP.type), ("parameters", "aws:elasticache/parameterGroup:ParameterGroup")):
        with pytest.raises(grpc.RpcError, match="payment-sessions-dev"):
            engine.delete(type_, made[name]["id"], made[name])


def test_a_parameter_group_is_made_once(cache: Any) -> None:
    wanted = {"CacheParameterGroupName": "sessions", "CacheParameterGroupFamily": "redis7", "Description": "Sessions"}
    cache.create_cache_parameter_group(**wanted)
    with pytest.raises(ClientError, match="already exists"):
        cache.create_cache_parameter_group(**wanted)
    cache.modify_cache_parameter_group(CacheParameterGroupName="sessions", ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "1"}])
    cache.reset_cache_parameter_group(CacheParameterGroupName="sessions", ResetAllParameters=True)
    assert cache.describe_cache_parameters(CacheParameterGroupName="sessions")["Parameters"] == []


def test_parameters_of_another_version_are_refused(engine: Engine) -> None:
    engine.create("aws:elasticache/parameterGroup:ParameterGroup", {"name": "old", "family": "redis6.x", "description": "x"})
    with pytest.raises(grpc.RpcError, match=r"is of family redis6\.x; redis 7\.1 takes redis7"):
        engine.create(PLAIN.type, {**PLAIN.inputs, "engine": "redis", "engineVersion": "7.1", "parameterGroupName": "old"})


def test_several_zones_are_asked_for_where_they_are_promised(engine: Engine) -> None:
    vpc, _ = engine.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "instanceTenancy": "default"})
    subnet, _ = engine.create("aws:ec2/subnet:Subnet", {"vpcId": vpc, "cidrBlock": "10.0.0.0/24", "availabilityZone": "us-east-1a"})
    engine.create(SUBNET_GROUP.type, {"name": "narrow", "description": "x", "subnetIds": [subnet]})
    wanted = {**PLAIN.inputs, "engine": "redis", "subnetGroupName": "narrow", "automaticFailoverEnabled": True, "multiAzEnabled": True}
    with pytest.raises(grpc.RpcError, match="covers us-east-1a only"):
        engine.create(PLAIN.type, wanted)


def test_a_final_snapshot_is_made_when_it_is_asked_for(engine: Engine, cache: Any) -> None:
    id_, state, _, _ = make(engine, VALKEY)
    engine.delete(VALKEY.type, id_, state)
    assert [each["SnapshotName"] for each in cache.describe_snapshots()["Snapshots"]] == ["valkey-last"]


def test_a_refusal_does_not_show_the_token(engine: Engine) -> None:
    _, refused = engine.check(PLAIN.type, {**PLAIN.inputs, "transitEncryptionEnabled": True, "subnetGroupName": "x", "authToken": "hush/hush"})
    assert [path for path, _ in refused] == ["authToken"]
    assert "hush" not in refused[0][1]
