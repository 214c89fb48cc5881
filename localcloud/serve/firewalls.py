"""Web ACLs as they stand before load balancers and stages, as far as they are applied here: limits of an address's requests, and the default action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.aws import Aws, is_missing

# CustomResponseBody, "ContentType" (AWS WAF API reference).
_TYPES = {"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html", "APPLICATION_JSON": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer of the web ACL's own ("Custom responses for Block actions"); it goes before what the guarded resource would say."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """A rate-based rule: more than `limit` requests of one address within `window` seconds. blocks: False only counts them.

    name: with the web ACL's ARN, as addresses are counted for each of its rules. said: None where whatever is guarded answers in its own words.
    """

    name: str
    limit: int
    window: int = 300
    blocks: bool = True
    said: Said | None = None


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """A web ACL. blocked: it blocks what no rule allows, in the words of `said` if it has some."""

    arn: str
    limits: tuple[RateLimit, ...] = ()
    blocked: bool = False
    said: Said | None = None


def before(aws: Aws, arn: str, what: str, problems: list[str]) -> Firewall | None:
    """The web ACL before a resource (ARN; `what` in words); rules of it that are not applied here are added to `problems`."""
    client = aws.client("wafv2")
    try:
        acl = client.get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
    except client.exceptions.ClientError as error:
        if not is_missing(error):
            raise
        acl = None
    if not acl:
        return None
    bodies: Mapping[str, Any] = acl.get("CustomResponseBodies") or {}
    limits: list[RateLimit] = []
    for rule in sorted(acl["Rules"], key=lambda rule: rule["Priority"]):
        rate: dict[str, Any] = rule["Statement"].get("RateBasedStatement") or {}
        if not rate or rate.get("AggregateKeyType", "IP") != "IP" or rate.get("ScopeDownStatement"):
            problems.append(f"{what}: rule {rule['Name']} of its web ACL is not applied here: limits of an address's requests alone are")
            continue
        action: dict[str, Any] = rule.get("Action") or {}
        limits.append(
            RateLimit(
                name=f"{acl['ARN']} {rule['Name']}",
                limit=int(rate["Limit"]),
                window=int(rate.get("EvaluationWindowSec") or 300),
                blocks="Block" in action,
                said=_said(action.get("Block"), bodies),
            )
        )
    default: dict[str, Any] = acl["DefaultAction"]
    return Firewall(arn=acl["ARN"], limits=tuple(limits), blocked="Block" in default, said=_said(default.get("Block"), bodies))


def _said(block: Mapping[str, Any] | None, bodies: Mapping[str, Any]) -> Said | None:
    custom: Mapping[str, Any] | None = (block or {}).get("CustomResponse")
    if not custom:
        return None
    body: Mapping[str, Any] = bodies.get(custom.get("CustomResponseBodyKey") or "") or {"Content": "", "ContentType": "TEXT_PLAIN"}
    return Said(status=int(custom["ResponseCode"]), body=body["Content"], content_type=_TYPES[body["ContentType"]])
