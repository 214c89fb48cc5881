"""Amazon VPC: endpoints, through which a VPC reaches AWS's services without the internet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import Refusal, flag, json_text, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources._ec2_common import an_id, first, retag, tag_specification
from localcloud.resources._tags import as_map

# Pulumi's name: EC2's name, which ModifyVpcEndpoint puts behind "Add" and "Remove".
_LISTS = {"routeTableIds": "RouteTableIds", "securityGroupIds": "SecurityGroupIds", "subnetIds": "SubnetIds"}
_INTERFACE_ONLY = ("subnetIds", "securityGroupIds", "privateDnsEnabled")

# What AWS puts in place of a policy that was taken away.
_FULL_ACCESS = json.dumps({"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})


def prefix_list(aws: Aws, service: str) -> tuple[str, list[str]] | None:
    """The id and the networks of the prefix list that AWS keeps for a service."""
    ec2 = aws.client("ec2")
    found = first(ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [service]}])["PrefixLists"])
    if found is None:
        return None
    id_ = str(found["PrefixListId"])
    return id_, [entry["Cidr"] for entry in ec2.get_managed_prefix_list_entries(PrefixListId=id_)["Entries"]]


def _create(aws: Aws, inputs: Props) -> str:
    given: dict[str, Any] = {key: inputs.get(name) for name, key in _LISTS.items()}
    given["PolicyDocument"] = inputs.get("policy")
    if inputs.get("privateDnsEnabled") is not None:
        given["PrivateDnsEnabled"] = inputs["privateDnsEnabled"]
    answer = aws.client("ec2").create_vpc_endpoint(
        VpcId=inputs["vpcId"],
        ServiceName=inputs["serviceName"],
        VpcEndpointType=inputs["vpcEndpointType"],
        **{name: value for name, value in given.items() if value not in (None, [])},
        **tag_specification("vpc-endpoint", inputs.get("tags")),
    )
    return str(answer["VpcEndpoint"]["VpcEndpointId"])


def _endpoint(aws: Aws, id_: str) -> Any | None:
    """The endpoint, unless it is deleted: moto goes on showing deleted ones."""
    found = aws.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[id_])["VpcEndpoints"]
    return first([endpoint for endpoint in found if endpoint["State"] not in {"deleting", "deleted"}])


def _read(aws: Aws, id_: str, _: Props) -> Props | None:
    live = _endpoint(aws, id_)
    if live is None:
        return None
    gateway = live["VpcEndpointType"] == "Gateway"
    list_id, networks = (prefix_list(aws, live["ServiceName"]) if gateway else None) or ("", [])
    return {
        "vpcId": live["VpcId"],
        "serviceName": live["ServiceName"],
        "vpcEndpointType": live["VpcEndpointType"],
        "policy": live["PolicyDocument"],
        "routeTableIds": live.get("RouteTableIds") or [],
        "securityGroupIds": [group["GroupId"] for group in live.get("Groups") or ()],
        "subnetIds": live.get("SubnetIds") or [],
        "arn": aws.arn("ec2", f"vpc-endpoint/{id_}", account=live["OwnerId"]),
        "cidrBlocks": networks,
        "dnsEntries": [{"dnsName": entry["DnsName"], "hostedZoneId": entry["HostedZoneId"]} for entry in live.get("DnsEntries") or ()],
        "networkInterfaceIds": live.get("NetworkInterfaceIds") or [],
        "ownerId": live["OwnerId"],
        "prefixListId": list_id,
        "requesterManaged": bool(live.get("RequesterManaged")),
        "state": live["State"],
        "tags": as_map(live.get("Tags")),
    }


def _update(aws: Aws, id_: str, new: Props, old: Props) -> None:
    modified: dict[str, Any] = {}
    for name, key in _LISTS.items():
        before, after = set(old.get(name) or ()), set(new.get(name) or ())
        modified |= {f"Add{key}": sorted(after - before), f"Remove{key}": sorted(before - after)}
    if new.get("policy") != old.get("policy"):
        modified["PolicyDocument"] = new.get("policy") or _FULL_ACCESS
    if new.get("privateDnsEnabled") is not None and new["privateDnsEnabled"] != old.get("privateDnsEnabled"):
        modified["PrivateDnsEnabled"] = new["privateDnsEnabled"]
    modified = {name: value for name, value in modified.items() if value != []}
    if modified:
        aws.client("ec2").modify_vpc_endpoint(VpcEndpointId=id_, **modified)
        _route(aws, id_, new["serviceName"], modified.get("AddRouteTableIds", ()))
        _unroute(aws, new["serviceName"], modified.get("RemoveRouteTableIds", ()))
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _route(aws: Aws, id_: str, service: str, tables: Sequence[str]) -> None:
    """The routes to a gateway endpoint in tables added later; AWS makes them by itself, moto only for the first ones."""
    if not tables or (found := prefix_list(aws, service)) is None:
        return
    for table in tables:
        aws.client("ec2").create_route(RouteTableId=table, DestinationPrefixListId=found[0], GatewayId=id_)


def _unroute(aws: Aws, service: str, tables: Sequence[str]) -> None:
    """Takes the routes to a gateway endpoint out of tables; AWS does it by itself."""
    if not tables or (found := prefix_list(aws, service)) is None:
        return
    for table in tables:
        try:
            aws.client("ec2").delete_route(RouteTableId=table, DestinationPrefixListId=found[0])
        except ClientError as error:
            if not is_missing(error):
                raise


def _delete(aws: Aws, id_: str, _: Props) -> None:
    live = _endpoint(aws, id_)
    if live is None:
        return
    ec2 = aws.client("ec2")
    if tables := live.get("RouteTableIds"):
        # moto fails half-way over a table that is gone already, so the tables are taken off first.
        ec2.modify_vpc_endpoint(VpcEndpointId=id_, RemoveRouteTableIds=tables)
        _unroute(aws, live["ServiceName"], tables)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[id_])


def _rule(inputs: Props) -> Iterator[Refusal]:
    service = inputs["serviceName"]
    if inputs["vpcEndpointType"] == "Gateway":
        # VPC user guide, "Gateway endpoints": for S3 and DynamoDB, and without interfaces.
        if service.startswith(("com.", "aws.")) and not service.endswith((".s3", ".dynamodb", ".s3express")):
            yield Refusal("serviceName", f"{service!r} has no gateway endpoint (S3 and DynamoDB have); set vpcEndpointType to Interface")
        for name in _INTERFACE_ONLY:
            if inputs.get(name) not in (None, []):
                yield Refusal(name, "it is for endpoints of type Interface only")
    elif inputs["vpcEndpointType"] == "Interface" and inputs.get("routeTableIds"):
        yield Refusal("routeTableIds", "it is for endpoints of type Gateway only")


VPC_ENDPOINT = Kind(
    type="aws:ec2/vpcEndpoint:VpcEndpoint",
    client="ec2",
    inputs={
        "vpcId": an_id("vpc", required=True, replaces=True),
        "serviceName": text(required=True, replaces=True, pattern=r"(cn\.)?(com\.amazonaws|aws)\.[a-z0-9-]+\.[a-z0-9.-]+"),
        "vpcEndpointType": text(replaces=True, one_of=("Gateway", "Interface")),
        "policy": json_text(),
        "routeTableIds": texts(an_id("rtb")),
        "securityGroupIds": texts(an_id("sg")),
        "subnetIds": texts(an_id("subnet")),
        "privateDnsEnabled": flag(),
    },
    defaults={"vpcEndpointType": "Gateway"},
    outputs=("arn", "cidrBlocks", "dnsEntries", "networkInterfaceIds", "ownerId", "prefixListId", "requesterManaged", "state"),
    tagged=True,
    rule=_rule,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
