"""Amazon Route 53: hosted zones and their records."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Refusal, blocks, flag, mapping, number, text, texts
from localcloud.kinds import Function, Kind, Props, made
from localcloud.resources import _tags


def _bare(name: str) -> str:
    """A domain name without the dot at its end, in lower case, and with the asterisk that Route 53 escapes."""
    return name.rstrip(".").lower().replace("\\052", "*")


# --- Zone ------------------------------------------------------------------------------------------------------------

_ZONE = "hostedzone"


def _vpc(aws: Aws, vpc: Props) -> Props:
    return {"VPCId": vpc["vpcId"], "VPCRegion": vpc.get("vpcRegion") or aws.region}


def _create_zone(aws: Aws, inputs: Props) -> str:
    client = aws.client("route53")
    vpcs = [_vpc(aws, vpc) for vpc in inputs.get("vpcs") or []]
    config = {"Comment": inputs.get("comment") or "", "PrivateZone": bool(vpcs)}
    first = {"VPC": vpcs[0]} if vpcs else {}
    zone = client.create_hosted_zone(Name=inputs["name"], CallerReference=f"pulumi-{secrets.token_hex(8)}", HostedZoneConfig=config, **first)
    id_ = str(zone["HostedZone"]["Id"]).rpartition("/")[2]
    with made(id_):
        for vpc in vpcs[1:]:
            client.associate_vpc_with_hosted_zone(HostedZoneId=id_, VPC=vpc)
        if inputs.get("tags"):
            client.change_tags_for_resource(ResourceType=_ZONE, ResourceId=id_, AddTags=_tags.as_list(inputs["tags"]))
    return id_


def _zone(aws: Aws, id_: str) -> Props:
    """What Route 53 says about a zone, in the AWS provider's names."""
    client = aws.client("route53")
    found = client.get_hosted_zone(Id=id_)
    live = found["HostedZone"]
    # A private zone has no delegation; its servers are in its own NS record. The first is the primary one (the SOA record, which moto garbles).
    own = [value["Value"] for entry in _records(aws, id_) if entry["Type"] == "NS" and entry["Name"] == live["Name"] for value in entry["ResourceRecords"]]
    servers = found.get("DelegationSet", {}).get("NameServers") or own
    return {
        "name": _bare(live["Name"]),
        "comment": live.get("Config", {}).get("Comment") or "",
        "vpcs": [{"vpcId": vpc["VPCId"], "vpcRegion": vpc["VPCRegion"]} for vpc in found.get("VPCs") or []],
        "tags": _tags.as_map(client.list_tags_for_resource(ResourceType=_ZONE, ResourceId=id_)["ResourceTagSet"]["Tags"]),
        "arn": aws.arn("route53", f"{_ZONE}/{id_}", region="", account=""),
        "nameServers": sorted(servers),
        "primaryNameServer": servers[0] if servers else "",
        "zoneId": id_,
        "callerReference": live["CallerReference"],
        "privateZone": bool(live.get("Config", {}).get("PrivateZone")),
        "resourceRecordSetCount": live["ResourceRecordSetCount"],
    }


def _read_zone(aws: Aws, id_: str, known: Props) -> Props:
    live = _zone(aws, id_)
    # Where the program names no region for a VPC, it is the provider's.
    plain = {vpc["vpcId"] for vpc in known.get("vpcs") or [] if not vpc.get("vpcRegion")}
    vpcs = [{"vpcId": vpc["vpcId"]} if vpc["vpcId"] in plain and vpc["vpcRegion"] == aws.region else vpc for vpc in live["vpcs"]]
    names = ("name", "comment", "tags", "arn", "nameServers", "primaryNameServer", "zoneId")
    return {**{name: live[name] for name in names}, "vpcs": vpcs}


def _update_zone(aws: Aws, id_: str, new: Props, old: Props) -> None:
    client = aws.client("route53")
    if new.get("comment") != old.get("comment"):
        client.update_hosted_zone_comment(Id=id_, Comment=new.get("comment") or "")
    before, after = ({vpc["vpcId"]: _vpc(aws, vpc) for vpc in props.get("vpcs") or []} for props in (old, new))
    # First the new ones: a private zone always has a VPC.
    for vpc in sorted(set(after) - set(before)):
        client.associate_vpc_with_hosted_zone(HostedZoneId=id_, VPC=after[vpc])
    for vpc in sorted(set(before) - set(after)):
        client.disassociate_vpc_from_hosted_zone(HostedZoneId=id_, VPC=before[vpc])
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: client.change_tags_for_resource(ResourceType=_ZONE, ResourceId=id_, AddTags=_tags.as_list(tags)),
        untag=lambda keys: client.change_tags_for_resource(ResourceType=_ZONE, ResourceId=id_, RemoveTagKeys=keys),
    )


def _delete_zone(aws: Aws, id_: str, state: Props) -> None:
    client = aws.client("route53")
    if state.get("forceDestroy"):
        name = client.get_hosted_zone(Id=id_)["HostedZone"]["Name"]
        others = [entry for entry in _records(aws, id_) if entry["Type"] not in {"NS", "SOA"} or entry["Name"] != name]
        changes = [{"Action": "DELETE", "ResourceRecordSet": entry} for entry in others]
        if changes:
            client.change_resource_record_sets(HostedZoneId=id_, ChangeBatch={"Changes": changes})
    client.delete_hosted_zone(Id=id_)


def _vpcs_change(inputs: Props) -> Iterator[Refusal]:
    ids = [vpc.get("vpcId") for vpc in inputs.get("vpcs") or [] if isinstance(vpc, dict) and vpc.get("vpcId") != UNKNOWN]
    if repeated := sorted({str(vpc) for vpc in ids if ids.count(vpc) > 1}):
        yield Refusal("vpcs", f"{', '.join(repeated)} is named more than once")


_LABELS = r"([A-Za-z0-9_*]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_*]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?"

ZONE = Kind(
    type="aws:route53/zone:Zone",
    client="route53",
    inputs={
        "name": text(required=True, replaces=True, at_most=255, pattern=_LABELS),
        "comment": text(shape="CreateHostedZone.HostedZoneConfig.Comment"),
        "forceDestroy": flag(),
        "vpcs": blocks({"vpcId": text(required=True, pattern="vpc-[0-9a-f]+"), "vpcRegion": text(shape="CreateHostedZone.VPC.VPCRegion")}, unordered=True),
    },
    outputs=("arn", "nameServers", "primaryNameServer", "zoneId"),
    tagged=True,
    rule=_vpcs_change,
    create=_create_zone,
    read=_read_zone,
    update=_update_zone,
    delete=_delete_zone,
)

# --- Record ----------------------------------------------------------------------------------------------------------

_QUOTED = {"TXT", "SPF"}


def _records(aws: Aws, zone: str) -> list[Props]:
    pages = aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [entry for page in pages for entry in page["ResourceRecordSets"]]


def _full_name(aws: Aws, zone: str, name: str) -> str:
    """The record's whole name: inside a program it may lack the zone's."""
    domain = _bare(aws.client("route53").get_hosted_zone(Id=zone)["HostedZone"]["Name"])
    name = _bare(name)
    if name == domain or name.endswith(f".{domain}"):
        return name
    return f"{name}.{domain}" if name else domain


def _record(aws: Aws, zone: str, name: str, type_: str) -> Props | None:
    return next((entry for entry in _records(aws, zone) if _bare(entry["Name"]) == name and entry["Type"] == type_), None)


def _record_set(aws: Aws, inputs: Props) -> Props:
    name = _full_name(aws, inputs["zoneId"], inputs["name"])
    record: Props = {"Name": f"{name}.", "Type": inputs["type"]}
    if inputs.get("aliases"):
        alias = inputs["aliases"][0]
        target = {"HostedZoneId": alias["zoneId"], "DNSName": alias["name"], "EvaluateTargetHealth": alias["evaluateTargetHealth"]}
        return {**record, "AliasTarget": target}
    quote = '"{}"'.format if inputs["type"] in _QUOTED else str
    return {**record, "TTL": inputs["ttl"], "ResourceRecords": [{"Value": quote(value)} for value in inputs["records"]]}


def _upsert(aws: Aws, inputs: Props, record: Props) -> None:
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
    aws.client("route53").change_resource_record_sets(HostedZoneId=inputs["zoneId"], ChangeBatch={"Changes": changes})


def _create_record(aws: Aws, inputs: Props) -> str:
    record = _record_set(aws, inputs)
    name = _bare(record["Name"])
    # moto takes a second record of the same name, and refuses one that was deleted before; so this is asked here, and moto told to upsert.
    if not inputs.get("allowOverwrite") and _record(aws, inputs["zoneId"], name, inputs["type"]):
        message = f"Tried to create resource record set [name='{name}.', type='{inputs['type']}'] but it already exists"
        raise ClientError({"Error": {"Code": "InvalidChangeBatch", "Message": message}}, "ChangeResourceRecordSets")
    _upsert(aws, inputs, record)
    return f"{inputs['zoneId']}_{inputs['name'].lower()}_{inputs['type']}"


def _read_record(aws: Aws, id_: str, known: Props) -> Props | None:
    zone, _, rest = id_.partition("_")
    name, _, type_ = rest.rpartition("_")
    full = _full_name(aws, zone, name)
    live = _record(aws, zone, full, type_)
    if live is None:
        return None
    asked = known.get("name")
    values = [value["Value"] for value in live.get("ResourceRecords", [])]
    return {
        "zoneId": zone,
        "name": asked if asked and asked.lower() == name else name,
        "type": live["Type"],
        "ttl": live.get("TTL"),
        "records": [value.strip('"') for value in values] if type_ in _QUOTED else values,
        "aliases": [_alias(live["AliasTarget"], known)] if live.get("AliasTarget") else [],
        "fqdn": full,
    }


def _alias(target: Props, known: Props) -> Props:
    asked = next((alias["name"] for alias in known.get("aliases") or []), None)
    name = asked if asked and _bare(asked) == _bare(target["DNSName"]) else _bare(target["DNSName"])
    return {"name": name, "zoneId": target["HostedZoneId"], "evaluateTargetHealth": target["EvaluateTargetHealth"]}


def _update_record(aws: Aws, _: str, new: Props, __: Props) -> None:
    _upsert(aws, new, _record_set(aws, new))


def _delete_record(aws: Aws, id_: str, state: Props) -> None:
    live = _read_record(aws, id_, state)
    if live is None:
        return
    # Route 53 wants the whole record that it is to delete.
    record = _record(aws, live["zoneId"], live["fqdn"], live["type"])
    changes = [{"Action": "DELETE", "ResourceRecordSet": record}]
    aws.client("route53").change_resource_record_sets(HostedZoneId=live["zoneId"], ChangeBatch={"Changes": changes})


def _record_rule(inputs: Props) -> Iterator[Refusal]:
    records, aliases = inputs.get("records"), inputs.get("aliases")
    if bool(records) == bool(aliases):
        yield Refusal("records", "give either records (with ttl) or aliases")
    elif records and inputs.get("ttl") is None:
        yield Refusal("ttl", "it is required with records")
    elif aliases and inputs.get("ttl") is not None:
        yield Refusal("ttl", "an alias has its target's")
    yield from _value_refusals(inputs["type"], records or [])


def _value_refusals(type_: str, records: list[Any]) -> Iterator[Refusal]:
    if type_ == "CNAME" and len(records) > 1:
        yield Refusal("records", "a CNAME has one value")
    version = {"A": 4, "AAAA": 6}.get(type_)
    for position, value in enumerate(records):
        if version and value != UNKNOWN and _ip_version(value) != version:
            yield Refusal(f"records[{position}]", f"{value!r} is not an IPv{version} address, which a record of type {type_} holds")


def _ip_version(value: str) -> int:
    try:
        return ipaddress.ip_address(value).version
    except ValueError:
        return 0


_SET = "ChangeResourceRecordSets.ChangeBatch.Changes.ResourceRecordSet"

RECORD = Kind(
    type="aws:route53/record:Record",
    client="route53",
    inputs={
        "zoneId": text(required=True, replaces=True),
        "name": text(required=True, replaces=True, at_most=255, pattern=rf"({_LABELS})?"),
        # The AWS provider exchanges a record of another type in place and gives it another id; here a new id is a new resource.
        # The AWS provider changes it in place, under a new id; an engine's update cannot give one here.
        "type": text(required=True, replaces=True, shape=f"{_SET}.Type"),
        "aliases": blocks({"name": text(required=True), "zoneId": text(required=True), "evaluateTargetHealth": flag(required=True)}, at_most=1),
        "allowOverwrite": flag(),
        "records": texts(text(at_most=4000), at_most=400),
        "ttl": number(shape=f"{_SET}.TTL"),
    },
    outputs=("fqdn",),
    rule=_record_rule,
    create=_create_record,
    read=_read_record,
    update=_update_record,
    delete=_delete_record,
)

# --- getZone ---------------------------------------------------------------------------------------------------------


def _get_zone(aws: Aws, asked: Props) -> Props:
    client = aws.client("route53")
    if asked.get("zoneId"):
        ids = [asked["zoneId"]]
    else:
        pages = client.get_paginator("list_hosted_zones").paginate()
        listed = [zone for page in pages for zone in page["HostedZones"]]
        ids = [zone["Id"].rpartition("/")[2] for zone in listed if _bare(zone["Name"]) == _bare(asked.get("name") or "")]
    private = bool(asked.get("privateZone") or asked.get("vpcId"))
    zones = [zone for zone in (_zone(aws, id_) for id_ in ids) if asked.get("zoneId") or _fits(zone, asked, private=private)]
    what = f"{'private' if private else 'public'} hosted zone {asked.get('name') or asked.get('zoneId')}"
    if not zones:
        raise LookupError(f"account {aws.account} has no {what}; create it, or look for another name")
    if len(zones) > 1:
        raise LookupError(f"account {aws.account} has {len(zones)} zones that fit: {what}; name the zoneId, or a vpcId or tags that only one has")
    zone = zones[0]
    vpcs = zone.pop("vpcs")
    return {
        **zone,
        "id": zone["zoneId"],
        "vpcId": asked.get("vpcId") or next((vpc["vpcId"] for vpc in vpcs), ""),
        "enableAcceleratedRecovery": False,
        "linkedServiceDescription": "",
        "linkedServicePrincipal": "",
    }


def _fits(zone: Props, asked: Props, *, private: bool) -> bool:
    return (
        zone["privateZone"] == private
        and (not asked.get("vpcId") or asked["vpcId"] in {vpc["vpcId"] for vpc in zone["vpcs"]})
        and all(zone["tags"].get(key) == value for key, value in (asked.get("tags") or {}).items())
    )


GET_ZONE = Function(
    type="aws:route53/getZone:getZone",
    client="route53",
    inputs={"name": text(), "privateZone": flag(), "tags": mapping(), "vpcId": text(), "zoneId": text()},
    call=_get_zone,
)

KINDS = (ZONE, RECORD)
FUNCTIONS = (GET_ZONE,)
