"""Examples of AWS CloudTrail."""

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref

BUCKET = Example(type="aws:s3/bucket:Bucket", inputs={"bucket": "audit-dev", "forceDestroy": True})
OTHER_BUCKET = Example(type="aws:s3/bucket:Bucket", inputs={"bucket": "audit-other", "forceDestroy": True})
TOPIC = Example(type="aws:sns/topic:Topic", inputs={"name": "audit"})

KEY_ARN = "arn:aws:kms:us-east-1:345678901234:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GROUP_ARN = "arn:aws:logs:us-east-1:345678901234:log-group:audit:*"
ROLE_ARN = "arn:aws:iam::345678901234:role/cloudtrail"


def objects(bucket: str) -> dict[str, object]:
    return {"type": "AWS::S3::Object", "values": [f"arn:aws:s3:::{bucket}/"]}


def stop(aws: Aws, arn: str) -> None:
    aws.client("cloudtrail").stop_logging(Name=arn)


TRAIL = Example(
    type="aws:cloudtrail/trail:Trail",
    needs={"bucket": BUCKET, "other": OTHER_BUCKET, "topic": TOPIC},
    inputs={
        "name": "audit-dev",
        "s3BucketName": Ref("bucket"),
        "s3KeyPrefix": "trail",
        "snsTopicName": Ref("topic", "name"),
        "includeGlobalServiceEvents": True,
        "isMultiRegionTrail": True,
        "enableLogFileValidation": True,
        "enableLogging": True,
        "kmsKeyId": KEY_ARN,
        "cloudWatchLogsGroupArn": GROUP_ARN,
        "cloudWatchLogsRoleArn": ROLE_ARN,
        "eventSelectors": [
            {
                "readWriteType": "All",
                "includeManagementEvents": True,
                "excludeManagementEventSources": ["kms.amazonaws.com"],
                "dataResources": [objects("payments-documents")],
            }
        ],
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "s3BucketName": Ref("other"),
        "s3KeyPrefix": None,
        "snsTopicName": None,
        "isMultiRegionTrail": False,
        "includeGlobalServiceEvents": False,
        "enableLogFileValidation": False,
        "enableLogging": False,
        "kmsKeyId": None,
        "cloudWatchLogsGroupArn": None,
        "cloudWatchLogsRoleArn": None,
        "eventSelectors": [{"readWriteType": "WriteOnly", "dataResources": [objects("payments-audit")]}],
        "tags": {"Environment": "dev", "CostCenter": "42"},
    },
    replaces={"name": "other"},
    bad={
        "name": ("ab", "x" * 129, "with space", "a..b", "-audit", "audit-"),
        "s3BucketName": ("ab", None),
        "s3KeyPrefix": "x" * 201,
        "kmsKeyId": "alias/audit",
        "cloudWatchLogsGroupArn": ("audit", GROUP_ARN.removesuffix(":*"), None),
        "cloudWatchLogsRoleArn": ("cloudtrail", None),
        "includeGlobalServiceEvents": False,
        "eventSelectors": (
            [{}] * 6,
            [{"readWriteType": "Everything"}],
            [{"dataResources": [{"type": "AWS::SQS::Queue", "values": ["arn:aws:sqs:::work"]}]}],
            [{"dataResources": [{"type": "AWS::S3::Object", "values": ["payments-documents"]}]}],
            [{"dataResources": [{"type": "AWS::S3::Object"}]}],
            [{"excludeManagementEventSources": ["s3.amazonaws.com"]}],
            [{"excludeManagementEventSources": ["kms.amazonaws.com"], "includeManagementEvents": False}],
            [{"dataResource": []}],
        ),
        "advancedEventSelectors": [{"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]}],
        "bucket": "audit-dev",
    },
    drift=stop,
    drifts="enableLogging",
)

PLAIN = Example(
    type="aws:cloudtrail/trail:Trail",
    needs={"bucket": BUCKET, "topic": TOPIC},
    inputs={"name": "plain", "s3BucketName": Ref("bucket"), "enableLogging": False},
    updates={
        "enableLogging": None,
        "isMultiRegionTrail": True,
        "snsTopicName": Ref("topic", "name"),
        "eventSelectors": [{"dataResources": [objects("payments-audit")]}],
    },
    label="least",
)

ADVANCED = Example(
    type="aws:cloudtrail/trail:Trail",
    needs={"bucket": BUCKET},
    inputs={
        "name": "advanced",
        "s3BucketName": Ref("bucket"),
        "advancedEventSelectors": [
            {
                "name": "Writes to documents",
                "fieldSelectors": [
                    {"field": "eventCategory", "equals": ["Data"]},
                    {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                    {"field": "resources.ARN", "startsWiths": ["arn:aws:s3:::payments-documents/"]},
                ],
            }
        ],
    },
    updates={"advancedEventSelectors": None, "eventSelectors": [{"readWriteType": "ReadOnly", "includeManagementEvents": True}]},
    bad={
        "advancedEventSelectors": (
            [{"name": "x" * 1_001, "fieldSelectors": [{"field": "eventCategory", "equals": ["Data"]}]}],
            [{"name": "Nothing", "fieldSelectors": []}],
            [{"fieldSelectors": [{"equals": ["Data"]}]}],
            [{"fieldSelectors": [{"field": "eventCategory", "is": ["Data"]}]}],
        )
    },
    label="advanced",
)

EXAMPLES = (TRAIL, PLAIN, ADVANCED)
