"""AWS Secrets Manager: secrets, their values and policies, and passwords that it makes up."""

from __future__ import annotations

from localcloud.aws import Aws
from localcloud.fields import flag, number, text
from localcloud.kinds import Function, Kind, Props
from localcloud.resources import _policy, _tags

_RECOVERY = 30
# The key of Secrets Manager itself, which a secret without a key of its own is encrypted with.
_OWN_KEY = "alias/aws/secretsmanager"
_POLICY_SIZE = 20_480

# --- secrets -------------------------------------------------------------------------------------------------------------


def _create_secret(aws: Aws, inputs: Props) -> str:
    names = {"name": "Name", "description": "Description", "kmsKeyId": "KmsKeyId"}
    asked = {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours)}
    return str(aws.client("secretsmanager").create_secret(**asked, Tags=_tags.as_list(inputs.get("tags")))["ARN"])


def _read_secret(aws: Aws, arn: str, _: Props) -> Props | None:
    live = aws.client("secretsmanager").describe_secret(SecretId=arn)
    # One that waits for its deletion counts as deleted.
    if live.get("DeletedDate"):
        return None
    return {
        "name": live["Name"],
        "description": live.get("Description"),
        "kmsKeyId": live.get("KmsKeyId"),
        "arn": live["ARN"],
        "tags": _tags.as_map(live.get("Tags")),
    }


def _update_secret(aws: Aws, arn: str, new: Props, old: Props) -> None:
    secrets = aws.client("secretsmanager")
    secrets.update_secret(SecretId=arn, Description=new.get("description") or "", KmsKeyId=new.get("kmsKeyId") or _OWN_KEY)
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: secrets.tag_resource(SecretId=arn, Tags=_tags.as_list(tags)),
        untag=lambda keys: secrets.untag_resource(SecretId=arn, TagKeys=keys),
    )


def _delete_secret(aws: Aws, arn: str, state: Props) -> None:
    secrets, days = aws.client("secretsmanager"), state.get("recoveryWindowInDays")
    if days == 0:
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    elif not secrets.describe_secret(SecretId=arn).get("DeletedDate"):
        secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=int(days or _RECOVERY))


def _is_window(days: int) -> str | None:
    """DeleteSecret, "RecoveryWindowInDays"; 0 is the AWS provider's word for "at once"."""
    return None if days == 0 or 7 <= days <= 30 else f"{days} is not 0 or from 7 to 30"


SECRET = Kind(
    type="aws:secretsmanager/secret:Secret",
    client="secretsmanager",
    inputs={
        # CreateSecret, "Name".
        "name": text(required=True, replaces=True, pattern="[A-Za-z0-9/_+=.@-]{1,512}"),
        "description": text(shape="CreateSecret.Description"),
        "kmsKeyId": text(shape="CreateSecret.KmsKeyId"),
        "recoveryWindowInDays": number(rule=_is_window),
    },
    outputs=("arn",),
    tagged=True,
    delete_first=False,
    create=_create_secret,
    read=_read_secret,
    update=_update_secret,
    delete=_delete_secret,
)

# --- values --------------------------------------------------------------------------------------------------------------

_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


def _put_value(aws: Aws, inputs: Props) -> str:
    answer = aws.client("secretsmanager").put_secret_value(SecretId=inputs["secretId"], SecretString=inputs["secretString"])
    return f"{inputs['secretId']}|{answer['VersionId']}"


def _stages(aws: Aws, secret: str, version: str) -> list[str]:
    """The labels of a version; AWS drops a version that has none whenever it likes, so it counts as deleted."""
    live = aws.client("secretsmanager").describe_secret(SecretId=secret)
    return [] if live.get("DeletedDate") else list((live.get("VersionIdsToStages") or {}).get(version) or ())


def _read_value(aws: Aws, id_: str, _: Props) -> Props | None:
    secret, version = id_.rsplit("|", 1)
    stages = _stages(aws, secret, version)
    if not stages:
        return None
    live = aws.client("secretsmanager").get_secret_value(SecretId=secret, VersionId=version)
    return {
        "secretId": secret,
        "secretString": live.get("SecretString"),
        "arn": live["ARN"],
        "secretArn": live["ARN"],
        "versionId": live["VersionId"],
        "versionStages": sorted(stages),
    }


def _delete_value(aws: Aws, id_: str, _: Props) -> None:
    secret, version = id_.rsplit("|", 1)
    # A value that was replaced keeps AWSPREVIOUS, as it does with the AWS provider; the current one has to go.
    if _CURRENT in _stages(aws, secret, version):
        secrets = aws.client("secretsmanager")
        for stage in (_CURRENT, _PREVIOUS):
            if stage in _stages(aws, secret, version):
                secrets.update_secret_version_stage(SecretId=secret, VersionStage=stage, RemoveFromVersionId=version)


SECRET_VERSION = Kind(
    type="aws:secretsmanager/secretVersion:SecretVersion",
    client="secretsmanager",
    # A version never changes: a new value is a new version, made before the old one goes.
    inputs={
        "secretId": text(required=True, replaces=True, shape="PutSecretValue.SecretId"),
        "secretString": text(secret=True, required=True, replaces=True, shape="PutSecretValue.SecretString"),
    },
    outputs=("arn", "secretArn", "versionId", "versionStages"),
    delete_first=False,
    create=_put_value,
    read=_read_value,
    delete=_delete_value,
)

# --- policies ------------------------------------------------------------------------------------------------------------


def _put_policy(aws: Aws, inputs: Props) -> str:
    public = {"BlockPublicPolicy": inputs["blockPublicPolicy"]} if "blockPublicPolicy" in inputs else {}
    aws.client("secretsmanager").put_resource_policy(SecretId=inputs["secretArn"], ResourcePolicy=inputs["policy"], **public)
    return str(inputs["secretArn"])


def _read_policy(aws: Aws, arn: str, _: Props) -> Props | None:
    live = aws.client("secretsmanager").get_resource_policy(SecretId=arn)
    return {"secretArn": live["ARN"], "policy": live["ResourcePolicy"]} if live.get("ResourcePolicy") else None


def _update_policy(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_policy(aws, new)


def _delete_policy(aws: Aws, arn: str, _: Props) -> None:
    aws.client("secretsmanager").delete_resource_policy(SecretId=arn)


SECRET_POLICY = Kind(
    type="aws:secretsmanager/secretPolicy:SecretPolicy",
    client="secretsmanager",
    inputs={
        "secretArn": text(required=True, replaces=True, pattern=r"arn:aws[a-z-]*:secretsmanager:.+"),
        # PutResourcePolicy, "ResourcePolicy".
        "policy": _policy.resource(_POLICY_SIZE, required=True),
        "blockPublicPolicy": flag(),
    },
    delete_first=False,
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)

KINDS = (SECRET, SECRET_POLICY, SECRET_VERSION)

# --- random passwords ----------------------------------------------------------------------------------------------------

_ASKED = {
    "excludeCharacters": "ExcludeCharacters",
    "excludeLowercase": "ExcludeLowercase",
    "excludeNumbers": "ExcludeNumbers",
    "excludePunctuation": "ExcludePunctuation",
    "excludeUppercase": "ExcludeUppercase",
    "includeSpace": "IncludeSpace",
    "passwordLength": "PasswordLength",
    "requireEachIncludedType": "RequireEachIncludedType",
}


def _get_random_password(aws: Aws, inputs: Props) -> Props:
    asked = {theirs: inputs[ours] for ours, theirs in _ASKED.items() if inputs.get(ours) is not None}
    answer = aws.client("secretsmanager").get_random_password(**asked)
    # The AWS provider gives the password as the id, too; an id is shown wherever somebody looks, so here it says only what it is about.
    return {**inputs, "id": f"random-password-{aws.region}", "region": aws.region, "randomPassword": answer["RandomPassword"]}


GET_RANDOM_PASSWORD = Function(
    type="aws:secretsmanager/getRandomPassword:getRandomPassword",
    client="secretsmanager",
    inputs={
        "excludeCharacters": text(shape="GetRandomPassword.ExcludeCharacters"),
        "excludeLowercase": flag(),
        "excludeNumbers": flag(),
        "excludePunctuation": flag(),
        "excludeUppercase": flag(),
        "includeSpace": flag(),
        # With each type of character at least once, a password has four or more.
        "passwordLength": number(at_least=4, shape="GetRandomPassword.PasswordLength"),
        "requireEachIncludedType": flag(),
    },
    call=_get_random_password,
)

FUNCTIONS = (GET_RANDOM_PASSWORD,)
