"""The whole program: what it publishes, what it takes, its tags, and that all of it goes away."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from localcloud import catalogue
from localcloud.rehearsal import Resource
from shared.contracts import DataOutputs
from tests.projects.harness import Cloud, empty_aws, network

MISSING = r"data/dev takes NetworkingOutputs .* output privateSubnetIds is missing.*invoke deploy --env dev --target local --only networking"


def deploy(cloud: Cloud) -> list[Resource]:
    """Deploys the program into a stand-in network; the resources that AWS holds, in the order of their creation."""
    cloud.published("networking", network(cloud))
    return [resource for resource in cloud.deploy("data").resources if resource.type.startswith("aws:")]


def write_twice(s3: Any, bucket: str) -> None:
    """Two versions of an object; moto takes no policy's conditions into account, and so denies by each statement that has any."""
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    for body in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key="statement", Body=body)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 2


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_what_it_publishes_is_there(environment: str) -> None:
    with empty_aws(environment) as cloud:
        deploy(cloud)
        outputs = cloud.runs["data"].outputs
        assert DataOutputs.problems(outputs) == []
        [database] = cloud.client("rds").describe_db_instances(DBInstanceIdentifier=outputs["databaseIdentifier"])["DBInstances"]
        assert (outputs["databaseAddress"], outputs["databasePort"]) == (database["Endpoint"]["Address"], database["Endpoint"]["Port"])
        assert outputs["databaseEndpoint"] == f"{outputs['databaseAddress']}:{outputs['databasePort']}"
        assert (outputs["databaseName"], outputs["databaseSecretArn"]) == (database["DBName"], database["MasterUserSecret"]["SecretArn"])
        for table in ("sessions", "transactionLog"):
            found = cloud.client("dynamodb").describe_table(TableName=outputs[f"{table}TableName"])["Table"]
            assert found["TableArn"] == outputs[f"{table}TableArn"]
            assert found["SSEDescription"]["KMSMasterKeyArn"] == outputs["dataKeyArn"]
        for bucket in ("documents", "audit"):
            assert cloud.client("s3").head_bucket(Bucket=outputs[f"{bucket}BucketName"])
            assert outputs[f"{bucket}BucketArn"] == f"arn:aws:s3:::{outputs[f'{bucket}BucketName']}"
        assert database["KmsKeyId"] == outputs["databaseKeyArn"] != outputs["dataKeyArn"]


def test_what_aurora_and_the_cache_publish_is_there() -> None:
    with empty_aws("containers-prod") as cloud:
        deploy(cloud)
        outputs = cloud.runs["data"].outputs
        [cluster] = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=outputs["databaseIdentifier"])["DBClusters"]
        assert (outputs["databaseAddress"], outputs["databaseReaderAddress"]) == (cluster["Endpoint"], cluster["ReaderEndpoint"])
        assert (outputs["databasePort"], outputs["databaseSecretArn"]) == (cluster["Port"], cluster["MasterUserSecret"]["SecretArn"])
        assert cluster["KmsKeyId"] == outputs["databaseKeyArn"]
        groups = cloud.client("elasticache").describe_replication_groups(ReplicationGroupId=outputs["cacheIdentifier"])["ReplicationGroups"]
        [endpoint] = [node["PrimaryEndpoint"] for node in groups[0]["NodeGroups"]]
        assert (outputs["cacheAddress"], outputs["cachePort"]) == (endpoint["Address"], 6379)
        assert outputs["cacheNodeIds"] == sorted(groups[0]["MemberClusters"])
        assert cloud.client("secretsmanager").describe_secret(SecretId=outputs["cacheSecretArn"])["Name"] == cloud.environment.names("cache")


@pytest.mark.parametrize(
    ("environment", "of_it"),
    [
        ("prod", {"Instance", "ParameterGroup"}),
        ("containers-prod", {"Cluster", "ClusterInstance", "ClusterParameterGroup", "ReplicationGroup", "Secret"}),
    ],
)
def test_everything_bears_the_environments_tags(environment: str, of_it: set[str]) -> None:
    with empty_aws(environment) as cloud:
        tagged = [resource for resource in deploy(cloud) if catalogue.kind(resource.type).tagged and not catalogue.kind(resource.type).is_gap("tags")]
        types = {resource.type.split(":")[-1] for resource in tagged}
        assert types >= {"Bucket", "Table", "Key", "LogGroup", "Role", "SubnetGroup"} | of_it
        for resource in tagged:
            known = {name: value for name, value in resource.inputs.items() if name != "tags"}
            live: dict[str, Any] = catalogue.kind(resource.type).look(cloud.aws, resource.id, known) or {}
            assert cloud.environment.tags.items() <= live.get("tags", {}).items(), resource.urn


@pytest.mark.parametrize("environment", ["prod", "accounts-prod", "containers-prod"])
def test_all_of_it_can_be_destroyed_also_with_contents(environment: str) -> None:
    with empty_aws(environment) as cloud:
        resources = deploy(cloud)
        s3, outputs = cloud.client("s3"), cloud.runs["data"].outputs
        write_twice(s3, outputs["documentsBucketName"])
        for resource in reversed(resources):
            catalogue.kind(resource.type).destroy(cloud.aws, resource.id, {**resource.inputs, **resource.outputs})
        assert s3.list_buckets()["Buckets"] == []
        assert cloud.client("dynamodb").list_tables()["TableNames"] == []
        assert cloud.client("rds").describe_db_instances()["DBInstances"] == []
        assert cloud.client("rds").describe_db_clusters()["DBClusters"] == []
        assert cloud.client("elasticache").describe_replication_groups()["ReplicationGroups"] == []
        assert cloud.client("secretsmanager").list_secrets()["SecretList"] == []
        assert cloud.client("logs").describe_log_groups()["logGroups"] == []
        assert cloud.client("iam").list_roles()["Roles"] == []


def test_an_upstream_output_that_is_missing_is_an_error_that_names_it() -> None:
    with empty_aws("dev") as cloud:
        cloud.published("networking", network(cloud))
        del cloud.runs["networking"].outputs["privateSubnetIds"]
        with pytest.raises(pulumi.RunError, match=MISSING):
            cloud.deploy("data")
