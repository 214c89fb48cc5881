"""Examples of Amazon DynamoDB."""

import json
from typing import Any

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref

_KEY = "arn:aws:kms:us-east-1:345678901234:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _attributes(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "type": "S"} for name in names]


def _index(index: str, key: str, **about: Any) -> dict[str, Any]:
    return {"name": index, "hashKey": key, "projectionType": "ALL", **about}


def _by_merchant(**about: Any) -> dict[str, Any]:
    return _index("by-merchant", "merchant", **{"rangeKey": "at", "readCapacity": 5, "writeCapacity": 5, **about})


SESSIONS = Example(
    type="aws:dynamodb/table:Table",
    inputs={
        "name": "payment-sessions",
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "id",
        "attributes": _attributes("id"),
        "ttl": {"attributeName": "expires_at", "enabled": True},
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": _KEY},
        "pointInTimeRecovery": {"enabled": False},
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "billingMode": "PROVISIONED",
        "readCapacity": 5,
        "writeCapacity": 5,
        "ttl": None,
        "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7},
        "streamEnabled": True,
        "streamViewType": "NEW_IMAGE",
        "tags": {"Environment": "prod"},
    },
    replaces={
        "name": "other",
        "hashKey": "key",
        "rangeKey": "at",
        "serverSideEncryption": {"enabled": False},
        "localSecondaryIndexes": [{"name": "other", "rangeKey": "at", "projectionType": "ALL"}],
    },
    bad={
        "name": ("no spaces", "ab", "n" * 256),
        "billingMode": "FREE",
        "readCapacity": 5,
        "attributes": ([], _attributes("id", "unused"), _attributes("id", "id"), _attributes("key"), [{"name": "id", "type": "TEXT"}]),
        "hashKey": "k" * 256,
        "ttl": ({"enabled": True}, {"attribute": "expires_at"}),
        "serverSideEncryption": ({"enabled": True, "kmsKeyArn": "alias/payments"}, {}),
        "pointInTimeRecovery": ({"enabled": True, "recoveryPeriodInDays": 36}, {}),
        "streamEnabled": "yes",
        "streamViewType": ("EVERYTHING", "NEW_IMAGE"),
        "tableClass": "CHEAP",
        "indexes": [],
    },
    drift=lambda aws, name: aws.client("dynamodb").update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    ),
    drifts="pointInTimeRecovery",
    label="on demand",
)


def _more_capacity(aws: Aws, name: str) -> None:
    aws.client("dynamodb").update_table(TableName=name, ProvisionedThroughput={"ReadCapacityUnits": 9, "WriteCapacityUnits": 5})


TRANSACTIONS = Example(
    type="aws:dynamodb/table:Table",
    inputs={
        "name": "payment-transactions",
        "hashKey": "id",
        "rangeKey": "at",
        "attributes": _attributes("id", "at", "merchant", "state"),
        "readCapacity": 5,
        "writeCapacity": 5,
        "globalSecondaryIndexes": [
            _by_merchant(),
            _index("by-state", "state", projectionType="INCLUDE", nonKeyAttributes=["amount", "currency"], readCapacity=1, writeCapacity=1),
        ],
        "localSecondaryIndexes": [{"name": "of-merchant", "rangeKey": "merchant", "projectionType": "KEYS_ONLY"}],
        "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 14},
        "serverSideEncryption": {"enabled": True},
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
        "tableClass": "STANDARD_INFREQUENT_ACCESS",
        "deletionProtectionEnabled": False,
    },
    updates={
        "readCapacity": 10,
        "attributes": _attributes("id", "at", "merchant", "currency"),
        "globalSecondaryIndexes": [_by_merchant(readCapacity=7), _index("by-currency", "currency", readCapacity=2, writeCapacity=2)],
        "pointInTimeRecovery": None,
        "streamEnabled": None,
        "streamViewType": None,
        "tableClass": "STANDARD",
        "tags": {"Team": "payments"},
    },
    replaces={"rangeKey": "state", "localSecondaryIndexes": [{"name": "of-state", "rangeKey": "state", "projectionType": "ALL"}]},
    bad={
        "readCapacity": (None, 0),
        "globalSecondaryIndexes": (
            [_by_merchant(readCapacity=None), _index("by-state", "state", readCapacity=1, writeCapacity=1)],
            [_by_merchant(projectionType="INCLUDE"), _index("by-state", "state", readCapacity=1, writeCapacity=1)],
            [_by_merchant(), _by_merchant(hashKey="state")],
            [_by_merchant(name="no spaces")],
            [_by_merchant(onDemand=True)],
        ),
        "localSecondaryIndexes": ([{"name": "of-merchant", "rangeKey": "merchant", "projectionType": "SOME"}],),
    },
    drift=_more_capacity,
    drifts="readCapacity",
    label="provisioned",
)

_NO_OTHERS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "dynamodb:*",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/Environment": "dev"}},
        }
    ],
}
_TABLE = Example(type=SESSIONS.type, inputs={"name": "payments", "billingMode": "PAY_PER_REQUEST", "hashKey": "id", "attributes": _attributes("id")})

RESOURCE_POLICY = Example(
    type="aws:dynamodb/resourcePolicy:ResourcePolicy",
    needs={"table": _TABLE},
    inputs={"resourceArn": Ref("table", "arn"), "policy": json.dumps(_NO_OTHERS), "confirmRemoveSelfResourceAccess": True},
    updates={"policy": json.dumps({**_NO_OTHERS, "Id": "changed"}), "confirmRemoveSelfResourceAccess": None},
    replaces={"resourceArn": "arn:aws:dynamodb:us-east-1:345678901234:table/other"},
    bad={
        "resourceArn": ("payments", "arn:aws:dynamodb:us-east-1:345678901234:table/payments/index/a", None),
        "policy": ("{", "{}", json.dumps({**_NO_OTHERS, "Id": "x" * 20_480})),
        "tableName": "payments",
    },
    drift=lambda aws, arn: aws.client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=json.dumps({**_NO_OTHERS, "Id": "else"})),
    drifts="policy",
)

EXAMPLES = (SESSIONS, TRANSACTIONS, RESOURCE_POLICY)
