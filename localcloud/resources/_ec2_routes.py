"""Amazon VPC: route tables, routes, and which subnets use them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, text
from localcloud.kinds import Kind, Props
from localcloud.resources._ec2_common import an_id, cidr_block, exactly_one, first, only_tags, tag_specification
from localcloud.resources._tags import as_map

# Pulumi's name: EC2's name.
_DESTINATIONS = {"destinationCidrBlock": "DestinationCidrBlock", "destinationPrefixListId": "DestinationPrefixListId"}
_TARGETS = {
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "transitGatewayId": "TransitGatewayId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}


def _create_table(aws: Aws, inputs: Props) -> str:
    answer = aws.client("ec2").create_route_table(VpcId=inputs["vpcId"], **tag_specification("route-table", inputs.get("tags")))
    return str(answer["RouteTable"]["RouteTableId"])


def _table(aws: Aws, id_: str) -> Any | None:
    return first(aws.client("ec2").describe_route_tables(RouteTableIds=[id_])["RouteTables"])


def _read_table(aws: Aws, id_: str, _: Props) -> Props | None:
    live = _table(aws, id_)
    return live and {
        "vpcId": live["VpcId"],
        "arn": aws.arn("ec2", f"route-table/{id_}", account=live["OwnerId"]),
        "ownerId": live["OwnerId"],
        "tags": as_map(live.get("Tags")),
    }


def _delete_table(aws: Aws, id_: str, _: Props) -> None:
    ec2 = aws.client("ec2")
    live = _table(aws, id_) or {"Associations": []}
    for association in live["Associations"]:
        ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    ec2.delete_route_table(RouteTableId=id_)


ROUTE_TABLE = Kind(
    type="aws:ec2/routeTable:RouteTable",
    client="ec2",
    # Routes written into the table itself are refused: they and `Route` resources would undo one another.
    inputs={"vpcId": an_id("vpc", required=True, replaces=True)},
    outputs=("arn", "ownerId"),
    tagged=True,
    delete_first=False,
    create=_create_table,
    read=_read_table,
    update=only_tags,
    delete=_delete_table,
)


def _named(props: Props, names: dict[str, str]) -> dict[str, Any]:
    return {aws: props[name] for name, aws in names.items() if props.get(name)}


def _create_route(aws: Aws, inputs: Props) -> str:
    destination = _named(inputs, _DESTINATIONS)
    aws.client("ec2").create_route(RouteTableId=inputs["routeTableId"], **destination, **_named(inputs, _TARGETS))
    # The AWS provider's id of a route.
    return f"r-{inputs['routeTableId']}{zlib.crc32(next(iter(destination.values())).encode())}"


def _read_route(aws: Aws, _: str, known: Props) -> Props | None:
    """The id holds a checksum of the destination only, so that table and destination come from what is known."""
    destination = _named(known, _DESTINATIONS)
    table = _table(aws, known["routeTableId"]) or {"Routes": []}
    route = first([route for route in table["Routes"] if destination.items() <= route.items()])
    return route and {
        "routeTableId": table["RouteTableId"],
        **{name: route.get(key) for name, key in {**_DESTINATIONS, **_TARGETS}.items()},
        "instanceId": route.get("InstanceId", ""),
        "instanceOwnerId": route.get("InstanceOwnerId", ""),
        "origin": route["Origin"],
        "state": route["State"],
    }


def _update_route(aws: Aws, _: str, new: Props, __: Props) -> None:
    aws.client("ec2").replace_route(RouteTableId=new["routeTableId"], **_named(new, _DESTINATIONS), **_named(new, _TARGETS))


def _delete_route(aws: Aws, _: str, state: Props) -> None:
    aws.client("ec2").delete_route(RouteTableId=state["routeTableId"], **_named(state, _DESTINATIONS))


def _route_rule(inputs: Props) -> Iterator[Refusal]:
    yield from exactly_one(*_DESTINATIONS)(inputs)
    yield from exactly_one(*_TARGETS)(inputs)


ROUTE = Kind(
    type="aws:ec2/route:Route",
    client="ec2",
    inputs={
        "routeTableId": an_id("rtb", required=True, replaces=True),
        "destinationCidrBlock": text(replaces=True, rule=cidr_block(0, 32)),
        "destinationPrefixListId": an_id("pl", replaces=True),
        "gatewayId": an_id("(igw|vgw)"),
        "natGatewayId": an_id("nat"),
        "networkInterfaceId": an_id("eni"),
        "transitGatewayId": an_id("tgw"),
        "vpcPeeringConnectionId": an_id("pcx"),
    },
    outputs=("instanceId", "instanceOwnerId", "origin", "state"),
    rule=_route_rule,
    create=_create_route,
    read=_read_route,
    update=_update_route,
    delete=_delete_route,
)


def _create_association(aws: Aws, inputs: Props) -> str:
    target = _named(inputs, {"subnetId": "SubnetId", "gatewayId": "GatewayId"})
    return str(aws.client("ec2").associate_route_table(RouteTableId=inputs["routeTableId"], **target)["AssociationId"])


def _association(aws: Aws, id_: str, known: Props) -> Any | None:
    """The association; moving it to another table gave it a new id, while a subnet or gateway has one at most."""
    wanted = {id_, known.get("subnetId"), known.get("gatewayId")} - {None}
    there = [{"Name": "route-table-id", "Values": [known["routeTableId"]]}] if known.get("routeTableId") else []
    return first(_associations(aws, wanted, there) or _associations(aws, wanted, []))


def _associations(aws: Aws, wanted: set[Any], filters: list[dict[str, Any]]) -> list[Any]:
    return [
        entry
        for table in aws.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
        for entry in table["Associations"]
        if wanted & {entry["RouteTableAssociationId"], entry.get("SubnetId"), entry.get("GatewayId")}
    ]


def _read_association(aws: Aws, id_: str, known: Props) -> Props | None:
    live = _association(aws, id_, known)
    return live and {"routeTableId": live["RouteTableId"], "subnetId": live.get("SubnetId"), "gatewayId": live.get("GatewayId")}


def _update_association(aws: Aws, id_: str, new: Props, old: Props) -> None:
    live = _association(aws, id_, old)
    if live is None:
        raise LookupError(f"the route table association {id_} is gone; refresh, so that the next update makes it again")
    aws.client("ec2").replace_route_table_association(AssociationId=live["RouteTableAssociationId"], RouteTableId=new["routeTableId"])


def _delete_association(aws: Aws, id_: str, state: Props) -> None:
    if live := _association(aws, id_, state):
        aws.client("ec2").disassociate_route_table(AssociationId=live["RouteTableAssociationId"])


ROUTE_TABLE_ASSOCIATION = Kind(
    type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    client="ec2",
    inputs={
        "routeTableId": an_id("rtb", required=True),
        "subnetId": an_id("subnet", replaces=True),
        "gatewayId": an_id("(igw|vgw)", replaces=True),
    },
    rule=exactly_one("subnetId", "gatewayId"),
    create=_create_association,
    read=_read_association,
    update=_update_association,
    delete=_delete_association,
)
