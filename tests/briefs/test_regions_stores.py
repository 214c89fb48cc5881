"""The same brief's sentences about stores (docs/briefs/regions.txt)."""

from __future__ import annotations

from typing import Any

from tests.briefs import checks
from tests.briefs.family import Deployed, Family
from tests.briefs.requirements import requirement

INSTANCE = "aws:rds/instance:Instance"
BUCKET = "aws:s3/bucket:Bucket"
FUNCTION = "aws:lambda/function:Function"
NO_KEY = "No key is named where RDS takes one: it uses aws/rds for storage, backups and insights, and aws/secretsmanager for the password."
SEVEN_DAYS = "KMS deletes keys after seven days, the least that it takes; nothing has to be done for it."


@requirement(50, 51, 52, 108, 120, met=["data:database.instanceClass", "data:database.backupRetentionDays"])
def test_instance_classes_and_days_of_backups(family: Family) -> None:
    found = {deployed.stage: (_instance(deployed)["DBInstanceClass"], _instance(deployed)["BackupRetentionPeriod"]) for deployed in family}
    assert found == {"dev": ("db.t3.medium", 3), "staging": ("db.t3.medium", 3), "prod": ("db.r5.large", 7)}


@requirement(53, 73, 98, 110, met=["data:database.kind", "data:database.key", "projects/data/postgres.py", "projects/data/keys.py"], read=NO_KEY)
def test_postgresql_is_encrypted_with_keys_that_aws_manages(family: Family) -> None:
    for deployed in family:
        assert [one["Engine"] for one in deployed.client("rds").describe_db_instances()["DBInstances"]] == ["postgres"]
        asked = deployed.inputs(INSTANCE)
        assert asked["storageEncrypted"] is _instance(deployed)["StorageEncrypted"] is True
        assert asked["performanceInsightsEnabled"] is True
        for key in ("kmsKeyId", "performanceInsightsKmsKeyId", "masterUserSecretKmsKeyId"):
            assert asked.get(key) is None, key
        assert deployed.cloud.runs["data"].outputs.get("databaseKeyArn") is None
        assert [key.name for key in deployed.of("aws:kms/key:Key") if "database" in key.name] == []


@requirement(58, 74, 97, 110, 121, met=["projects/data/buckets.py", "shared/components/bucket.py"])
def test_audit_logs_are_in_s3_and_every_bucket_has_versions(family: Family) -> None:
    for deployed in family:
        s3 = deployed.client("s3")
        names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        assert len(names) == 3
        assert {s3.get_bucket_versioning(Bucket=name).get("Status") for name in names} == {"Enabled"}
        assert all(s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"] for name in names)
        audit = deployed.output("data", "auditBucketName")
        assert audit in names
        assert deployed.inputs("aws:cloudtrail/trail:Trail")["s3BucketName"] == audit
        assert deployed.inputs(FUNCTION, "outbox-relay")["environment"]["variables"]["AUDIT_BUCKET"] == audit


@requirement(
    59,
    60,
    108,
    121,
    met=["data:buckets.intelligentTieringDays", "data:buckets.expireDays", "shared/components/bucket.py"],
    read="Logs of 128 KiB and more; S3 moves no smaller ones there by itself, as Intelligent-Tiering would keep them in its dearest tier at the same price.",
)
def test_audit_logs_move_to_intelligent_tiering_after_30_days(family: Family) -> None:
    for deployed in family:
        s3 = deployed.client("s3")
        for bucket in deployed.of(BUCKET):
            [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket.inputs["bucket"])["Rules"]
            assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 365)
            assert [(move["Days"], move["StorageClass"]) for move in rule["Transitions"]] == [(30, "INTELLIGENT_TIERING")]


@requirement(54, 61, 84, 85, 86, 87, 100, 112, met=["projects/data", "shared/components", "tests/blueprints/test_lives.py"], read=SEVEN_DAYS)
def test_everything_goes_with_its_stack(family: Family) -> None:
    for deployed in family:
        assert checks.kept(deployed) == []
        asked = deployed.inputs(INSTANCE)
        assert (asked["deletionProtection"], asked["skipFinalSnapshot"]) == (False, True)
        assert not _instance(deployed)["DeletionProtection"]
        assert [bucket.inputs["forceDestroy"] for bucket in deployed.of(BUCKET)] == [True, True, True]
    assert checks.options_that_keep() == []


def _instance(deployed: Deployed) -> dict[str, Any]:
    """What RDS says of the database."""
    [found] = deployed.client("rds").describe_db_instances(DBInstanceIdentifier=deployed.output("data", "databaseIdentifier"))["DBInstances"]
    return dict(found)
