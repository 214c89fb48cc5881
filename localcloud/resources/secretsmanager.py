"""AWS Secrets Manager: secrets and their values."""

from __future__ import annotations

from localcloud.aws import Aws
from localcloud.fields import number, text
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags

_RECOVERY = 30
# The key of Secrets Manager itself, which a secret without a key of its own is encrypted with.
_OWN_KEY = "alias/aws/secretsmanager"

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

KINDS = (SECRET, SECRET_VERSION)
