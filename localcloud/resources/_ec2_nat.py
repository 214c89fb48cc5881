"""Amazon EC2: public addresses, and the NAT gateways that use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources._ec2_common import an_id, first, only_tags, retag, tag_specification
from localcloud.resources._tags import as_map

# Pulumi's name: EC2's name, of what an address can be associated with.
_HOLDERS = {"instance": "InstanceId", "networkInterface": "NetworkInterfaceId"}


def _create_address(aws: Aws, inputs: Props) -> str:
    domain = inputs.get("domain") or "vpc"
    answer = aws.client("ec2").allocate_address(Domain=domain, **tag_specification("elastic-ip", inputs.get("tags")))
    id_ = str(answer["AllocationId"])
    with made(id_):
        _associate(aws, id_, inputs)
    return id_


def _associate(aws: Aws, id_: str, inputs: Props) -> None:
    holder = {key: inputs[name] for name, key in _HOLDERS.items() if inputs.get(name)}
    if holder:
        aws.client("ec2").associate_address(AllocationId=id_, **holder)


def _address(aws: Aws, id_: str) -> Any | None:
    return first(aws.client("ec2").describe_addresses(AllocationIds=[id_])["Addresses"])


def _host_name(ip: str, region: str, *, public: bool) -> str:
    """The DNS name of an address, as EC2 forms it; DescribeAddresses does not say it."""
    digits = ip.replace(".", "-")
    if public:
        return f"ec2-{digits}.compute-1.amazonaws.com" if region == "us-east-1" else f"ec2-{digits}.{region}.compute.amazonaws.com"
    return f"ip-{digits}.ec2.internal" if region == "us-east-1" else f"ip-{digits}.{region}.compute.internal"


def _read_address(aws: Aws, id_: str, known: Props) -> Props | None:
    live = _address(aws, id_)
    if live is None:
        return None
    private = live.get("PrivateIpAddress") or ""
    # A NAT gateway, or an association of its own, may hold the address: its holder is an input only where it was given as one.
    holders = {name: live.get(key) or "" for name, key in _HOLDERS.items() if known.get(name) is not None}
    return {
        **holders,
        "domain": live["Domain"],
        "allocationId": id_,
        "arn": aws.arn("ec2", f"elastic-ip/{id_}"),
        "associationId": live.get("AssociationId") or "",
        "publicIp": live["PublicIp"],
        "publicDns": _host_name(live["PublicIp"], aws.region, public=True),
        "privateIp": private,
        "privateDns": _host_name(private, aws.region, public=False) if private else "",
        "tags": as_map(live.get("Tags")),
    }


def _disassociate(aws: Aws, live: Any) -> None:
    if live.get("AssociationId"):
        aws.client("ec2").disassociate_address(AssociationId=live["AssociationId"])


def _update_address(aws: Aws, id_: str, new: Props, old: Props) -> None:
    if any(new.get(name) != old.get(name) for name in _HOLDERS):
        _disassociate(aws, _address(aws, id_) or {})
        _associate(aws, id_, new)
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _delete_address(aws: Aws, id_: str, _: Props) -> None:
    _disassociate(aws, _address(aws, id_) or {})
    aws.client("ec2").release_address(AllocationId=id_)


def _one_holder(inputs: Props) -> Iterator[Refusal]:
    if inputs.get("instance") and inputs.get("networkInterface"):
        yield Refusal("networkInterface", "it cannot be set together with instance")


EIP = Kind(
    type="aws:ec2/eip:Eip",
    client="ec2",
    inputs={
        "domain": text(replaces=True, one_of=("vpc",)),
        "instance": an_id("i"),
        "networkInterface": an_id("eni"),
    },
    outputs=("allocationId", "arn", "associationId", "privateDns", "privateIp", "publicDns", "publicIp"),
    tagged=True,
    delete_first=False,
    rule=_one_holder,
    create=_create_address,
    read=_read_address,
    update=_update_address,
    delete=_delete_address,
)


def _create_gateway(aws: Aws, inputs: Props) -> str:
    address = {"AllocationId": inputs["allocationId"]} if inputs.get("allocationId") else {}
    answer = aws.client("ec2").create_nat_gateway(
        SubnetId=inputs["subnetId"],
        ConnectivityType=inputs["connectivityType"],
        **address,
        **tag_specification("natgateway", inputs.get("tags")),
    )
    return str(answer["NatGateway"]["NatGatewayId"])


def _gateway(aws: Aws, id_: str) -> Any | None:
    """The gateway, unless it is deleted: EC2 shows deleted ones for an hour."""
    found = aws.client("ec2").describe_nat_gateways(NatGatewayIds=[id_])["NatGateways"]
    return first([gateway for gateway in found if gateway["State"] not in {"deleting", "deleted"}])


def _read_gateway(aws: Aws, id_: str, _: Props) -> Props | None:
    live = _gateway(aws, id_)
    if live is None:
        return None
    address = live["NatGatewayAddresses"][0]
    return {
        "allocationId": address.get("AllocationId"),
        "subnetId": live["SubnetId"],
        "connectivityType": live["ConnectivityType"],
        "associationId": address.get("AssociationId") or "",
        "networkInterfaceId": address["NetworkInterfaceId"],
        "privateIp": address["PrivateIp"],
        "publicIp": address.get("PublicIp") or "",
        "tags": as_map(live.get("Tags")),
    }


def _delete_gateway(aws: Aws, id_: str, _: Props) -> None:
    live = _gateway(aws, id_)
    if live is None:
        return
    ec2 = aws.client("ec2")
    ec2.delete_nat_gateway(NatGatewayId=id_)
    # AWS lets go of address and interface by itself; moto leaves both behind.
    for address in live["NatGatewayAddresses"]:
        _disassociate(aws, address)
        ec2.delete_network_interface(NetworkInterfaceId=address["NetworkInterfaceId"])


def _address_rule(inputs: Props) -> Iterator[Refusal]:
    private = inputs.get("connectivityType") == "private"
    if private and inputs.get("allocationId"):
        yield Refusal("allocationId", "a private NAT gateway takes no public address; drop it, or set connectivityType to public")
    if inputs.get("connectivityType") == "public" and not inputs.get("allocationId"):
        yield Refusal("allocationId", "a public NAT gateway needs a public address: the allocationId of an Eip")


NAT_GATEWAY = Kind(
    type="aws:ec2/natGateway:NatGateway",
    client="ec2",
    inputs={
        "allocationId": an_id("eipalloc", replaces=True),
        "subnetId": an_id("subnet", required=True, replaces=True),
        "connectivityType": text(replaces=True, shape="CreateNatGateway.ConnectivityType"),
    },
    defaults={"connectivityType": "public"},
    outputs=("associationId", "networkInterfaceId", "privateIp", "publicIp"),
    tagged=True,
    rule=_address_rule,
    create=_create_gateway,
    read=_read_gateway,
    update=only_tags,
    delete=_delete_gateway,
)
