"""Amazon VPC: the rules of security groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, number, text
from localcloud.kinds import Change, Kind, Props, made
from localcloud.resources._ec2_common import an_id, cidr_block, exactly_one, first, ipv6_network, retag, tag_specification
from localcloud.resources._tags import as_map

# What a rule is about: exactly one of these.
_ENDS = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
_EVERYTHING = "-1"
# The protocols that AWS has names for; others go by number, have no ports, and moto does not take them.
_PROTOCOLS = ("tcp", "udp", "icmp", "icmpv6", _EVERYTHING)
# What AWS takes without ports: it answers -1 for them, and so does the request.
_PORTLESS = {"icmpv6", _EVERYTHING}


def _permission(inputs: Props) -> dict[str, Any]:
    note = {"Description": inputs["description"]} if inputs.get("description") else {}
    ends: dict[str, tuple[str, str]] = {
        "cidrIpv4": ("IpRanges", "CidrIp"),
        "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "prefixListId": ("PrefixListIds", "PrefixListId"),
        "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    name = next(name for name in ends if inputs.get(name))
    kind, member = ends[name]
    return {**_protocol(inputs), kind: [{member: inputs[name], **note}]}


def _protocol(inputs: Props) -> dict[str, Any]:
    return {"IpProtocol": inputs["ipProtocol"], "FromPort": int(inputs.get("fromPort", -1)), "ToPort": int(inputs.get("toPort", -1))}


def _create(aws: Aws, inputs: Props, *, egress: bool) -> str:
    ec2 = aws.client("ec2")
    call = ec2.authorize_security_group_egress if egress else ec2.authorize_security_group_ingress
    answer = call(
        GroupId=inputs["securityGroupId"],
        IpPermissions=[_permission(inputs)],
        **tag_specification("security-group-rule", inputs.get("tags")),
    )
    id_ = str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])
    if inputs.get("description"):
        with made(id_):
            # moto keeps the description of a rule that names a group or a prefix list only when it is set by this call.
            _modify(aws, id_, inputs)
    return id_


def _modify(aws: Aws, id_: str, inputs: Props) -> None:
    ends = {
        "CidrIpv4": inputs.get("cidrIpv4"),
        "CidrIpv6": inputs.get("cidrIpv6"),
        "PrefixListId": inputs.get("prefixListId"),
        "ReferencedGroupId": inputs.get("referencedSecurityGroupId"),
    }
    rule = {
        **_protocol(inputs),
        **{name: value for name, value in ends.items() if value},
        "Description": inputs.get("description") or "",
    }
    aws.client("ec2").modify_security_group_rules(
        GroupId=inputs["securityGroupId"], SecurityGroupRules=[{"SecurityGroupRuleId": id_, "SecurityGroupRule": rule}]
    )


def _read(aws: Aws, id_: str, known: Props) -> Props | None:
    live = first(aws.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[id_])["SecurityGroupRules"])
    if live is None:
        return None
    # As in the AWS provider: the -1 that AWS answers for no ports is one of the inputs only where it was given.
    ports = {"fromPort": live["FromPort"], "toPort": live["ToPort"]}
    return {
        **{name: port for name, port in ports.items() if port != -1 or known.get(name) is not None},
        "securityGroupId": live["GroupId"],
        "ipProtocol": live["IpProtocol"],
        "cidrIpv4": live.get("CidrIpv4"),
        "cidrIpv6": live.get("CidrIpv6"),
        "prefixListId": live.get("PrefixListId"),
        "referencedSecurityGroupId": (live.get("ReferencedGroupInfo") or {}).get("GroupId"),
        "description": live.get("Description"),
        "arn": aws.arn("ec2", f"security-group-rule/{id_}"),
        "securityGroupRuleId": id_,
        "tags": as_map(live.get("Tags")),
    }


def _update(aws: Aws, id_: str, new: Props, old: Props) -> None:
    if any(new.get(name) != old.get(name) for name in ("cidrIpv4", "description", "fromPort", "ipProtocol", "toPort")):
        _modify(aws, id_, new)
    retag(aws, id_, new.get("tags"), old.get("tags"))


def _delete(aws: Aws, id_: str, _: Props, *, egress: bool) -> None:
    live = _read(aws, id_, {})
    if live:
        ec2 = aws.client("ec2")
        call = ec2.revoke_security_group_egress if egress else ec2.revoke_security_group_ingress
        call(GroupId=live["securityGroupId"], SecurityGroupRuleIds=[id_])


def _rule(inputs: Props) -> Iterator[Refusal]:
    yield from exactly_one(*_ENDS)(inputs)
    given = [name for name in ("fromPort", "toPort") if inputs.get(name) is not None]
    protocol = inputs["ipProtocol"]
    if protocol == _EVERYTHING:
        for name in given:
            yield Refusal(name, "it cannot be set with an ipProtocol of -1, which is all protocols and all ports")
    elif protocol in _PROTOCOLS and protocol not in _PORTLESS:
        for name in sorted({"fromPort", "toPort"} - set(given)):
            yield Refusal(name, f"it is required for {protocol}")
    if protocol in {"tcp", "udp"}:
        yield from _port_order(inputs.get("fromPort"), inputs.get("toPort"))


def _port_order(lowest: Any, highest: Any) -> Iterator[Refusal]:
    """Ports of TCP and UDP; those that a preview does not know yet pass."""
    if isinstance(lowest, int | float) and lowest < 0:
        yield Refusal("fromPort", f"must be at least 0, not {lowest:g}")
    if isinstance(lowest, int | float) and isinstance(highest, int | float) and highest < lowest:
        yield Refusal("toPort", f"must not be below fromPort, which is {lowest:g}, and is {highest:g}")


@dataclass(frozen=True, kw_only=True)
class _RuleKind(Kind):
    """AWS can change what a rule's end is, but not of which sort it is: another sort is another rule."""

    def change(self, old: Props, new: Props) -> Change:
        change = super().change(old, new)
        another = {name for name in _ENDS if name in change.changed and (old.get(name) is None or new.get(name) is None)}
        return Change(change.changed, tuple(sorted(another | set(change.replaces))))


def _kind(type_: str, *, egress: bool) -> Kind:
    return _RuleKind(
        type=type_,
        client="ec2",
        inputs={
            "securityGroupId": an_id("sg", required=True, replaces=True),
            "ipProtocol": text(required=True, one_of=_PROTOCOLS),
            "fromPort": number(at_least=-1, at_most=65_535),
            "toPort": number(at_least=-1, at_most=65_535),
            "cidrIpv4": text(rule=cidr_block(0, 32)),
            # moto does not change these three in a rule that exists (see gaps.py).
            "cidrIpv6": text(replaces=True, rule=ipv6_network),
            "prefixListId": an_id("pl", replaces=True),
            "referencedSecurityGroupId": an_id("sg", replaces=True),
            # EC2 API reference, IpRange: the alphabet and length of descriptions.
            "description": text(pattern=r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}"),
        },
        outputs=("arn", "securityGroupRuleId"),
        tagged=True,
        rule=_rule,
        create=partial(_create, egress=egress),
        read=_read,
        update=_update,
        delete=partial(_delete, egress=egress),
    )


INGRESS_RULE = _kind("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", egress=False)
EGRESS_RULE = _kind("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", egress=True)

KINDS = (EGRESS_RULE, INGRESS_RULE)
