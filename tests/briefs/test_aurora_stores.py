"""The same brief's sentences about stores (docs/briefs/aurora.txt)."""

from __future__ import annotations

import json
from typing import Any

from tests.briefs.family import Deployed, Family
from tests.briefs.requirements import requirement

CLUSTER = "aws:rds/cluster:Cluster"
TABLE = "aws:dynamodb/table:Table"
CLASSES = "The classes are those of RDS: db.r5.xlarge, db.r5.large, db.t3.medium."
ALL_TABLES = "All tables are billed alike."
NAMED = "The company is fintech, the service payments; the environment is stage and suffix; the purpose is what the bucket keeps."


@requirement(27, 28, 29, 84, met=["data:database.kind", "data:database.instanceClass", "data:database.instances", "projects/data/aurora.py"], read=CLASSES)
def test_instances_of_the_clusters(family: Family) -> None:
    found = {deployed.stage: [one["DBInstanceClass"] for one in _instances(deployed)] for deployed in family}
    assert found == {"dev": ["db.t3.medium"], "staging": ["db.r5.large"], "prod": ["db.r5.xlarge", "db.r5.xlarge"]}


@requirement(27, 28, 29, 30, 73, met=["data:database.backupRetentionDays", "projects/data/aurora.py"])
def test_backups_are_automatic_and_kept_for_so_many_days(family: Family) -> None:
    for deployed in family:
        [cluster] = deployed.client("rds").describe_db_clusters()["DBClusters"]
        assert cluster["BackupRetentionPeriod"] == {"dev": 1, "staging": 7, "prod": 30}[deployed.stage]
        assert deployed.inputs(CLUSTER)["preferredBackupWindow"]


@requirement(38, 39, 40, 41, 61, 84, met=["data:tables.billing", "data:tables.readCapacity", "projects/data/tables.py"], read=ALL_TABLES)
def test_billing_of_the_transaction_log(family: Family) -> None:
    for deployed in family:
        table = deployed.client("dynamodb").describe_table(TableName=deployed.output("data", "transactionLogTableName"))["Table"]
        targets = deployed.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
        own = {one["ScalableDimension"]: (one["MinCapacity"], one["MaxCapacity"]) for one in targets if one["ResourceId"] == f"table/{table['TableName']}"}
        if deployed.stage == "prod":
            assert own == {"dynamodb:table:ReadCapacityUnits": (5, 100), "dynamodb:table:WriteCapacityUnits": (5, 100)}
        else:
            assert targets == []
        capacity = (table["ProvisionedThroughput"]["ReadCapacityUnits"], table["ProvisionedThroughput"]["WriteCapacityUnits"])
        assert capacity == {"dev": (0, 0), "staging": (5, 5), "prod": (5, 5)}[deployed.stage]
    modes = {deployed.stage: {table.inputs["billingMode"] for table in deployed.of(TABLE)} for deployed in family}
    assert modes == {"dev": {"PAY_PER_REQUEST"}, "staging": {"PROVISIONED"}, "prod": {"PROVISIONED"}}


@requirement(42, met=["data:tables.pointInTimeRecovery"])
def test_point_in_time_recovery_is_productions_alone(family: Family) -> None:
    for deployed in family:
        dynamodb = deployed.client("dynamodb")
        names = dynamodb.list_tables()["TableNames"]
        found = {
            dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
            for name in names
        }
        assert found == {"ENABLED" if deployed.stage == "prod" else "DISABLED"}


@requirement(45, 62, met=["projects/data/buckets.py", "shared/components/bucket.py"])
def test_the_audit_trail_has_versions_everywhere(family: Family) -> None:
    for deployed in family:
        s3 = deployed.client("s3")
        assert {s3.get_bucket_versioning(Bucket=bucket["Name"]).get("Status") for bucket in s3.list_buckets()["Buckets"]} == {"Enabled"}
        assert deployed.inputs("aws:cloudtrail/trail:Trail")["s3BucketName"] == deployed.output("data", "auditBucketName")


@requirement(46, met=["data:buckets.glacierDays"], read="Other environments have no transition; all delete what is as old as their pages say.")
def test_productions_audit_trail_goes_to_glacier_after_90_days(family: Family) -> None:
    for deployed in family:
        for bucket in ("audit", "access-logs"):
            asked = deployed.inputs("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket)
            rules = deployed.client("s3").get_bucket_lifecycle_configuration(Bucket=asked["bucket"])["Rules"]
            moves = [(move["Days"], move["StorageClass"]) for rule in rules for move in rule.get("Transitions", [])]
            assert moves == ([(90, "GLACIER")] if deployed.stage == "prod" else [])
            # Records are small, and S3 by default moves nothing below 128 KiB.
            assert asked["transitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


@requirement(47, met=["platform:bucketNaming", "shared/naming.py"], read=NAMED)
def test_buckets_are_called_company_service_environment_purpose(family: Family) -> None:
    for deployed in family:
        names = {bucket["Name"] for bucket in deployed.client("s3").list_buckets()["Buckets"]}
        assert names == {f"fintech-payments-{deployed.stage}-aurora-{purpose}" for purpose in ("documents", "audit", "access-logs")}


@requirement(48, met=["shared/components/bucket.py", "shared/isolation.py"])
def test_buckets_are_closed_and_encrypted(family: Family) -> None:
    for deployed in family:
        s3 = deployed.client("s3")
        for name in (bucket["Name"] for bucket in s3.list_buckets()["Buckets"]):
            assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
            assert s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
            denied = {one["Sid"] for one in json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"] if one["Effect"] == "Deny"}
            assert {"OnlyTls", "OnlyThisEnvironment", "OnlyThisSuffix", "OnlyThisAccount"} <= denied


def _instances(deployed: Deployed) -> list[dict[str, Any]]:
    """The instances of the cluster, as RDS tells of them."""
    found = deployed.client("rds").describe_db_instances()["DBInstances"]
    assert {one["DBClusterIdentifier"] for one in found} == {deployed.output("data", "databaseIdentifier")}
    return list(found)
