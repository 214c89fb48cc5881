"""What everything in RDS has in common: tags, names, the master password, the last snapshot."""

from __future__ import annotations

import json
import secrets
import string
from typing import Any

from localcloud.aws import Aws
from localcloud.kinds import Props
from localcloud.resources import _tags

IDENTIFIER = r"(?!.*--)[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
ARN = r"arn:aws[a-z-]*:{service}:.+"

# RDS's own passwords have 28 characters, none of them one that PostgreSQL or a URL would have to be told about.
_ALPHABET = string.ascii_letters + string.digits + "-_.~"
_LENGTH = 28


def live_tags(aws: Aws, arn: str) -> dict[str, str]:
    """The tags of anything in RDS."""
    return _tags.as_map(aws.client("rds").list_tags_for_resource(ResourceName=arn)["TagList"])


def retag(aws: Aws, arn: str, new: Props, old: Props) -> None:
    """Brings the tags of anything in RDS from the old inputs' to the new."""
    rds = aws.client("rds")
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: rds.add_tags_to_resource(ResourceName=arn, Tags=_tags.as_list(tags)),
        untag=lambda names: rds.remove_tags_from_resource(ResourceName=arn, TagKeys=names),
    )


def new_password(aws: Aws, secret: str, username: str) -> None:
    """Puts the master user and a password into the secret that RDS keeps; moto's says `admin`, and the same password everywhere."""
    credentials = {"username": username, "password": "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))}
    aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(credentials))


def secret_of(live: Props) -> Props:
    """What an instance or a cluster shows of its master password, in the AWS provider's names."""
    secret = live.get("MasterUserSecret")
    if not secret:
        return {"manageMasterUserPassword": False, "masterUserSecrets": []}
    shown = {"secretArn": secret["SecretArn"], "secretStatus": secret["SecretStatus"], "kmsKeyId": secret.get("KmsKeyId")}
    return {"manageMasterUserPassword": True, "masterUserSecretKmsKeyId": secret.get("KmsKeyId"), "masterUserSecrets": [shown]}


def password_changes(old: Props, new: Props) -> Props:
    """What modifies an instance or a cluster whose password is managed from now on, or no longer."""
    managed = bool(new.get("manageMasterUserPassword"))
    if bool(old.get("manageMasterUserPassword")) == managed:
        return {}
    key = {"MasterUserSecretKmsKeyId": new["masterUserSecretKmsKeyId"]} if managed and new.get("masterUserSecretKmsKeyId") else {}
    return {"ManageMasterUserPassword": managed, **key}


def keep_password(aws: Aws, live: Props, old: Props, new: Props, *, username: Any) -> None:
    """After a modification: a new secret gets a password, and one that has another key now keeps its own."""
    if not new.get("manageMasterUserPassword"):
        return
    secret, key = live["MasterUserSecret"], new.get("masterUserSecretKmsKeyId")
    if not old.get("manageMasterUserPassword"):
        new_password(aws, secret["SecretArn"], username)
    elif key not in (None, secret.get("KmsKeyId")):
        # Asked to modify the database, moto would make a second secret and leave the first.
        aws.client("secretsmanager").update_secret(SecretId=secret["SecretArn"], KmsKeyId=key)


def last_snapshot(state: Props) -> Props:
    """What a deletion says of the final snapshot."""
    skipped = bool(state.get("skipFinalSnapshot"))
    return {"SkipFinalSnapshot": skipped, **({} if skipped else {"FinalDBSnapshotIdentifier": state["finalSnapshotIdentifier"]})}
