"""IAM policy documents, built from statements that cannot say too much.

A statement names its actions one by one and its resources by ARN. The resource `*` is for the few actions that AWS gives no
resource to ("Actions, resources, and condition keys", Service Authorization Reference), and wants the reason beside it. So does an ARN
whose account or whose name begins with a wildcard, such as `arn:aws:s3:::*`: it is about every environment's resources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

from shared.outputs import as_json

Condition = Mapping[str, Mapping[str, pulumi.Input[Any]]]

# `*`, or an ARN with a wildcard before its name or at the name's beginning, where a type such as `table/` may stand before the name.
_TYPES = "alias|cluster|db|function|key|log-group|policy|repository|role|secret|table|task-definition"
_EVERYWHERE = re.compile(rf"\*|arn:([^:]*:){{0,3}}[^:]*[*?][^:]*:.*|arn:([^:]*:){{4}}(({_TYPES})[:/])?[*?].*")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy.

    sid: letters and digits. actions: `service:Action`, also with a trailing `*` within one action's name (`kms:GenerateDataKey*`); a Deny may
    have all actions of a service (`s3:*`) and of every service (`*`). not_actions: all others; for denials only, instead of `actions`.
    resources: ARNs; leave out in a trust policy. not_resources: all others; for denials only, instead of `resources`.
    because: why the resource is `*`, or one of every environment; required with it, refused without it. An Allow with it may have all of a service.
    principals: by kind (`Service`, `AWS`); for resource-based and trust policies.
    """

    sid: str
    actions: Sequence[str] = ()
    not_actions: Sequence[str] = ()
    resources: Sequence[pulumi.Input[str]] = ()
    not_resources: Sequence[str] = ()
    because: str = ""
    principals: Mapping[str, pulumi.Input[str] | Sequence[pulumi.Input[str]]] | Literal["*"] = field(default_factory=dict[str, Any])
    conditions: Condition = field(default_factory=dict[str, Any])
    effect: Literal["Allow", "Deny"] = "Allow"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]+", self.sid):
            raise ValueError(f"sid {self.sid!r} may only have letters and digits (IAM JSON policy elements: Sid)")
        if bool(self.actions) == bool(self.not_actions) or (self.not_actions and self.effect == "Allow"):
            raise ValueError(f"{self.sid}: wants actions; NotAction is for a Deny without an Action (to allow all but a few is to allow too much)")
        for action in (*self.actions, *self.not_actions):
            if not re.fullmatch(r"[a-z0-9-]+:([A-Z][A-Za-z0-9]*\*?|\*)", action) and (self.effect, action) != ("Deny", "*"):
                raise ValueError(f"{self.sid}: action {action!r} is no action of one service, such as s3:GetObject (IAM JSON policy elements: Action)")
            if self.effect == "Allow" and action.endswith(":*") and not self.because:
                raise ValueError(f"{self.sid}: action {action!r} allows everything; name the actions")
        wide = [resource for resource in self.resources if isinstance(resource, str) and _EVERYWHERE.fullmatch(resource)]
        if bool(wide) != bool(self.because) and self.effect == "Allow":
            raise ValueError(f"{self.sid}: resource {wide[0] if wide else '*'!r} goes with `because`, the reason why no narrower ARN can be named")
        if self.not_resources and (self.effect == "Allow" or self.resources):
            raise ValueError(f"{self.sid}: NotResource is for a Deny without a Resource; to allow all but a few is to allow what nobody has thought of")

    def document(self) -> dict[str, pulumi.Input[Any]]:
        """The statement in IAM's JSON form."""
        found: dict[str, pulumi.Input[Any]] = {"Sid": self.sid, "Effect": self.effect}
        if self.actions:
            found["Action"] = _one_or_many(list(self.actions))
        if self.not_actions:
            found["NotAction"] = _one_or_many(list(self.not_actions))
        if self.principals:
            found["Principal"] = self.principals if isinstance(self.principals, str) else dict(self.principals)
        if self.resources:
            found["Resource"] = _one_or_many(list(self.resources))
        if self.not_resources:
            found["NotResource"] = _one_or_many(list(self.not_resources))
        if self.conditions:
            found["Condition"] = {test: dict(keys) for test, keys in self.conditions.items()}
        return found


def policy(*statements: Statement) -> pulumi.Output[str]:
    """The JSON document of these statements."""
    document = {"Version": "2012-10-17", "Statement": [statement.document() for statement in statements]}
    return as_json(document)


# Lambda and API Gateway name no source when they assume an execution or a logging role; CloudTrail's guide says of its role for CloudWatch Logs
# that it "doesn't support the use of aws:SourceArn and aws:SourceAccount".
_WITHOUT_SOURCE = {
    "apigateway.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
}


def trust(service: str, *, account: str, arn: pulumi.Input[str] | None = None) -> pulumi.Output[str]:
    """A role's trust policy: `service` may assume it, on behalf of this account (and of `arn`) only.

    The conditions keep another account's resource from using the role through the service (AWS: "The confused deputy problem").
    Services that give neither key when they assume a role are trusted without them: `_WITHOUT_SOURCE`.
    """
    conditions: dict[str, Mapping[str, pulumi.Input[Any]]] = {}
    if service not in _WITHOUT_SOURCE:
        conditions["StringEquals"] = {"aws:SourceAccount": account}
        if arn is not None:
            conditions["ArnLike"] = {"aws:SourceArn": arn}
    return policy(Statement(sid="Assume", actions=["sts:AssumeRole"], principals={"Service": service}, conditions=conditions))


def _one_or_many(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
