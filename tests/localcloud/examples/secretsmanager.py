"""Examples of AWS Secrets Manager."""

import json

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.kms import PLAIN as KEY

SECRET = Example(
    type="aws:secretsmanager/secret:Secret",
    needs={"key": KEY, "other": KEY},
    inputs={
        "name": "payments/processor-dev",
        "description": "The processor's API key",
        "kmsKeyId": Ref("key", "arn"),
        "recoveryWindowInDays": 0,
        "tags": {"Environment": "dev", "DataClassification": "restricted"},
    },
    updates={"description": "Something else", "kmsKeyId": Ref("other", "arn"), "recoveryWindowInDays": 7, "tags": {"Environment": "dev"}},
    replaces={"name": "payments/other"},
    bad={
        "name": ("with space", "x" * 513, ""),
        "description": "x" * 2_049,
        "recoveryWindowInDays": (1, 6, 31),
        "policy": "{}",
    },
    drift=lambda aws, arn: aws.client("secretsmanager").update_secret(SecretId=arn, Description="changed"),
    drifts="description",
)

RECOVERABLE = Example(
    type="aws:secretsmanager/secret:Secret",
    inputs={"name": "payments/recoverable"},
    updates={"tags": {"Team": "payments"}},
    label="recoverable",
)

SECRET_VERSION = Example(
    type="aws:secretsmanager/secretVersion:SecretVersion",
    needs={"secret": SECRET},
    inputs={"secretId": Ref("secret"), "secretString": '{"apiKey": "not-a-real-one"}'},
    replaces={"secretId": "payments/other", "secretString": "something else"},
    bad={"secretString": ("x" * 65_537, "", None), "secretId": None, "secretValue": "x"},
)

_NOBODY_ELSE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/Environment": "dev"}},
        }
    ],
}

SECRET_POLICY = Example(
    type="aws:secretsmanager/secretPolicy:SecretPolicy",
    needs={"secret": RECOVERABLE},
    inputs={"secretArn": Ref("secret", "arn"), "policy": json.dumps(_NOBODY_ELSE), "blockPublicPolicy": True},
    updates={"policy": json.dumps({**_NOBODY_ELSE, "Id": "changed"}), "blockPublicPolicy": False},
    replaces={"secretArn": "other"},
    bad={"secretArn": ("payments/recoverable", None), "policy": ("{", "{}", json.dumps({**_NOBODY_ELSE, "Id": "x" * 20_480})), "name": "default"},
    drift=lambda aws, arn: aws.client("secretsmanager").put_resource_policy(SecretId=arn, ResourcePolicy=json.dumps({**_NOBODY_ELSE, "Id": "else"})),
    drifts="policy",
)

EXAMPLES = (SECRET, RECOVERABLE, SECRET_POLICY, SECRET_VERSION)
