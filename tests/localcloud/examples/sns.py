"""Examples of Amazon SNS."""

import json

from tests.localcloud.examples import Example, Ref

DELIVERY = json.dumps({"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 5, "maxDelayTarget": 20, "numRetries": 3}}})


def topic_policy(action: str, sid: str = "Alarms may publish") -> str:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def redrive(queue: str) -> str:
    return json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:345678901234:{queue}"})


PLAIN = Example(type="aws:sns/topic:Topic", inputs={"name": "alarms"}, label="least")

TOPIC = Example(
    type="aws:sns/topic:Topic",
    inputs={
        "name": "payment-events",
        "displayName": "Payments",
        "kmsMasterKeyId": "alias/aws/sns",
        "policy": topic_policy("SNS:Publish"),
        "deliveryPolicy": DELIVERY,
        "signatureVersion": 2,
        "tracingConfig": "Active",
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "displayName": None,
        "kmsMasterKeyId": "alias/aws/sqs",
        "policy": topic_policy("SNS:Subscribe"),
        "deliveryPolicy": None,
        "signatureVersion": 1,
        "tags": {"Team": "platform"},
    },
    replaces={"name": "other", "fifoTopic": True},
    bad={
        "name": ("with space", "x" * 257, "payment-events.fifo", ""),
        "displayName": "x" * 101,
        "policy": ("{", topic_policy("Publish"), topic_policy("SNS:Publish", "x" * 30_720)),
        "signatureVersion": 3,
        "tracingConfig": "On",
        "contentBasedDeduplication": True,
        "subscriptions": [],
    },
    drift=lambda aws, arn: aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="Others"),
    drifts="displayName",
)

FIFO = Example(
    type="aws:sns/topic:Topic",
    inputs={"name": "ledger.fifo", "fifoTopic": True, "contentBasedDeduplication": True},
    updates={"contentBasedDeduplication": False},
    bad={"name": "ledger"},
    label="FIFO",
)

TOPIC_POLICY = Example(
    type="aws:sns/topicPolicy:TopicPolicy",
    needs={"topic": PLAIN},
    inputs={"arn": Ref("topic", "arn"), "policy": topic_policy("SNS:Publish")},
    updates={"policy": topic_policy("SNS:Subscribe")},
    replaces={"arn": "arn:aws:sns:us-east-1:345678901234:other"},
    bad={"policy": ("{}", topic_policy("SNS:Publish", "x" * 30_720)), "arn": "alarms"},
    drift=lambda aws, arn: aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=topic_policy("SNS:*")),
    drifts="policy",
)

QUEUE = Example(type="aws:sqs/queue:Queue", inputs={"name": "work"})

TO_QUEUE = Example(
    type="aws:sns/topicSubscription:TopicSubscription",
    needs={"topic": PLAIN, "queue": QUEUE},
    inputs={
        "topic": Ref("topic", "arn"),
        "protocol": "sqs",
        "endpoint": Ref("queue", "arn"),
        "rawMessageDelivery": True,
        "filterPolicy": json.dumps({"type": ["payment.settled"]}),
        "redrivePolicy": redrive("dlq"),
    },
    updates={
        "rawMessageDelivery": False,
        "filterPolicy": json.dumps({"payment": {"state": ["settled"]}}),
        "filterPolicyScope": "MessageBody",
        "redrivePolicy": redrive("other-dlq"),
    },
    replaces={"topic": "arn:aws:sns:us-east-1:345678901234:other", "endpoint": "arn:aws:sqs:us-east-1:345678901234:other", "protocol": "lambda"},
    bad={
        "topic": "alarms",
        "protocol": "pigeon",
        "endpoint": "work",
        "filterPolicy": ("{", "[]", json.dumps({str(key): ["x"] for key in range(6)})),
        "filterPolicyScope": "Everything",
        "redrivePolicy": ("{}", json.dumps({"deadLetterTargetArn": "dlq"})),
        "deliveryPolicy": DELIVERY,
        "subscriptionRoleArn": "arn:aws:iam::345678901234:role/firehose",
        "queue": "work",
    },
    drift=lambda aws, arn: aws.client("sns").set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=json.dumps({"type": ["payment.failed"]})
    ),
    drifts="filterPolicy",
)

FILTERED = Example(
    type="aws:sns/topicSubscription:TopicSubscription",
    needs={"topic": PLAIN, "queue": QUEUE},
    inputs={
        "topic": Ref("topic", "arn"),
        "protocol": "sqs",
        "endpoint": Ref("queue", "arn"),
        "filterPolicy": json.dumps({"payment": {"state": ["settled"]}}),
        "filterPolicyScope": "MessageBody",
        "redrivePolicy": redrive("dlq"),
    },
    updates={"filterPolicy": None, "filterPolicyScope": None, "redrivePolicy": None},
    label="filtered",
)

BY_MAIL = Example(
    type="aws:sns/topicSubscription:TopicSubscription",
    needs={"topic": PLAIN},
    inputs={"topic": Ref("topic", "arn"), "protocol": "email", "endpoint": "oncall@example.com"},
    bad={"endpoint": "oncall", "rawMessageDelivery": True, "endpointAutoConfirms": True, "filterPolicyScope": "MessageBody"},
    label="by mail",
)

TO_PAGER = Example(
    type="aws:sns/topicSubscription:TopicSubscription",
    needs={"topic": PLAIN},
    inputs={
        "topic": Ref("topic", "arn"),
        "protocol": "https",
        "endpoint": "https://pager.example.com/alarms",
        "deliveryPolicy": json.dumps({"healthyRetryPolicy": {"numRetries": 3}}),
        "endpointAutoConfirms": True,
        "confirmationTimeoutInMinutes": 5,
    },
    updates={"deliveryPolicy": json.dumps({"healthyRetryPolicy": {"numRetries": 5}}), "confirmationTimeoutInMinutes": 1},
    bad={"endpoint": "http://pager.example.com/alarms", "confirmationTimeoutInMinutes": 0},
    label="https",
)

EXAMPLES = (PLAIN, TOPIC, FIFO, TOPIC_POLICY, TO_QUEUE, FILTERED, BY_MAIL, TO_PAGER)
