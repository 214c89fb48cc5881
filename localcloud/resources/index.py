"""The look-ups without a service: who is calling, and where."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import botocore.loaders

from localcloud.aws import Aws
from localcloud.fields import flag, text, texts
from localcloud.kinds import Function, Kind, Props
from localcloud.resources._ec2_lookups import as_filters, filters

KINDS: tuple[Kind, ...] = ()


@lru_cache(maxsize=1)
def _partitions() -> list[dict[str, Any]]:
    """What botocore knows about AWS's partitions and their regions."""
    found: list[dict[str, Any]] = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    return found


def _partition(aws: Aws) -> dict[str, Any]:
    return next(partition for partition in _partitions() if partition["id"] == aws.partition)


def _get_availability_zones(aws: Aws, inputs: Props) -> Props:
    # All zones that moto has are open without asking for them: its answer to this filter is the same for every value.
    asked = as_filters(inputs, state=inputs.get("state"))
    closed = any(entry["Name"] == "opt-in-status" and "opt-in-not-required" not in entry["Values"] for entry in asked)
    zones = [] if closed else aws.client("ec2").describe_availability_zones(Filters=asked)["AvailabilityZones"]
    wanted = [
        zone
        for zone in sorted(zones, key=lambda zone: zone["ZoneName"])
        if zone["ZoneName"] not in inputs.get("excludeNames", ()) and zone["ZoneId"] not in inputs.get("excludeZoneIds", ())
    ]
    return {
        **inputs,
        "id": aws.region,
        "names": [zone["ZoneName"] for zone in wanted],
        "zoneIds": [zone["ZoneId"] for zone in wanted],
    }


GET_AVAILABILITY_ZONES = Function(
    type="aws:index/getAvailabilityZones:getAvailabilityZones",
    client="ec2",
    inputs={
        "allAvailabilityZones": flag(),
        "excludeNames": texts(),
        "excludeZoneIds": texts(),
        # The filters of DescribeAvailabilityZones that moto applies.
        "filters": filters(text(required=True, one_of=("opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"))),
        "state": text(one_of=("available", "information", "impaired", "unavailable")),
    },
    call=_get_availability_zones,
)


def _get_caller_identity(aws: Aws, _: Props) -> Props:
    answer = aws.client("sts").get_caller_identity()
    return {"accountId": answer["Account"], "arn": answer["Arn"], "id": answer["Account"], "userId": answer["UserId"]}


GET_CALLER_IDENTITY = Function(type="aws:index/getCallerIdentity:getCallerIdentity", client="sts", inputs={"id": text()}, call=_get_caller_identity)


def _get_partition(aws: Aws, _: Props) -> Props:
    suffix = str(_partition(aws)["outputs"]["dnsSuffix"])
    return {"partition": aws.partition, "id": aws.partition, "dnsSuffix": suffix, "reverseDnsPrefix": ".".join(reversed(suffix.split(".")))}


GET_PARTITION = Function(type="aws:index/getPartition:getPartition", client="sts", inputs={"id": text()}, call=_get_partition)


def _get_region(aws: Aws, inputs: Props) -> Props:
    partition = _partition(aws)
    suffix = partition["outputs"]["dnsSuffix"]
    name = inputs.get("name") or aws.region
    if inputs.get("endpoint"):
        name = inputs["endpoint"].removeprefix("ec2.").removesuffix(f".{suffix}")
    if name not in partition["regions"]:
        raise LookupError(f"{name!r} is not a region of the partition {aws.partition}: {', '.join(sorted(partition['regions']))}")
    return {
        "id": name,
        "name": name,
        "region": name,
        "description": partition["regions"][name]["description"],
        "endpoint": f"ec2.{name}.{suffix}",
    }


GET_REGION = Function(
    type="aws:index/getRegion:getRegion",
    client="ec2",
    inputs={"endpoint": text(pattern=r"ec2\..+"), "id": text(), "name": text()},
    call=_get_region,
)

FUNCTIONS = (GET_AVAILABILITY_ZONES, GET_CALLER_IDENTITY, GET_PARTITION, GET_REGION)
