"""The buckets, as S3 has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from projects.data.buckets import Buckets
from projects.data.keys import data_key
from projects.data.settings import BucketSettings
from shared import naming
from shared.components.bucket import BucketArgs, Transition
from shared.environment import Environment
from tests.projects.harness import Cloud, empty_aws

ACCOUNT = "234567890123"
DOCUMENTS, AUDIT, LOGS = (f"{word}-staging-main-{ACCOUNT}" for word in ("documents", "audit", "access-logs"))
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit-staging-main"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("staging") as cloud:
        yield cloud


def make(cloud: Cloud, **settings: Any) -> Any:
    """Makes the buckets; answers S3's client."""
    asked = BucketSettings.model_validate({"expire_days": 365, **settings})

    def components(environment: Environment) -> None:
        Buckets("buckets", environment, asked, key_arn=data_key(environment).arn)

    cloud.make(components)
    return cloud.client("s3")


def statements(s3: Any, bucket: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]}


def test_every_bucket_is_versioned_and_closed(cloud: Cloud) -> None:
    s3 = make(cloud)
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {DOCUMENTS, AUDIT, LOGS}
    for bucket in (DOCUMENTS, AUDIT, LOGS):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
        [rule] = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        assert rule["ObjectOwnership"] == "BucketOwnerEnforced"


def test_versions_are_the_pages(cloud: Cloud) -> None:
    s3 = make(cloud, versioning=False)
    for bucket in (DOCUMENTS, AUDIT, LOGS):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Disabled"


def test_a_load_balancer_may_write_its_log_where_there_is_one() -> None:
    with empty_aws("containers-prod") as cloud:
        s3 = make(cloud)
        logs = cloud.environment.names("access-logs", naming.BUCKET)
        delivery = statements(s3, logs)["LoadBalancerLog"]
        assert delivery["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
        assert (delivery["Effect"], delivery["Action"]) == ("Allow", "s3:PutObject")
        assert delivery["Resource"] == f"arn:aws:s3:::{logs}/load-balancer/AWSLogs/{cloud.environment.account}/*"
        [rule] = s3.get_bucket_encryption(Bucket=logs)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_functions_have_no_load_balancer(cloud: Cloud) -> None:
    assert "LoadBalancerLog" not in statements(make(cloud), LOGS)


def test_what_is_written_is_encrypted_with_the_data_key_and_access_logs_by_s3(cloud: Cloud) -> None:
    s3 = make(cloud)
    [alias] = [alias for alias in cloud.client("kms").list_aliases()["Aliases"] if alias["AliasName"] == "alias/data-staging-main"]
    for bucket in (DOCUMENTS, AUDIT):
        [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["BucketKeyEnabled"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].endswith(alias["TargetKeyId"])
    [rule] = s3.get_bucket_encryption(Bucket=LOGS)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@pytest.mark.parametrize("bucket", [DOCUMENTS, AUDIT, LOGS])
def test_nobody_gets_in_without_tls_1_2(cloud: Cloud, bucket: str) -> None:
    found = statements(make(cloud), bucket)
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    for sid, condition in (("OnlyTls", {"Bool": {"aws:SecureTransport": "false"}}), ("OnlyTls12", {"NumericLessThan": {"s3:TlsVersion": "1.2"}})):
        assert found[sid] == {"Sid": sid, "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": everything, "Condition": condition}
    assert {"OnlyThisEnvironment", "OnlyThisSuffix", "OnlyThisAccount"} <= set(found)
    allowed = [one for one in found.values() if one["Effect"] == "Allow"]
    assert all(set(one["Principal"]) == {"Service"} and one["Condition"] for one in allowed)


def test_cloudtrail_may_write_the_audit_bucket_for_our_trail_only(cloud: Cloud) -> None:
    s3 = make(cloud)
    found = statements(s3, AUDIT)
    assert found["AWSCloudTrailAclCheck"]["Action"] == "s3:GetBucketAcl"
    assert found["AWSCloudTrailAclCheck"]["Resource"] == f"arn:aws:s3:::{AUDIT}"
    assert found["AWSCloudTrailAclCheck"]["Condition"] == {"StringEquals": {"aws:SourceArn": TRAIL}}
    assert found["AWSCloudTrailWrite"]["Action"] == "s3:PutObject"
    assert found["AWSCloudTrailWrite"]["Resource"] == f"arn:aws:s3:::{AUDIT}/AWSLogs/{ACCOUNT}/*"
    assert found["AWSCloudTrailWrite"]["Condition"] == {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": TRAIL}}
    assert {one["Principal"]["Service"] for one in found.values() if "Service" in one["Principal"]} == {"cloudtrail.amazonaws.com"}
    assert {one["Effect"] for one in statements(s3, DOCUMENTS).values()} == {"Deny"}


def test_cloudtrail_may_use_the_data_key_for_our_trail_only(cloud: Cloud) -> None:
    make(cloud)
    [key] = [alias["TargetKeyId"] for alias in cloud.client("kms").list_aliases()["Aliases"] if alias["AliasName"] == "alias/data-staging-main"]
    document = json.loads(cloud.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    found = {one["Sid"]: one for one in document["Statement"]}
    assert found["Account"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trail = [one for one in found.values() if one["Principal"] == {"Service": "cloudtrail.amazonaws.com"}]
    assert {one["Condition"]["StringEquals"]["aws:SourceArn"] for one in trail} == {TRAIL}
    [files] = [one for one in trail if "kms:GenerateDataKey*" in one["Action"]]
    assert files["Condition"]["StringLike"] == {"kms:EncryptionContext:aws:cloudtrail:arn": TRAIL}
    assert {sid for sid, one in found.items() if one["Effect"] == "Allow"} == {"Account", *(one["Sid"] for one in trail)}


@pytest.mark.parametrize(("word", "bucket"), [("documents", DOCUMENTS), ("audit", AUDIT)])
def test_access_to_documents_and_audit_is_logged(cloud: Cloud, word: str, bucket: str) -> None:
    s3 = make(cloud)
    logging = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    assert (logging["TargetBucket"], logging["TargetPrefix"]) == (LOGS, f"{word}/")
    delivery = statements(s3, LOGS)[f"AccessLogOf{word.title()}"]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert (delivery["Action"], delivery["Resource"]) == ("s3:PutObject", f"arn:aws:s3:::{LOGS}/{word}/*")
    assert delivery["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}}


@pytest.mark.parametrize(
    ("settings", "moves"),
    [
        ({}, []),
        ({"intelligent_tiering_days": 30, "glacier_days": 90}, [("INTELLIGENT_TIERING", 30), ("GLACIER", 90)]),
        ({"glacier_days": 90}, [("GLACIER", 90)]),
    ],
)
def test_objects_and_their_versions_age(cloud: Cloud, settings: dict[str, int], moves: list[tuple[str, int]]) -> None:
    s3 = make(cloud, **settings)
    for bucket in (DOCUMENTS, AUDIT, LOGS):
        [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 365)
        assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
        assert [(one["StorageClass"], one["Days"]) for one in rule.get("Transitions", [])] == moves
        # A version of a log is gone before it could move.
        versions = [(one["StorageClass"], one["NoncurrentDays"]) for one in rule.get("NoncurrentVersionTransitions", [])]
        assert (rule["NoncurrentVersionExpiration"]["NoncurrentDays"], versions) == ((365, moves) if bucket == DOCUMENTS else (1, []))


def test_small_objects_move_to_glacier_too(cloud: Cloud) -> None:
    asked = BucketSettings(expire_days=365, glacier_days=90)
    run = cloud.make(lambda environment: Buckets("buckets", environment, asked, key_arn=data_key(environment).arn))
    lifecycles = [one.inputs for one in run.resources if one.type == "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"]
    assert [one["transitionDefaultMinimumObjectSize"] for one in lifecycles] == ["varies_by_storage_class"] * 3


@pytest.mark.parametrize(("audit", "kept"), [({}, 365), ({"audit_expire_days": 400}, 400), ({"audit_expire_days": 120}, 120)])
def test_audit_logs_may_be_kept_for_a_time_of_their_own(cloud: Cloud, audit: dict[str, int], kept: int) -> None:
    s3 = make(cloud, glacier_days=90, **audit)
    for bucket, days, versions in ((DOCUMENTS, 365, 365), (AUDIT, kept, 1), (LOGS, kept, 1)):
        [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert (rule["Expiration"]["Days"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) == (days, versions)


def test_a_bucket_whose_days_do_not_ascend_is_refused() -> None:
    with pytest.raises(ValueError, match=r"days of transitions and expiration are \[90, 30, 365\]"):
        BucketArgs(expire_days=365, transitions=[Transition(days=90, storage_class="INTELLIGENT_TIERING"), Transition(days=30, storage_class="GLACIER")])
