"""Amazon EC2: instances (with what a NAT instance needs)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import block, flag, mapping, number, text, texts
from localcloud.kinds import Change, Kind, Props, made
from localcloud.resources._ec2_common import an_id, first, retag, tag_specification
from localcloud.resources._tags import as_map

# Pulumi's name: (EC2's name, AWS's default).
_METADATA: dict[str, tuple[str, Any]] = {
    "httpEndpoint": ("HttpEndpoint", "enabled"),
    "httpProtocolIpv6": ("HttpProtocolIpv6", "disabled"),
    "httpPutResponseHopLimit": ("HttpPutResponseHopLimit", 1),
    "httpTokens": ("HttpTokens", "optional"),
    "instanceMetadataTags": ("InstanceMetadataTags", "disabled"),
}
_ROOT_DEFAULTS = {"deleteOnTermination": True, "encrypted": False, "kmsKeyId": ""}
# What AWS cannot change in a volume that exists.
_ROOT_REPLACES = ("encrypted", "kmsKeyId")


def _part(live: Props, known: Props | None, defaults: Props) -> Props:
    """Of an object whose members have defaults: those that were set, and those that are not as AWS makes them."""
    return live if known is None else {name: value for name, value in live.items() if name in known or value != defaults.get(name, value)}


def _metadata_options(inputs: Props) -> dict[str, Any]:
    """All options: those left out go back to AWS's default."""
    given = inputs.get("metadataOptions") or {}
    return {key: type(default)(given.get(name, default)) for name, (key, default) in _METADATA.items()}


def _root_volume(aws: Aws, inputs: Props) -> dict[str, Any]:
    """The mapping of the root volume: as asked, and for the rest as the image says."""
    image = first(aws.client("ec2").describe_images(Filters=[{"Name": "image-id", "Values": [inputs["ami"]]}])["Images"]) or {}
    device = image.get("RootDeviceName") or "/dev/sda1"
    volumes = [mapped["Ebs"] for mapped in image.get("BlockDeviceMappings", ()) if mapped["DeviceName"] == device and "Ebs" in mapped]
    asked = {**_ROOT_DEFAULTS, **(inputs.get("rootBlockDevice") or {})}
    settings = {
        "VolumeSize": int(asked.get("volumeSize") or (volumes[0].get("VolumeSize") if volumes else None) or 8),
        "VolumeType": asked.get("volumeType") or (volumes[0].get("VolumeType") if volumes else None) or "gp2",
        "Encrypted": asked["encrypted"],
        "KmsKeyId": asked["kmsKeyId"],
        "DeleteOnTermination": asked["deleteOnTermination"],
    }
    return {"DeviceName": device, "Ebs": {name: value for name, value in settings.items() if value != ""}}


def _create(aws: Aws, inputs: Props) -> str:
    ec2 = aws.client("ec2")
    interface: dict[str, Any] = {"DeviceIndex": 0, "SubnetId": inputs["subnetId"], "DeleteOnTermination": True}
    if inputs.get("vpcSecurityGroupIds"):
        interface["Groups"] = inputs["vpcSecurityGroupIds"]
    if inputs.get("associatePublicIpAddress") is not None:
        interface["AssociatePublicIpAddress"] = inputs["associatePublicIpAddress"]
    optional: dict[str, Any] = {"UserData": inputs.get("userData"), "EbsOptimized": inputs.get("ebsOptimized")}
    if inputs.get("iamInstanceProfile"):
        optional["IamInstanceProfile"] = {"Name": inputs["iamInstanceProfile"]}
    specifications = [
        *tag_specification("instance", inputs.get("tags")).get("TagSpecifications", ()),
        *tag_specification("volume", inputs.get("volumeTags")).get("TagSpecifications", ()),
    ]
    answer = ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        ImageId=inputs["ami"],
        InstanceType=inputs["instanceType"],
        NetworkInterfaces=[interface],
        MetadataOptions=_metadata_options(inputs),
        Monitoring={"Enabled": bool(inputs.get("monitoring"))},
        BlockDeviceMappings=[_root_volume(aws, inputs)],
        TagSpecifications=specifications,
        **{name: value for name, value in optional.items() if value},
    )
    id_ = str(answer["Instances"][0]["InstanceId"])
    with made(id_):
        if inputs.get("vpcSecurityGroupIds"):
            # moto shows the groups of an interface in the instance only when they are set by this call.
            ec2.modify_instance_attribute(InstanceId=id_, Groups=inputs["vpcSecurityGroupIds"])
        if not inputs["sourceDestCheck"]:
            ec2.modify_instance_attribute(InstanceId=id_, SourceDestCheck={"Value": False})
    return id_


def _instance(aws: Aws, id_: str) -> Any | None:
    """The instance, unless it is terminated: EC2 shows terminated ones for an hour."""
    found = aws.client("ec2").describe_instances(InstanceIds=[id_])["Reservations"]
    instances = [instance for reservation in found for instance in reservation["Instances"]]
    return first([instance for instance in instances if instance["State"]["Name"] not in {"shutting-down", "terminated"}])


def _primary(live: Any) -> Any:
    return next(interface for interface in live["NetworkInterfaces"] if interface["Attachment"]["DeviceIndex"] == 0)


def _root(live: Any) -> Any:
    """How the root volume is attached."""
    mapped: list[Any] = live["BlockDeviceMappings"]
    return next((entry for entry in mapped if entry["DeviceName"] == live["RootDeviceName"]), mapped[0])


def _volume(aws: Aws, live: Any) -> Any:
    return aws.client("ec2").describe_volumes(VolumeIds=[_root(live)["Ebs"]["VolumeId"]])["Volumes"][0]


def _read_root(attached: Any, volume: Any, known: Props | None) -> Props:
    live = {
        "deleteOnTermination": attached["Ebs"]["DeleteOnTermination"],
        "encrypted": volume["Encrypted"],
        "kmsKeyId": volume.get("KmsKeyId") or "",
        "volumeSize": volume["Size"],
        "volumeType": volume["VolumeType"],
    }
    # An encrypted volume has a key also when none was asked for.
    return _part(live, known, {**_ROOT_DEFAULTS, "kmsKeyId": live["kmsKeyId"]})


def _profile(aws: Aws, id_: str) -> Any | None:
    filters = [{"Name": "instance-id", "Values": [id_]}]
    return first(aws.client("ec2").describe_iam_instance_profile_associations(Filters=filters)["IamInstanceProfileAssociations"])


def _user_data(aws: Aws, id_: str) -> str:
    answer = aws.client("ec2").describe_instance_attribute(InstanceId=id_, Attribute="userData")
    return base64.b64decode((answer.get("UserData") or {}).get("Value") or "").decode()


def _read(aws: Aws, id_: str, known: Props) -> Props | None:
    live = _instance(aws, id_)
    if live is None:
        return None
    ec2 = aws.client("ec2")
    interface, volume, profile = _primary(live), _volume(aws, live), _profile(aws, id_)
    address = interface.get("Association") or {}
    elastic = address and ec2.describe_addresses(Filters=[{"Name": "public-ip", "Values": [address["PublicIp"]]}])["Addresses"]
    metadata = {name: live["MetadataOptions"].get(key) for name, (key, _) in _METADATA.items()}
    return {
        "ami": live["ImageId"],
        "instanceType": live["InstanceType"],
        "subnetId": live["SubnetId"],
        "vpcSecurityGroupIds": [group["GroupId"] for group in interface["Groups"]],
        "sourceDestCheck": live["SourceDestCheck"],
        "iamInstanceProfile": profile["IamInstanceProfile"]["Arn"].rsplit("/", 1)[1] if profile else None,
        "userData": _user_data(aws, id_),
        "metadataOptions": _part(metadata, known.get("metadataOptions"), {name: default for name, (_, default) in _METADATA.items()}),
        "rootBlockDevice": _read_root(_root(live), volume, known.get("rootBlockDevice")),
        # An elastic address hides whether the instance was launched with a public one: AWS does not say it either.
        "associatePublicIpAddress": known.get("associatePublicIpAddress") if elastic else bool(address),
        "volumeTags": as_map(volume.get("Tags")),
        "ebsOptimized": live["EbsOptimized"],
        "arn": aws.arn("ec2", f"instance/{id_}"),
        "availabilityZone": live["Placement"]["AvailabilityZone"],
        "instanceState": live["State"]["Name"],
        "primaryNetworkInterfaceId": interface["NetworkInterfaceId"],
        "privateDns": live["PrivateDnsName"],
        "privateIp": live["PrivateIpAddress"],
        "publicDns": live.get("PublicDnsName") or "",
        "publicIp": live.get("PublicIpAddress") or "",
        "tags": as_map(live.get("Tags")),
    }


def _update(aws: Aws, id_: str, new: Props, old: Props) -> None:
    live = _instance(aws, id_)
    if live is None:
        raise LookupError(f"the instance {id_} is gone; refresh, so that the next update makes it again")
    ec2 = aws.client("ec2")
    if (check := new.get("sourceDestCheck", True)) != old.get("sourceDestCheck"):
        ec2.modify_instance_attribute(InstanceId=id_, SourceDestCheck={"Value": check})
    if new.get("vpcSecurityGroupIds") and new["vpcSecurityGroupIds"] != old.get("vpcSecurityGroupIds"):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=_primary(live)["NetworkInterfaceId"], Groups=new["vpcSecurityGroupIds"])
        ec2.modify_instance_attribute(InstanceId=id_, Groups=new["vpcSecurityGroupIds"])
    if new.get("metadataOptions") != old.get("metadataOptions"):
        ec2.modify_instance_metadata_options(InstanceId=id_, **_metadata_options(new))
    _update_stopped(aws, id_, new, old)
    _update_profile(aws, id_, new, old)
    _update_volume(aws, live, new, old)
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _update_stopped(aws: Aws, id_: str, new: Props, old: Props) -> None:
    """What AWS changes only while the instance is stopped."""
    changes: list[dict[str, Any]] = []
    if new["instanceType"] != old.get("instanceType"):
        changes.append({"InstanceType": {"Value": new["instanceType"]}})
    if new.get("userData") != old.get("userData"):
        # boto3 encodes it for AWS; moto takes that off and expects it to be encoded still.
        changes.append({"UserData": {"Value": base64.b64encode((new.get("userData") or "").encode())}})
    ec2 = aws.client("ec2")
    if changes:
        ec2.stop_instances(InstanceIds=[id_])
        for change in changes:
            ec2.modify_instance_attribute(InstanceId=id_, **change)
        ec2.start_instances(InstanceIds=[id_])


def _update_profile(aws: Aws, id_: str, new: Props, old: Props) -> None:
    if new.get("iamInstanceProfile") == old.get("iamInstanceProfile"):
        return
    ec2 = aws.client("ec2")
    if current := _profile(aws, id_):
        ec2.disassociate_iam_instance_profile(AssociationId=current["AssociationId"])
    if new.get("iamInstanceProfile"):
        ec2.associate_iam_instance_profile(InstanceId=id_, IamInstanceProfile={"Name": new["iamInstanceProfile"]})


def _update_volume(aws: Aws, live: Any, new: Props, old: Props) -> None:
    ec2, attached, volume = aws.client("ec2"), _root(live), _volume(aws, live)
    asked = new.get("rootBlockDevice") or {}
    changes = {"Size": asked.get("volumeSize"), "VolumeType": asked.get("volumeType")}
    changes = {key: value for key, value in changes.items() if value is not None and value != volume[key]}
    if changes:
        ec2.modify_volume(VolumeId=volume["VolumeId"], **{**changes, **({"Size": int(changes["Size"])} if "Size" in changes else {})})
    keep = asked.get("deleteOnTermination", True)
    if keep != attached["Ebs"]["DeleteOnTermination"]:
        device = {"DeviceName": attached["DeviceName"], "Ebs": {"DeleteOnTermination": keep}}
        ec2.modify_instance_attribute(InstanceId=live["InstanceId"], BlockDeviceMappings=[device])
    retag(aws, volume["VolumeId"], new.get("volumeTags"), old.get("volumeTags"))


def _delete(aws: Aws, id_: str, _: Props) -> None:
    live = _instance(aws, id_)
    if live is None:
        return
    ec2 = aws.client("ec2")
    # AWS frees addresses and interfaces by itself; moto leaves them bound to an instance that is gone.
    for address in ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [id_]}])["Addresses"]:
        ec2.disassociate_address(AssociationId=address["AssociationId"])
    for interface in live["NetworkInterfaces"]:
        if interface["Attachment"]["DeviceIndex"] != 0:
            _detach(aws, interface["Attachment"]["AttachmentId"])
    ec2.terminate_instances(InstanceIds=[id_])


def _detach(aws: Aws, attachment: str) -> None:
    try:
        aws.client("ec2").detach_network_interface(AttachmentId=attachment, Force=True)
    except ClientError as error:
        if not is_missing(error):
            raise


@dataclass(frozen=True, kw_only=True)
class _InstanceKind(Kind):
    """User data replaces the instance when it is asked to; a root volume is encrypted at launch or never."""

    def change(self, old: Props, new: Props) -> Change:
        change = super().change(old, new)
        forced = set(change.replaces)
        if "userData" in change.changed and new.get("userDataReplaceOnChange"):
            forced.add("userData")
        before, after = ({**_ROOT_DEFAULTS, **(props.get("rootBlockDevice") or {})} for props in (old, new))
        if any(before[name] != after[name] for name in _ROOT_REPLACES):
            forced.add("rootBlockDevice")
        return Change(change.changed, tuple(sorted(forced)))


_OPTIONS = "RunInstances.MetadataOptions"

INSTANCE = _InstanceKind(
    type="aws:ec2/instance:Instance",
    client="ec2",
    inputs={
        "ami": an_id("ami", required=True, replaces=True),
        "instanceType": text(required=True, shape="RunInstances.InstanceType"),
        "subnetId": an_id("subnet", required=True, replaces=True),
        "vpcSecurityGroupIds": texts(an_id("sg"), at_most=16),
        "sourceDestCheck": flag(),
        "iamInstanceProfile": text(pattern=r"[\w+=,.@-]{1,128}"),
        # EC2 user guide, "Run commands at launch": 16 KB before it is encoded.
        "userData": text(at_most=16_384),
        "userDataReplaceOnChange": flag(),
        "metadataOptions": block(
            {
                "httpEndpoint": text(shape=f"{_OPTIONS}.HttpEndpoint"),
                "httpProtocolIpv6": text(shape=f"{_OPTIONS}.HttpProtocolIpv6"),
                "httpPutResponseHopLimit": number(at_least=1, at_most=64),
                "httpTokens": text(shape=f"{_OPTIONS}.HttpTokens"),
                "instanceMetadataTags": text(shape=f"{_OPTIONS}.InstanceMetadataTags"),
            }
        ),
        "rootBlockDevice": block(
            {
                "deleteOnTermination": flag(),
                "encrypted": flag(),
                "kmsKeyId": text(pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+"),
                # EBS user guide, "Constraints": 64 TiB for gp3, io2 and others.
                "volumeSize": number(at_least=1, at_most=65_536),
                "volumeType": text(shape="RunInstances.BlockDeviceMappings.Ebs.VolumeType"),
            }
        ),
        "associatePublicIpAddress": flag(replaces=True),
        "monitoring": flag(),
        "volumeTags": mapping(),
        "ebsOptimized": flag(replaces=True),
    },
    defaults={"sourceDestCheck": True, "userDataReplaceOnChange": False},
    outputs=("arn", "availabilityZone", "instanceState", "primaryNetworkInterfaceId", "privateDns", "privateIp", "publicDns", "publicIp"),
    tagged=True,
    delete_first=False,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
