"""Examples of AWS Secrets Manager."""

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

EXAMPLES = (SECRET, RECOVERABLE, SECRET_VERSION)
