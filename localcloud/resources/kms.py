"""AWS KMS: keys and their aliases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Refusal, flag, number, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _policy, _tags

# KMS developer guide, "Quotas": a key policy document has at most 32 KB.
_KEY_POLICY = 32_768
_WINDOW = 30
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_USAGE = "ENCRYPT_DECRYPT"


def _create_key(aws: Aws, inputs: Props) -> str:
    kms = aws.client("kms")
    names = {
        "description": "Description",
        "policy": "Policy",
        "customerMasterKeySpec": "KeySpec",
        "multiRegion": "MultiRegion",
        "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
    }
    asked = {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours) is not None}
    # moto, unlike AWS, knows no default for the usage.
    usage = inputs.get("keyUsage") or _USAGE
    tags = _tags.as_list(inputs.get("tags"), "TagKey", "TagValue")
    id_ = str(kms.create_key(**asked, KeyUsage=usage, Tags=tags)["KeyMetadata"]["KeyId"])
    with made(id_):
        _rotate(kms, id_, inputs)
        if inputs.get("isEnabled") is False:
            kms.disable_key(KeyId=id_)
    return id_


def _rotate(kms: Any, id_: str, inputs: Props) -> None:
    if inputs.get("enableKeyRotation"):
        period = inputs.get("rotationPeriodInDays")
        kms.enable_key_rotation(KeyId=id_, **({"RotationPeriodInDays": int(period)} if period else {}))


def _live_key(kms: Any, id_: str) -> dict[str, Any] | None:
    """The key's metadata; None for one that waits for its deletion, which counts as deleted."""
    live: dict[str, Any] = kms.describe_key(KeyId=id_)["KeyMetadata"]
    return None if live["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion") else live


def _read_key(aws: Aws, id_: str, _: Props) -> Props | None:
    kms = aws.client("kms")
    live = _live_key(kms, id_)
    if live is None:
        return None
    return {
        "description": live.get("Description"),
        "keyUsage": live["KeyUsage"],
        "customerMasterKeySpec": live["KeySpec"],
        "multiRegion": bool(live.get("MultiRegion")),
        "isEnabled": live["Enabled"],
        "enableKeyRotation": kms.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"],
        "policy": kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"],
        "arn": live["Arn"],
        "keyId": live["KeyId"],
        "tags": _tags.as_map(kms.list_resource_tags(KeyId=id_).get("Tags"), "TagKey", "TagValue"),
    }


def _update_key(aws: Aws, id_: str, new: Props, old: Props) -> None:
    kms = aws.client("kms")
    enabled = new.get("isEnabled") is not False
    # A disabled key cannot be changed: AWS wants it enabled first, and disabled last.
    if enabled and old.get("isEnabled") is False:
        kms.enable_key(KeyId=id_)
    if new.get("enableKeyRotation"):
        _rotate(kms, id_, new)
    elif old.get("enableKeyRotation"):
        kms.disable_key_rotation(KeyId=id_)
    kms.update_key_description(KeyId=id_, Description=new.get("description") or "")
    # A policy that is no longer asked for stays, as with the AWS provider: a key cannot be without one.
    if new.get("policy"):
        bypass = bool(new.get("bypassPolicyLockoutSafetyCheck"))
        kms.put_key_policy(KeyId=id_, PolicyName="default", Policy=new["policy"], BypassPolicyLockoutSafetyCheck=bypass)
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: kms.tag_resource(KeyId=id_, Tags=_tags.as_list(tags, "TagKey", "TagValue")),
        untag=lambda keys: kms.untag_resource(KeyId=id_, TagKeys=keys),
    )
    if not enabled:
        kms.disable_key(KeyId=id_)


def _delete_key(aws: Aws, id_: str, state: Props) -> None:
    kms = aws.client("kms")
    if _live_key(kms, id_):
        kms.schedule_key_deletion(KeyId=id_, PendingWindowInDays=int(state.get("deletionWindowInDays") or _WINDOW))


def _key_rule(inputs: Props) -> Iterator[Refusal]:
    spec, usage = inputs.get("customerMasterKeySpec") or _SYMMETRIC, inputs.get("keyUsage") or _USAGE
    if inputs.get("rotationPeriodInDays") is not None and not inputs.get("enableKeyRotation"):
        yield Refusal("rotationPeriodInDays", "it needs enableKeyRotation")
    if UNKNOWN in (spec, usage):
        return
    # KMS developer guide, "Rotating keys": only symmetric encryption keys rotate by themselves.
    if inputs.get("enableKeyRotation") and spec != _SYMMETRIC:
        yield Refusal("enableKeyRotation", f"AWS rotates keys of spec {_SYMMETRIC} only, not {spec}")
    if (spec == _SYMMETRIC and usage != _USAGE) or (spec.startswith("HMAC_") != (usage == "GENERATE_VERIFY_MAC")):
        yield Refusal("keyUsage", f"a key of spec {spec} cannot be used for {usage}")


KEY = Kind(
    type="aws:kms/key:Key",
    client="kms",
    inputs={
        "description": text(shape="CreateKey.Description"),
        "policy": _policy.resource(_KEY_POLICY),
        "enableKeyRotation": flag(),
        "rotationPeriodInDays": number(shape="EnableKeyRotation.RotationPeriodInDays"),
        # ScheduleKeyDeletion, "PendingWindowInDays"; botocore has 1 to 365.
        "deletionWindowInDays": number(at_least=7, at_most=30),
        "keyUsage": text(replaces=True, shape="CreateKey.KeyUsage"),
        "customerMasterKeySpec": text(replaces=True, shape="CreateKey.KeySpec"),
        "multiRegion": flag(replaces=True),
        "isEnabled": flag(),
        "bypassPolicyLockoutSafetyCheck": flag(),
    },
    outputs=("arn", "keyId"),
    tagged=True,
    delete_first=False,
    create=_create_key,
    read=_read_key,
    update=_update_key,
    delete=_delete_key,
    rule=_key_rule,
)


def _create_alias(aws: Aws, inputs: Props) -> str:
    aws.client("kms").create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
    return str(inputs["name"])


def _read_alias(aws: Aws, name: str, known: Props) -> Props | None:
    kms = aws.client("kms")
    aliases = (alias for page in kms.get_paginator("list_aliases").paginate() for alias in page["Aliases"])
    live = next((alias for alias in aliases if alias["AliasName"] == name), None)
    if live is None:
        return None
    arn: str = live["AliasArn"]
    key_arn = f"{arn.removesuffix(name)}key/{live['TargetKeyId']}"
    # The key may be named by its ARN or by its id; AWS answers the id, and the AWS provider takes both for the same.
    by_arn = str(known.get("targetKeyId") or "").startswith("arn:")
    return {"name": name, "targetKeyId": key_arn if by_arn else live["TargetKeyId"], "targetKeyArn": key_arn, "arn": arn}


def _update_alias(aws: Aws, name: str, new: Props, _: Props) -> None:
    aws.client("kms").update_alias(AliasName=name, TargetKeyId=new["targetKeyId"])


def _delete_alias(aws: Aws, name: str, _: Props) -> None:
    aws.client("kms").delete_alias(AliasName=name)


ALIAS = Kind(
    type="aws:kms/alias:Alias",
    client="kms",
    inputs={
        # CreateAlias, "AliasName": alias/aws/ is kept for AWS's own keys.
        "name": text(required=True, replaces=True, at_most=256, pattern=r"alias/(?!aws/)[a-zA-Z0-9/_-]+"),
        "targetKeyId": text(required=True, shape="CreateAlias.TargetKeyId"),
    },
    outputs=("arn", "targetKeyArn"),
    delete_first=False,
    create=_create_alias,
    read=_read_alias,
    update=_update_alias,
    delete=_delete_alias,
)

KINDS = (KEY, ALIAS)
