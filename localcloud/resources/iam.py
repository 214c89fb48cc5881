"""AWS IAM: roles, their policies, managed policies and instance profiles."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import flag, number, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _policy, _tags

# A managed policy keeps this many versions (IAM quotas); a further one needs the oldest to go.
_VERSIONS_KEPT = 5
_DEFAULT_SESSION = 3600
# Where an account's number would stand in the ARN of a policy that AWS made.
_AWS = "aws"


def _given(inputs: Props, names: dict[str, str]) -> dict[str, Any]:
    """Those of the inputs that were given, under IAM's names."""
    return {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours) is not None}


# --- roles -------------------------------------------------------------------------------------------------------------

_ROLE = {
    "name": "RoleName",
    "path": "Path",
    "assumeRolePolicy": "AssumeRolePolicyDocument",
    "description": "Description",
    "maxSessionDuration": "MaxSessionDuration",
    "permissionsBoundary": "PermissionsBoundary",
}


def _create_role(aws: Aws, inputs: Props) -> str:
    aws.client("iam").create_role(**_given(inputs, _ROLE), Tags=_tags.as_list(inputs.get("tags")))
    return str(inputs["name"])


def _read_role(aws: Aws, name: str, _: Props) -> Props:
    live = aws.client("iam").get_role(RoleName=name)["Role"]
    return {
        "name": name,
        "path": live["Path"],
        "assumeRolePolicy": json.dumps(live["AssumeRolePolicyDocument"]),
        "description": live.get("Description"),
        "maxSessionDuration": live.get("MaxSessionDuration") or _DEFAULT_SESSION,
        "permissionsBoundary": (live.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "arn": live["Arn"],
        "createDate": live["CreateDate"].isoformat(),
        "uniqueId": live["RoleId"],
        "tags": _tags.as_map(live.get("Tags")),
    }


def _update_role(aws: Aws, name: str, new: Props, old: Props) -> None:
    iam = aws.client("iam")
    if new["assumeRolePolicy"] != old.get("assumeRolePolicy"):
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=new["assumeRolePolicy"])
    # One call sets both; what it is not given, it clears.
    iam.update_role(RoleName=name, Description=new.get("description") or "", MaxSessionDuration=new.get("maxSessionDuration") or _DEFAULT_SESSION)
    if new.get("permissionsBoundary"):
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=new["permissionsBoundary"])
    elif old.get("permissionsBoundary"):
        iam.delete_role_permissions_boundary(RoleName=name)
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: iam.tag_role(RoleName=name, Tags=_tags.as_list(tags)),
        untag=lambda keys: iam.untag_role(RoleName=name, TagKeys=keys),
    )


def _delete_role(aws: Aws, name: str, state: Props) -> None:
    iam = aws.client("iam")
    for profile in iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=name)
    # Without this flag AWS refuses to delete a role that still has policies which somebody else gave it.
    if state.get("forceDetachPolicies"):
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=inline)
    iam.delete_role(RoleName=name)


ROLE = Kind(
    type="aws:iam/role:Role",
    client="iam",
    # Inline policies and attachments are resources of their own (RolePolicy, RolePolicyAttachment); the AWS provider
    # deprecates the inputs of this type that overlap with them.
    inputs={
        "name": text(required=True, replaces=True, shape="CreateRole.RoleName"),
        "path": text(replaces=True, shape="CreateRole.Path"),
        "assumeRolePolicy": _policy.trust(required=True),
        "description": text(shape="CreateRole.Description"),
        "maxSessionDuration": number(shape="CreateRole.MaxSessionDuration"),
        "permissionsBoundary": text(shape="CreateRole.PermissionsBoundary", pattern="arn:.+"),
        "forceDetachPolicies": flag(),
    },
    outputs=("arn", "createDate", "uniqueId"),
    tagged=True,
    create=_create_role,
    read=_read_role,
    update=_update_role,
    delete=_delete_role,
)


# --- inline policies and attachments -----------------------------------------------------------------------------------


def _put_role_policy(aws: Aws, inputs: Props) -> str:
    aws.client("iam").put_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"])
    return f"{inputs['role']}:{inputs['name']}"


def _read_role_policy(aws: Aws, id_: str, _: Props) -> Props:
    role, name = id_.split(":", 1)
    live = aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)
    return {"role": role, "name": name, "policy": json.dumps(live["PolicyDocument"])}


def _update_role_policy(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_role_policy(aws, new)


def _delete_role_policy(aws: Aws, id_: str, _: Props) -> None:
    role, name = id_.split(":", 1)
    aws.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


ROLE_POLICY = Kind(
    type="aws:iam/rolePolicy:RolePolicy",
    client="iam",
    inputs={
        "role": text(required=True, replaces=True, shape="PutRolePolicy.RoleName"),
        "name": text(required=True, replaces=True, shape="PutRolePolicy.PolicyName"),
        "policy": _policy.identity(_policy.INLINE_POLICY, required=True),
    },
    delete_first=False,
    create=_put_role_policy,
    read=_read_role_policy,
    update=_update_role_policy,
    delete=_delete_role_policy,
)


def _attach(aws: Aws, inputs: Props) -> str:
    role, arn = inputs["role"], inputs["policyArn"]
    try:
        aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=arn)
    except ClientError as error:
        if f":iam::{_AWS}:policy/" not in arn or not is_missing(error):
            raise
        hint = "the local cloud has AWS's own policies only when it was started with MOTO_IAM_LOAD_MANAGED_POLICIES=true"
        raise LookupError(f"{arn} cannot be attached to {role}: {hint}") from error
    return f"{role}/{arn}"


def _read_attachment(aws: Aws, id_: str, _: Props) -> Props | None:
    role, arn = id_.split("/", 1)
    pages = aws.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
    attached = {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}
    return {"role": role, "policyArn": arn} if arn in attached else None


def _detach(aws: Aws, id_: str, _: Props) -> None:
    role, arn = id_.split("/", 1)
    aws.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)


ROLE_POLICY_ATTACHMENT = Kind(
    type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    client="iam",
    inputs={
        "role": text(required=True, replaces=True, shape="AttachRolePolicy.RoleName"),
        "policyArn": text(required=True, replaces=True, shape="AttachRolePolicy.PolicyArn", pattern="arn:.+"),
    },
    delete_first=False,
    create=_attach,
    read=_read_attachment,
    delete=_detach,
)


# --- managed policies --------------------------------------------------------------------------------------------------


def _create_policy(aws: Aws, inputs: Props) -> str:
    names = {"name": "PolicyName", "path": "Path", "policy": "PolicyDocument", "description": "Description"}
    answer = aws.client("iam").create_policy(**_given(inputs, names), Tags=_tags.as_list(inputs.get("tags")))
    return str(answer["Policy"]["Arn"])


def _read_policy(aws: Aws, arn: str, _: Props) -> Props:
    iam = aws.client("iam")
    live = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=live["DefaultVersionId"])["PolicyVersion"]
    return {
        "name": live["PolicyName"],
        "path": live["Path"],
        "description": live.get("Description"),
        "policy": json.dumps(version["Document"]),
        "arn": arn,
        "policyId": live["PolicyId"],
        "attachmentCount": live["AttachmentCount"],
        "tags": _tags.as_map(live.get("Tags")),
    }


def _old_versions(iam: Any, arn: str) -> list[str]:
    """The versions that are not in force, oldest first."""
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    return [version["VersionId"] for version in sorted(versions, key=lambda v: v["CreateDate"]) if not version["IsDefaultVersion"]]


def _update_policy(aws: Aws, arn: str, new: Props, old: Props) -> None:
    iam = aws.client("iam")
    if new["policy"] != old.get("policy"):
        previous = _old_versions(iam, arn)
        if len(previous) + 1 >= _VERSIONS_KEPT:
            iam.delete_policy_version(PolicyArn=arn, VersionId=previous[0])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=new["policy"], SetAsDefault=True)
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: iam.tag_policy(PolicyArn=arn, Tags=_tags.as_list(tags)),
        untag=lambda keys: iam.untag_policy(PolicyArn=arn, TagKeys=keys),
    )


def _delete_policy(aws: Aws, arn: str, _: Props) -> None:
    iam = aws.client("iam")
    for version in _old_versions(iam, arn):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.delete_policy(PolicyArn=arn)


POLICY = Kind(
    type="aws:iam/policy:Policy",
    client="iam",
    inputs={
        "name": text(required=True, replaces=True, shape="CreatePolicy.PolicyName"),
        "path": text(replaces=True, shape="CreatePolicy.Path"),
        "policy": _policy.identity(_policy.MANAGED_POLICY, required=True),
        "description": text(replaces=True, shape="CreatePolicy.Description"),
    },
    outputs=("arn", "policyId", "attachmentCount"),
    tagged=True,
    create=_create_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)


# --- instance profiles -------------------------------------------------------------------------------------------------


def _create_profile(aws: Aws, inputs: Props) -> str:
    iam, name = aws.client("iam"), str(inputs["name"])
    iam.create_instance_profile(**_given(inputs, {"name": "InstanceProfileName", "path": "Path"}), Tags=_tags.as_list(inputs.get("tags")))
    if inputs.get("role"):
        with made(name):
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=inputs["role"])
    return name


def _read_profile(aws: Aws, name: str, _: Props) -> Props:
    live = aws.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    return {
        "name": name,
        "path": live["Path"],
        "role": next((role["RoleName"] for role in live["Roles"]), None),
        "arn": live["Arn"],
        "createDate": live["CreateDate"].isoformat(),
        "uniqueId": live["InstanceProfileId"],
        "tags": _tags.as_map(live.get("Tags")),
    }


def _update_profile(aws: Aws, name: str, new: Props, old: Props) -> None:
    iam = aws.client("iam")
    if new.get("role") != old.get("role"):
        _empty_profile(iam, name)
        if new.get("role"):
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=new["role"])
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: iam.tag_instance_profile(InstanceProfileName=name, Tags=_tags.as_list(tags)),
        untag=lambda keys: iam.untag_instance_profile(InstanceProfileName=name, TagKeys=keys),
    )


def _empty_profile(iam: Any, name: str) -> None:
    """A profile holds one role at most, and must be empty before it takes another or goes."""
    for role in iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role["RoleName"])


def _delete_profile(aws: Aws, name: str, _: Props) -> None:
    iam = aws.client("iam")
    _empty_profile(iam, name)
    iam.delete_instance_profile(InstanceProfileName=name)


INSTANCE_PROFILE = Kind(
    type="aws:iam/instanceProfile:InstanceProfile",
    client="iam",
    inputs={
        "name": text(required=True, replaces=True, shape="CreateInstanceProfile.InstanceProfileName"),
        "path": text(replaces=True, shape="CreateInstanceProfile.Path"),
        "role": text(shape="AddRoleToInstanceProfile.RoleName"),
    },
    outputs=("arn", "createDate", "uniqueId"),
    tagged=True,
    create=_create_profile,
    read=_read_profile,
    update=_update_profile,
    delete=_delete_profile,
)

KINDS = (ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, POLICY, INSTANCE_PROFILE)
