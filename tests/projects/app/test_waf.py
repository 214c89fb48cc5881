"""The firewall before the load balancer, as AWS WAF has it; that of an API is in `test_waf_api`."""

from __future__ import annotations

import json
from typing import Any

from payments.http import LARGEST_BODY
from tests.projects.app.test_web import balancer
from tests.projects.app.upstream import outputs
from tests.projects.harness import Cloud


def acl(cloud: Cloud) -> dict[str, Any]:
    waf = cloud.client("wafv2")
    [summary] = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    found: dict[str, Any] = waf.get_web_acl(Name=summary["Name"], Id=summary["Id"], Scope="REGIONAL")["WebACL"]
    return found


def test_the_firewall_stands_before_the_load_balancer(fargate: Cloud) -> None:
    found = fargate.client("wafv2").get_web_acl_for_resource(ResourceArn=balancer(fargate)["LoadBalancerArn"])["WebACL"]
    assert (found["ARN"], found["DefaultAction"]) == (acl(fargate)["ARN"], {"Allow": {}})
    assert outputs(fargate)["webAclName"] == found["Name"] == "payment-web-prod"


def test_a_client_that_asks_too_often_is_told_so(fargate: Cloud) -> None:
    [rule] = [rule for rule in acl(fargate)["Rules"] if "RateBasedStatement" in rule["Statement"]]
    limit = rule["Statement"]["RateBasedStatement"]
    assert (limit["Limit"], limit["AggregateKeyType"], limit["EvaluationWindowSec"]) == (20_000, "IP", 300)
    answer = rule["Action"]["Block"]["CustomResponse"]
    said = acl(fargate)["CustomResponseBodies"][answer["CustomResponseBodyKey"]]
    assert (answer["ResponseCode"], said["ContentType"]) == (429, "APPLICATION_JSON")
    assert json.loads(said["Content"])["type"] == "urn:payments:problem:too-many-requests"


def test_awss_rules_refuse_known_attacks_and_let_through_what_the_service_takes(fargate: Cloud) -> None:
    groups = {
        rule["Statement"]["ManagedRuleGroupStatement"]["Name"]: rule for rule in acl(fargate)["Rules"] if "ManagedRuleGroupStatement" in rule["Statement"]
    }
    common = "AWSManagedRulesCommonRuleSet"
    assert set(groups) == {common, "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList"}
    for name, rule in groups.items():
        statement = rule["Statement"]["ManagedRuleGroupStatement"]
        assert (statement["VendorName"], rule["OverrideAction"]) == ("AWS", {"None": {}})
        counted = {override["Name"]: override["ActionToUse"] for override in statement.get("RuleActionOverrides", [])}
        assert counted == ({"SizeRestrictions_BODY": {"Count": {}}, "NoUserAgent_HEADER": {"Count": {}}} if name == common else {})
    assert LARGEST_BODY > 8 * 1024, "AWS's rule on the size of bodies would do, as it refuses those above 8 KiB"
    assert len({rule["Priority"] for rule in acl(fargate)["Rules"]}) == len(acl(fargate)["Rules"])
    for seen in (acl(fargate)["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl(fargate)["Rules"])):
        assert seen["CloudWatchMetricsEnabled"]


def test_no_request_is_kept_as_a_sample_which_would_have_its_key(fargate: Cloud) -> None:
    seen = [acl(fargate)["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl(fargate)["Rules"])]
    assert {one["SampledRequestsEnabled"] for one in seen} == {False}


def test_the_firewall_logs_each_request_without_query_string_and_headers_that_say_who_a_client_is(fargate: Cloud) -> None:
    found = fargate.client("wafv2").get_logging_configuration(ResourceArn=acl(fargate)["ARN"])["LoggingConfiguration"]
    [group] = fargate.client("logs").describe_log_groups(logGroupNamePrefix="aws-waf-logs-")["logGroups"]
    assert [arn.removesuffix(":*") for arn in found["LogDestinationConfigs"]] == [group["arn"].removesuffix(":*")]
    assert {field["SingleHeader"]["Name"] for field in found["RedactedFields"] if "SingleHeader" in field} >= {"authorization", "idempotency-key", "x-api-key"}
    assert {"QueryString": {}} in found["RedactedFields"]
    assert "LoggingFilter" not in found
