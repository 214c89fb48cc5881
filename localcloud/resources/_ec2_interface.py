"""Amazon EC2: network interfaces, and their attachment to instances."""

from __future__ import annotations

from typing import Any

from localcloud.aws import Aws
from localcloud.fields import flag, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources._ec2_common import an_id, first, retag, tag_specification
from localcloud.resources._tags import as_map


def own_groups(aws: Aws, interface: Any) -> list[str]:
    """The security groups of an interface itself.

    moto shows those of the instance that an interface is attached to as well; its filter looks at the interface's own alone.
    """
    shown = [group["GroupId"] for group in interface["Groups"]]
    if not interface.get("Attachment"):
        return shown
    here = {"Name": "network-interface-id", "Values": [interface["NetworkInterfaceId"]]}
    ec2 = aws.client("ec2")
    return [group for group in shown if ec2.describe_network_interfaces(Filters=[here, {"Name": "group-id", "Values": [group]}])["NetworkInterfaces"]]


def _create_interface(aws: Aws, inputs: Props) -> str:
    given = {"Groups": inputs.get("securityGroups"), "Description": inputs.get("description")}
    answer = aws.client("ec2").create_network_interface(
        SubnetId=inputs["subnetId"],
        **{name: value for name, value in given.items() if value},
        **tag_specification("network-interface", inputs.get("tags")),
    )
    id_ = str(answer["NetworkInterface"]["NetworkInterfaceId"])
    with made(id_):
        if not inputs["sourceDestCheck"]:
            aws.client("ec2").modify_network_interface_attribute(NetworkInterfaceId=id_, SourceDestCheck={"Value": False})
    return id_


def _read_interface(aws: Aws, id_: str, _: Props) -> Props | None:
    live = first(aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[id_])["NetworkInterfaces"])
    return live and {
        "subnetId": live["SubnetId"],
        "securityGroups": own_groups(aws, live),
        "sourceDestCheck": live["SourceDestCheck"],
        "description": live.get("Description", ""),
        "arn": aws.arn("ec2", f"network-interface/{id_}", account=live["OwnerId"]),
        "macAddress": live["MacAddress"],
        "ownerId": live["OwnerId"],
        "privateDnsName": live.get("PrivateDnsName", ""),
        "privateIp": live["PrivateIpAddress"],
        "privateIps": [address["PrivateIpAddress"] for address in live["PrivateIpAddresses"]],
        "tags": as_map(live.get("TagSet")),
    }


def _update_interface(aws: Aws, id_: str, new: Props, old: Props) -> None:
    ec2 = aws.client("ec2")
    if new.get("securityGroups") and new["securityGroups"] != old.get("securityGroups"):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=id_, Groups=new["securityGroups"])
    if (check := new.get("sourceDestCheck", True)) != old.get("sourceDestCheck"):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=id_, SourceDestCheck={"Value": check})
    if new.get("description") != old.get("description"):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=id_, Description={"Value": new.get("description") or ""})
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _delete_interface(aws: Aws, id_: str, _: Props) -> None:
    aws.client("ec2").delete_network_interface(NetworkInterfaceId=id_)


NETWORK_INTERFACE = Kind(
    type="aws:ec2/networkInterface:NetworkInterface",
    client="ec2",
    inputs={
        "subnetId": an_id("subnet", required=True, replaces=True),
        # VPC quotas, "Security groups per network interface": 16 at most.
        "securityGroups": texts(an_id("sg"), at_most=16),
        "sourceDestCheck": flag(),
        "description": text(at_most=255),
    },
    defaults={"sourceDestCheck": True},
    outputs=("arn", "macAddress", "ownerId", "privateDnsName", "privateIp", "privateIps"),
    tagged=True,
    create=_create_interface,
    read=_read_interface,
    update=_update_interface,
    delete=_delete_interface,
)


def _attach(aws: Aws, inputs: Props) -> str:
    answer = aws.client("ec2").attach_network_interface(
        DeviceIndex=int(inputs["deviceIndex"]), InstanceId=inputs["instanceId"], NetworkInterfaceId=inputs["networkInterfaceId"]
    )
    return str(answer["AttachmentId"])


def _read_attachment(aws: Aws, id_: str, _: Props) -> Props | None:
    filters = [{"Name": "attachment.attachment-id", "Values": [id_]}]
    interface = first(aws.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"])
    return interface and {
        "deviceIndex": interface["Attachment"]["DeviceIndex"],
        "instanceId": interface["Attachment"]["InstanceId"],
        "networkInterfaceId": interface["NetworkInterfaceId"],
        "attachmentId": id_,
        "status": interface["Attachment"]["Status"],
    }


def _detach(aws: Aws, id_: str, _: Props) -> None:
    aws.client("ec2").detach_network_interface(AttachmentId=id_, Force=True)


NETWORK_INTERFACE_ATTACHMENT = Kind(
    type="aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment",
    client="ec2",
    inputs={
        # Index 0 is the interface that the instance was launched with.
        "deviceIndex": number(required=True, replaces=True, at_least=1),
        "instanceId": an_id("i", required=True, replaces=True),
        "networkInterfaceId": an_id("eni", required=True, replaces=True),
    },
    outputs=("attachmentId", "status"),
    create=_attach,
    read=_read_attachment,
    delete=_detach,
)
