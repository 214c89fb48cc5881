"""IAM's JSON policy language, as far as AWS checks a document when it is saved.

The grammar is that of the IAM user guide, "Grammar of the IAM JSON policy language". Three kinds of document differ in what a
statement must have: an identity's policy (a Resource, no Principal), a role's trust policy (a Principal, no Resource), and a
resource's own policy (a Principal; whether it names a Resource depends on the service). `identity`, `trust` and `resource`
make the field of such an input; sizes are in characters and come from each service's quotas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from localcloud.fields import Field, json_text

# IAM and STS quotas, "IAM and STS character limits"; white space does not count there.
INLINE_POLICY = 10_240
MANAGED_POLICY = 6_144
TRUST_POLICY = 2_048

_VERSIONS = ("2012-10-17", "2008-10-17")
_STATEMENT = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_PRINCIPALS = {"AWS", "CanonicalUser", "Federated", "Service"}
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
_OPERATOR = re.compile(
    r"(ForAnyValue:|ForAllValues:)?"
    r"(String(Not)?(Equals(IgnoreCase)?|Like)|Numeric(Not)?Equals|(Numeric|Date)(LessThan|GreaterThan)(Equals)?|Date(Not)?Equals"
    r"|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?|Null"
)


@dataclass(frozen=True)
class _Kind:
    """What a statement of this kind of policy must and must not have."""

    needs: tuple[str, ...]
    forbids: tuple[str, ...] = ()
    version: bool = True
    arns: bool = False
    spaces: bool = False


_IDENTITY = _Kind(needs=("Action", "Resource"), forbids=("Principal", "NotPrincipal"), arns=True)
_TRUST = _Kind(needs=("Action", "Principal"), forbids=("Resource", "NotResource"))
_RESOURCE_BASED = _Kind(needs=("Action", "Principal"), version=False, spaces=True)


def identity(at_most: int, **about: Any) -> Field:
    """A policy that is attached to a role, or kept as a managed policy; `at_most` characters without white space."""
    return json_text(rule=_rule(_IDENTITY, at_most), **about)


def trust(**about: Any) -> Field:
    """A role's trust policy: who may assume it."""
    return json_text(rule=_rule(_TRUST, TRUST_POLICY), **about)


def resource(at_most: int | None = None, **about: Any) -> Field:
    """A policy that belongs to a resource (key, bucket, queue, topic, repository); `at_most` characters."""
    return json_text(rule=_rule(_RESOURCE_BASED, at_most), **about)


def problems(document: str, kind: _Kind) -> Iterator[str]:
    """What AWS would refuse about the document; nothing about text that is no JSON, which the field itself refuses."""
    try:
        policy = json.loads(document)
    except ValueError:
        return
    if not isinstance(policy, dict):
        yield "is not a policy: it must be a JSON object"
        return
    policy = cast("dict[str, Any]", policy)
    if unknown := sorted(set(policy) - {"Version", "Id", "Statement"}):
        yield f"unknown element {', '.join(unknown)}; a policy has Version, Id and Statement"
    version = policy.get("Version")
    if (version is not None or kind.version) and version not in _VERSIONS:
        yield f"Version is {json.dumps(version)}; it must be {' or '.join(_VERSIONS)}"
    statements = _listed(policy.get("Statement"))
    if not statements:
        yield "has no Statement"
    for position, statement in enumerate(statements):
        for problem in _statement_problems(statement, kind):
            yield f"Statement[{position}]: {problem}"
    sids = [statement["Sid"] for statement in statements if isinstance(statement, dict) and statement.get("Sid")]
    if repeated := sorted({str(sid) for sid in sids if sids.count(sid) > 1}):
        yield f"Sid {', '.join(repeated)} is used more than once"


def _rule(kind: _Kind, at_most: int | None) -> Callable[[str], str | None]:
    def check(document: str) -> str | None:
        found = list(problems(document, kind))
        size = len(document) if kind is _RESOURCE_BASED else sum(not character.isspace() for character in document)
        if at_most is not None and size > at_most:
            found.append(f"has {size} characters; AWS takes at most {at_most}")
        return f"it is not a policy that AWS takes: {'; '.join(found)}" if found else None

    return check


def _listed(value: Any) -> list[Any]:
    """A list as it is; a single value as a list, which the language allows everywhere; None as the empty list."""
    if isinstance(value, list):
        return cast("list[Any]", value)
    return [] if value is None else [value]


def _statement_problems(statement: Any, kind: _Kind) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield "must be an object"
        return
    statement = cast("dict[str, Any]", statement)
    if unknown := sorted(set(statement) - _STATEMENT):
        yield f"unknown element {', '.join(unknown)}"
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"Effect is {json.dumps(statement.get('Effect'))}; it must be Allow or Deny"
    for name in ("Action", "Principal", "Resource"):
        both = [found for found in (name, f"Not{name}") if found in statement]
        if len(both) == 2:
            yield f"has both {name} and Not{name}"
        if name in kind.needs and not both:
            yield f"has neither {name} nor Not{name}"
    if forbidden := sorted(set(statement) & set(kind.forbids)):
        yield f"{', '.join(forbidden)} has no place in this kind of policy"
    yield from _sid_problems(statement.get("Sid"), kind)
    yield from _text_problems(statement, "Action", _ACTION, "service:Action")
    yield from _text_problems(statement, "Resource", _RESOURCE if kind.arns else None, "an ARN or *")
    yield from _principal_problems(statement)
    yield from _condition_problems(statement.get("Condition"))


def _sid_problems(sid: Any, kind: _Kind) -> Iterator[str]:
    if sid is not None and not isinstance(sid, str):
        yield "Sid must be a string"
    elif sid and not kind.spaces and not re.fullmatch(r"[A-Za-z0-9]*", sid):
        yield f"Sid {sid!r} may have letters and digits only"


def _text_problems(statement: dict[str, Any], name: str, pattern: re.Pattern[str] | None, shape: str) -> Iterator[str]:
    for element in (name, f"Not{name}"):
        if element not in statement:
            continue
        values = _listed(statement[element])
        if not values:
            yield f"{element} is empty"
        for value in values:
            if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
                yield f"{element} {json.dumps(value)} is not {shape}"


def _principal_problems(statement: dict[str, Any]) -> Iterator[str]:
    for element in ("Principal", "NotPrincipal"):
        principal = statement.get(element, "*")
        if principal == "*":
            continue
        if not isinstance(principal, dict) or not principal or set(principal) - _PRINCIPALS:
            yield f'{element} must be "*" or an object with {", ".join(sorted(_PRINCIPALS))}'
            continue
        for who, names in cast("dict[str, Any]", principal).items():
            if not _listed(names) or not all(isinstance(name, str) and name for name in _listed(names)):
                yield f"{element}.{who} must be a string or a list of strings"


def _condition_problems(condition: Any) -> Iterator[str]:
    if condition is None:
        return
    if not isinstance(condition, dict):
        yield "Condition must be an object"
        return
    for operator, tests in cast("dict[str, Any]", condition).items():
        if not _OPERATOR.fullmatch(operator):
            yield f"Condition has no operator {operator}"
        elif not isinstance(tests, dict) or not tests:
            yield f"Condition.{operator} must be an object of condition keys"
