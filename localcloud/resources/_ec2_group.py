"""Amazon VPC: security groups, without rules of their own (those are `aws:vpc/…Rule` resources)."""

from __future__ import annotations

from typing import Any

from localcloud.aws import Aws
from localcloud.fields import flag, text
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
    with made(id_):
        # AWS gives each new group a rule that lets everything out; the AWS provider takes it away, and so does this.
        _revoke(aws, _group(aws, id_))
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


def _everything(source: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"IpProtocol": "-1", **source}]


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


def _read_adopted(aws: Aws, id_: str, _: Props) -> Props | None:
    """The group while it has no rules: with rules it is not what this resource promises, and the next update strips it again."""
    live = _group(aws, id_)
    if live is None or live["IpPermissions"] or live["IpPermissionsEgress"]:
        return None
    return {
        "vpcId": live["VpcId"],
        "arn": aws.arn("ec2", f"security-group/{id_}", account=live["OwnerId"]),
        "description": live["Description"],
        "name": live["GroupName"],
        "ownerId": live["OwnerId"],
        "tags": as_map(live.get("Tags")),
    }


def _hand_back(aws: Aws, id_: str, state: Props) -> None:
    """A VPC's default group cannot be deleted: it gets back the rules that AWS gives it."""
    live = _read_adopted(aws, id_, state)
    if live is None:
        return
    ec2 = aws.client("ec2")
    ec2.authorize_security_group_ingress(GroupId=id_, IpPermissions=_everything({"UserIdGroupPairs": [{"GroupId": id_}]}))
    ec2.authorize_security_group_egress(GroupId=id_, IpPermissions=_everything({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}))
    retag(aws, id_, {}, live["tags"])


DEFAULT_SECURITY_GROUP = Kind(
    type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    client="ec2",
    inputs={"vpcId": an_id("vpc", required=True, replaces=True)},
    outputs=("arn", "description", "name", "ownerId"),
    tagged=True,
    create=_adopt,
    read=_read_adopted,
    update=only_tags,
    delete=_hand_back,
)
