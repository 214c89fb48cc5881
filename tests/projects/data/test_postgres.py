"""PostgreSQL, as RDS, Secrets Manager, CloudWatch Logs and IAM have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.catalogue import kind
from localcloud.rehearsal import Run
from projects.data.database_settings import RdsSettings
from projects.data.keys import database_key
from projects.data.postgres import Postgres
from shared.contracts import NetworkingOutputs
from shared.environment import Environment
from tests.projects.harness import Cloud, empty_aws, network


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("staging") as cloud:
        cloud.published("networking", network(cloud))
        yield cloud


def make(cloud: Cloud, **settings: Any) -> dict[str, Any]:
    """Makes a database; answers what RDS says about it."""
    rehearse(cloud, **settings)
    [instance] = cloud.client("rds").describe_db_instances()["DBInstances"]
    return instance


def rehearse(cloud: Cloud, **settings: Any) -> Run:
    """Makes a database; answers what the engine would have recorded."""
    asked = RdsSettings.model_validate({"instance_class": "db.m6g.large", "multi_az": True, "backup_retention_days": 30, **settings})

    def components(environment: Environment) -> None:
        key = database_key(environment)
        Postgres("database", environment, asked, network=cloud.take(NetworkingOutputs), key_arn=key.arn if key else None)

    return cloud.make(components)


def key_of(cloud: Cloud) -> str:
    [alias] = [alias for alias in cloud.client("kms").list_aliases()["Aliases"] if alias["AliasName"] == "alias/database-staging-main"]
    arn: str = cloud.client("kms").describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"]
    return arn


def test_everything_of_the_database_is_encrypted_with_its_own_key(cloud: Cloud) -> None:
    instance, key = make(cloud), key_of(cloud)
    assert (instance["StorageEncrypted"], instance["KmsKeyId"]) == (True, key)
    assert instance["PerformanceInsightsKMSKeyId"] == key
    assert cloud.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_the_master_password_is_kept_by_secrets_manager_under_the_key(cloud: Cloud) -> None:
    instance = make(cloud)
    secret = cloud.client("secretsmanager").describe_secret(SecretId=instance["MasterUserSecret"]["SecretArn"])
    assert (secret["KmsKeyId"], secret["OwningService"]) == (key_of(cloud), "rds")


def test_a_page_that_leaves_the_keys_to_aws_has_none_of_its_own() -> None:
    with empty_aws("regions-staging") as cloud:
        cloud.published("networking", network(cloud))
        instance = make(cloud)
        own = [alias["AliasName"] for alias in cloud.client("kms").list_aliases()["Aliases"] if not alias["AliasName"].startswith("alias/aws/")]
        assert own == []
        assert instance["StorageEncrypted"]
        secret = cloud.client("secretsmanager").describe_secret(SecretId=instance["MasterUserSecret"]["SecretArn"])
        assert secret.get("KmsKeyId") in (None, "alias/aws/secretsmanager")


def test_it_stands_in_the_private_subnets_and_nowhere_else(cloud: Cloud) -> None:
    instance, outputs = make(cloud), cloud.runs["networking"].outputs
    assert not instance["PubliclyAccessible"]
    assert {subnet["SubnetIdentifier"] for subnet in instance["DBSubnetGroup"]["Subnets"]} == set(outputs["privateSubnetIds"])
    assert [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]] == [outputs["securityGroupIds"]["database"]]


def test_connections_need_tls_and_are_logged(cloud: Cloud) -> None:
    instance = make(cloud)
    [group] = [group["DBParameterGroupName"] for group in instance["DBParameterGroups"]]
    rds = cloud.client("rds")
    [found] = rds.describe_db_parameter_groups(DBParameterGroupName=group)["DBParameterGroups"]
    assert found["DBParameterGroupFamily"] == "postgres17"
    pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
    values = {parameter["ParameterName"]: parameter.get("ParameterValue") for page in pages for parameter in page["Parameters"]}
    assert {"rds.force_ssl": "1", "log_connections": "1", "log_disconnections": "1", "log_parameter_max_length": "0"}.items() <= values.items()


def test_its_logs_go_to_groups_with_our_key_and_the_pages_retention(cloud: Cloud) -> None:
    instance = make(cloud)
    assert sorted(instance["EnabledCloudwatchLogsExports"]) == ["postgresql", "upgrade"]
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/rds/instance/{instance['DBInstanceIdentifier']}/")["logGroups"]
    key = cloud.runs["networking"].outputs["logKeyArn"]
    assert {group["logGroupName"].rpartition("/")[2]: (group["kmsKeyId"], group["retentionInDays"]) for group in groups} == {
        "postgresql": (key, 14),
        "upgrade": (key, 14),
    }


def test_without_enhanced_monitoring_there_is_no_role_for_it(cloud: Cloud) -> None:
    instance = make(cloud, monitoring_seconds=0)
    assert (instance["MonitoringInterval"], instance.get("MonitoringRoleArn")) == (0, None)
    assert cloud.client("iam").list_roles()["Roles"] == []


def test_enhanced_monitoring_writes_its_log_group_and_nothing_else(cloud: Cloud) -> None:
    instance = make(cloud)
    assert instance["MonitoringInterval"] == 60
    iam, role = cloud.client("iam"), instance["MonitoringRoleArn"].rpartition("/")[2]
    trusted = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trusted] == [{"Service": "monitoring.rds.amazonaws.com"}]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    statements = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    assert all(statement["Resource"].startswith("arn:aws:logs:us-east-1:234567890123:log-group:RDS*") for statement in statements)


def test_it_can_be_destroyed_at_any_time(cloud: Cloud) -> None:
    instance = make(cloud)
    assert not instance["DeletionProtection"]
    cloud.client("rds").delete_db_instance(DBInstanceIdentifier=instance["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    assert cloud.client("rds").describe_db_instances()["DBInstances"] == []


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"multi_az": False}, {"MultiAZ": False}),
        ({"multi_az": True}, {"MultiAZ": True}),
        ({"backup_retention_days": 7, "backup_window": "01:00-02:00"}, {"BackupRetentionPeriod": 7, "PreferredBackupWindow": "01:00-02:00"}),
        ({"storage_gib": 50, "max_storage_gib": 200}, {"AllocatedStorage": 50, "MaxAllocatedStorage": 200, "StorageType": "gp3"}),
        ({"engine_version": "16"}, {"EngineVersion": "16", "AutoMinorVersionUpgrade": True}),
        ({"maintenance_window": "sat:05:00-sat:06:00"}, {"PreferredMaintenanceWindow": "sat:05:00-sat:06:00"}),
    ],
)
def test_the_page_decides(cloud: Cloud, settings: dict[str, Any], found: dict[str, Any]) -> None:
    instance = make(cloud, **settings)
    assert {name: instance[name] for name in found} == found
    assert (instance["IAMDatabaseAuthenticationEnabled"], instance["CopyTagsToSnapshot"]) == (True, True)
    assert instance["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"


def test_a_newer_major_version_on_the_page_is_asked_for_as_rds_wants_it(cloud: Cloud) -> None:
    [database] = [made for made in rehearse(cloud, engine_version="16").resources if made.type == "aws:rds/instance:Instance"]
    asked: list[dict[str, Any]] = []
    # moto upgrades without leave, which RDS does not ("ModifyDBInstance", AllowMajorVersionUpgrade): so the call itself is looked at.
    cloud.client("rds").meta.events.register("before-parameter-build.rds.ModifyDBInstance", lambda params, **_: asked.append(dict(params)))
    kind(database.type).alter(cloud.aws, database.id, {**database.inputs, "engineVersion": "17"}, database.outputs)
    assert [(call["EngineVersion"], call.get("AllowMajorVersionUpgrade")) for call in asked] == [("17", True)]
    [upgraded] = cloud.client("rds").describe_db_instances()["DBInstances"]
    assert upgraded["EngineVersion"] == "17"
