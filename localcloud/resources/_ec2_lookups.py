"""Look-ups of Amazon EC2: images and prefix lists."""

from __future__ import annotations

import re
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Field, blocks, flag, text, texts
from localcloud.kinds import Function, Props
from localcloud.resources._ec2_common import an_id, first
from localcloud.resources._tags import as_map


def filters(name: Field) -> Field:
    """The `filters` input of a look-up: names, each with the values that are wanted."""
    return blocks({"name": name, "values": texts(required=True, at_least=1)}, unordered=True)


def as_filters(inputs: Props, **more: str | None) -> list[dict[str, Any]]:
    """EC2's filters: those of the `filters` input, and others by name (`prefix_list_name="…"`)."""
    given = [{"Name": entry["name"], "Values": list(entry["values"])} for entry in inputs.get("filters") or ()]
    return given + [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in more.items() if value]


# Pulumi's name: EC2's name, of what an image says about itself.
_IMAGE = {
    "architecture": "Architecture",
    "bootMode": "BootMode",
    "creationDate": "CreationDate",
    "description": "Description",
    "hypervisor": "Hypervisor",
    "id": "ImageId",
    "imageId": "ImageId",
    "imageLocation": "ImageLocation",
    "imageOwnerAlias": "ImageOwnerAlias",
    "imageType": "ImageType",
    "name": "Name",
    "ownerId": "OwnerId",
    "platform": "Platform",
    "public": "Public",
    "rootDeviceName": "RootDeviceName",
    "rootDeviceType": "RootDeviceType",
    "state": "State",
    "virtualizationType": "VirtualizationType",
}


def _get_ami(aws: Aws, inputs: Props) -> Props:
    owners = {"Owners": inputs["owners"]} if inputs.get("owners") else {}
    found = aws.client("ec2").describe_images(Filters=as_filters(inputs), **owners)["Images"]
    if inputs.get("nameRegex"):
        found = [image for image in found if re.search(inputs["nameRegex"], image["Name"])]
    if not found:
        raise LookupError("no image matches; change owners, filters or nameRegex")
    if len(found) > 1 and not inputs.get("mostRecent"):
        raise LookupError(f"{len(found)} images match; narrow the filters, or set mostRecent to take the latest")
    # moto dates all of its images alike; their names end in a date or a version.
    image = max(found, key=lambda entry: (entry["CreationDate"], entry["Name"]))
    mapped = image.get("BlockDeviceMappings", ())
    root = next((entry["Ebs"] for entry in mapped if entry["DeviceName"] == image["RootDeviceName"] and "Ebs" in entry), {})
    return {
        **{name: image.get(key, "") for name, key in _IMAGE.items()},
        "arn": aws.arn("ec2", f"image/{image['ImageId']}", account=""),
        "blockDeviceMappings": [_mapping(entry) for entry in mapped],
        "rootSnapshotId": root.get("SnapshotId", ""),
        "tags": as_map(image.get("Tags")),
        **{name: inputs[name] for name in ("filters", "mostRecent", "nameRegex", "owners") if name in inputs},
    }


def _mapping(entry: dict[str, Any]) -> dict[str, Any]:
    names = {"deviceName": "DeviceName", "noDevice": "NoDevice", "virtualName": "VirtualName"}
    return {"ebs": _ebs(entry.get("Ebs", {})), **{name: entry.get(key, "") for name, key in names.items()}}


def _ebs(volume: dict[str, Any]) -> dict[str, str]:
    """A volume as a map of strings, as the AWS provider gives it."""
    members = {"delete_on_termination": "DeleteOnTermination", "snapshot_id": "SnapshotId", "volume_size": "VolumeSize", "volume_type": "VolumeType"}
    values = {name: volume[key] for name, key in members.items() if key in volume}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}


GET_AMI = Function(
    type="aws:ec2/getAmi:getAmi",
    client="ec2",
    inputs={
        "filters": filters(text(required=True, pattern=r"[a-z][a-z.-]*|tag:.+")),
        "mostRecent": flag(),
        "nameRegex": text(),
        "owners": texts(text(pattern=r"\d{12}|self|amazon|aws-marketplace|aws-backup-vault"), at_least=1),
    },
    call=_get_ami,
)


def _get_prefix_list(aws: Aws, inputs: Props) -> Props:
    ec2 = aws.client("ec2")
    found = _the_list(aws, inputs, inputs.get("prefixListId"))
    return {
        "id": found["PrefixListId"],
        "prefixListId": found["PrefixListId"],
        "name": found["PrefixListName"],
        "cidrBlocks": [entry["Cidr"] for entry in ec2.get_managed_prefix_list_entries(PrefixListId=found["PrefixListId"])["Entries"]],
    }


def _the_list(aws: Aws, inputs: Props, id_: str | None) -> Any:
    asked = as_filters(inputs, prefix_list_name=inputs.get("name"), prefix_list_id=id_)
    found = aws.client("ec2").describe_managed_prefix_lists(Filters=asked)["PrefixLists"]
    if len(found) != 1:
        names = ", ".join(sorted(entry["PrefixListName"] for entry in found)) or "none"
        raise LookupError(f"one prefix list must match {asked}, and {len(found)} do: {names}")
    return first(found)


# EC2 API reference, DescribePrefixLists and DescribeManagedPrefixLists.
_LIST_FILTERS = ("prefix-list-id", "prefix-list-name", "owner-id")

GET_PREFIX_LIST = Function(
    type="aws:ec2/getPrefixList:getPrefixList",
    client="ec2",
    inputs={"name": text(), "prefixListId": an_id("pl"), "filters": filters(text(required=True, one_of=_LIST_FILTERS[:2]))},
    call=_get_prefix_list,
)


def _get_managed_prefix_list(aws: Aws, inputs: Props) -> Props:
    found = _the_list(aws, inputs, inputs.get("id"))
    entries = aws.client("ec2").get_managed_prefix_list_entries(PrefixListId=found["PrefixListId"])["Entries"]
    return {
        "id": found["PrefixListId"],
        "name": found["PrefixListName"],
        "addressFamily": found["AddressFamily"],
        "arn": found["PrefixListArn"],
        "entries": [{"cidr": entry["Cidr"], "description": entry.get("Description", "")} for entry in entries],
        # AWS's own lists have neither.
        "maxEntries": found.get("MaxEntries", 0),
        "version": found.get("Version", 0),
        "ownerId": found["OwnerId"],
        "tags": as_map(found.get("Tags")),
    }


GET_MANAGED_PREFIX_LIST = Function(
    type="aws:ec2/getManagedPrefixList:getManagedPrefixList",
    client="ec2",
    inputs={"name": text(), "id": an_id("pl"), "filters": filters(text(required=True, one_of=_LIST_FILTERS))},
    call=_get_managed_prefix_list,
)
