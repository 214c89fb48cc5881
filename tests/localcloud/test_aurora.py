"""Aurora clusters: what RDS refuses only when it is asked, and that nothing of a cluster stays behind."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from tests.localcloud.engine import Engine
from tests.localcloud.examples.rds_clusters import CLUSTER, WITH_PASSWORD, WRITER
from tests.localcloud.life import make

SERVERLESS = {"serverlessv2ScalingConfiguration": {"minCapacity": 0.5, "maxCapacity": 4}}
PLAIN: dict[str, Any] = {
    "clusterIdentifier": "payments",
    "engine": "aurora-postgresql",
    "engineVersion": "16.6",
    "masterUsername": "owner",
    "manageMasterUserPassword": True,
    "skipFinalSnapshot": True,
}


def cluster(engine: Engine, **about: Any) -> tuple[str, dict[str, Any]]:
    inputs, refused = engine.check(CLUSTER.type, {**PLAIN, **about})
    assert refused == []
    return engine.create(CLUSTER.type, inputs)


def instance(engine: Engine, number: int, **about: Any) -> tuple[str, dict[str, Any]]:
    wanted = {"identifier": f"payments-{number}", "clusterIdentifier": "payments", "engine": "aurora-postgresql", "instanceClass": "db.r7g.large", **about}
    inputs, refused = engine.check(WRITER.type, wanted)
    assert refused == []
    return engine.create(WRITER.type, inputs)


def test_the_first_instance_writes_and_the_others_read(engine: Engine) -> None:
    cluster(engine)
    assert [instance(engine, number)[1]["writer"] for number in (1, 2, 3)] == [True, False, False]
    state, _ = engine.read(CLUSTER.type, "payments", {}, PLAIN) or ({}, {})
    assert state["clusterMembers"] == ["payments-1", "payments-2", "payments-3"]
    assert ".cluster-ro-" in state["readerEndpoint"]


def test_nothing_of_a_cluster_stays_behind(engine: Engine) -> None:
    rds, secrets = (engine.clouds.get(engine.account, engine.region).client(service) for service in ("rds", "secretsmanager"))
    id_, state = cluster(engine)
    reader, reading = instance(engine, 1)
    assert secrets.list_secrets()["SecretList"]
    engine.delete(WRITER.type, reader, reading)
    engine.delete(CLUSTER.type, id_, state)
    assert rds.describe_db_clusters()["DBClusters"] == []
    assert rds.describe_db_instances()["DBInstances"] == []
    assert rds.describe_db_cluster_snapshots(SnapshotType="automated")["DBClusterSnapshots"] == []
    assert rds.describe_db_snapshots()["DBSnapshots"] == []
    assert secrets.list_secrets()["SecretList"] == []


def test_the_master_password_is_the_users_own(engine: Engine) -> None:
    _, state = cluster(engine)
    client = engine.clouds.get(engine.account, engine.region).client("secretsmanager")
    kept = json.loads(client.get_secret_value(SecretId=state["masterUserSecrets"][0]["secretArn"])["SecretString"])
    assert kept["username"] == "owner"
    assert len(kept["password"]) == 28


def test_a_final_snapshot_is_made_when_it_is_asked_for(engine: Engine) -> None:
    id_, state, inputs, _ = make(engine, WITH_PASSWORD)
    state = engine.update(CLUSTER.type, id_, state, inputs, {**inputs, "deletionProtection": False})
    engine.delete(CLUSTER.type, id_, state)
    found = engine.clouds.get(engine.account, engine.region).client("rds").describe_db_cluster_snapshots(SnapshotType="manual")
    assert [each["DBClusterSnapshotIdentifier"] for each in found["DBClusterSnapshots"]] == ["reports-last"]


def test_a_second_cluster_of_the_same_name_is_refused(engine: Engine) -> None:
    cluster(engine)
    with pytest.raises(grpc.RpcError, match="payments exists already"):
        cluster(engine)


def test_a_serverless_instance_needs_a_capacity(engine: Engine) -> None:
    cluster(engine)
    with pytest.raises(grpc.RpcError, match="has no serverlessv2ScalingConfiguration"):
        instance(engine, 1, instanceClass="db.serverless")


def test_a_serverless_instance_joins_where_there_is_one(engine: Engine) -> None:
    cluster(engine, **SERVERLESS)
    assert instance(engine, 1, instanceClass="db.serverless")[1]["writer"] is True


@pytest.mark.parametrize("name", ["default.aurora-postgresql16", "payments-16"])
def test_parameters_of_the_versions_family_are_taken(engine: Engine, name: str) -> None:
    engine.create("aws:rds/clusterParameterGroup:ClusterParameterGroup", {"name": "payments-16", "family": "aurora-postgresql16", "description": "x"})
    assert cluster(engine, dbClusterParameterGroupName=name)[1]["dbClusterParameterGroupName"] == name


def test_parameters_of_another_family_are_refused(engine: Engine) -> None:
    group = {"name": "payments-17", "family": "aurora-postgresql17", "description": "x"}
    engine.create("aws:rds/clusterParameterGroup:ClusterParameterGroup", group)
    engine.create("aws:rds/parameterGroup:ParameterGroup", group)
    with pytest.raises(grpc.RpcError, match="is of family aurora-postgresql17"):
        cluster(engine, dbClusterParameterGroupName="payments-17")
    cluster(engine)
    with pytest.raises(grpc.RpcError, match="is of family aurora-postgresql17"):
        instance(engine, 1, dbParameterGroupName="payments-17")


def test_a_cluster_with_instances_cannot_be_deleted(engine: Engine) -> None:
    id_, state = cluster(engine)
    instance(engine, 1)
    with pytest.raises(grpc.RpcError):
        engine.delete(CLUSTER.type, id_, state)
