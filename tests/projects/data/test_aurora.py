"""Aurora PostgreSQL, as RDS, Secrets Manager, CloudWatch Logs and IAM have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from projects.data.aurora import Aurora
from projects.data.database_settings import AuroraServerlessSettings, AuroraSettings
from projects.data.keys import database_key
from shared.contracts import NetworkingOutputs
from shared.environment import Environment
from tests.projects.harness import Cloud, empty_aws, network

CLASSES: dict[str, Any] = {"kind": "aurora", "instance_class": "db.r5.large", "instances": 2, "backup_retention_days": 30}
SERVERLESS: dict[str, Any] = {"kind": "aurora-serverless", "min_capacity": 0.5, "max_capacity": 8, "readers": 2, "backup_retention_days": 7}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("staging") as cloud:
        cloud.published("networking", network(cloud))
        yield cloud


def make(cloud: Cloud, asked: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Makes a cluster; answers what RDS says about it and about its instances, in the order of their names."""
    model = AuroraSettings if asked["kind"] == "aurora" else AuroraServerlessSettings

    def components(environment: Environment) -> None:
        key = database_key(environment)
        settings = model.model_validate(asked)
        Aurora("database", environment, settings, network=cloud.take(NetworkingOutputs), key_arn=key.arn if key else None)

    cloud.make(components)
    rds = cloud.client("rds")
    [cluster] = rds.describe_db_clusters()["DBClusters"]
    return cluster, sorted(rds.describe_db_instances()["DBInstances"], key=lambda one: one["DBInstanceIdentifier"])


def key_of(cloud: Cloud) -> str:
    [alias] = [alias for alias in cloud.client("kms").list_aliases()["Aliases"] if alias["AliasName"] == "alias/database-staging-main"]
    arn: str = cloud.client("kms").describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"]
    return arn


def test_a_cluster_has_as_many_instances_of_the_class_as_the_page_says(cloud: Cloud) -> None:
    cluster, instances = make(cloud, CLASSES)
    assert (cluster["DBClusterIdentifier"], cluster["Engine"], cluster["EngineMode"]) == ("database-staging-main", "aurora-postgresql", "provisioned")
    assert "ServerlessV2ScalingConfiguration" not in cluster
    assert [one["DBInstanceIdentifier"] for one in instances] == ["database-0-staging-main", "database-1-staging-main"]
    assert {(one["DBInstanceClass"], one["DBClusterIdentifier"], one["Engine"]) for one in instances} == {
        ("db.r5.large", "database-staging-main", "aurora-postgresql"),
    }
    assert [one["PromotionTier"] for one in instances] == [0, 1]


def test_serverless_instances_scale_between_the_pages_bounds(cloud: Cloud) -> None:
    cluster, instances = make(cloud, SERVERLESS)
    assert cluster["EngineMode"] == "provisioned"
    scaling = cluster["ServerlessV2ScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (0.5, 8)
    assert [one["DBInstanceClass"] for one in instances] == ["db.serverless"] * 3


def test_the_first_instance_is_there_before_the_others_and_so_it_is_the_one_that_writes(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, list[str]] = {}
    instance = aws.rds.ClusterInstance

    def noted(name: str, *, opts: pulumi.ResourceOptions, **inputs: Any) -> aws.rds.ClusterInstance:
        waits: Any = opts.depends_on
        made[name] = [one.pulumi_resource_name for one in waits if isinstance(one, instance)]
        return instance(name, opts=opts, **inputs)

    monkeypatch.setattr(aws.rds, "ClusterInstance", noted)
    make(cloud, SERVERLESS)
    assert made == {"database-0": [], "database-1": ["database-0"], "database-2": ["database-0"]}


def test_everything_of_the_cluster_is_encrypted_with_its_own_key(cloud: Cloud) -> None:
    cluster, instances = make(cloud, CLASSES)
    key = key_of(cloud)
    assert (cluster["StorageEncrypted"], cluster["KmsKeyId"]) == (True, key)
    assert {one["PerformanceInsightsKMSKeyId"] for one in instances} == {key}
    secret = cloud.client("secretsmanager").describe_secret(SecretId=cluster["MasterUserSecret"]["SecretArn"])
    assert (secret["KmsKeyId"], secret["OwningService"]) == (key, "rds")


def test_it_stands_in_the_private_subnets_and_nowhere_else(cloud: Cloud) -> None:
    cluster, instances = make(cloud, CLASSES)
    outputs = cloud.runs["networking"].outputs
    assert [group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]] == [outputs["securityGroupIds"]["database"]]
    [group] = cloud.client("rds").describe_db_subnet_groups(DBSubnetGroupName=cluster["DBSubnetGroup"])["DBSubnetGroups"]
    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == set(outputs["privateSubnetIds"])
    assert not any(one["PubliclyAccessible"] for one in instances)


def test_connections_need_tls_and_are_logged_and_people_may_come_by_iam(cloud: Cloud) -> None:
    cluster, _ = make(cloud, CLASSES)
    rds, group = cloud.client("rds"), cluster["DBClusterParameterGroup"]
    [found] = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=group)["DBClusterParameterGroups"]
    assert found["DBParameterGroupFamily"] == "aurora-postgresql17"
    parameters = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=group)["Parameters"]
    values = {parameter["ParameterName"]: parameter.get("ParameterValue") for parameter in parameters}
    assert {"rds.force_ssl": "1", "log_connections": "1", "log_disconnections": "1", "log_parameter_max_length": "0"}.items() <= values.items()
    assert cluster["IAMDatabaseAuthenticationEnabled"]


def test_a_newer_major_has_parameters_of_its_own_family(cloud: Cloud) -> None:
    cluster, instances = make(cloud, {**SERVERLESS, "engine_version": "18.3", "min_capacity": 0})
    assert {cluster["EngineVersion"], *(one["EngineVersion"] for one in instances)} == {"18.3"}
    group = cluster["DBClusterParameterGroup"]
    [found] = cloud.client("rds").describe_db_cluster_parameter_groups(DBClusterParameterGroupName=group)["DBClusterParameterGroups"]
    assert found["DBParameterGroupFamily"] == "aurora-postgresql18"
    assert cluster["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0


def test_its_log_goes_to_a_group_with_our_key_and_the_pages_retention(cloud: Cloud) -> None:
    cluster, _ = make(cloud, CLASSES)
    assert cluster["EnabledCloudwatchLogsExports"] == ["postgresql"]
    [group] = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/rds/cluster/")["logGroups"]
    assert group["logGroupName"] == "/aws/rds/cluster/database-staging-main/postgresql"
    assert (group["kmsKeyId"], group["retentionInDays"]) == (cloud.runs["networking"].outputs["logKeyArn"], 14)


def test_enhanced_monitoring_of_every_instance_has_one_role_for_this_environments_instances(cloud: Cloud) -> None:
    _, instances = make(cloud, SERVERLESS)
    assert {one["MonitoringInterval"] for one in instances} == {60}
    [role] = {one["MonitoringRoleArn"] for one in instances}
    [trust] = cloud.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": cloud.environment.arn("rds", "db:database-*-staging-main")}


def test_without_enhanced_monitoring_there_is_no_role_for_it(cloud: Cloud) -> None:
    _, instances = make(cloud, SERVERLESS | {"monitoring_seconds": 0})
    assert {(one["MonitoringInterval"], one.get("MonitoringRoleArn")) for one in instances} == {(0, None)}
    assert cloud.client("iam").list_roles()["Roles"] == []


def test_backups_are_kept_as_long_as_the_page_says_and_nothing_keeps_it_from_being_destroyed(cloud: Cloud) -> None:
    cluster, instances = make(cloud, {**CLASSES, "backup_window": "01:00-02:00"})
    assert (cluster["BackupRetentionPeriod"], cluster["PreferredBackupWindow"], cluster["CopyTagsToSnapshot"]) == (30, "01:00-02:00", True)
    assert not cluster["DeletionProtection"]
    rds = cloud.client("rds")
    for one in instances:
        rds.delete_db_instance(DBInstanceIdentifier=one["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier=cluster["DBClusterIdentifier"], SkipFinalSnapshot=True)
    assert rds.describe_db_clusters()["DBClusters"] == []


def test_the_keys_may_be_left_to_aws() -> None:
    with empty_aws("staging", **{"data:database": {"kind": "aurora", "key": "aws"}}) as cloud:
        cloud.published("networking", network(cloud))
        cluster, _ = make(cloud, CLASSES)
        assert cluster["StorageEncrypted"]
        assert not [alias for alias in cloud.client("kms").list_aliases()["Aliases"] if not alias["AliasName"].startswith("alias/aws/")]
