"""What the types of API Gateway share: ids, patch operations, and moto's habits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws, is_missing
from localcloud.fields import Refusal, text
from localcloud.kinds import Props

Patch = dict[str, str]


class MotoLacks(LookupError):  # noqa: N818 - says what it is
    """A change that AWS makes in place and moto has no call for."""

    def __init__(self, what: str, which: str) -> None:
        super().__init__(f"moto cannot change {what}; make it anew with `pulumi up --replace <urn of {which}>`")


ENHANCED = "SecurityPolicy_"
"""How the TLS policies begin that want an endpoint access mode; TLS_1_0 and TLS_1_2, API Gateway's older ones, take none."""

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


def policy_of_tls(inputs: Props, endpoint: str) -> Iterator[Refusal]:
    """What API Gateway refuses about the TLS policy of an API or domain name with this type of endpoint.

    Developer guide, "Security policies for REST APIs in API Gateway" (access mode) and "Supported security policies" (types of endpoint).
    """
    policy, mode = inputs.get("securityPolicy"), inputs.get("endpointAccessMode")
    if policy == UNKNOWN:
        return
    enhanced = policy is not None and policy.startswith(ENHANCED)
    if enhanced and mode is None:
        yield Refusal("endpointAccessMode", f"it is required with securityPolicy {policy}: STRICT, or BASIC while clients of an API in use are looked at")
    if not enhanced and mode is not None:
        yield Refusal("endpointAccessMode", f"{mode} goes with a securityPolicy that begins with {ENHANCED} alone, and this one is {policy or 'the default'}")
    if policy is not None and enhanced and endpoint != UNKNOWN and policy.endswith("_EDGE") != (endpoint == "EDGE"):
        wanted = "one that ends with _EDGE" if endpoint == "EDGE" else "one that does not end with _EDGE"
        yield Refusal("securityPolicy", f"{policy} is for another type of endpoint; endpointConfiguration.types {endpoint} takes {wanted}")


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
