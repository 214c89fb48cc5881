"""The same brief's sentences about stores and their keys (docs/briefs/pci.txt)."""

from __future__ import annotations

import json

from tests.briefs.family import Family
from tests.briefs.requirements import requirement

INSTANCE = "aws:rds/instance:Instance"
BUCKET = "aws:s3/bucket:Bucket"
TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"


@requirement(28, 87, 101, 117, 126, met=["data:database.kind", "projects/data/postgres.py", "projects/data/keys.py"])
def test_transactions_are_in_rds_postgresql_encrypted_with_the_customers_key(family: Family) -> None:
    for deployed in family:
        [instance] = deployed.client("rds").describe_db_instances(DBInstanceIdentifier=deployed.output("data", "databaseIdentifier"))["DBInstances"]
        assert instance["Engine"] == "postgres"
        assert instance["StorageEncrypted"]
        for instance in deployed.of(INSTANCE):
            assert instance.inputs["storageEncrypted"] is True
            assert instance.inputs["kmsKeyId"] == deployed.output("data", "databaseKeyArn")


@requirement(
    29,
    30,
    31,
    115,
    met=["data:database.instanceClass", "data:database.backupRetentionDays", "data:database.monitoringSeconds", "projects/networking/firewall.py"],
    read="A basic configuration is one instance in one zone, a day of backups, and no Enhanced Monitoring.",
)
def test_instance_classes_backups_and_the_databases_security_group(family: Family) -> None:
    for deployed in family:
        asked = deployed.inputs(INSTANCE)
        assert asked["instanceClass"] == {"dev": "db.t3.small", "prod": "db.m5.large"}[deployed.stage]
        assert asked["backupRetentionPeriod"] == {"dev": 1, "prod": 30}[deployed.stage]
        # What monitors operating systems writes to a log group of the account's, which keeps for 30 days.
        assert asked["monitoringInterval"] == {"dev": 0, "prod": 60}[deployed.stage]
        assert asked["vpcSecurityGroupIds"] == [deployed.output("networking", "securityGroupIds")["database"]]
        assert not asked["publiclyAccessible"]


@requirement(
    32,
    65,
    94,
    133,
    met=["projects/data/postgres.py", "projects/app/api.py"],
    read="RDS makes, keeps and rotates the password in Secrets Manager; of the API key, which API Gateway has to have too, a copy is there.",
)
def test_credentials_are_in_secrets_manager_and_nowhere_else(family: Family) -> None:
    for deployed in family:
        asked = deployed.inputs(INSTANCE)
        assert asked["manageMasterUserPassword"] is True
        assert "password" not in asked
        secret = deployed.client("secretsmanager").describe_secret(SecretId=deployed.output("data", "databaseSecretArn"))
        assert secret["ARN"] == deployed.output("data", "databaseSecretArn")
        key = deployed.client("secretsmanager").get_secret_value(SecretId=deployed.output("app", "apiKeySecretArn"))["SecretString"]
        assert key == deployed.output("app", "apiKey")
        for function in deployed.of(FUNCTION):
            assert not {name for name in function.inputs["environment"]["variables"] if "PASSWORD" in name}


@requirement(49, 55, 90, 91, met=["projects/data/tables.py", "projects/data/buckets.py"])
def test_sessions_are_in_dynamodb_and_documents_in_s3(family: Family) -> None:
    for deployed in family:
        documents = deployed.output("data", "documentsBucketName")
        deployed.client("s3").head_bucket(Bucket=documents)
        assert deployed.inputs(FUNCTION, "payment-worker")["environment"]["variables"]["DOCUMENTS_BUCKET"] == documents
        table = deployed.client("dynamodb").describe_table(TableName=deployed.output("data", "sessionsTableName"))["Table"]
        assert table["KeySchema"] == [{"AttributeName": "session_id", "KeyType": "HASH"}]


@requirement(50, 51, 52, 107, 129, met=["data:tables", "projects/data/tables.py", "projects/data/keys.py"], read="Minimal capacity is one unit.")
def test_billing_and_keys_of_tables(family: Family) -> None:
    for table in family["dev"].of(TABLE):
        assert (table.inputs["billingMode"], table.inputs["readCapacity"], table.inputs["writeCapacity"]) == ("PROVISIONED", 1, 1)
    assert {table.inputs["billingMode"] for table in family["prod"].of(TABLE)} == {"PAY_PER_REQUEST"}
    for deployed in family:
        for table in deployed.of(TABLE):
            assert table.inputs["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": deployed.output("data", "dataKeyArn")}


@requirement(56, met=["data:buckets.versioning"], read="Basic is: no versions, no other storage class.")
def test_developments_buckets_are_basic(family: Family) -> None:
    dev = family["dev"]
    assert {one.inputs["versioningConfiguration"]["status"] for one in dev.of("aws:s3/bucketVersioning:BucketVersioning")} == {"Disabled"}
    for one in dev.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"):
        assert [rule.get("transitions") or [] for rule in one.inputs["rules"]] == [[]]


@requirement(
    57,
    105,
    130,
    met=["data:buckets.expireDays", "data:buckets.auditExpireDays", "shared/components/bucket.py"],
    read="The 90 days are the documents'; audit logs are kept for twelve months, as PCI DSS 10.5.1 wants.",
)
def test_productions_buckets_have_versions_and_lifecycles(family: Family) -> None:
    prod = family["prod"]
    s3 = prod.client("s3")
    for bucket in prod.of(BUCKET):
        assert s3.get_bucket_versioning(Bucket=bucket.inputs["bucket"])["Status"] == "Enabled"
        assert s3.get_bucket_lifecycle_configuration(Bucket=bucket.inputs["bucket"])["Rules"]
    for output, days, versions in (("documentsBucketName", 90, 90), ("auditBucketName", 365, 1), ("accessLogsBucketName", 365, 1)):
        [rule] = s3.get_bucket_lifecycle_configuration(Bucket=prod.output("data", output))["Rules"]
        assert (rule["Expiration"]["Days"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) == (days, versions), output


@requirement(58, met=["shared/components/bucket.py"])
def test_buckets_are_encrypted_and_closed(family: Family) -> None:
    for deployed in family:
        s3 = deployed.client("s3")
        for bucket in deployed.of(BUCKET):
            name = bucket.inputs["bucket"]
            assert s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
            assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
            effects = {one["Sid"]: one["Effect"] for one in json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]}
            assert effects["OnlyTls"] == "Deny"


@requirement(59, met=["projects/data/keys.py"], read="But for the bucket of access logs: S3 delivers those to buckets with its own keys only.")
def test_productions_documents_and_audit_records_have_the_customers_key(family: Family) -> None:
    prod = family["prod"]
    for output in ("documentsBucketName", "auditBucketName"):
        encryption = prod.client("s3").get_bucket_encryption(Bucket=prod.output("data", output))["ServerSideEncryptionConfiguration"]
        [rule] = encryption["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == prod.output("data", "dataKeyArn")


@requirement(62, 92, 131, met=["shared/components/key.py"])
def test_keys_are_the_customers_and_rotate(family: Family) -> None:
    for deployed in family:
        kms = deployed.client("kms")
        keys = deployed.of("aws:kms/key:Key")
        assert len(keys) >= 4
        assert all(kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] for key in keys)
