"""Amazon ElastiCache: the subnets and parameters of caches; the replication group has a module beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, blocks, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _elasticache_rules as rules
from localcloud.resources import _tags
from localcloud.resources._elasticache_group import REPLICATION_GROUP, retag
from localcloud.resources._known import entries

# What the AWS provider writes when a description is left out.
_DESCRIPTION = "Managed by Pulumi"
# ModifyCacheParameterGroup: "A maximum of 20 parameters may be modified per request".
_AT_A_TIME = 20
# "Redis OSS specific parameters": what a full cache forgets.
_POLICIES = (
    *("volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu"),
    *("volatile-random", "allkeys-random", "volatile-ttl", "noeviction"),
)


def _create_subnet_group(aws: Aws, inputs: Props) -> str:
    name = str(inputs["name"])
    _one_network(aws, name, inputs["subnetIds"])
    aws.client("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription=inputs["description"], SubnetIds=inputs["subnetIds"], Tags=_tags.as_list(inputs.get("tags"))
    )
    return name


def _one_network(aws: Aws, name: str, subnets: list[str]) -> None:
    """ElastiCache refuses subnets that do not exist, and those of several VPCs; moto takes any."""
    networks = {subnet["VpcId"] for subnet in aws.client("ec2").describe_subnets(SubnetIds=sorted(set(subnets)))["Subnets"]}
    if len(networks) > 1:
        raise LookupError(f"cache subnet group {name} has subnets of {', '.join(sorted(networks))}; they must be of one VPC")


def _subnet_group(aws: Aws, name: str) -> Props:
    live: Props = aws.client("elasticache").describe_cache_subnet_groups(CacheSubnetGroupName=name)["CacheSubnetGroups"][0]
    return live


def _read_subnet_group(aws: Aws, name: str, _: Props) -> Props:
    live = _subnet_group(aws, name)
    return {
        "name": live["CacheSubnetGroupName"],
        "description": live["CacheSubnetGroupDescription"],
        "subnetIds": [subnet["SubnetIdentifier"] for subnet in live["Subnets"]],
        "vpcId": live["VpcId"],
        "arn": live["ARN"],
        "tags": _live_tags(aws, live["ARN"]),
    }


def _live_tags(aws: Aws, arn: str) -> dict[str, str]:
    return _tags.as_map(aws.client("elasticache").list_tags_for_resource(ResourceName=arn)["TagList"])


def _update_subnet_group(aws: Aws, name: str, new: Props, old: Props) -> None:
    if any(new[each] != old[each] for each in ("subnetIds", "description")):
        _one_network(aws, name, new["subnetIds"])
        aws.client("elasticache").modify_cache_subnet_group(
            CacheSubnetGroupName=name, CacheSubnetGroupDescription=new["description"], SubnetIds=new["subnetIds"]
        )
    retag(aws, _subnet_group(aws, name)["ARN"], new, old)


def _delete_subnet_group(aws: Aws, name: str, _: Props) -> None:
    aws.client("elasticache").delete_cache_subnet_group(CacheSubnetGroupName=name)


SUBNET_GROUP = Kind(
    type="aws:elasticache/subnetGroup:SubnetGroup",
    client="elasticache",
    inputs={
        # CreateCacheSubnetGroup: stored in lower case, and must not be `default`.
        "name": text(required=True, replaces=True, pattern=r"(?!default$)[a-z0-9-]{1,255}"),
        "description": text(at_least=1, at_most=255),
        "subnetIds": texts(text(pattern="subnet-[0-9a-f]+"), required=True, at_least=1),
    },
    outputs=("arn", "vpcId"),
    tagged=True,
    defaults={"description": _DESCRIPTION},
    create=_create_subnet_group,
    read=_read_subnet_group,
    update=_update_subnet_group,
    delete=_delete_subnet_group,
)


def _create_parameter_group(aws: Aws, inputs: Props) -> str:
    name = str(inputs["name"])
    aws.client("elasticache").create_cache_parameter_group(
        CacheParameterGroupName=name,
        CacheParameterGroupFamily=inputs["family"],
        Description=inputs["description"],
        Tags=_tags.as_list(inputs.get("tags")),
    )
    with made(name):
        _set_parameters(aws, name, _parameters(inputs))
    return name


def _parameters(inputs: Props) -> dict[str, str]:
    return {each["name"]: each["value"] for each in entries(inputs.get("parameters"))}


def _in_batches(parameters: dict[str, str]) -> Iterator[list[Props]]:
    sent = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
    for first in range(0, len(sent), _AT_A_TIME):
        yield sent[first : first + _AT_A_TIME]


def _set_parameters(aws: Aws, group: str, parameters: dict[str, str]) -> None:
    for batch in _in_batches(parameters):
        aws.client("elasticache").modify_cache_parameter_group(CacheParameterGroupName=group, ParameterNameValues=batch)


def _parameter_group(aws: Aws, name: str) -> Props:
    live: Props = aws.client("elasticache").describe_cache_parameter_groups(CacheParameterGroupName=name)["CacheParameterGroups"][0]
    return live


def _read_parameter_group(aws: Aws, name: str, _: Props) -> Props:
    live = _parameter_group(aws, name)
    pages = aws.client("elasticache").get_paginator("describe_cache_parameters").paginate(CacheParameterGroupName=name, Source="user")
    return {
        "name": live["CacheParameterGroupName"],
        "family": live["CacheParameterGroupFamily"],
        "description": live["Description"],
        "parameters": [{"name": each["ParameterName"], "value": each["ParameterValue"]} for page in pages for each in page["Parameters"]],
        "arn": live["ARN"],
        "tags": _live_tags(aws, live["ARN"]),
    }


def _update_parameter_group(aws: Aws, name: str, new: Props, old: Props) -> None:
    before, after = _parameters(old), _parameters(new)
    for batch in _in_batches({each: value for each, value in before.items() if each not in after}):
        aws.client("elasticache").reset_cache_parameter_group(CacheParameterGroupName=name, ParameterNameValues=batch)
    _set_parameters(aws, name, {each: value for each, value in after.items() if before.get(each) != value})
    retag(aws, _parameter_group(aws, name)["ARN"], new, old)


def _delete_parameter_group(aws: Aws, name: str, _: Props) -> None:
    aws.client("elasticache").delete_cache_parameter_group(CacheParameterGroupName=name)


def _parameter_refusals(inputs: Props) -> Iterator[Refusal]:
    names: list[Any] = []
    for position, each in enumerate(entries(inputs.get("parameters"))):
        name, value = each.get("name"), each.get("value")
        if name in names:
            yield Refusal(f"parameters[{position}].name", f"{name} is set twice")
        names.append(name)
        if name == "maxmemory-policy" and value not in _POLICIES:
            yield Refusal(f"parameters[{position}].value", f"{value} is none of {', '.join(_POLICIES)}")


PARAMETER_GROUP = Kind(
    type="aws:elasticache/parameterGroup:ParameterGroup",
    client="elasticache",
    inputs={
        # CreateCacheParameterGroup: as a replication group's name, but up to 255 characters; stored in lower case.
        "name": text(required=True, replaces=True, pattern=r"(?!.*--)[a-z](?:[a-z0-9-]{0,253}[a-z0-9])?"),
        "family": text(required=True, replaces=True, one_of=rules.FAMILIES),
        "description": text(replaces=True, at_least=1, at_most=255),
        "parameters": blocks({"name": text(required=True, pattern="[a-z][a-z0-9-]*"), "value": text(required=True)}, unordered=True),
    },
    outputs=("arn",),
    tagged=True,
    defaults={"description": _DESCRIPTION},
    rule=_parameter_refusals,
    create=_create_parameter_group,
    read=_read_parameter_group,
    update=_update_parameter_group,
    delete=_delete_parameter_group,
)

KINDS = (SUBNET_GROUP, PARAMETER_GROUP, REPLICATION_GROUP)
