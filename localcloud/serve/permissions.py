"""Whether a function's resource policy lets a service call it for some source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any


def allows(policy: Iterable[Mapping[str, Any]], service: str, source_arn: str) -> bool:
    """Whether a statement allows `service` (such as `events.amazonaws.com`) to invoke the function on behalf of `source_arn`."""
    return any(_allows(statement, service, source_arn) for statement in policy)


def _allows(statement: Mapping[str, Any], service: str, source_arn: str) -> bool:
    principal = statement.get("Principal")
    services = _many(principal.get("Service")) if isinstance(principal, dict) else _many(principal)
    actions = {action.lower() for action in _many(statement.get("Action"))}
    if statement.get("Effect") != "Allow" or not {service, "*"} & set(services) or not {"lambda:invokefunction", "lambda:*", "*"} & actions:
        return False
    return all(_holds(operator, values, source_arn) for operator, values in (statement.get("Condition") or {}).items())


def _holds(operator: str, values: Mapping[str, Any], source_arn: str) -> bool:
    """Whether a condition holds; one about anything but the source's ARN and account is taken not to."""
    for name, wanted in values.items():
        given = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}.get(name.lower())
        if given is None or not any(_like(pattern, given) if operator.startswith(("Arn", "StringLike")) else pattern == given for pattern in _many(wanted)):
            return False
    return True


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _many(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(value)] if isinstance(value, str) else [str(one) for one in value]
