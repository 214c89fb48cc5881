"""The secrets of a container, as ECS reads them when it starts a task."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.aws import Aws
from localcloud.serve.containers import Container
from localcloud.serve.model import ServeError

# arn:aws:secretsmanager:region:account:secret:name
_PARTS = 7


class SecretValues:
    """Reads what `secrets` of container definitions name ("Pass Secrets Manager secrets through Amazon ECS environment variables")."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def of(self, container: Container) -> dict[str, str]:
        """The values by variable; raises ServeError, without any value, where one cannot be had."""
        return {variable: self._value(source, f"{container.definition}, variable {variable}") for variable, source in container.secrets.items()}

    def _value(self, source: str, of: str) -> str:
        try:
            if ":secretsmanager:" in source:
                return self._secret(source, of)
            name = source.partition(":parameter")[2] if source.startswith("arn:") else source
            return str(self._aws.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
        except (ClientError, BotoCoreError) as error:
            raise ServeError(f"{of}: {source} cannot be read, so that no task starts: {error}") from None

    def _secret(self, source: str, of: str) -> str:
        """`<secret's ARN>[:json-key:version-stage:version-id]`."""
        parts = source.split(":")
        arn, (key, stage, version) = ":".join(parts[:_PARTS]), (*parts[_PARTS:], "", "", "")[:3]
        chosen = {name: value for name, value in (("VersionStage", stage), ("VersionId", version)) if value}
        text: str = self._aws.client("secretsmanager").get_secret_value(SecretId=arn, **chosen)["SecretString"]
        if not key:
            return text
        try:
            value: Any = json.loads(text)[key]
        except (ValueError, KeyError, TypeError):
            raise ServeError(f"{of}: the secret {arn} is no JSON object with the key {key}, so that no task starts") from None
        return value if isinstance(value, str) else json.dumps(value)
