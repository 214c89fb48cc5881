"""Data protection policies of CloudWatch Logs: which sensitive data a log group finds, and masks for whoever may not see it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from localcloud.aws import Aws
from localcloud.fields import json_text, text
from localcloud.kinds import Kind, Props

# PutDataProtectionPolicy, "policyDocument".
_MOST_CHARACTERS = 30_720
_MEMBERS = {"Name", "Description", "Version", "Statement", "Configuration"}
_VERSION = "2021-06-01"
# "Types of data that you can protect": AWS's own, those of a country, and the names of one's own patterns.
_IDENTIFIER = re.compile(r"arn:aws[a-z-]*:dataprotection::aws:data-identifier/[A-Za-z]+(-[A-Z]{2})?|[A-Za-z0-9_-]{1,128}")
# "Custom data identifiers": how many, what they may be called, and of which characters their patterns are.
_MOST_CUSTOM = 10
_CUSTOM = {"Name": re.compile(r"[A-Za-z0-9_-]{1,128}"), "Regex": re.compile(r"[A-Za-z0-9_#=@/;, ^$?\[\]{}|\\*+.-]{1,200}")}


def problems(document: str) -> Iterator[str]:
    """What AWS would refuse about the document; nothing about text that is no JSON, which the field itself refuses."""
    try:
        policy = json.loads(document)
    except ValueError:
        return
    if not isinstance(policy, dict):
        yield "it must be a JSON object"
        return
    policy = cast("dict[str, Any]", policy)
    if unknown := sorted(set(policy) - _MEMBERS):
        yield f"unknown element {', '.join(unknown)}; it has {', '.join(sorted(_MEMBERS))}"
    if policy.get("Version", _VERSION) != _VERSION:
        yield f"Version is {policy['Version']!r}; it must be {_VERSION}"
    statements = policy.get("Statement")
    listed = cast("list[Any]", statements) if isinstance(statements, list) else []
    if len(listed) != 2 or not all(isinstance(each, dict) for each in listed):
        yield "it must have two statements: one that finds the data (Audit), one that masks it (Deidentify)"
        return
    audit, mask = cast("list[dict[str, Any]]", listed)
    yield from _operations(audit, mask)
    yield from _identifiers(audit.get("DataIdentifier"), mask.get("DataIdentifier"))
    custom = (policy.get("Configuration") or {}).get("CustomDataIdentifier") or []
    yield from _own_patterns(custom)
    known = {each.get("Name") for each in custom}
    named = [each for each in audit.get("DataIdentifier") or [] if isinstance(each, str) and not each.startswith("arn:")]
    yield from (f"DataIdentifier {each!r} is not among Configuration.CustomDataIdentifier" for each in named if each not in known)


def _operations(audit: dict[str, Any], mask: dict[str, Any]) -> Iterator[str]:
    if not isinstance((audit.get("Operation") or {}).get("Audit", {}).get("FindingsDestination"), dict):
        yield "Statement[0].Operation must be an Audit with a FindingsDestination, which may be empty"
    if (mask.get("Operation") or {}).get("Deidentify") != {"MaskConfig": {}}:
        yield 'Statement[1].Operation must be {"Deidentify": {"MaskConfig": {}}}'


def _identifiers(found: Any, masked: Any) -> Iterator[str]:
    if not isinstance(found, list) or not found:
        yield "Statement[0].DataIdentifier must list what is to be found"
        return
    if found != masked:
        yield "DataIdentifier must be the same in both statements"
    for each in cast("list[Any]", found):
        if not isinstance(each, str) or not _IDENTIFIER.fullmatch(each):
            yield f"DataIdentifier {each!r} is neither arn:aws:dataprotection::aws:data-identifier/<name> nor the name of a custom one"


def _own_patterns(custom: list[dict[str, Any]]) -> Iterator[str]:
    if len(custom) > _MOST_CUSTOM:
        yield f"Configuration.CustomDataIdentifier has {len(custom)} entries; AWS takes at most {_MOST_CUSTOM}"
    for each in custom:
        for member, characters in _CUSTOM.items():
            if not characters.fullmatch(str(each.get(member, ""))):
                yield f"Configuration.CustomDataIdentifier has the {member} {each.get(member)!r}, which is not {characters.pattern}"


def _rule(document: str) -> str | None:
    found = list(problems(document))
    if len(document) > _MOST_CHARACTERS:
        found.append(f"it has {len(document)} characters; AWS takes at most {_MOST_CHARACTERS}")
    return f"it is not a data protection policy that AWS takes: {'; '.join(found)}" if found else None


def _put(aws: Aws, inputs: Props) -> str:
    name = str(inputs["logGroupName"])
    aws.client("logs").put_data_protection_policy(logGroupIdentifier=name, policyDocument=inputs["policyDocument"])
    return name


def _read(aws: Aws, name: str, _: Props) -> Props | None:
    live = aws.client("logs").get_data_protection_policy(logGroupIdentifier=name)
    return {"logGroupName": name, "policyDocument": live["policyDocument"]} if live.get("policyDocument") else None


def _update(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put(aws, new)


def _delete(aws: Aws, name: str, _: Props) -> None:
    aws.client("logs").delete_data_protection_policy(logGroupIdentifier=name)


LOG_DATA_PROTECTION_POLICY = Kind(
    type="aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy",
    client="logs",
    inputs={
        "logGroupName": text(required=True, replaces=True, shape="CreateLogGroup.logGroupName"),
        "policyDocument": json_text(required=True, rule=_rule),
    },
    delete_first=False,
    create=_put,
    read=_read,
    update=_update,
    delete=_delete,
)
