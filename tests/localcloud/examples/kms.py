"""Examples of AWS KMS."""

import json

from tests.localcloud.examples import Example, Ref


def key_policy(action: str) -> str:
    root = {"AWS": "arn:aws:iam::345678901234:root"}
    statements = [
        {"Sid": "Enable IAM policies", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {"Sid": "Logs", "Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": [action], "Resource": "*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


KEY = Example(
    type="aws:kms/key:Key",
    inputs={
        "description": "What the database is encrypted with",
        "policy": key_policy("kms:Encrypt"),
        "enableKeyRotation": True,
        "rotationPeriodInDays": 365,
        "deletionWindowInDays": 7,
        "keyUsage": "ENCRYPT_DECRYPT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "isEnabled": True,
        "bypassPolicyLockoutSafetyCheck": False,
        "tags": {"Environment": "dev", "DataClassification": "restricted"},
    },
    updates={
        "description": "Something else",
        "policy": key_policy("kms:Decrypt"),
        "enableKeyRotation": False,
        "rotationPeriodInDays": None,
        "isEnabled": False,
        "tags": {"Environment": "dev"},
    },
    replaces={"customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY", "multiRegion": True},
    bad={
        "description": "x" * 8_193,
        "policy": ("{", "{}", key_policy("Encrypt"), key_policy(f"kms:{'x' * 32_768}"), json.dumps({"Statement": {"Effect": "Allow", "Action": "kms:*"}})),
        "rotationPeriodInDays": (89, 2_561),
        "deletionWindowInDays": (6, 31),
        "keyUsage": ("ENCRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"),
        "customerMasterKeySpec": "AES_256",
        "enableRotation": True,
    },
    drift=lambda aws, id_: aws.client("kms").disable_key_rotation(KeyId=id_),
    drifts="enableKeyRotation",
)

DISABLED = Example(
    type="aws:kms/key:Key",
    inputs={"isEnabled": False},
    updates={"isEnabled": None, "enableKeyRotation": True},
    label="disabled",
)

SIGNING = Example(
    type="aws:kms/key:Key",
    inputs={"customerMasterKeySpec": "ECC_NIST_P256", "keyUsage": "SIGN_VERIFY", "multiRegion": True},
    bad={"enableKeyRotation": True, "rotationPeriodInDays": 365, "keyUsage": "GENERATE_VERIFY_MAC"},
    label="signing",
)

PLAIN = Example(type="aws:kms/key:Key", inputs={}, replaces={"keyUsage": "SIGN_VERIFY"}, label="least")

ALIAS = Example(
    type="aws:kms/alias:Alias",
    needs={"key": PLAIN, "signing": SIGNING},
    inputs={"name": "alias/database-dev", "targetKeyId": Ref("key", "keyId")},
    updates={"targetKeyId": Ref("signing", "keyId")},
    replaces={"name": "alias/other"},
    bad={"name": ("database-dev", "alias/", "alias/aws/s3", "alias/with space", f"alias/{'x' * 251}"), "targetKeyId": ""},
    drift=lambda aws, name: aws.client("kms").update_alias(
        AliasName=name, TargetKeyId=aws.client("kms").create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    ),
    drifts="targetKeyId",
)

ALIAS_BY_ARN = Example(
    type="aws:kms/alias:Alias",
    needs={"key": PLAIN},
    inputs={"name": "alias/database-dev", "targetKeyId": Ref("key", "arn")},
    label="by ARN",
)

EXAMPLES = (KEY, DISABLED, SIGNING, PLAIN, ALIAS, ALIAS_BY_ARN)
