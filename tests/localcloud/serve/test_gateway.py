"""API Gateway's front: routes, keys, limits, validation, the event of a proxy integration, and API Gateway's own answers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import Api, Deployment, post

_SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["amount"],
    "additionalProperties": False,
    "properties": {"amount": {"type": "integer", "minimum": 1}, "note": {"type": "string"}},
}

_ANSWERS = """
def handler(event, context):
    import json, time
    asked = json.loads(event["body"])
    if "sleep" in asked:
        time.sleep(asked["sleep"])
    if "fail" in asked:
        raise ValueError
    return asked["answer"]
"""


def test_a_function_gets_the_whole_event_of_a_proxy_integration(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "things", "{id}", verb="PUT", apiKeyRequired=True)
    api.stage(variables={"colour": "blue"})
    key_id, key = api.key()
    service = serve()
    assert service.urls == {"things/test": f"{service.endpoint}/{api.id}/test"}

    answer = post(
        service,
        api,
        "things/a%20b?x=1&x=2&y=",
        method="PUT",
        content='{"ä": 1}',
        headers=[("X-Api-Key", key), ("X-Many", "1"), ("X-Many", "2"), ("User-Agent", "me")],
    )
    assert answer.status_code == 200
    event = answer.json()
    assert event["resource"] == "/things/{id}"
    assert event["path"] == "/things/a b"
    assert event["httpMethod"] == "PUT"
    assert event["headers"]["X-Many"] == "2"
    assert event["multiValueHeaders"]["X-Many"] == ["1", "2"]
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert event["pathParameters"] == {"id": "a b"}
    assert event["stageVariables"] == {"colour": "blue"}
    assert (event["body"], event["isBase64Encoded"]) == ('{"ä": 1}', False)
    context = event["requestContext"]
    assert context["requestId"] == answer.headers["x-amzn-RequestId"]
    assert context["extendedRequestId"] == answer.headers["x-amz-apigw-id"]
    assert context["identity"]["apiKeyId"] == key_id
    assert context["identity"]["apiKey"] == key
    assert (context["identity"]["sourceIp"], context["identity"]["userAgent"]) == ("127.0.0.1", "me")
    assert (context["accountId"], context["apiId"], context["stage"]) == (deployment.aws.account, api.id, "test")
    assert (context["resourcePath"], context["path"]) == ("/things/{id}", "/test/things/a%20b")
    assert (context["httpMethod"], context["protocol"]) == ("PUT", "HTTP/1.1")
    assert abs(context["requestTimeEpoch"] / 1000 - time.time()) < 60


def test_what_is_not_there_is_null_in_the_event_and_bytes_are_base64(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo")
    api.stage()
    service = serve()
    event = post(service, api, "echo").json()
    assert [event[name] for name in ("body", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables")] == [None] * 5
    assert "apiKeyId" not in event["requestContext"]["identity"]
    event = post(service, api, "echo", content=b"\xff\x00", headers={"Content-Type": "image/png"}).json()
    assert (event["body"], event["isBase64Encoded"]) == (base64.b64encode(b"\xff\x00").decode(), True)


@pytest.mark.parametrize(("method", "path"), [("POST", "nothing"), ("GET", "echo"), ("POST", "echo/further"), ("POST", "")])
def test_a_route_that_is_not_there(deployment: Deployment, api: Api, serve: Serve, method: str, path: str) -> None:
    deployment.function("echo")
    api.method("echo", "echo")
    api.stage()
    answer = post(serve(), api, path, method=method)
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


def test_an_api_or_stage_that_is_not_there(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo")
    api.stage()
    service = serve()
    for path in ("", f"{api.id}", f"{api.id}/other/echo", "nothing/test/echo"):
        answer = httpx.post(f"{service.endpoint}/{path}")
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_a_route_with_a_key_takes_keys_of_its_stages_plans_alone(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo", apiKeyRequired=True)
    api.stage()
    _, key = api.key()
    _, disabled = api.key(enabled=False)
    other = api.client.create_api_key(name="of no plan", enabled=True)
    unplanned = api.client.get_api_key(apiKey=other["id"], includeValue=True)["value"]
    service = serve()
    assert post(service, api, "echo", headers={"x-api-key": key}).status_code == 200
    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": disabled}, {"x-api-key": unplanned}):
        answer = post(service, api, "echo", headers=headers)
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
        assert answer.headers["x-amzn-ErrorType"] == "ForbiddenException"


def test_a_plans_throttle_is_each_keys_own(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo", apiKeyRequired=True)
    api.stage()
    (_, one), (_, other) = (api.key(throttle={"rateLimit": 0.1, "burstLimit": 2}) for _ in range(2))
    service = serve()
    answers = [post(service, api, "echo", headers={"x-api-key": one}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {"message": "Too Many Requests"}
    assert answers[2].headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert post(service, api, "echo", headers={"x-api-key": other}).status_code == 200


def test_a_stages_throttle_is_for_all_clients_together(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo")
    api.stage()
    settings = {"/*/*/throttling/rateLimit": "0.1", "/*/*/throttling/burstLimit": "1"}
    patch = [{"op": "replace", "path": path, "value": value} for path, value in settings.items()]
    api.client.update_stage(restApiId=api.id, stageName="test", patchOperations=patch)
    service = serve()
    assert [post(service, api, "echo").status_code for _ in range(2)] == [200, 429]


def test_a_plans_quota(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "echo", apiKeyRequired=True)
    api.stage()
    _, key = api.key(quota={"limit": 2, "period": "MONTH"})
    service = serve()
    answers = [post(service, api, "echo", headers={"x-api-key": key}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {"message": "Limit Exceeded"}
    assert answers[2].headers["x-amzn-ErrorType"] == "LimitExceededException"


def test_a_body_must_fit_the_model_of_its_type(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.model("Thing", _SCHEMA)
    models = {"application/json": "Thing"}
    api.method("echo", "thing", requestValidatorId=api.validator(), requestModels=models)
    api.method(
        "echo",
        "strict",
        requestValidatorId=api.client.get_request_validators(restApiId=api.id)["items"][0]["id"],
        requestModels={**models, "$default": "Thing"},
    )
    api.stage()
    service = serve()
    assert post(service, api, "thing", json={"amount": 1}).status_code == 200
    for body in (b"", b"{}", b'{"amount": 0}', b'{"amount": "1"}', b'{"amount": 1, "more": 1}', b"[]", b"{", b"\xff", b'{"amount": NaN}'):
        answer = post(service, api, "thing", content=body, headers={"Content-Type": "application/json; charset=utf-8"})
        assert (answer.status_code, answer.json()) == (400, {"message": "Invalid request body"}), body
        assert answer.headers["x-amzn-ErrorType"] == "BadRequestException"
    # A type that no model is for is not validated, unless there is a default.
    assert post(service, api, "thing", content=b"anything", headers={"Content-Type": "text/plain"}).status_code == 200
    assert post(service, api, "strict", content=b"anything", headers={"Content-Type": "text/plain"}).status_code == 400


def test_a_model_may_refer_to_others(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.model("Leaf", {"type": "integer"})
    api.model("Tree", {"type": "array", "items": {"$ref": f"https://apigateway.amazonaws.com/restapis/{api.id}/models/Leaf"}})
    api.method("echo", "tree", requestValidatorId=api.validator(), requestModels={"application/json": "Tree"})
    api.stage()
    service = serve()
    assert [post(service, api, "tree", json=body).status_code for body in ([1, 2], ["1"])] == [200, 400]


def test_required_parameters_must_be_there(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    parameters = {"method.request.header.Idempotency-Key": True, "method.request.querystring.page": True, "method.request.header.Optional": False}
    api.method("echo", "thing", requestValidatorId=api.validator(), requestParameters=parameters)
    api.stage()
    service = serve()
    assert post(service, api, "thing?page=1", headers={"idempotency-key": "k"}).status_code == 200
    answer = post(service, api, "thing")
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert message.startswith("Missing required request parameters: [")
    assert "Idempotency-Key" in message
    assert "page" in message
    assert "Optional" not in message


def test_gateway_responses_shape_what_api_gateway_answers_itself(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo", _ANSWERS)
    api.method("echo", "echo", apiKeyRequired=True)
    api.method("echo", "open")
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="INVALID_API_KEY",
        statusCode="401",
        responseParameters={
            "gatewayresponse.header.Content-Type": "'application/problem+json'",
            "gatewayresponse.header.X-Asked": "method.request.header.x-ask",
        },
        responseTemplates={"application/json": '{"id": "$context.requestId", "kind": "$context.error.responseType", "said": $context.error.messageString}'},
    )
    api.client.put_gateway_response(restApiId=api.id, responseType="DEFAULT_5XX", statusCode="500", responseTemplates={"application/json": "sorry"})
    api.stage()
    service = serve()
    answer = post(service, api, "echo", headers={"x-ask": "this"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-asked"] == "this"
    assert answer.json() == {"id": answer.headers["x-amzn-requestid"], "kind": "INVALID_API_KEY", "said": "Forbidden"}
    answer = post(service, api, "open", json={"fail": True})
    assert (answer.status_code, answer.text) == (500, "sorry")


def test_a_functions_answer_is_the_response(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("answers", _ANSWERS)
    api.method("answers", "it")
    api.stage()
    service = serve()

    def asked(answer: Any, **headers: str) -> httpx.Response:
        return post(service, api, "it", json={"answer": answer}, headers=headers)

    answer = asked(
        {"statusCode": 202, "headers": {"X-One": "1", "Date": "never"}, "multiValueHeaders": {"X-Two": ["a", "b"]}, "body": "ä", "isBase64Encoded": False}
    )
    assert (answer.status_code, answer.text) == (202, "ä")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-one"] == "1"
    assert answer.headers.get_list("x-two") == ["a", "b"]
    assert answer.headers["x-amzn-remapped-date"] == "never"
    assert asked({"statusCode": "204"}).status_code == 204
    assert asked({}).status_code == 200
    encoded = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x89PNG").decode(), "headers": {"content-type": "image/png"}}
    assert asked(encoded, accept="image/png").content == b"\x89PNG"
    assert asked(encoded).content == base64.b64encode(b"\x89PNG")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        [],
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "other": 1},
        {"headers": ["a"]},
        {"headers": {"a": {}}},
        {"headers": {"X": "a\r\nSet-Cookie: b"}},
        {"statusCode": 900},
    ],
)
def test_an_answer_in_another_format_is_a_bad_gateway(deployment: Deployment, api: Api, serve: Serve, answer: Any) -> None:
    deployment.function("answers", _ANSWERS)
    api.method("answers", "it")
    api.stage()
    response = post(serve(), api, "it", json={"answer": answer})
    assert (response.status_code, response.json()) == (502, {"message": "Internal server error"})


def test_a_function_that_fails_is_a_bad_gateway_and_one_that_is_slow_a_timeout(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("answers", _ANSWERS)
    api.method("answers", "it", timeout=1500)
    api.stage()
    service = serve()
    service.warm()
    assert post(service, api, "it", json={"fail": True}).status_code == 502
    began = time.monotonic()
    answer = post(service, api, "it", json={"sleep": 4, "answer": {}})
    assert 1.4 < time.monotonic() - began < 3.5
    assert (answer.status_code, answer.json()) == (504, {"message": "Endpoint request timed out"})
    # The function goes on; another process takes the next request.
    assert post(service, api, "it", json={"answer": {"statusCode": 201}}).status_code == 201


def test_a_function_that_api_gateway_may_not_invoke_is_an_error(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "closed", permit=False)
    api.method("echo", "open")
    api.stage()
    service = serve()
    assert post(service, api, "open").status_code == 200
    answer = post(service, api, "closed")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error"})


def test_a_function_with_all_its_concurrency_in_use_is_an_error(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo", reserved=0)
    api.method("echo", "it")
    api.stage()
    assert post(serve(), api, "it").status_code == 500


def test_requests_are_in_the_stages_access_log(deployment: Deployment, api: Api, serve: Serve, eventually: Callable[..., Any]) -> None:
    deployment.function("echo")
    api.method("echo", "echo", apiKeyRequired=True)
    api.stage()
    key_id, key = api.key()
    deployment.aws.client("logs").create_log_group(logGroupName="/access")
    names = (
        "requestId",
        "identity.apiKeyId",
        "identity.apiKey",
        "httpMethod",
        "resourcePath",
        "status",
        "error.responseType",
        "integrationStatus",
        "authorizer.x",
    )
    form = json.dumps({name: f"$context.{name}" for name in names})
    settings = {"destinationArn": deployment.aws.arn("logs", "log-group:/access"), "format": form}
    patch = [{"op": "replace", "path": f"/accessLogSettings/{name}", "value": value} for name, value in settings.items()]
    api.client.update_stage(restApiId=api.id, stageName="test", patchOperations=patch)
    service = serve()
    good, bad = post(service, api, "echo", headers={"x-api-key": key}), post(service, api, "echo")
    lines = eventually(lambda: len(found := deployment.logged("/access")) == 2 and found)
    by_id = {line["requestId"]: line for line in map(json.loads, lines)}
    one, other = by_id[good.headers["x-amzn-requestid"]], by_id[bad.headers["x-amzn-requestid"]]
    assert [one[name] for name in names[3:]] == ["POST", "/echo", "200", "-", "200", "-"]
    assert one["identity.apiKeyId"] == key_id
    assert one["identity.apiKey"].endswith(key[-6:])
    assert key not in json.dumps(lines)
    assert [other[name] for name in names[3:]] == ["POST", "/echo", "403", "INVALID_API_KEY", "-", "-"]
