"""Amazon VPC: networks, their subnets, and their way to the internet."""

from __future__ import annotations

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import flag, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources._ec2_common import an_id, cidr_block, first, retag, tag_specification
from localcloud.resources._tags import as_map

# Pulumi's name: EC2's attribute, of VPCs and of subnets; EC2 takes one attribute in each call.
_VPC_ATTRIBUTES = {
    "enableDnsHostnames": "EnableDnsHostnames",
    "enableDnsSupport": "EnableDnsSupport",
    "enableNetworkAddressUsageMetrics": "EnableNetworkAddressUsageMetrics",
}
_SUBNET_ATTRIBUTES = {
    "enableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecordOnLaunch",
    "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
}


def _create_vpc(aws: Aws, inputs: Props) -> str:
    answer = aws.client("ec2").create_vpc(
        CidrBlock=inputs["cidrBlock"], InstanceTenancy=inputs["instanceTenancy"], **tag_specification("vpc", inputs.get("tags"))
    )
    id_ = str(answer["Vpc"]["VpcId"])
    with made(id_):
        _set_vpc_attributes(aws, id_, inputs, {})
    return id_


def _set_vpc_attributes(aws: Aws, id_: str, new: Props, old: Props) -> None:
    for name, attribute in _VPC_ATTRIBUTES.items():
        if bool(new.get(name)) != old.get(name):
            aws.client("ec2").modify_vpc_attribute(VpcId=id_, **{attribute: {"Value": bool(new.get(name))}})


def _read_vpc(aws: Aws, id_: str, _: Props) -> Props | None:
    ec2 = aws.client("ec2")
    live = first(ec2.describe_vpcs(VpcIds=[id_])["Vpcs"])
    if live is None:
        return None
    attributes = {name: ec2.describe_vpc_attribute(VpcId=id_, Attribute=name)[attribute]["Value"] for name, attribute in _VPC_ATTRIBUTES.items()}
    here = {"Name": "vpc-id", "Values": [id_]}
    tables = ec2.describe_route_tables(Filters=[here, {"Name": "association.main", "Values": ["true"]}])["RouteTables"]
    groups = ec2.describe_security_groups(Filters=[here, {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
    acls = ec2.describe_network_acls(Filters=[here, {"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    return {
        **attributes,
        "cidrBlock": live["CidrBlock"],
        "instanceTenancy": live["InstanceTenancy"],
        "arn": aws.arn("ec2", f"vpc/{id_}", account=live["OwnerId"]),
        "ownerId": live["OwnerId"],
        "dhcpOptionsId": live["DhcpOptionsId"],
        "mainRouteTableId": tables[0]["RouteTableId"] if tables else "",
        "defaultRouteTableId": tables[0]["RouteTableId"] if tables else "",
        "defaultSecurityGroupId": groups[0]["GroupId"] if groups else "",
        "defaultNetworkAclId": acls[0]["NetworkAclId"] if acls else "",
        "tags": as_map(live.get("Tags")),
    }


def _update_vpc(aws: Aws, id_: str, new: Props, old: Props) -> None:
    _set_vpc_attributes(aws, id_, new, old)
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _delete_vpc(aws: Aws, id_: str, _: Props) -> None:
    aws.client("ec2").delete_vpc(VpcId=id_)


VPC = Kind(
    type="aws:ec2/vpc:Vpc",
    client="ec2",
    inputs={
        # VPC user guide, "VPC CIDR blocks": between /16 and /28.
        "cidrBlock": text(required=True, replaces=True, rule=cidr_block(16, 28)),
        "instanceTenancy": text(replaces=True, one_of=("default", "dedicated")),
        "enableDnsHostnames": flag(),
        "enableDnsSupport": flag(),
        "enableNetworkAddressUsageMetrics": flag(),
    },
    defaults={"instanceTenancy": "default", "enableDnsSupport": True},
    outputs=(
        "arn",
        "defaultNetworkAclId",
        "defaultRouteTableId",
        "defaultSecurityGroupId",
        "dhcpOptionsId",
        "mainRouteTableId",
        "ownerId",
    ),
    tagged=True,
    delete_first=False,
    create=_create_vpc,
    read=_read_vpc,
    update=_update_vpc,
    delete=_delete_vpc,
)


def _create_subnet(aws: Aws, inputs: Props) -> str:
    zone = {"AvailabilityZone": inputs.get("availabilityZone"), "AvailabilityZoneId": inputs.get("availabilityZoneId")}
    answer = aws.client("ec2").create_subnet(
        VpcId=inputs["vpcId"],
        CidrBlock=inputs["cidrBlock"],
        **{name: value for name, value in zone.items() if value},
        **tag_specification("subnet", inputs.get("tags")),
    )
    id_ = str(answer["Subnet"]["SubnetId"])
    with made(id_):
        _set_subnet_attributes(aws, id_, inputs, {})
    return id_


def _set_subnet_attributes(aws: Aws, id_: str, new: Props, old: Props) -> None:
    for name, attribute in _SUBNET_ATTRIBUTES.items():
        if bool(new.get(name)) != old.get(name):
            aws.client("ec2").modify_subnet_attribute(SubnetId=id_, **{attribute: {"Value": bool(new.get(name))}})


def _read_subnet(aws: Aws, id_: str, _: Props) -> Props | None:
    live = first(aws.client("ec2").describe_subnets(SubnetIds=[id_])["Subnets"])
    return live and {
        "vpcId": live["VpcId"],
        "cidrBlock": live["CidrBlock"],
        "availabilityZone": live["AvailabilityZone"],
        "availabilityZoneId": live["AvailabilityZoneId"],
        "mapPublicIpOnLaunch": live["MapPublicIpOnLaunch"],
        "enableResourceNameDnsARecordOnLaunch": live["PrivateDnsNameOptionsOnLaunch"]["EnableResourceNameDnsARecord"],
        "arn": live["SubnetArn"],
        "ownerId": live["OwnerId"],
        "tags": as_map(live.get("Tags")),
    }


def _update_subnet(aws: Aws, id_: str, new: Props, old: Props) -> None:
    _set_subnet_attributes(aws, id_, new, old)
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _delete_subnet(aws: Aws, id_: str, _: Props) -> None:
    aws.client("ec2").delete_subnet(SubnetId=id_)


SUBNET = Kind(
    type="aws:ec2/subnet:Subnet",
    client="ec2",
    inputs={
        "vpcId": an_id("vpc", required=True, replaces=True),
        # VPC user guide, "Subnet CIDR blocks": between /16 and /28.
        "cidrBlock": text(required=True, replaces=True, rule=cidr_block(16, 28)),
        "availabilityZone": text(replaces=True, pattern=r"[a-z]{2}(-[a-z]+)+-\d[a-z]"),
        "availabilityZoneId": text(replaces=True, pattern=r"[a-z0-9]+-az\d+"),
        "mapPublicIpOnLaunch": flag(),
        "enableResourceNameDnsARecordOnLaunch": flag(),
    },
    defaults={"mapPublicIpOnLaunch": False, "enableResourceNameDnsARecordOnLaunch": False},
    outputs=("arn", "ownerId"),
    tagged=True,
    create=_create_subnet,
    read=_read_subnet,
    update=_update_subnet,
    delete=_delete_subnet,
)


def _create_gateway(aws: Aws, inputs: Props) -> str:
    answer = aws.client("ec2").create_internet_gateway(**tag_specification("internet-gateway", inputs.get("tags")))
    id_ = str(answer["InternetGateway"]["InternetGatewayId"])
    with made(id_):
        if inputs.get("vpcId"):
            aws.client("ec2").attach_internet_gateway(InternetGatewayId=id_, VpcId=inputs["vpcId"])
    return id_


def _read_gateway(aws: Aws, id_: str, _: Props) -> Props | None:
    live = first(aws.client("ec2").describe_internet_gateways(InternetGatewayIds=[id_])["InternetGateways"])
    return live and {
        "vpcId": live["Attachments"][0]["VpcId"] if live.get("Attachments") else None,
        "arn": aws.arn("ec2", f"internet-gateway/{id_}", account=live["OwnerId"]),
        "ownerId": live["OwnerId"],
        "tags": as_map(live.get("Tags")),
    }


def _update_gateway(aws: Aws, id_: str, new: Props, old: Props) -> None:
    if new.get("vpcId") != old.get("vpcId"):
        _detach(aws, id_)
        if new.get("vpcId"):
            aws.client("ec2").attach_internet_gateway(InternetGatewayId=id_, VpcId=new["vpcId"])
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _detach(aws: Aws, id_: str) -> None:
    live = _read_gateway(aws, id_, {})
    if live and live["vpcId"]:
        try:
            aws.client("ec2").detach_internet_gateway(InternetGatewayId=id_, VpcId=live["vpcId"])
        except ClientError as error:
            if not is_missing(error) and error.response["Error"]["Code"] != "Gateway.NotAttached":
                raise


def _delete_gateway(aws: Aws, id_: str, _: Props) -> None:
    _detach(aws, id_)
    aws.client("ec2").delete_internet_gateway(InternetGatewayId=id_)


INTERNET_GATEWAY = Kind(
    type="aws:ec2/internetGateway:InternetGateway",
    client="ec2",
    inputs={"vpcId": an_id("vpc")},
    outputs=("arn", "ownerId"),
    tagged=True,
    create=_create_gateway,
    read=_read_gateway,
    update=_update_gateway,
    delete=_delete_gateway,
)
