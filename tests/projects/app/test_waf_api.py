"""The firewall before the API's stage, where the page asks for one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from payments.http import LARGEST_BODY
from tests.projects.app.test_waf import acl
from tests.projects.app.upstream import deployed, outputs
from tests.projects.harness import Cloud


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cloud]:
    """An environment of functions with a firewall."""
    with deployed("pci-prod") as cloud:
        yield cloud


def stage(cloud: Cloud) -> dict[str, Any]:
    [api] = cloud.client("apigateway").get_rest_apis()["items"]
    found: dict[str, Any] = cloud.client("apigateway").get_stage(restApiId=api["id"], stageName=outputs(cloud)["apiStage"])
    return {**found, "arn": f"arn:aws:apigateway:{cloud.environment.region}::/restapis/{api['id']}/stages/{found['stageName']}"}


def test_it_stands_before_the_stage_that_the_domain_leads_to(guarded: Cloud) -> None:
    found = guarded.client("wafv2").get_web_acl_for_resource(ResourceArn=stage(guarded)["arn"])["WebACL"]
    assert found["ARN"] == acl(guarded)["ARN"] == stage(guarded)["webAclArn"]
    assert outputs(guarded)["webAclName"] == found["Name"] == "payments-prod-pci"
    [mapping] = guarded.client("apigateway").get_base_path_mappings(domainName="payments.example.com")["items"]
    assert stage(guarded)["arn"].endswith(f"/{mapping['restApiId']}/stages/{mapping['stage']}")


def test_it_limits_an_address_to_what_a_key_may_send(guarded: Cloud) -> None:
    [rule] = [rule for rule in acl(guarded)["Rules"] if "RateBasedStatement" in rule["Statement"]]
    limit = rule["Statement"]["RateBasedStatement"]
    [plan] = guarded.client("apigateway").get_usage_plans()["items"]
    assert limit["Limit"] == plan["throttle"]["rateLimit"] * limit["EvaluationWindowSec"]


def test_it_looks_at_all_of_a_body_that_the_service_takes(guarded: Cloud, fargate: Cloud) -> None:
    assert acl(guarded)["AssociationConfig"] == {"RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": f"KB_{LARGEST_BODY // 1024}"}}}
    assert not acl(fargate)["AssociationConfig"], "a load balancer has no such limit to choose"


def test_it_logs_to_a_group_of_its_own_under_the_key_for_logs(guarded: Cloud) -> None:
    found = guarded.client("wafv2").get_logging_configuration(ResourceArn=acl(guarded)["ARN"])["LoggingConfiguration"]
    [group] = guarded.client("logs").describe_log_groups(logGroupNamePrefix="aws-waf-logs-")["logGroups"]
    assert group["logGroupName"] == "aws-waf-logs-payments-prod-pci"
    assert group["kmsKeyId"] == guarded.runs["networking"].outputs["logKeyArn"]
    assert [arn.removesuffix(":*") for arn in found["LogDestinationConfigs"]] == [group["arn"].removesuffix(":*")]
    assert {field["SingleHeader"]["Name"] for field in found["RedactedFields"] if "SingleHeader" in field} >= {"authorization", "idempotency-key", "x-api-key"}
    assert {"QueryString": {}} in found["RedactedFields"]


def test_a_copys_has_names_of_its_own() -> None:
    copied = {"platform:environmentSuffix": "pci-pr42", "platform:copyOf": "pci-prod", "aws:allowedAccountIds": ["456789012345"]}
    with deployed("pci-prod", **copied) as cloud:
        assert outputs(cloud)["webAclName"] == acl(cloud)["Name"] == "payments-prod-pci-pr42"
        [group] = cloud.client("logs").describe_log_groups(logGroupNamePrefix="aws-waf-logs-")["logGroups"]
        assert group["logGroupName"] == "aws-waf-logs-payments-prod-pci-pr42"
        assert cloud.client("wafv2").get_web_acl_for_resource(ResourceArn=stage(cloud)["arn"])["WebACL"]["ARN"] == acl(cloud)["ARN"]


def test_there_is_none_where_the_page_asks_for_none(staging: Cloud) -> None:
    assert staging.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    assert outputs(staging).get("webAclName") is None
    assert "webAclArn" not in stage(staging)


def test_who_asks_too_often_is_told_so_in_the_words_of_the_api(guarded: Cloud) -> None:
    said = json.loads(acl(guarded)["CustomResponseBodies"]["too-many-requests"]["Content"])
    [api] = guarded.client("apigateway").get_rest_apis()["items"]
    answers = {one["responseType"]: one for one in guarded.client("apigateway").get_gateway_responses(restApiId=api["id"])["items"]}
    own = json.loads(answers["THROTTLED"]["responseTemplates"]["application/json"])
    assert said == {name: own[name] for name in ("type", "title", "status")}
