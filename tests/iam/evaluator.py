"""AWS's policy evaluation logic: whether a role's request is allowed by its own policies, its boundary, and the resource's policy.

Why not a library: `@cloud-copilot/iam-simulate` is complete and well kept, but is TypeScript under the AGPL; `principalmapper` was last released in
2022 and imports on no Python that we run; `iamspy` is an unfinished 0.0.1; `iam-ape` reports effective permissions without looking at conditions;
`policyuniverse`, `policy-sentry` and `parliament` read and lint policies, and decide nothing; moto's `iam.access_control` says itself that it lacks
resource policies and conditions; and AWS's own simulator wants an account. What the platform's policies use is small, so it is here, after the IAM
user guide: "Policy evaluation logic", "Cross-account policy evaluation logic", "IAM JSON policy elements" (Resource, Principal, Condition operators).

What is not understood is an error and never a guess: an unknown operator, element or policy variable raises UnknownError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from tests.iam.conditions import Context, UnknownError, read
from tests.iam.wildcards import action_matches, resource_matches

_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}


class Decision(Enum):
    """What becomes of a request: nobody allowed it, or somebody denied it, or neither."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicit deny"
    EXPLICIT_DENY = "explicit deny"


class Grant(Enum):
    """To whom a resource's policy gives access: nobody here, the caller's account (which decides by its own policies), the role, its session."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    SESSION = 3


def many(value: Any) -> list[Any]:
    """IAM writes a list of one without the list."""
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Caller:
    """A role that makes a request, in a session of its own."""

    role: str

    @cached_property
    def account(self) -> str:
        """The account of the role."""
        return self.role.split(":")[4]

    @cached_property
    def session(self) -> str:
        """The ARN of the session, which is the principal of the request."""
        name = self.role.rsplit("/", 1)[-1]
        return f"arn:aws:sts::{self.account}:assumed-role/{name}/session"


@dataclass(frozen=True)
class Request:
    """One call: who, what, on which resource of which account, and what AWS knows about it (the request context)."""

    caller: Caller
    action: str
    resource: str
    account: str
    context: Context


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    said: Mapping[str, Any]
    allows: bool
    actions: Sequence[str]
    other_actions: bool
    resources: Sequence[str]
    others: bool
    conditions: Sequence[Callable[[Context], bool]] = field(compare=False)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Statement:
        """The statement that IAM's JSON says; UnknownError when it uses what is not evaluated here."""
        if strange := set(said) - _ELEMENTS:
            raise UnknownError(f"{said.get('Sid')}: {', '.join(sorted(strange))} is not evaluated")
        others, other_actions = "NotResource" in said, "NotAction" in said
        resources = many(said["NotResource" if others else "Resource"])
        actions = many(said["NotAction" if other_actions else "Action"])
        return cls(said, said["Effect"] == "Allow", actions, other_actions, resources, others, read(said.get("Condition", {})))

    def is_about(self, action: str) -> bool:
        """Whether it has anything to do with an action."""
        return any(action_matches(one, action) for one in self.actions) != self.other_actions

    def applies(self, request: Request) -> bool:
        """To the request, whoever makes it."""
        if not self.is_about(request.action):
            return False
        if any(resource_matches(resource, request.resource) for resource in self.resources) == self.others:
            return False
        return all(met(request.context) for met in self.conditions)


@dataclass(frozen=True)
class Policy:
    """A policy document."""

    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, *documents: Mapping[str, Any]) -> Policy:
        """The policy of a document, or of several."""
        return cls(tuple(Statement.of(said) for document in documents for said in many(document["Statement"])))

    def denies(self, request: Request) -> bool:
        """An explicit deny."""
        return any(not one.allows and one.applies(request) and _whom(one, request.caller) is not Grant.NONE for one in self.statements)

    def allows(self, request: Request) -> bool:
        """As an identity's policy, or a boundary."""
        return any(one.allows and one.applies(request) for one in self.statements)

    def grants(self, request: Request) -> Grant:
        """As a resource's policy: the most direct of its grants."""
        found = (_whom(one, request.caller) for one in self.statements if one.allows and one.applies(request))
        return max(found, key=lambda grant: grant.value, default=Grant.NONE)


ALLOW_ALL = Policy.of({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def decide(request: Request, *, identity: Sequence[Policy], boundary: Policy | None, resource: Policy | None) -> Decision:
    """AWS's decision. `boundary` is None for a role without one, `resource` for a resource without a policy."""
    attached = [*identity, *(policy for policy in (boundary, resource) if policy is not None)]
    if any(policy.denies(request) for policy in attached):
        return Decision.EXPLICIT_DENY
    own = any(policy.allows(request) for policy in identity)
    bounded = boundary is None or boundary.allows(request)
    grant = resource.grants(request) if resource is not None else Grant.NONE
    if request.account != request.caller.account:
        # Both accounts have to allow it.
        allowed = own and bounded and grant is not Grant.NONE
    elif grant is Grant.SESSION:
        # A grant to the session itself is limited by no implicit deny.
        allowed = True
    elif grant is Grant.ROLE:
        allowed = bounded
    elif request.action.startswith("kms:"):
        # A key's policy must let its account decide, or nobody's own policies count.
        allowed = grant is Grant.ACCOUNT and own and bounded
    else:
        allowed = own and bounded
    return Decision.ALLOWED if allowed else Decision.IMPLICIT_DENY


def _whom(statement: Statement, caller: Caller) -> Grant:
    """How far a statement's principal is the caller; an identity's policy has none, and is the caller's own.

    AWS does not say whether a grant to everybody is limited by implicit denies; taken as not limited, no access is overlooked.
    """
    principal = statement.said.get("Principal", "*")
    if principal == "*":
        return Grant.SESSION
    if strange := set(principal) - {"AWS", "Service"}:
        raise UnknownError(f"principals of the kind {', '.join(sorted(strange))} are not evaluated")
    meant = {
        "*": Grant.SESSION,
        caller.session: Grant.SESSION,
        caller.role: Grant.ROLE,
        caller.account: Grant.ACCOUNT,
        f"arn:aws:iam::{caller.account}:root": Grant.ACCOUNT,
    }
    return max((meant.get(one, Grant.NONE) for one in many(principal.get("AWS", []))), key=lambda grant: grant.value, default=Grant.NONE)
