"""Examples of AWS WAF."""

from typing import Any

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.apigateway_stages import STAGE
from tests.localcloud.examples.lb import INTERNAL


def _seen(name: str, **about: Any) -> dict[str, Any]:
    return {"cloudwatchMetricsEnabled": True, "metricName": name, "sampledRequestsEnabled": True, **about}


def _managed(name: str, priority: int, group: str, **about: Any) -> dict[str, Any]:
    statement = {"managedRuleGroupStatement": {"name": group, "vendorName": "AWS", **about}}
    return {"name": name, "priority": priority, "statement": statement, "overrideAction": {"none": {}}, "visibilityConfig": _seen(name)}


def _rate(limit: int = 2_000, **about: Any) -> dict[str, Any]:
    return {
        "name": "rate",
        "priority": 0,
        "statement": {"rateBasedStatement": {"limit": limit, "aggregateKeyType": "IP", **about}},
        "action": {"block": {"customResponse": {"responseCode": 429, "customResponseBodyKey": "slowly"}}},
        "visibilityConfig": _seen("rate"),
    }


_PLAIN_RATE = {**_rate(), "action": {"block": {}}}
_COMMON = _managed(
    "common", 1, "AWSManagedRulesCommonRuleSet", version="Version_1.4", ruleActionOverrides=[{"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}]
)
_BAD_INPUTS = _managed("bad-inputs", 2, "AWSManagedRulesKnownBadInputsRuleSet")
_ABROAD = {
    "name": "abroad",
    "priority": 3,
    "statement": {"geoMatchStatement": {"countryCodes": ["AQ", "BV"]}},
    "action": {"count": {"customRequestHandling": {"insertHeaders": [{"name": "abroad", "value": "yes"}]}}},
    "ruleLabels": [{"name": "abroad"}],
    "visibilityConfig": _seen("abroad"),
}
_SLOWLY = {"key": "slowly", "content": '{"message": "too many requests"}', "contentType": "APPLICATION_JSON"}
_ADMIN = {
    "fieldToMatch": {"uriPath": {}},
    "positionalConstraint": "STARTS_WITH",
    "searchString": "/admin",
    "textTransformations": [{"priority": 0, "type": "LOWERCASE"}],
}


def _open(aws: Aws, id_: str) -> None:
    waf = aws.client("wafv2")
    live = waf.get_web_acl(Name="payments-dev", Scope="REGIONAL", Id=id_)
    kept = {member: live["WebACL"][member] for member in ("Rules", "VisibilityConfig")}
    waf.update_web_acl(Name="payments-dev", Scope="REGIONAL", Id=id_, LockToken=live["LockToken"], DefaultAction={"Block": {}}, **kept)


WEB_ACL = Example(
    type="aws:wafv2/webAcl:WebAcl",
    inputs={
        "name": "payments-dev",
        "scope": "REGIONAL",
        "description": "In front of the payments",
        "defaultAction": {"allow": {}},
        "rules": [_rate(evaluationWindowSec=300), _COMMON, _BAD_INPUTS, _ABROAD],
        "customResponseBodies": [_SLOWLY],
        "associationConfig": {"requestBodies": [{"apiGateway": {"defaultSizeInspectionLimit": "KB_32"}}]},
        "visibilityConfig": _seen("payments-dev"),
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "description": "Only who is let in",
        "defaultAction": {"block": {"customResponse": {"responseCode": 403}}},
        "rules": [
            _rate(100, evaluationWindowSec=60, scopeDownStatement={"notStatement": {"statement": {"geoMatchStatement": {"countryCodes": ["US"]}}}}),
            {**_BAD_INPUTS, "overrideAction": {"count": {}}},
            {"name": "admin", "priority": 3, "statement": {"byteMatchStatement": _ADMIN}, "action": {"block": {}}, "visibilityConfig": _seen("admin")},
        ],
        "associationConfig": None,
        "visibilityConfig": _seen("payments", sampledRequestsEnabled=False),
        "tags": {"Environment": "prod"},
    },
    replaces={"name": "other", "scope": "CLOUDFRONT"},
    bad={
        "name": ("with space", "", "x" * 129),
        "scope": "GLOBAL",
        "defaultAction": ({}, {"allow": {}, "block": {}}, {"count": {}}, None),
        "visibilityConfig": (_seen("with space"), _seen("All"), {"metricName": "payments"}, None),
        "associationConfig": (
            {"requestBodies": [{"apiGateway": {"defaultSizeInspectionLimit": "KB_8"}}]},
            {"requestBodies": [{"apiGateway": {}}]},
            {"requestBodies": [{"loadBalancer": {"defaultSizeInspectionLimit": "KB_16"}}]},
            {"requestBodies": [{}, {}]},
        ),
        "customResponseBodies": ([{**_SLOWLY, "contentType": "TEXT_CSV"}], [{**_SLOWLY, "content": ""}]),
        "rules": (
            [{**_PLAIN_RATE, "action": {"block": {"customResponse": {"responseCode": 429, "customResponseBodyKey": "other"}}}}],
            [{**_PLAIN_RATE, "action": {"block": {"customResponse": {"responseCode": 42}}}}],
            [{**_PLAIN_RATE, "name": "with space"}],
            [_PLAIN_RATE, {**_BAD_INPUTS, "priority": 0}],
            [_PLAIN_RATE, {**_BAD_INPUTS, "name": "rate"}],
            [{name: value for name, value in _PLAIN_RATE.items() if name != "action"}],
            [{**_PLAIN_RATE, "action": {"block": {}, "count": {}}}],
            [{**_PLAIN_RATE, "overrideAction": {"none": {}}}],
            [{**_BAD_INPUTS, "action": {"block": {}}}],
            [{**_PLAIN_RATE, "statement": {}}],
            [{**_PLAIN_RATE, "statement": {**_PLAIN_RATE["statement"], "geoMatchStatement": {"countryCodes": ["US"]}}}],
            [{**_PLAIN_RATE, "statement": _rate(9)["statement"]}],
            [{**_PLAIN_RATE, "statement": _rate(2_000_000_001)["statement"]}],
            [{**_PLAIN_RATE, "statement": _rate(evaluationWindowSec=30)["statement"]}],
            [{**_PLAIN_RATE, "statement": _rate(aggregateKeyType="FORWARDED_IP")["statement"]}],
            [{**_PLAIN_RATE, "statement": _rate(aggregateKeyType="CONSTANT")["statement"]}],
            [_managed("rules", 1, "AWSManagedRulesEverything")],
            [{**_ABROAD, "statement": {"geoMatchStatement": {"countryCodes": ["usa"]}}}],
            [{name: value for name, value in _PLAIN_RATE.items() if name != "visibilityConfig"}],
        ),
        "ruleJson": "[]",
    },
    drift=_open,
    drifts="defaultAction",
)

_PLAIN = Example(
    type=WEB_ACL.type,
    inputs={"name": "plain", "scope": "REGIONAL", "defaultAction": {"block": {}}, "visibilityConfig": _seen("plain")},
    updates={
        "defaultAction": {"allow": {}},
        "rules": [_PLAIN_RATE],
        "associationConfig": {
            "requestBodies": [{"apiGateway": {"defaultSizeInspectionLimit": "KB_64"}, "cognitoUserPool": {"defaultSizeInspectionLimit": "KB_16"}}]
        },
    },
    label="as little as there can be",
)

ASSOCIATION = Example(
    type="aws:wafv2/webAclAssociation:WebAclAssociation",
    needs={"balancer": INTERNAL, "acl": _PLAIN},
    inputs={"webAclArn": Ref("acl", "arn"), "resourceArn": Ref("balancer", "arn")},
    replaces={
        "webAclArn": "arn:aws:wafv2:us-east-1:345678901234:regional/webacl/other/1",
        "resourceArn": "arn:aws:apigateway:us-east-1::/restapis/a1b2c3/stages/dev",
    },
    bad={
        "webAclArn": ("plain", "arn:aws:wafv2:us-east-1:345678901234:global/webacl/plain/1", None),
        "resourceArn": ("arn:aws:elasticloadbalancing:us-east-1:345678901234:loadbalancer/net/a/b", "arn:aws:s3:::bucket"),
    },
)

# With a hyphen in its name, as a copy's has.
ASSOCIATION_OF_STAGE = Example(
    type=ASSOCIATION.type,
    label="of a stage",
    needs={**STAGE.needs, "stage": STAGE, "acl": _PLAIN},
    inputs={"webAclArn": Ref("acl", "arn"), "resourceArn": Ref("stage", "arn")},
    bad={
        "resourceArn": (
            "arn:aws:apigateway:us-east-1::/restapis/a1b2c3",
            "arn:aws:apigateway:us-east-1:345678901234:/restapis/a1b2c3/stages/dev",
            "arn:aws:apigateway:us-east-1::/apis/a1b2c3/stages/dev",
        )
    },
)

_GROUP = Example(type="aws:cloudwatch/logGroup:LogGroup", inputs={"name": "aws-waf-logs-payments-dev"})


def _unredact(aws: Aws, arn: str) -> None:
    waf = aws.client("wafv2")
    live = waf.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"]
    waf.put_logging_configuration(LoggingConfiguration={**live, "RedactedFields": []})


LOGGING = Example(
    type="aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
    needs={"acl": _PLAIN, "group": _GROUP},
    inputs={
        "resourceArn": Ref("acl", "arn"),
        "logDestinationConfigs": [Ref("group", "arn")],
        "redactedFields": [{"singleHeader": {"name": "x-api-key"}}, {"singleHeader": {"name": "authorization"}}, {"queryString": {}}],
        "loggingFilter": {
            "defaultBehavior": "DROP",
            "filters": [
                {
                    "behavior": "KEEP",
                    "requirement": "MEETS_ANY",
                    "conditions": [{"actionCondition": {"action": "BLOCK"}}, {"labelNameCondition": {"labelName": "awswaf:345678901234:webacl:plain:abroad"}}],
                }
            ],
        },
    },
    updates={"redactedFields": [{"uriPath": {}}, {"method": {}}], "loggingFilter": None},
    replaces={"resourceArn": "arn:aws:wafv2:us-east-1:345678901234:regional/webacl/other/1", "logDestinationConfigs": ["arn:aws:s3:::aws-waf-logs-other"]},
    bad={
        "resourceArn": ("plain", None),
        "logDestinationConfigs": (
            [],
            ["arn:aws:logs:us-east-1:345678901234:log-group:payments"],
            ["arn:aws:logs:us-east-1:345678901234:log-group:aws-waf-logs-a:*"],
            ["arn:aws:s3:::aws-waf-logs-a", "arn:aws:s3:::aws-waf-logs-b"],
        ),
        "redactedFields": ([{}], [{"method": {}, "uriPath": {}}], [{"body": {}}], [{"singleHeader": {"name": "X-Api-Key"}}]),
        "loggingFilter": ({"defaultBehavior": "DROP"}, {"defaultBehavior": "SKIP", "filters": []}),
        "destination": "x",
    },
    drift=_unredact,
    drifts="redactedFields",
)

EXAMPLES = (WEB_ACL, _PLAIN, ASSOCIATION, ASSOCIATION_OF_STAGE, LOGGING)
