"""Resource policies of DynamoDB: who may do what with a table, said by the table."""

from __future__ import annotations

from localcloud.aws import Aws
from localcloud.fields import flag, text
from localcloud.kinds import Kind, Props
from localcloud.resources import _policy

# PutResourcePolicy, "Policy": 20 KB, white space included.
_MOST_BYTES = 20_480


def _put(aws: Aws, inputs: Props) -> str:
    arn = str(inputs["resourceArn"])
    confirmed = {"ConfirmRemoveSelfResourceAccess": True} if inputs.get("confirmRemoveSelfResourceAccess") else {}
    aws.client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=inputs["policy"], **confirmed)
    return arn


def _read(aws: Aws, arn: str, _: Props) -> Props:
    live = aws.client("dynamodb").get_resource_policy(ResourceArn=arn)
    return {"resourceArn": arn, "policy": live["Policy"], "revisionId": live["RevisionId"]}


def _update(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put(aws, new)


def _delete(aws: Aws, arn: str, _: Props) -> None:
    aws.client("dynamodb").delete_resource_policy(ResourceArn=arn)


RESOURCE_POLICY = Kind(
    type="aws:dynamodb/resourcePolicy:ResourcePolicy",
    client="dynamodb",
    inputs={
        "resourceArn": text(required=True, replaces=True, pattern=r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]{3,255}(/stream/.+)?"),
        "policy": _policy.resource(_MOST_BYTES, required=True),
        "confirmRemoveSelfResourceAccess": flag(),
    },
    outputs=("revisionId",),
    delete_first=False,
    create=_put,
    read=_read,
    update=_update,
    delete=_delete,
)
