"""Amazon VPC: security groups, without rules of their own (those are `aws:vpc/…Rule` resources)."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws
from localcloud.fields import blocks, flag, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources._ec2_common import an_id, first, only_tags, retag, tag_specification
from localcloud.resources._tags import as_map

# EC2 API reference, CreateSecurityGroup: 255 characters at most, of this alphabet; names do not start with "sg-".
_ALPHABET = r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]"


def _group(aws: Aws, id_: str) -> Any | None:
    return first(aws.client("ec2").describe_security_groups(GroupIds=[id_])["SecurityGroups"])


def _revoke(aws: Aws, live: Any) -> None:
    """Takes every rule out of a group."""
    ec2 = aws.client("ec2")
    if live["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=live["GroupId"], IpPermissions=live["IpPermissions"])
    if live["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=live["GroupId"], IpPermissions=live["IpPermissionsEgress"])


def _create_group(aws: Aws, inputs: Props) -> str:
    vpc = {"VpcId": inputs["vpcId"]} if inputs.get("vpcId") else {}
    answer = aws.client("ec2").create_security_group(
        GroupName=inputs["name"], Description=inputs["description"], **vpc, **tag_specification("security-group", inputs.get("tags"))
    )
    id_ = str(answer["GroupId"])
    try:
        # AWS gives each new group a rule that lets everything out; the AWS provider takes it away, and so does this.
        _revoke(aws, _group(aws, id_))
    except ClientError:
        # No update would ever take it away: the rules of a group that exists are resources of their own.
        aws.client("ec2").delete_security_group(GroupId=id_)
        raise
    return id_


def _read_group(aws: Aws, id_: str, _: Props) -> Props | None:
    live = _group(aws, id_)
    return live and {
        "name": live["GroupName"],
        "description": live["Description"],
        "vpcId": live["VpcId"],
        "arn": aws.arn("ec2", f"security-group/{id_}", account=live["OwnerId"]),
        "ownerId": live["OwnerId"],
        "tags": as_map(live.get("Tags")),
    }


def _delete_group(aws: Aws, id_: str, state: Props) -> None:
    if state.get("revokeRulesOnDelete") and (live := _group(aws, id_)):
        _revoke(aws, live)
    aws.client("ec2").delete_security_group(GroupId=id_)


SECURITY_GROUP = Kind(
    type="aws:ec2/securityGroup:SecurityGroup",
    client="ec2",
    inputs={
        "name": text(required=True, replaces=True, pattern=rf"(?!sg-){_ALPHABET}{{1,255}}"),
        "description": text(replaces=True, pattern=rf"{_ALPHABET}{{1,255}}"),
        "vpcId": an_id("vpc", replaces=True),
        "revokeRulesOnDelete": flag(),
    },
    defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
    outputs=("arn", "ownerId"),
    tagged=True,
    create=_create_group,
    read=_read_group,
    update=only_tags,
    delete=_delete_group,
)


def _adopt(aws: Aws, inputs: Props) -> str:
    filters = [{"Name": "vpc-id", "Values": [inputs["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    live = first(aws.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"])
    if live is None:
        raise LookupError(f"the VPC {inputs['vpcId']} has no default security group to adopt")
    id_ = str(live["GroupId"])
    with made(id_):
        _revoke(aws, live)
        retag(aws, id_, inputs.get("tags"), as_map(live.get("Tags")))
    return id_


def _read_adopted(aws: Aws, id_: str, known: Props) -> Props | None:
    live = _group(aws, id_)
    state = _read_group(aws, id_, known)
    return state and live and {**state, "ingress": _rules(live["IpPermissions"], id_), "egress": _rules(live["IpPermissionsEgress"], id_)}


def _rules(permissions: list[dict[str, Any]], own: str) -> list[Props]:
    """EC2's permissions as the AWS provider has them in a group: one for each protocol and range of ports."""
    return [
        {
            "protocol": entry["IpProtocol"],
            "fromPort": entry.get("FromPort", 0),
            "toPort": entry.get("ToPort", 0),
            "cidrBlocks": [source["CidrIp"] for source in entry.get("IpRanges", ())],
            "ipv6CidrBlocks": [source["CidrIpv6"] for source in entry.get("Ipv6Ranges", ())],
            "prefixListIds": [source["PrefixListId"] for source in entry.get("PrefixListIds", ())],
            "securityGroups": [source["GroupId"] for source in entry.get("UserIdGroupPairs", ()) if source["GroupId"] != own],
            "self": any(source["GroupId"] == own for source in entry.get("UserIdGroupPairs", ())),
        }
        for entry in permissions
    ]


def _strip(aws: Aws, id_: str, new: Props, old: Props) -> None:
    _revoke(aws, _group(aws, id_))
    only_tags(aws, id_, new, old)


def _leave(aws: Aws, id_: str, state: Props) -> None:
    """A VPC's default group cannot be deleted: as with the AWS provider, it stays as it is until its VPC goes."""


_RULE = {
    "protocol": text(required=True),
    "fromPort": number(required=True),
    "toPort": number(required=True),
    "description": text(),
    "self": flag(),
    **{name: texts() for name in ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups")},
}


def _no_rules(value: Any) -> str | None:
    return "the local cloud only ever strips the default group; give rules to a group of your own" if value else None


DEFAULT_SECURITY_GROUP = Kind(
    type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    client="ec2",
    inputs={
        "vpcId": an_id("vpc", required=True, replaces=True),
        "ingress": blocks(_RULE, unordered=True, rule=_no_rules),
        "egress": blocks(_RULE, unordered=True, rule=_no_rules),
    },
    outputs=("arn", "description", "name", "ownerId"),
    tagged=True,
    create=_adopt,
    read=_read_adopted,
    update=_strip,
    delete=_leave,
)
