"""Examples of Amazon EventBridge: rules and their targets, whose types Pulumi files under CloudWatch."""

import json

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref

FUNCTION = "arn:aws:lambda:us-east-1:345678901234:function:outbox-relay"
QUEUE = "arn:aws:sqs:us-east-1:345678901234:events"
ROLE = "arn:aws:iam::345678901234:role/events"

EVENT_RULE = Example(
    type="aws:cloudwatch/eventRule:EventRule",
    inputs={
        "name": "outbox-relay-dev",
        "description": "Every minute",
        "scheduleExpression": "rate(1 minute)",
        "state": "ENABLED",
        "roleArn": ROLE,
        "forceDestroy": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "description": None,
        "scheduleExpression": "cron(0/15 8-18 ? * MON-FRI *)",
        "state": "DISABLED",
        "roleArn": None,
        "forceDestroy": False,
        "tags": {"Environment": "staging", "CostCenter": "42"},
    },
    replaces={"name": "other"},
    bad={
        "name": ("with space", "x" * 65, ""),
        "scheduleExpression": ("rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(30 seconds)", "cron(* * * * *)", "every minute", None),
        "description": "x" * 513,
        "state": "ON",
        "roleArn": "events",
        "schedule": "rate(1 minute)",
    },
    drift=lambda aws, name: aws.client("events").disable_rule(Name=name),
    drifts="state",
)

PATTERN = Example(
    type="aws:cloudwatch/eventRule:EventRule",
    inputs={"name": "failed-tasks", "eventPattern": json.dumps({"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}})},
    updates={"eventPattern": json.dumps({"source": ["aws.ecs"]})},
    bad={"eventPattern": ("{", "x" * 4_097)},
    label="a pattern",
)


def another_age(aws: Aws, id_: str) -> None:
    events, rule = aws.client("events"), id_.removesuffix("-relay")
    [live] = events.list_targets_by_rule(Rule=rule)["Targets"]
    events.put_targets(Rule=rule, Targets=[{**live, "RetryPolicy": {"MaximumEventAgeInSeconds": 3_600}}])


EVENT_TARGET = Example(
    type="aws:cloudwatch/eventTarget:EventTarget",
    needs={"rule": EVENT_RULE},
    inputs={
        "rule": Ref("rule", "name"),
        "targetId": "relay",
        "arn": FUNCTION,
        "input": json.dumps({"limit": 100}),
        "retryPolicy": {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 0},
        "deadLetterConfig": {"arn": QUEUE},
        "forceDestroy": True,
    },
    updates={
        "arn": f"{FUNCTION}:live",
        "input": None,
        "inputPath": "$.detail",
        "retryPolicy": {"maximumEventAgeInSeconds": 120, "maximumRetryAttempts": 3},
        "deadLetterConfig": None,
        "roleArn": ROLE,
        "forceDestroy": False,
    },
    replaces={"rule": "other", "targetId": "next"},
    bad={
        "rule": "with space",
        "targetId": ("with space", "x" * 65),
        "arn": ("outbox-relay", None),
        "input": ("{", "x" * 8_193),
        "inputPath": "$.detail",
        "retryPolicy": ({"maximumEventAgeInSeconds": 59}, {"maximumEventAgeInSeconds": 86_401}, {"maximumRetryAttempts": 186}, {"attempts": 1}),
        "deadLetterConfig": ({"arn": FUNCTION}, {"arn": f"{QUEUE}.fifo"}),
        "kinesisTarget": {"partitionKeyPath": "$.id"},
        "roleArn": "events",
        "function": FUNCTION,
    },
    drift=another_age,
    drifts="retryPolicy",
)

TRANSFORMED = Example(
    type="aws:cloudwatch/eventTarget:EventTarget",
    needs={"rule": PATTERN},
    inputs={
        "rule": Ref("rule", "name"),
        "targetId": "stream",
        "arn": "arn:aws:kinesis:us-east-1:345678901234:stream/events",
        "roleArn": ROLE,
        "inputTransformer": {"inputPaths": {"task": "$.detail.taskArn"}, "inputTemplate": '{"task": <task>}'},
        "kinesisTarget": {"partitionKeyPath": "$.id"},
    },
    updates={"inputTransformer": {"inputTemplate": '"stopped"'}},
    bad={"inputTransformer": ({"inputPaths": {"task": "$.detail"}}, {"inputTemplate": ""}), "sqsTarget": {"messageGroupId": "tasks"}},
    label="transformed, into a stream",
)

FIFO = Example(
    type="aws:cloudwatch/eventTarget:EventTarget",
    needs={"rule": PATTERN},
    inputs={"rule": Ref("rule", "name"), "targetId": "queue", "arn": f"{QUEUE}.fifo", "sqsTarget": {"messageGroupId": "tasks"}},
    updates={"sqsTarget": {"messageGroupId": "stopped-tasks"}},
    bad={"sqsTarget": ({"messageGroupId": "x" * 101}, None)},
    label="a FIFO queue",
)

EXAMPLES = (EVENT_RULE, PATTERN, EVENT_TARGET, TRANSFORMED, FIFO)
