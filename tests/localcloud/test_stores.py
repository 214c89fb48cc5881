"""What the table's examples cannot show of S3, RDS and Application Auto Scaling: contents, secrets, and what an update must leave behind."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from tests.localcloud.engine import Engine
from tests.localcloud.examples import appautoscaling, rds, s3
from tests.localcloud.life import make, merged

BUCKET = s3.BUCKET.type


def client(engine: Engine, service: str) -> Any:
    return engine.clouds.get(engine.account, engine.region).client(service)


def secrets(engine: Engine) -> dict[str, dict[str, str]]:
    manager = client(engine, "secretsmanager")
    return {each["Name"]: json.loads(manager.get_secret_value(SecretId=each["ARN"])["SecretString"]) for each in manager.list_secrets()["SecretList"]}


def full_bucket(engine: Engine) -> tuple[str, dict[str, Any]]:
    """A versioned bucket with more objects than one page lists (see `small_pages`), one of them deleted since."""
    id_, state = engine.create(BUCKET, {"bucket": "payments-papers", "forceDestroy": False})
    bucket = client(engine, "s3")
    bucket.put_bucket_versioning(Bucket=id_, VersioningConfiguration={"Status": "Enabled"})
    for number in range(8):
        bucket.put_object(Bucket=id_, Key=f"paper-{number}", Body=b"")
    bucket.delete_object(Bucket=id_, Key="paper-7")
    return id_, state


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 lists 3 objects at a time, not 1,000."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")


def test_a_bucket_with_contents_is_deleted_by_force_only(engine: Engine, small_pages: None) -> None:
    id_, state = full_bucket(engine)
    assert client(engine, "s3").list_object_versions(Bucket=id_)["IsTruncated"]
    with pytest.raises(grpc.RpcError, match="BucketNotEmpty"):
        engine.delete(BUCKET, id_, state)
    engine.delete(BUCKET, id_, {**state, "forceDestroy": True})
    assert engine.read(BUCKET, id_, state, {}) is None


def test_a_bucket_name_is_not_taken_twice(engine: Engine) -> None:
    engine.create(BUCKET, {"bucket": "payments-papers"})
    with pytest.raises(grpc.RpcError, match="exists already"):
        engine.create(BUCKET, {"bucket": "payments-papers"})


def test_the_tiering_leaves_its_bucket_alone(engine: Engine) -> None:
    id_, state, _, made = make(engine, s3.TIERING)
    engine.delete(s3.TIERING.type, id_, state)
    assert client(engine, "s3").head_bucket(Bucket=made["bucket"]["id"])
    assert client(engine, "ssm").describe_parameters()["Parameters"] == []


def test_the_master_password_is_in_a_secret_of_the_instance_alone(engine: Engine) -> None:
    id_, state, inputs, made = make(engine, rds.INSTANCE)
    ((name, first),) = secrets(engine).items()
    assert name.startswith("rds!db-")
    assert first["username"] == inputs["username"]
    assert len(first["password"]) == 28
    assert state["masterUserSecrets"][0]["kmsKeyId"] == made["key"]["arn"]

    own = merged(inputs, {"manageMasterUserPassword": None, "masterUserSecretKmsKeyId": None, "password": "correct-horse"})
    without = engine.update(rds.INSTANCE.type, id_, state, inputs, own)
    assert secrets(engine) == {}

    again = engine.update(rds.INSTANCE.type, id_, without, own, inputs)
    (second,) = secrets(engine).values()
    assert second["username"] == inputs["username"]
    assert second["password"] != first["password"]

    engine.delete(rds.INSTANCE.type, id_, again)
    assert secrets(engine) == {}


def test_a_protected_instance_stays_and_a_final_snapshot_is_taken_of_one_that_is_not(engine: Engine) -> None:
    id_, state, inputs, _ = make(engine, rds.WITH_PASSWORD)
    with pytest.raises(grpc.RpcError, match="Cannot delete protected DB Instance"):
        engine.delete(rds.WITH_PASSWORD.type, id_, state)
    unprotected = engine.update(rds.WITH_PASSWORD.type, id_, state, inputs, {**inputs, "deletionProtection": False})
    engine.delete(rds.WITH_PASSWORD.type, id_, unprotected)
    snapshots = client(engine, "rds").describe_db_snapshots()["DBSnapshots"]
    assert [snapshot["DBSnapshotIdentifier"] for snapshot in snapshots] == ["reports-last"]


def test_an_instance_sees_the_change_of_its_subnet_group(engine: Engine) -> None:
    _, _, _, made = make(engine, rds.INSTANCE)
    group = made["subnets"]
    inputs = {name: group[name] for name in ("name", "description", "subnetIds")}
    wanted = [made["a"]["id"], made["c"]["id"]]
    engine.update(rds.SUBNET_GROUP.type, group["id"], group, inputs, {**inputs, "subnetIds": wanted})
    shown = client(engine, "rds").describe_db_instances()["DBInstances"][0]["DBSubnetGroup"]
    assert [subnet["SubnetIdentifier"] for subnet in shown["Subnets"]] == wanted


def test_a_subnet_group_covers_two_zones(engine: Engine) -> None:
    _, _, _, made = make(engine, rds.SUBNET_GROUP)
    one_zone = [made["a"]["id"], made["a"]["id"]]
    with pytest.raises(grpc.RpcError, match="at least two Availability Zones"):
        engine.create(rds.SUBNET_GROUP.type, {"name": "one-zone", "description": "One zone", "subnetIds": one_zone})


def test_a_changed_policy_leaves_no_alarm_behind(engine: Engine) -> None:
    id_, state, inputs, _ = make(engine, appautoscaling.POLICY)
    changed = engine.update(appautoscaling.POLICY.type, id_, state, inputs, merged(inputs, dict(appautoscaling.POLICY.updates)))
    alarms = client(engine, "cloudwatch").describe_alarms()["MetricAlarms"]
    assert sorted(alarm["AlarmArn"] for alarm in alarms) == sorted(changed["alarmArns"])
    engine.delete(appautoscaling.POLICY.type, id_, changed)
    assert client(engine, "cloudwatch").describe_alarms()["MetricAlarms"] == []
