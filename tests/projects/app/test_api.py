"""The REST API, as API Gateway, Lambda and IAM have it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from projects.app.routes import ROUTES
from tests.projects.app.upstream import key_of, name, outputs
from tests.projects.harness import Cloud


def gateway(cloud: Cloud) -> tuple[Any, str]:
    """API Gateway's client and the id of the one API."""
    client = cloud.client("apigateway")
    [api] = client.get_rest_apis()["items"]
    return client, api["id"]


def methods(cloud: Cloud) -> dict[tuple[str, str], dict[str, Any]]:
    client, api = gateway(cloud)
    found = client.get_resources(restApiId=api, embed=["methods"])["items"]
    return {(resource["path"], verb): method for resource in found for verb, method in resource.get("resourceMethods", {}).items()}


def test_there_are_the_two_routes_and_nothing_else(staging: Cloud) -> None:
    assert set(methods(staging)) == {("/process-payment", "POST"), ("/verify-payment", "POST")}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_a_route_wants_a_key_a_valid_body_and_its_headers_and_goes_to_its_function(staging: Cloud, route: Any) -> None:
    method = methods(staging)[f"/{route.path}", "POST"]
    client, api = gateway(staging)
    validator = client.get_request_validator(restApiId=api, requestValidatorId=method["requestValidatorId"])
    assert (validator["validateRequestBody"], validator["validateRequestParameters"]) == (True, True)
    assert method["apiKeyRequired"] is True
    assert method.get("requestParameters", {}) == {f"method.request.header.{header}": True for header in route.headers}
    model = client.get_model(restApiId=api, modelName=method["requestModels"]["application/json"])
    assert json.loads(model["schema"]) == route.schema
    words = [*route.path.split("-"), "staging", "main"]
    assert (model["name"], validator["name"]) == ("".join(word.title() for word in words), name(staging, "payments"))
    integration = method["methodIntegration"]
    assert (integration["type"], integration["httpMethod"], integration["timeoutInMillis"]) == ("AWS_PROXY", "POST", 29_000)
    assert integration["uri"].endswith(f"/functions/{outputs(staging)['functionArns'][route.function.name]}/invocations")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_only_the_apis_own_route_may_call_its_function(staging: Cloud, route: Any) -> None:
    _, api = gateway(staging)
    policy = staging.client("lambda").get_policy(FunctionName=name(staging, route.function.name))["Policy"]
    [statement] = json.loads(policy)["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "lambda:InvokeFunction")
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    allowed = staging.environment.arn("execute-api", f"{api}/*/POST/{route.path}")
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": allowed}}


@pytest.mark.parametrize("function", ["payment-worker", "migrate-database"])
def test_what_has_no_route_and_no_schedule_is_called_by_whom_iam_lets(staging: Cloud, function: str) -> None:
    client = staging.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName=name(staging, function))


def test_the_stage_logs_each_request_and_no_body_and_is_traced(staging: Cloud) -> None:
    client, api = gateway(staging)
    stage = client.get_stage(restApiId=api, stageName="staging")
    [deployment] = client.get_deployments(restApiId=api)["items"]
    assert (stage["deploymentId"], stage["tracingEnabled"]) == (deployment["id"], True)
    access = stage["accessLogSettings"]
    assert access["destinationArn"] == staging.environment.arn("logs", f"log-group:/aws/apigateway/{name(staging, 'payments')}/access")
    fields = json.loads(access["format"])
    assert {"requestId", "status", "apiKeyId", "sourceIp", "latency"} <= set(fields)
    assert all(re.fullmatch(r"\$context\.[A-Za-z.]+", value) for value in fields.values())
    settings = stage["methodSettings"]["*/*"]
    assert (settings["loggingLevel"], settings["dataTraceEnabled"], settings["metricsEnabled"]) == ("INFO", False, True)


def test_the_api_key_belongs_to_the_usage_plan_of_the_stage(staging: Cloud) -> None:
    client, api = gateway(staging)
    [plan] = client.get_usage_plans()["items"]
    assert plan["apiStages"] == [{"apiId": api, "stage": "staging"}]
    [key] = client.get_usage_plan_keys(usagePlanId=plan["id"])["items"]
    [made] = client.get_api_keys(includeValues=True)["items"]
    assert (key["id"], key["type"], made["enabled"]) == (made["id"], "API_KEY", True)
    assert client.get_rest_api(restApiId=api)["apiKeySource"] == "HEADER"


def test_the_api_key_is_in_secrets_manager_too_under_the_apps_key_and_closed_to_other_environments(staging: Cloud) -> None:
    secrets, [key] = staging.client("secretsmanager"), staging.client("apigateway").get_api_keys(includeValues=True)["items"]
    about = secrets.describe_secret(SecretId=outputs(staging)["apiKeySecretArn"])
    assert about["Name"] == name(staging, "payments-api-key")
    assert about["KmsKeyId"] == key_of(staging)
    assert secrets.get_secret_value(SecretId=about["ARN"])["SecretString"] == key["value"]
    policy = json.loads(secrets.get_resource_policy(SecretId=about["ARN"])["ResourcePolicy"])
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Deny"}
    [made] = [one for one in staging.runs["app"].resources if one.type == "aws:secretsmanager/secret:Secret"]
    assert made.inputs["recoveryWindowInDays"] == 0


def test_the_gateways_own_answers_have_the_shape_of_the_services(staging: Cloud) -> None:
    client, api = gateway(staging)
    answers = {answer["responseType"]: answer for answer in client.get_gateway_responses(restApiId=api)["items"]}
    expected = "BAD_REQUEST_BODY BAD_REQUEST_PARAMETERS MISSING_AUTHENTICATION_TOKEN REQUEST_TOO_LARGE INVALID_API_KEY THROTTLED QUOTA_EXCEEDED DEFAULT_5XX"
    assert set(answers) >= set(expected.split())
    for answer in answers.values():
        body = json.loads(answer["responseTemplates"]["application/json"])
        assert set(body) == {"type", "title", "status", "correlation_id"}
        assert body["type"].startswith("urn:payments:problem:")
        assert str(body["status"]) == answer["statusCode"]
        assert body["correlation_id"] == "$context.requestId", "the service's own answers bear the same id"
        assert answer["responseParameters"] == {"gatewayresponse.header.Content-Type": "'application/problem+json'"}


def test_api_gateway_may_write_its_logs_and_nothing_else(staging: Cloud) -> None:
    client, _ = gateway(staging)
    iam, role = staging.client("iam"), name(staging, "api-logs")
    about = iam.get_role(RoleName=role)["Role"]
    assert client.get_account()["cloudwatchRoleArn"] == about["Arn"]
    assert about["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = {one["Sid"]: one for one in iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]}
    assert set(found) == {"Write", "List"}
    assert (found["List"]["Action"], found["List"]["Resource"]) == ("logs:DescribeLogGroups", "*")
    assert all(action.startswith("logs:") for action in found["Write"]["Action"])
    groups = ("/aws/apigateway/*", "API-Gateway-Execution-Logs_*")
    assert set(found["Write"]["Resource"]) == {staging.environment.arn("logs", f"log-group:{group}{rest}") for group in groups for rest in ("", ":*")}


def test_a_body_of_any_type_is_held_to_the_model(staging: Cloud) -> None:
    for method in methods(staging).values():
        assert set(method["requestModels"]) == {"application/json", "$default"}
        assert len(set(method["requestModels"].values())) == 1
