"""What CloudTrail needs in order to write to the audit bucket: its statements in the bucket's policy and in the key's.

The trail itself is made by observability, after the bucket; here it is known by its ARN alone.
Sources: AWS CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail" and "Configure AWS KMS key policies for CloudTrail".
"""

from __future__ import annotations

from shared import naming
from shared.components.bucket import bucket_arn
from shared.environment import Environment
from shared.iam import Statement

_CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}
_ITSELF = "a key policy's resource is always the key itself"

BUCKET = "audit"


def trail_arn(environment: Environment) -> str:
    """The ARN that the environment's trail will have."""
    return environment.arn("cloudtrail", f"trail/{environment.names('audit', naming.TRAIL)}")


def key_statements(environment: Environment) -> list[Statement]:
    """CloudTrail encrypts the trail's files; it decrypts because of the bucket key, whose data key it reads back."""
    trail = {"aws:SourceArn": trail_arn(environment)}
    return [
        Statement(
            sid="CloudTrailFiles",
            principals=_CLOUDTRAIL,
            actions=["kms:GenerateDataKey*", "kms:Decrypt"],
            resources=["*"],
            because=_ITSELF,
            conditions={"StringEquals": trail, "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trail_arn(environment)}},
        ),
        Statement(
            sid="CloudTrailKey",
            principals=_CLOUDTRAIL,
            actions=["kms:DescribeKey"],
            resources=["*"],
            because=_ITSELF,
            conditions={"StringEquals": trail},
        ),
    ]


def bucket_statements(environment: Environment) -> list[Statement]:
    """The trail looks whose bucket it is, and writes below AWSLogs/ and the account's number."""
    bucket, trail = bucket_arn(environment, BUCKET), {"aws:SourceArn": trail_arn(environment)}
    return [
        Statement(
            sid="AWSCloudTrailAclCheck",
            principals=_CLOUDTRAIL,
            actions=["s3:GetBucketAcl"],
            resources=[bucket],
            conditions={"StringEquals": trail},
        ),
        Statement(
            sid="AWSCloudTrailWrite",
            principals=_CLOUDTRAIL,
            actions=["s3:PutObject"],
            resources=[f"{bucket}/AWSLogs/{environment.account}/*"],
            conditions={"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **trail}},
        ),
    ]
