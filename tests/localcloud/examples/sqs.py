"""Examples of Amazon SQS."""

import json

from tests.localcloud.examples import Example, Ref

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    ],
}

DEAD_LETTERS = Example(type="aws:sqs/queue:Queue", inputs={"name": "work-dlq"}, label="dead letters")

QUEUE = Example(
    type="aws:sqs/queue:Queue",
    needs={"dlq": DEAD_LETTERS},
    inputs={
        "name": "work",
        "visibilityTimeoutSeconds": 180,
        "messageRetentionSeconds": 1_209_600,
        "receiveWaitTimeSeconds": 20,
        "kmsMasterKeyId": "alias/aws/sqs",
        "kmsDataKeyReusePeriodSeconds": 600,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "visibilityTimeoutSeconds": 60,
        "messageRetentionSeconds": 345_600,
        "receiveWaitTimeSeconds": 0,
        "redrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:345678901234:work-dlq", "maxReceiveCount": 3}),
        "kmsMasterKeyId": None,
        "kmsDataKeyReusePeriodSeconds": None,
        "tags": {"Environment": "dev"},
    },
    replaces={"name": "other"},
    bad={"visibilityTimeoutSeconds": (43_201, "soon"), "name": "no spaces", "delaySeconds": 901, "messageRetentionSeconds": 59, "nam": "work"},
    drift=lambda aws, url: aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"}),
    drifts="visibilityTimeoutSeconds",
)

QUEUE_POLICY = Example(
    type="aws:sqs/queuePolicy:QueuePolicy",
    needs={"queue": DEAD_LETTERS},
    inputs={"queueUrl": Ref("queue", "url"), "policy": json.dumps(POLICY)},
    updates={"policy": json.dumps({**POLICY, "Id": "changed"})},
    bad={"policy": "{"},
)

EXAMPLES = (DEAD_LETTERS, QUEUE, QUEUE_POLICY)
