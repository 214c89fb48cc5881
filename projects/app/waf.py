"""The firewall before what the internet reaches: the load balancer, or the stage of the REST API."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.environment import Environment

_TOO_MANY = {"type": "urn:payments:problem:too-many-requests", "title": "Too many requests; slow down and try again", "status": 429}
_WINDOW_SECONDS = 300

# Headers that say who a client is, or with what it repeats a request. AWS WAF writes REDACTED in their place, and in that of the query string:
# the API reads none, so whatever is there, such as a card number, came by mistake.
REDACTED = ("authorization", "cookie", "idempotency-key", "x-api-key")

# As much of a body as the service takes. Before API Gateway AWS WAF looks at 16 KiB unless told otherwise, and lets the rest through unseen;
# before a load balancer it is 8 KiB, whatever one says (AWS WAF, "Oversize web request components").
_INSPECTED = "KB_32"

# AWS's groups, with those of their rules that only count here.
_MANAGED = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesCommonRuleSet": (
        # It refuses bodies above 8 KiB, however much of them is looked at. The service's own limit is higher, and it holds every body to that.
        "SizeRestrictions_BODY",
        # The clients are programs, and no rule of the API makes them name themselves.
        "NoUserAgent_HEADER",
    ),
}


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """protects: ARN of the load balancer, or of the API's stage (`of_stage`). rate_limit: requests of one address in five minutes.

    log_key_arn: encrypts the log.
    """

    protects: pulumi.Input[str]
    of_stage: bool = False
    rate_limit: int
    log_key_arn: pulumi.Input[str]


class Firewall(Component):
    """Produces an AWS WAF web ACL with a limit for each client address and AWS's rule groups, its log, and its place before balancer or stage.

    The log has no header that says who a client is, and no query string. AWS WAF itself writes the policy by which it may write to the log group
    (API reference, PutLoggingConfiguration).
    Outputs: `name`.
    """

    name: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        physical = environment.names(name)
        # AWS WAF takes no log group of another name.
        logs = LogGroup(f"{name}-firewall", environment, LogGroupArgs(log_group=f"aws-waf-logs-{physical}", key_arn=args.log_key_arn), self.child())
        acl = aws.wafv2.WebAcl(
            name,
            name=physical,
            description="Payments",
            scope="REGIONAL",
            default_action={"allow": {}},
            custom_response_bodies=[{"key": "too-many-requests", "content_type": "APPLICATION_JSON", "content": json.dumps(_TOO_MANY)}],
            rules=[_limit(args.rate_limit), *(_managed(group, counted, place) for place, (group, counted) in enumerate(_MANAGED.items(), start=1))],
            visibility_config=_seen(physical),
            association_config={"request_bodies": [{"api_gateway": {"default_size_inspection_limit": _INSPECTED}}]} if args.of_stage else None,
            opts=self.child(),
        )
        aws.wafv2.WebAclLoggingConfiguration(
            name,
            resource_arn=acl.arn,
            log_destination_configs=[logs.arn],
            redacted_fields=[*({"single_header": {"name": header}} for header in REDACTED), {"query_string": {}}],
            opts=self.child(),
        )
        aws.wafv2.WebAclAssociation(name, resource_arn=args.protects, web_acl_arn=acl.arn, opts=self.child())
        self.name = acl.name
        self.register_outputs({"name": self.name})


def _limit(requests: int) -> aws.wafv2.WebAclRuleArgsDict:
    return {
        "name": "rate-limit",
        "priority": 0,
        "action": {"block": {"custom_response": {"response_code": 429, "custom_response_body_key": "too-many-requests"}}},
        "statement": {"rate_based_statement": {"limit": requests, "aggregate_key_type": "IP", "evaluation_window_sec": _WINDOW_SECONDS}},
        "visibility_config": _seen("rate-limit"),
    }


def _managed(group: str, counted: tuple[str, ...], place: int) -> aws.wafv2.WebAclRuleArgsDict:
    return {
        "name": group,
        "priority": place,
        "override_action": {"none": {}},
        "statement": {
            "managed_rule_group_statement": {
                "vendor_name": "AWS",
                "name": group,
                "rule_action_overrides": [{"name": rule, "action_to_use": {"count": {}}} for rule in counted],
            }
        },
        "visibility_config": _seen(group),
    }


def _seen(metric: str) -> aws.wafv2.WebAclVisibilityConfigArgsDict:
    # No samples: they would have the API keys that the log's redaction keeps out of the log alone (API reference, LoggingConfiguration, "RedactedFields").
    # The log has every request, and so nothing is missed.
    return {"cloudwatch_metrics_enabled": True, "sampled_requests_enabled": False, "metric_name": metric}
