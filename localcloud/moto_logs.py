"""moto's CloudWatch Logs with the data protection policies that it lacks: each is kept with its log group, and goes with it."""

from __future__ import annotations

import json
from typing import Any

from moto.logs import responses
from moto.logs.exceptions import ResourceNotFoundException

_POLICY = "_localcloud_data_protection"


def complete() -> None:
    """Gives moto's CloudWatch Logs the calls below."""
    service: Any = responses.LogsResponse
    for call in (put_data_protection_policy, get_data_protection_policy, delete_data_protection_policy):
        setattr(service, call.__name__, call)


def _group(response: Any) -> Any:
    """The log group that a call names, or whose ARN it gives."""
    name = str(response._get_param("logGroupIdentifier"))  # noqa: SLF001 - how moto's responses read what they were sent
    if name.startswith("arn:"):
        name = name.split(":log-group:", 1)[-1].removesuffix(":*")
    groups: dict[str, Any] = response.logs_backend.groups
    if name not in groups:
        raise ResourceNotFoundException
    return groups[name]


def _shown(group: Any) -> str:
    policy = getattr(group, _POLICY, None)
    return json.dumps({"logGroupIdentifier": group.name, **({"policyDocument": policy} if policy else {})})


def put_data_protection_policy(response: Any) -> str:
    """PutDataProtectionPolicy."""
    group = _group(response)
    setattr(group, _POLICY, response._get_param("policyDocument"))  # noqa: SLF001
    return _shown(group)


def get_data_protection_policy(response: Any) -> str:
    """GetDataProtectionPolicy; without a document where there is none."""
    return _shown(_group(response))


def delete_data_protection_policy(response: Any) -> str:
    """DeleteDataProtectionPolicy."""
    setattr(_group(response), _POLICY, None)
    return ""
