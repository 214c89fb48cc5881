"""Examples of Amazon S3."""

import json

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref

LOGS = Example(
    type="aws:s3/bucket:Bucket",
    inputs={"bucket": "payments-access-logs", "forceDestroy": True},
    updates={"tags": {"Team": "payments"}, "forceDestroy": False},
    bad={"bucket": ("Payments", "a", "a..b", "192.168.5.4", "xn--payments", "payments-s3alias")},
    label="access logs",
)


def _untag(aws: Aws, bucket: str) -> None:
    aws.client("s3").delete_bucket_tagging(Bucket=bucket)


BUCKET = Example(
    type="aws:s3/bucket:Bucket",
    inputs={"bucket": "payments-documents", "forceDestroy": True, "objectLockEnabled": True, "tags": {"Environment": "dev", "Team": "payments"}},
    updates={"tags": {"Environment": "dev"}},
    replaces={"bucket": "payments-papers", "objectLockEnabled": False},
    # What has a resource of its own is not set on the bucket.
    bad={"forceDestroy": "yes", "versioning": {"enabled": True}, "acl": "private", "tags": {"Team": "p" * 257}},
    drift=_untag,
    drifts="tags",
)

PLAIN = Example(type="aws:s3/bucket:Bucket", inputs={"bucket": "payments-audit"}, label="needed")


def _suspend(aws: Aws, bucket: str) -> None:
    aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


VERSIONING = Example(
    type="aws:s3/bucketVersioning:BucketVersioning",
    needs={"bucket": PLAIN},
    inputs={"bucket": Ref("bucket"), "versioningConfiguration": {"status": "Enabled"}},
    updates={"versioningConfiguration": {"status": "Suspended"}},
    replaces={"bucket": "other"},
    bad={"versioningConfiguration": ({"status": "On"}, {"status": "Enabled", "mfa": "x"}, {}), "status": "Enabled"},
    drift=_suspend,
    drifts="versioningConfiguration",
)

UNVERSIONED = Example(
    type="aws:s3/bucketVersioning:BucketVersioning",
    label="disabled",
    needs={"bucket": PLAIN},
    inputs={"bucket": Ref("bucket"), "versioningConfiguration": {"status": "Disabled"}},
    updates={"versioningConfiguration": {"status": "Enabled"}},
    replaces={"bucket": "other"},
)

_KEY = "arn:aws:kms:us-east-1:345678901234:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _encrypted(algorithm: str, **key: str) -> dict[str, object]:
    return {"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm, **key}}


ENCRYPTION = Example(
    type="aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    needs={"bucket": PLAIN},
    inputs={"bucket": Ref("bucket"), "rules": [{**_encrypted("aws:kms", kmsMasterKeyId=_KEY), "bucketKeyEnabled": True}]},
    updates={"rules": [{**_encrypted("aws:kms", kmsMasterKeyId=_KEY.replace("1234abcd", "9876dcba")), "bucketKeyEnabled": False}]},
    replaces={"bucket": "other"},
    bad={"rules": ([], [_encrypted("rot13")], [_encrypted("AES256", kmsMasterKeyId=_KEY)], [{"bucketKeyEnabled": True}]), "rule": []},
    drift=lambda aws, bucket: aws.client("s3").put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    ),
    drifts="rules",
)

ENCRYPTION_BY_S3 = Example(
    type="aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    needs={"bucket": PLAIN},
    inputs={"bucket": Ref("bucket"), "rules": [_encrypted("AES256")]},
    updates={"rules": [_encrypted("aws:kms")]},
    label="S3's own key",
)

PUBLIC_ACCESS = Example(
    type="aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    needs={"bucket": PLAIN},
    inputs={
        "bucket": Ref("bucket"),
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    },
    updates={"blockPublicAcls": False, "ignorePublicAcls": False, "blockPublicPolicy": False, "restrictPublicBuckets": None},
    replaces={"bucket": "other"},
    bad={"blockPublicAcls": "true", "blockPublicAcl": True},
    drift=lambda aws, bucket: aws.client("s3").put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False},
    ),
    drifts="restrictPublicBuckets",
)

OWNERSHIP = Example(
    type="aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    needs={"bucket": PLAIN},
    inputs={"bucket": Ref("bucket"), "rule": {"objectOwnership": "BucketOwnerEnforced"}},
    updates={"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    replaces={"bucket": "other"},
    bad={"rule": ({"objectOwnership": "Mine"}, {}), "rules": []},
)


def _tls_only(sid: str = "TlsOnly") -> str:
    statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::payments-audit", "arn:aws:s3:::payments-audit/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


POLICY = Example(
    type="aws:s3/bucketPolicy:BucketPolicy",
    needs={"bucket": PLAIN},
    inputs={"bucket": Ref("bucket"), "policy": _tls_only()},
    updates={"policy": _tls_only("OnlyTls")},
    replaces={"bucket": "other"},
    bad={"policy": ("{", "{}", _tls_only("x" * 20_480))},
    drift=lambda aws, bucket: aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=_tls_only("Changed")),
    drifts="policy",
)

_RULE = {
    "id": "documents",
    "status": "Enabled",
    "filter": {"prefix": ""},
    "expiration": {"days": 365},
    "transitions": [{"days": 90, "storageClass": "GLACIER"}, {"days": 30, "storageClass": "INTELLIGENT_TIERING"}],
    "noncurrentVersionExpiration": {"noncurrentDays": 90},
    "noncurrentVersionTransitions": [{"noncurrentDays": 30, "newerNoncurrentVersions": 3, "storageClass": "GLACIER"}],
    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
}

LIFECYCLE = Example(
    type="aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    needs={"bucket": PLAIN},
    inputs={
        "bucket": Ref("bucket"),
        "transitionDefaultMinimumObjectSize": "varies_by_storage_class",
        "rules": [
            _RULE,
            {
                "id": "drafts",
                "status": "Disabled",
                "filter": {"and": {"prefix": "drafts/", "tags": {"kept": "no", "by": "nobody"}}},
                "expiration": {"days": 1},
            },
            {"id": "tagged", "status": "Enabled", "filter": {"tag": {"key": "kept", "value": "no"}}, "expiration": {"days": 2}},
            {"id": "markers", "status": "Enabled", "filter": {}, "expiration": {"expiredObjectDeleteMarker": True}},
        ],
    },
    updates={"rules": [{**_RULE, "expiration": {"days": 400}, "transitions": []}]},
    replaces={"bucket": "other"},
    bad={
        "rules": (
            [],
            [{**_RULE, "status": "On"}],
            [{**_RULE, "id": "x" * 256}],
            [_RULE, _RULE],
            [{"id": "nothing", "status": "Enabled"}],
            [{**_RULE, "expiration": {"days": 90}}],
            [{**_RULE, "expiration": {"days": 400, "expiredObjectDeleteMarker": True}}],
            [{**_RULE, "transitions": [{"days": 29, "storageClass": "STANDARD_IA"}]}],
            [{**_RULE, "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}, {"days": 59, "storageClass": "GLACIER"}]}],
            [{**_RULE, "transitions": [{"days": 90, "storageClass": "DEEP_ARCHIVE"}, {"days": 90, "storageClass": "GLACIER"}]}],
            [{**_RULE, "transitions": [{"days": 90, "storageClass": "GLACIER"}, {"days": 91, "storageClass": "GLACIER"}]}],
            [{**_RULE, "transitions": [{"days": 90, "storageClass": "ICE"}]}],
            [{**_RULE, "noncurrentVersionExpiration": {"noncurrentDays": 30}}],
            [{**_RULE, "filter": {"tag": {"key": "a", "value": "b"}}}],
            [{**_RULE, "filter": {"prefix": "a", "and": {"prefix": "b"}}}],
            [{**_RULE, "filter": {"objectSizeGreaterThan": 1}}],
        ),
        "transitionDefaultMinimumObjectSize": "small",
    },
    drift=lambda aws, bucket: aws.client("s3").put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [{"ID": "all", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}]}
    ),
    drifts="rules",
)

_LOG_DELIVERY = Example(
    type="aws:s3/bucketPolicy:BucketPolicy",
    inputs={
        "bucket": Ref("logs"),
        "policy": json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "logging.s3.amazonaws.com"},
                        "Action": "s3:PutObject",
                        "Resource": "arn:aws:s3:::payments-access-logs/*",
                    }
                ],
            }
        ),
    },
)

LOGGING = Example(
    type="aws:s3/bucketLogging:BucketLogging",
    needs={"logs": LOGS, "delivery": _LOG_DELIVERY, "bucket": PLAIN},
    inputs={"bucket": Ref("bucket"), "targetBucket": Ref("logs"), "targetPrefix": "audit/"},
    updates={"targetPrefix": "audit-log/"},
    replaces={"bucket": "other"},
    bad={"targetPrefix": None, "targetGrants": []},
    drift=lambda aws, bucket: aws.client("s3").put_bucket_logging(
        Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "payments-access-logs", "TargetPrefix": "elsewhere/"}}
    ),
    drifts="targetPrefix",
)

TIERING = Example(
    type="aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration",
    needs={"bucket": PLAIN},
    inputs={
        "bucket": Ref("bucket"),
        "name": "archive",
        "filter": {"prefix": "closed/", "tags": {"kept": "yes"}},
        "tierings": [{"accessTier": "DEEP_ARCHIVE_ACCESS", "days": 180}, {"accessTier": "ARCHIVE_ACCESS", "days": 125}],
    },
    updates={"status": "Disabled", "filter": None, "tierings": [{"accessTier": "ARCHIVE_ACCESS", "days": 90}]},
    replaces={"bucket": "other", "name": "other"},
    bad={
        "tierings": (
            [],
            [{"accessTier": "ARCHIVE_ACCESS", "days": 89}],
            [{"accessTier": "DEEP_ARCHIVE_ACCESS", "days": 179}],
            [{"accessTier": "ARCHIVE_ACCESS", "days": 731}],
            [{"accessTier": "ICE", "days": 180}],
            [{"accessTier": "ARCHIVE_ACCESS", "days": 90}, {"accessTier": "ARCHIVE_ACCESS", "days": 91}],
        ),
        "status": "On",
        "name": "no spaces",
        "tiering": [],
    },
)

EXAMPLES = (
    LOGS,
    BUCKET,
    VERSIONING,
    UNVERSIONED,
    ENCRYPTION,
    ENCRYPTION_BY_S3,
    PUBLIC_ACCESS,
    OWNERSHIP,
    POLICY,
    LIFECYCLE,
    LOGGING,
    TIERING,
)
