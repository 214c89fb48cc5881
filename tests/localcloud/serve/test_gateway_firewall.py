"""The web ACL before a stage: it is asked before API Gateway looks at a request."""

from __future__ import annotations

from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import SLOWLY, Api, Deployment, post

_MANAGED = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}


def test_who_sends_more_than_it_allows_is_told_so_in_its_own_words(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo")
    api.stage()
    deployment.web_acl(api.stage_arn, SLOWLY, {"Name": "common", "Statement": _MANAGED})
    service = serve()
    answers = [post(service, api, "echo") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert (answers[-1].headers["content-type"], answers[-1].json()) == ("application/json", {"status": 429})
    assert "x-amzn-RequestId" in answers[-1].headers
    assert [problem for problem in service.deployed.problems if "web ACL" in problem] == [
        "stage things/test: rule common of its web ACL is not applied here: limits of an address's requests alone are"
    ]


def test_requests_without_a_route_or_a_key_count_too(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo", apiKeyRequired=True)
    api.stage()
    deployment.web_acl(api.stage_arn, SLOWLY)
    service = serve()
    assert {post(service, api, path).status_code for path in ("echo", "nothing") for _ in range(5)} == {403}
    assert post(service, api, "echo").status_code == 429


def test_without_words_of_its_own_api_gateway_answers_and_logs_both(deployment: Deployment, api: Api, serve: Serve) -> None:
    logs = deployment.aws.client("logs")
    logs.create_log_group(logGroupName="access")
    deployment.function("echo")
    api.method("echo", "echo")
    api.stage()
    where = deployment.aws.arn("logs", "log-group:access")
    changes = {"/accessLogSettings/destinationArn": where, "/accessLogSettings/format": "$context.status $context.wafResponseCode $context.error.responseType"}
    patches = [{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
    api.client.update_stage(restApiId=api.id, stageName="test", patchOperations=patches)
    deployment.web_acl(api.stage_arn, {**SLOWLY, "Action": {"Block": {}}})
    service = serve()
    answers = [post(service, api, "echo") for _ in range(11)]
    assert (answers[-1].status_code, answers[-1].json()) == (403, {"message": "Forbidden"})
    assert answers[-1].headers["x-amzn-ErrorType"] == "ForbiddenException"
    service.stop(2.0)
    assert deployment.logged("access") == ["200 WAF_ALLOW -"] * 10 + ["403 WAF_BLOCK WAF_FILTERED"]


def test_it_may_block_what_no_rule_allows(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo")
    api.stage()
    deployment.web_acl(api.stage_arn, default={"Block": {"CustomResponse": {"ResponseCode": 404}}})
    answer = post(serve(), api, "echo")
    assert (answer.status_code, answer.text) == (404, "")
