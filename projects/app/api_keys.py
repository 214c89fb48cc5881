"""The API keys that callers of the containers need, as they need API Gateway's where functions answer."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from payments.functions import Variable
from shared.component import Component
from shared.components.secret import Kept, kept_secret
from shared.environment import Environment
from shared.outputs import as_json

MERCHANT = "payments"
"""Whose the key is: payments are kept under this name, whichever key they came with."""

# As many characters as Secrets Manager's own passwords have by default; letters and digits alone need no escape in JSON or in a shell.
_LENGTH = 32


class ApiKeys(Component):
    """Produces a secret with the API key of this generation, and one with that of the generation before, so that callers can go from one to the other.

    Secrets Manager makes the keys, and nobody has seen them. The string of each is what the container's variable wants: `{"payments": "<key>"}`.
    generation: of the page; raised by one, callers have until it is raised again to take the new key.
    key_arn: what the secrets are encrypted with.
    Outputs: `key` (the newest; secret), `secrets` (ARNs by variable), `versions` (what a service waits for).
    """

    key: pulumi.Output[str]
    secrets: Mapping[Variable, pulumi.Output[str]]
    versions: list[aws.secretsmanager.SecretVersion]

    def __init__(self, name: str, environment: Environment, *, generation: int, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        made = {Variable.API_KEYS: self._made(name, generation, key_arn)}
        if generation > 1:
            made[Variable.API_KEYS_BEFORE] = self._made(name, generation - 1, key_arn)
        # Of the version and not of the look-up, which answers another password at every deployment.
        self.key = pulumi.Output.secret(made[Variable.API_KEYS].version.secret_string.apply(lambda text: json.loads(text or "{}").get(MERCHANT)))
        self.secrets = {variable: kept.arn for variable, kept in made.items()}
        self.versions = [kept.version for kept in made.values()]
        self.register_outputs({"secrets": {variable.value: arn for variable, arn in self.secrets.items()}})

    def _made(self, name: str, generation: int, key_arn: pulumi.Input[str]) -> Kept:
        password = aws.secretsmanager.get_random_password_output(password_length=_LENGTH, exclude_punctuation=True, opts=self.look_up()).random_password
        value = as_json({MERCHANT: password})
        description = f"API key of the callers, generation {generation}"
        return kept_secret(self, f"{name}-{generation}", description=description, value=value, key_arn=key_arn, once=True)
