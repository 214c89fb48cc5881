"""How Lambda's API names things, and how Pulumi does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.aws import Aws
from localcloud.kinds import Props


def upper(members: Mapping[str, Any]) -> Props:
    """Pulumi's camelCase members in Lambda's PascalCase."""
    return {name[0].upper() + name[1:]: value for name, value in members.items() if value is not None and not name.startswith("__")}


def lower(members: Mapping[str, Any] | None) -> Props:
    """Lambda's PascalCase members in Pulumi's camelCase."""
    return {name[0].lower() + name[1:]: value for name, value in (members or {}).items()}


def invoke_arn(aws: Aws, function_arn: str) -> str:
    """The ARN by which API Gateway calls a function."""
    return f"arn:{aws.partition}:apigateway:{aws.region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def function_name(function: str) -> str:
    """The name of a function that is given by name or by ARN."""
    return function.split(":")[6] if function.startswith("arn:") else function.split(":", maxsplit=1)[0]


def as_asked(arn: str, asked: str | None) -> str:
    """The function as the program names it, if that is the one; the ARN otherwise."""
    return asked if asked and function_name(asked) == function_name(arn) else arn
