"""What the types of API Gateway share: ids, patch operations, and moto's habits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import text
from localcloud.kinds import Props

Patch = dict[str, str]


class MotoLacks(LookupError):  # noqa: N818 - says what it is
    """A change that AWS makes in place and moto has no call for."""

    def __init__(self, what: str, which: str) -> None:
        super().__init__(f"moto cannot change {what}; make it anew with `pulumi up --replace <urn of {which}>`")


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")

# Where every method, integration and response of them is.
PLACE = {
    "restApi": text(required=True, replaces=True),
    "resourceId": text(required=True, replaces=True),
    "httpMethod": text(required=True, replaces=True, one_of=METHODS),
}


def place(inputs: Props) -> Props:
    """The method that inputs are about, in API Gateway's names."""
    return {"restApiId": inputs["restApi"], "resourceId": inputs["resourceId"], "httpMethod": inputs["httpMethod"]}


def made_id(prefix: str, *parts: str) -> str:
    """An id as the AWS provider composes it: `agm-<api>-<resource>-<verb>`."""
    return "-".join((prefix, *parts))


def parts_of(id_: str) -> list[str]:
    """The parts of such an id after the prefix; the last one may have dashes only where it is a stage's name."""
    return id_.split("-")[1:]


def given(inputs: Props, names: Mapping[str, str]) -> Props:
    """Those of the inputs that were given, under API Gateway's names."""
    return {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours) is not None}


def named(live: Mapping[str, Any], names: Mapping[str, str]) -> Props:
    """API Gateway's answer under Pulumi's names."""
    return {ours: live.get(theirs) for ours, theirs in names.items()}


def rfc3339(moment: datetime) -> str:
    """A time as the AWS provider writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def replace(path: str, value: Any) -> Patch:
    """The operation that sets a value; API Gateway takes every value as a string."""
    return {"op": "replace", "path": path, "value": str(value).lower() if isinstance(value, bool) else str(value)}


def unless_gone(read: Callable[[Aws, str, Props], Props | None], delete: Callable[[Aws, str, Props], None]) -> Callable[[Aws, str, Props], None]:
    """The deletion, made only when there is something to delete: moto fails on what is gone already, where AWS says NotFound."""

    def guarded(aws: Aws, id_: str, state: Props) -> None:
        try:
            live = read(aws, id_, state)
        except ClientError as error:
            if not is_missing(error):
                raise
            return
        if live is not None:
            delete(aws, id_, state)

    return guarded
