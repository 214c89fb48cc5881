"""The rules of a web ACL: what they look at, what they do, and what AWS WAF refuses about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from localcloud.fields import Field, Refusal, block, blocks, flag, number, text, texts
from localcloud.kinds import Props
from localcloud.resources._known import entries, members

# Members whose names are not those of Pulumi with a capital letter.
_NAMES = {
    "arn": "ARN",
    "cloudwatchMetricsEnabled": "CloudWatchMetricsEnabled",
    "forwardedIpConfig": "ForwardedIPConfig",
    "ipSetForwardedIpConfig": "IPSetForwardedIPConfig",
    "ipSetReferenceStatement": "IPSetReferenceStatement",
}
_BACK = {theirs: ours for ours, theirs in _NAMES.items()}

# "AWS Managed Rules rule groups list".
_MANAGED = (
    *("AWSManagedRulesCommonRuleSet", "AWSManagedRulesAdminProtectionRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"),
    *("AWSManagedRulesSQLiRuleSet", "AWSManagedRulesLinuxRuleSet", "AWSManagedRulesUnixRuleSet", "AWSManagedRulesWindowsRuleSet"),
    *("AWSManagedRulesPHPRuleSet", "AWSManagedRulesWordPressRuleSet", "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesAnonymousIpList"),
    *("AWSManagedRulesBotControlRuleSet", "AWSManagedRulesATPRuleSet", "AWSManagedRulesACFPRuleSet", "AWSManagedRulesAntiDDoSRuleSet"),
)
# A group of rules has its own actions; the rule that refers to it overrides them.
_GROUPS = ("managedRuleGroupStatement",)
_METRICS_OF_WAF = ("All", "Default_Action")


def to_aws(value: Any) -> Any:
    """Pulumi's objects as AWS's."""
    if isinstance(value, dict):
        return {_NAMES.get(name, name[:1].upper() + name[1:]): to_aws(entry) for name, entry in cast("Props", value).items() if entry is not None}
    return [to_aws(entry) for entry in cast("list[Any]", value)] if isinstance(value, list) else value


def from_aws(value: Any) -> Any:
    """AWS's objects as Pulumi's."""
    if isinstance(value, dict):
        return {_BACK.get(name, name[:1].lower() + name[1:]): from_aws(entry) for name, entry in cast("Props", value).items() if entry is not None}
    if isinstance(value, bytes):
        return value.decode()
    return [from_aws(entry) for entry in cast("list[Any]", value)] if isinstance(value, list) else value


# --- inputs ----------------------------------------------------------------------------------------------------------

_RULE = "CreateWebACL.Rules"
_HEADERS = {"name": text(required=True, at_least=1, at_most=64), "value": text(required=True, at_least=1, at_most=255)}
_REQUEST = {"customRequestHandling": block({"insertHeaders": blocks(_HEADERS, required=True, at_least=1)})}
_ALLOW = block(_REQUEST, marks=True)
_BLOCK = block(
    {
        "customResponse": block(
            {
                # "Supported status codes for custom responses".
                "responseCode": number(required=True, at_least=200, at_most=599),
                "customResponseBodyKey": text(shape=f"{_RULE}.Action.Block.CustomResponse.CustomResponseBodyKey"),
                "responseHeaders": blocks(_HEADERS, unordered=True),
            }
        )
    },
    marks=True,
)
DEFAULT_ACTION = block({"allow": _ALLOW, "block": _BLOCK}, required=True)
_ACTIONS = {"allow": _ALLOW, "block": _BLOCK, **dict.fromkeys(("captcha", "challenge", "count"), block(_REQUEST, marks=True))}

VISIBILITY = block(
    {
        "cloudwatchMetricsEnabled": flag(required=True),
        "metricName": text(
            required=True,
            shape="CreateWebACL.VisibilityConfig.MetricName",
            rule=lambda name: f"{name} is a metric of AWS WAF's own" if name in _METRICS_OF_WAF else None,
        ),
        "sampledRequestsEnabled": flag(required=True),
    },
    required=True,
)

_HEADER = text(required=True, shape=f"{_RULE}.Statement.GeoMatchStatement.ForwardedIPConfig.HeaderName")
_FALLBACK = text(required=True, shape=f"{_RULE}.Statement.GeoMatchStatement.ForwardedIPConfig.FallbackBehavior")
_FORWARDED = block({"fallbackBehavior": _FALLBACK, "headerName": _HEADER})
_EMPTY = block({}, marks=True)
_FIELD = {"method": _EMPTY, "queryString": _EMPTY, "singleHeader": block({"name": text(required=True, at_least=1)}), "uriPath": _EMPTY}
_MATCH = {
    "byteMatchStatement": block(
        {
            "fieldToMatch": block(_FIELD),
            "positionalConstraint": text(required=True, shape=f"{_RULE}.Statement.ByteMatchStatement.PositionalConstraint"),
            "searchString": text(required=True, at_least=1, at_most=200),
            "textTransformations": blocks(
                {
                    "priority": number(required=True, at_least=0),
                    "type": text(required=True, shape=f"{_RULE}.Statement.ByteMatchStatement.TextTransformations.Type"),
                },
                required=True,
                at_least=1,
            ),
        }
    ),
    "geoMatchStatement": block({"countryCodes": texts(text(pattern="[A-Z]{2}"), unordered=False, required=True, at_least=1), "forwardedIpConfig": _FORWARDED}),
    "ipSetReferenceStatement": block(
        {
            "arn": text(required=True, pattern=r"arn:aws[a-z-]*:wafv2:.+/ipset/.+"),
            "ipSetForwardedIpConfig": block(
                {
                    "fallbackBehavior": _FALLBACK,
                    "headerName": _HEADER,
                    "position": text(required=True, shape=f"{_RULE}.Statement.IPSetReferenceStatement.IPSetForwardedIPConfig.Position"),
                }
            ),
        }
    ),
    "labelMatchStatement": block(
        {
            "key": text(required=True, shape=f"{_RULE}.Statement.LabelMatchStatement.Key"),
            "scope": text(required=True, shape=f"{_RULE}.Statement.LabelMatchStatement.Scope"),
        }
    ),
}


def _nested() -> Mapping[str, Field]:
    """What a statement may be narrowed by: a match, or anything but a match."""
    return {**_MATCH, "notStatement": block({"statement": block(_MATCH, required=True)})}


_STATEMENT = {
    **_MATCH,
    "managedRuleGroupStatement": block(
        {
            "name": text(required=True, shape=f"{_RULE}.Statement.ManagedRuleGroupStatement.Name"),
            "vendorName": text(required=True, shape=f"{_RULE}.Statement.ManagedRuleGroupStatement.VendorName"),
            "version": text(shape=f"{_RULE}.Statement.ManagedRuleGroupStatement.Version"),
            "ruleActionOverrides": blocks({"name": text(required=True, at_least=1), "actionToUse": block(_ACTIONS, required=True)}, at_most=100),
            "scopeDownStatement": block(_nested()),
        }
    ),
    "rateBasedStatement": block(
        {
            # Requests of one aggregate within the window; "Rate-based rule high-level settings".
            "limit": number(required=True, at_least=10, at_most=2_000_000_000),
            "aggregateKeyType": text(required=True, one_of=("IP", "FORWARDED_IP", "CONSTANT")),
            "evaluationWindowSec": number(one_of=(60, 120, 300, 600)),
            "forwardedIpConfig": _FORWARDED,
            "scopeDownStatement": block(_nested()),
        }
    ),
}

RULES = blocks(
    {
        "name": text(required=True, shape=f"{_RULE}.Name"),
        "priority": number(required=True, at_least=0),
        "statement": block(_STATEMENT, required=True),
        "action": block(_ACTIONS),
        "overrideAction": block({"count": _EMPTY, "none": _EMPTY}),
        "ruleLabels": blocks({"name": text(required=True, shape=f"{_RULE}.RuleLabels.Name")}, unordered=True),
        "visibilityConfig": VISIBILITY,
    },
    unordered=True,
)


# --- checks ----------------------------------------------------------------------------------------------------------


def refusals(inputs: Props) -> Iterator[Refusal]:
    """The checks across a web ACL's inputs."""
    bodies = [body.get("key") for body in entries(inputs.get("customResponseBodies"))]
    yield from _one_of("defaultAction", inputs.get("defaultAction"), ("allow", "block"))
    yield from _body("defaultAction", members(inputs.get("defaultAction")), bodies)
    seen: dict[str, list[Any]] = {"name": [], "priority": []}
    for position, rule in enumerate(entries(inputs.get("rules"))):
        at = f"rules[{position}]"
        for name, before in seen.items():
            if rule.get(name) in before:
                yield Refusal(f"{at}.{name}", f"{rule[name]} is that of another rule, too")
            before.append(rule.get(name))
        yield from _rule(at, rule)
        yield from _body(f"{at}.action", members(rule.get("action")), bodies)


def _one_of(at: str, value: Any, names: tuple[str, ...]) -> Iterator[Refusal]:
    if isinstance(value, dict):
        found = [name for name in names if cast("Props", value).get(name) is not None]
        if len(found) != 1:
            yield Refusal(at, f"must have one of {', '.join(names)}, not {' and '.join(found) or 'none'}")


def _rule(at: str, rule: Props) -> Iterator[Refusal]:
    statement = members(rule.get("statement"))
    yield from _one_of(f"{at}.statement", rule.get("statement"), tuple(_STATEMENT))
    yield from _one_of(f"{at}.action", rule.get("action"), tuple(_ACTIONS))
    yield from _one_of(f"{at}.overrideAction", rule.get("overrideAction"), ("count", "none"))
    of_group = any(statement.get(name) is not None for name in _GROUPS)
    wanted, other = ("overrideAction", "action") if of_group else ("action", "overrideAction")
    if statement and (rule.get(wanted) is None or rule.get(other) is not None):
        yield Refusal(f"{at}.{wanted}", f"a rule with {', '.join(statement)} has {wanted}, and no {other}")
    group = members(statement.get("managedRuleGroupStatement"))
    if group.get("vendorName") == "AWS" and isinstance(group.get("name"), str) and group["name"] not in _MANAGED:
        yield Refusal(f"{at}.statement.managedRuleGroupStatement.name", f"{group['name']} is none of AWS's: {', '.join(_MANAGED)}")
    rate = members(statement.get("rateBasedStatement"))
    if (rate.get("aggregateKeyType") == "FORWARDED_IP") != (rate.get("forwardedIpConfig") is not None):
        yield Refusal(f"{at}.statement.rateBasedStatement.forwardedIpConfig", "it goes with aggregateKeyType FORWARDED_IP, and only with it")
    if rate.get("aggregateKeyType") == "CONSTANT" and not rate.get("scopeDownStatement"):
        yield Refusal(f"{at}.statement.rateBasedStatement.scopeDownStatement", "it is required with aggregateKeyType CONSTANT")


def _body(at: str, action: Props, bodies: list[Any]) -> Iterator[Refusal]:
    key = members(members(action.get("block")).get("customResponse")).get("customResponseBodyKey")
    if key is not None and key not in bodies:
        yield Refusal(at, f"customResponseBodyKey {key} is none of customResponseBodies")
