"""Examples of AWS Lambda."""

import json

from pulumi.asset import AssetArchive, StringAsset

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.iam import trusts

HANDLER = "def handler(event, context):\n    return {'statusCode': 200}\n"
KEY = "arn:aws:kms:us-east-1:345678901234:key/0e8f3c1a-2b4d-4c6e-8f10-1a2b3c4d5e6f"
DEAD_LETTERS = "arn:aws:sqs:us-east-1:345678901234:failures"


def code(text: str = HANDLER) -> AssetArchive:
    return AssetArchive({"app.py": StringAsset(text)})


ROLE = Example(type="aws:iam/role:Role", inputs={"name": "process-payment", "assumeRolePolicy": trusts("lambda.amazonaws.com")}, label="a function's")

SMALL = Example(
    type="aws:lambda/function:Function",
    label="small",
    needs={"role": ROLE},
    inputs={"name": "verify-payment", "role": Ref("role", "arn"), "runtime": "python3.12", "handler": "app.handler", "code": code()},
    updates={"publish": True, "vpcConfig": {"subnetIds": ["subnet-0a"], "securityGroupIds": ["sg-0a"]}},
    bad={"code": ("app.py", StringAsset(HANDLER)), "s3Bucket": "code", "s3Key": "app.zip"},
)

FUNCTION = Example(
    type="aws:lambda/function:Function",
    needs={"role": ROLE},
    inputs={
        "name": "process-payment",
        "role": Ref("role", "arn"),
        "runtime": "python3.12",
        "handler": "app.handler",
        "code": code(),
        "sourceCodeHash": "as-the-build-says",
        "packageType": "Zip",
        "architectures": ["arm64"],
        "memorySize": 512,
        "timeout": 30,
        "reservedConcurrentExecutions": 20,
        "environment": {"variables": {"STAGE": "dev", "LOG_LEVEL": "INFO"}},
        "vpcConfig": {"subnetIds": ["subnet-0a", "subnet-0b"], "securityGroupIds": ["sg-0a"], "ipv6AllowedForDualStack": False},
        "deadLetterConfig": {"targetArn": DEAD_LETTERS},
        "tracingConfig": {"mode": "Active"},
        "kmsKeyArn": KEY,
        "ephemeralStorage": {"size": 1024},
        "loggingConfig": {"logFormat": "JSON", "logGroup": "/payments/process-payment", "applicationLogLevel": "INFO", "systemLogLevel": "WARN"},
        "description": "Takes a payment",
        "publish": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "code": code("def handler(event, context):\n    return None\n"),
        "memorySize": 1024,
        "timeout": None,
        "handler": "app.main",
        "runtime": "python3.13",
        "reservedConcurrentExecutions": None,
        "environment": {"variables": {"STAGE": "staging"}},
        "vpcConfig": None,
        "tracingConfig": None,
        "description": None,
        "tags": {"Environment": "staging", "CostCenter": "42"},
    },
    replaces={"name": "other"},
    bad={
        "name": ("with space", "x" * 65),
        "memorySize": (127, 10_241),
        "timeout": (0, 901),
        "runtime": "python4.0",
        "architectures": (["arm"], ["arm64", "x86_64"]),
        "reservedConcurrentExecutions": -2,
        "environment": (
            {"variables": {"AWS_REGION": "us-east-1"}},
            {"variables": {"1ST": "x"}},
            {"variables": {"LONG": "x" * 4096}},
            {"variabels": {}},
        ),
        "ephemeralStorage": ({"size": 511}, {"size": 10_241}),
        "loggingConfig": ({"logFormat": "XML"}, {"logFormat": "Text", "systemLogLevel": "WARN"}),
        "tracingConfig": {"mode": "On"},
        "vpcConfig": ({"subnetIds": ["subnet-0a"]}, {"subnetIds": ["net"], "securityGroupIds": ["sg-0a"]}),
        "role": "process-payment",
        "layers": ["powertools"],
        "packageType": "Image",
        "handler": None,
        "code": None,
        "memory": 512,
    },
    drift=lambda aws, name: aws.client("lambda").update_function_configuration(FunctionName=name, MemorySize=2048),
    drifts="memorySize",
)

QUEUE = Example(type="aws:sqs/queue:Queue", inputs={"name": "payments", "visibilityTimeoutSeconds": 180}, label="a function's")

PERMISSION = Example(
    type="aws:lambda/permission:Permission",
    needs={"function": SMALL},
    inputs={
        "statementId": "AllowApi",
        "action": "lambda:InvokeFunction",
        "function": Ref("function", "name"),
        "principal": "apigateway.amazonaws.com",
        "sourceArn": "arn:aws:execute-api:us-east-1:345678901234:a1b2c3/*/POST/verify-payment",
        "sourceAccount": "345678901234",
    },
    replaces={
        "action": "lambda:GetFunction",
        "principal": "sns.amazonaws.com",
        "sourceArn": "arn:aws:sns:us-east-1:345678901234:events",
        "statementId": "Other",
    },
    bad={"statementId": "no spaces", "action": "s3:GetObject", "sourceAccount": "42", "sourceArn": "api", "principle": "apigateway.amazonaws.com"},
)

OF_SMALL = Example(
    type="aws:lambda/alias:Alias",
    label="of a function that is not published",
    needs={"function": SMALL},
    inputs={"name": "live", "functionName": Ref("function", "arn"), "functionVersion": "$LATEST"},
)

QUALIFIED = Example(
    type="aws:lambda/permission:Permission",
    label="of an alias",
    needs={"alias": OF_SMALL},
    inputs={"action": "lambda:InvokeFunction", "function": Ref("function", "arn"), "principal": "345678901234", "qualifier": Ref("alias", "name")},
)

EVENT_SOURCE_MAPPING = Example(
    type="aws:lambda/eventSourceMapping:EventSourceMapping",
    needs={"function": SMALL, "queue": QUEUE},
    inputs={
        "eventSourceArn": Ref("queue", "arn"),
        "functionName": Ref("function", "arn"),
        "batchSize": 10,
        "maximumBatchingWindowInSeconds": 5,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": 10},
        "filterCriteria": {"filters": [{"pattern": json.dumps({"body": {"kind": ["payment"]}})}]},
        "enabled": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "batchSize": 100,
        "maximumBatchingWindowInSeconds": 30,
        "functionResponseTypes": None,
        "scalingConfig": {"maximumConcurrency": 2},
        "filterCriteria": None,
        "enabled": False,
        "tags": {"Environment": "staging"},
    },
    replaces={"eventSourceArn": "arn:aws:sqs:us-east-1:345678901234:other"},
    bad={
        "batchSize": (0, 10_001),
        "maximumBatchingWindowInSeconds": (-1, 301),
        "scalingConfig": ({"maximumConcurrency": 1}, {"maximumConcurrency": 1001}),
        "functionResponseTypes": ["ReportBatchFailures"],
        "filterCriteria": ({"filters": [{"pattern": "{"}]}, {"filters": [{"pattern": "{}"}] * 6}),
        "batch": 10,
    },
    drift=lambda aws, uuid: aws.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=False),
    drifts="enabled",
)

FIFO = Example(
    type="aws:lambda/eventSourceMapping:EventSourceMapping",
    label="of a FIFO queue",
    needs={"function": SMALL, "queue": Example(type="aws:sqs/queue:Queue", inputs={"name": "payments.fifo", "fifoQueue": True})},
    inputs={"eventSourceArn": Ref("queue", "arn"), "functionName": Ref("function", "name"), "batchSize": 10},
)

FUNCTION_EVENT_INVOKE_CONFIG = Example(
    type="aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    needs={"function": SMALL},
    inputs={
        "functionName": Ref("function", "name"),
        "maximumEventAgeInSeconds": 600,
        "maximumRetryAttempts": 1,
        "destinationConfig": {"onFailure": {"destination": DEAD_LETTERS}},
    },
    updates={"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 0, "destinationConfig": {"onSuccess": {"destination": DEAD_LETTERS}}},
    replaces={"functionName": "other"},
    bad={"maximumEventAgeInSeconds": (59, 21_601), "maximumRetryAttempts": (-1, 3), "destinationConfig": {"onFailure": {}}, "retries": 1},
)

ALIAS = Example(
    type="aws:lambda/alias:Alias",
    needs={"function": FUNCTION},
    inputs={"name": "live", "functionName": Ref("function", "name"), "functionVersion": "1", "description": "What callers use"},
    updates={"functionVersion": "$LATEST", "description": "Something else", "routingConfig": {"additionalVersionWeights": {"1": 0.1}}},
    replaces={"name": "next", "functionName": "other"},
    bad={"name": "1", "functionVersion": "newest", "routingConfig": {"additionalVersionWeights": {"1": 1.5}}, "version": "1"},
    drift=lambda aws, arn: aws.client("lambda").update_alias(FunctionName=arn.split(":")[-2], Name="live", Description="By hand"),
    drifts="description",
)

EXAMPLES = (SMALL, FUNCTION, PERMISSION, QUALIFIED, EVENT_SOURCE_MAPPING, FIFO, FUNCTION_EVENT_INVOKE_CONFIG, ALIAS, OF_SMALL)
