"""API Gateway: REST APIs, their paths, and what all their methods share."""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, flag, json_text, mapping, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _policy
from localcloud.resources._apigateway_names import (
    ENHANCED,
    MotoLacks,
    Patch,
    given,
    made_id,
    named,
    parts_of,
    policy_of_tls,
    replace,
    rfc3339,
    unless_gone,
)

# API Gateway quotas: "Resource policy size", in bytes.
_POLICY_SIZE = 8_192
_ANY_API = text(required=True, replaces=True)

# --- RestApi ---------------------------------------------------------------------------------------------------------

_API = {
    "apiKeySource": "apiKeySource",
    "description": "description",
    "disableExecuteApiEndpoint": "disableExecuteApiEndpoint",
    "endpointAccessMode": "endpointAccessMode",
    "name": "name",
    "policy": "policy",
    "securityPolicy": "securityPolicy",
}


def _create_api(aws: Aws, inputs: Props) -> str:
    client = aws.client("apigateway")
    compressed = {"minimumCompressionSize": int(inputs["minimumCompressionSize"])} if inputs.get("minimumCompressionSize") not in (None, "-1") else {}
    asked = inputs.get("endpointConfiguration")
    endpoint = {"endpointConfiguration": {**asked, "types": [asked["types"]]}} if asked else {}
    api = client.create_rest_api(**given(inputs, _API), **endpoint, **compressed, tags=inputs.get("tags") or {})["id"]
    with made(api):
        # moto's creation leaves them out.
        _patch(aws, api, _media_types([], inputs.get("binaryMediaTypes") or []))
    return str(api)


def _media_types(old: list[str], new: list[str]) -> list[Patch]:
    wanted = [("remove", entry) for entry in old] + [("add", entry) for entry in new]
    return [{"op": op, "path": f"/binaryMediaTypes/{entry.replace('/', '~1')}", "value": entry} for op, entry in wanted]


def _patch(aws: Aws, api: str, operations: list[Patch]) -> None:
    if operations:
        aws.client("apigateway").update_rest_api(restApiId=api, patchOperations=operations)


def _read_api(aws: Aws, api: str, _: Props) -> Props:
    live = aws.client("apigateway").get_rest_api(restApiId=api)
    endpoint = live.get("endpointConfiguration") or {}
    return {
        **named(live, _API),
        "policy": live.get("policy") or None,
        "binaryMediaTypes": live.get("binaryMediaTypes") or [],
        "endpointConfiguration": _endpoint(endpoint),
        "arn": aws.arn("apigateway", f"/restapis/{api}", account=""),
        "executionArn": aws.arn("execute-api", api),
        "rootResourceId": live["rootResourceId"],
        "createdDate": rfc3339(live["createdDate"]),
    }


def _endpoint(live: Props) -> Props:
    """The provider has one type where AWS has a list of one."""
    endpoints = {"vpcEndpointIds": live["vpcEndpointIds"]} if live.get("vpcEndpointIds") else {}
    return {"types": live["types"][0], **endpoints} if live.get("types") else endpoints


def _update_api(aws: Aws, api: str, new: Props, old: Props) -> None:
    operations: list[Patch] = []
    tls: str = old.get("securityPolicy") or ""
    cleared_by = {
        "name": "",
        "description": "",
        "apiKeySource": "HEADER",
        "policy": "",
        # "How to change a security policy": back to a policy without an access mode, both are said.
        "securityPolicy": "TLS_1_0" if tls.startswith(ENHANCED) else tls,
        "endpointAccessMode": "",
    }
    for name, cleared in cleared_by.items():
        if new.get(name) != old.get(name):
            operations.append(replace(f"/{name}", new.get(name) or cleared))
    if bool(new.get("disableExecuteApiEndpoint")) != bool(old.get("disableExecuteApiEndpoint")):
        # moto takes any text for true, also "false".
        operations.append(replace("/disableExecuteApiEndpoint", "true" if new.get("disableExecuteApiEndpoint") else ""))
    before, after = old.get("endpointConfiguration") or {}, new.get("endpointConfiguration") or {}
    if after and before.get("types") != after["types"]:
        operations.append(replace("/endpointConfiguration/types/0", after["types"]))
    if after and sorted(before.get("vpcEndpointIds") or []) != sorted(after.get("vpcEndpointIds") or []):
        raise MotoLacks("the VPC endpoints of an API", "the RestApi")
    if new.get("binaryMediaTypes") != old.get("binaryMediaTypes"):
        operations.extend(_media_types(old.get("binaryMediaTypes") or [], new.get("binaryMediaTypes") or []))
    _patch(aws, api, operations)


def _delete_api(aws: Aws, api: str, _: Props) -> None:
    aws.client("apigateway").delete_rest_api(restApiId=api)


def _compression(value: str) -> str | None:
    # CreateRestApi, minimumCompressionSize; the AWS provider adds -1 for off.
    whole = value.removeprefix("-").isdigit()
    return None if whole and -1 <= int(value) <= 10_485_760 else f"{value!r} is not a number of bytes from -1 (off) to 10485760"


def _api_rule(inputs: Props) -> Iterator[Refusal]:
    # CreateRestApi makes an edge-optimized API where nothing else is said.
    yield from policy_of_tls(inputs, (inputs.get("endpointConfiguration") or {"types": "EDGE"})["types"])


_ENDPOINT = text(shape="CreateRestApi.endpointConfiguration.types", required=True)

REST_API = Kind(
    type="aws:apigateway/restApi:RestApi",
    client="apigateway",
    inputs={
        "name": text(required=True, at_least=1, at_most=1024),
        "apiKeySource": text(shape="CreateRestApi.apiKeySource"),
        "binaryMediaTypes": texts(text(pattern=r"[^/]+/[^/]+"), unordered=False),
        "description": text(at_most=1024),
        "disableExecuteApiEndpoint": flag(),
        "endpointAccessMode": text(shape="CreateRestApi.endpointAccessMode"),
        "endpointConfiguration": block({"types": _ENDPOINT, "vpcEndpointIds": texts(text(pattern="vpce-[0-9a-f]+"))}),
        "minimumCompressionSize": text(rule=_compression),
        "policy": _policy.resource(_POLICY_SIZE),
        "securityPolicy": text(shape="CreateRestApi.securityPolicy"),
    },
    outputs=("arn", "createdDate", "executionArn", "rootResourceId"),
    tagged=True,
    rule=_api_rule,
    delete_first=False,
    create=_create_api,
    read=_read_api,
    update=_update_api,
    delete=unless_gone(_read_api, _delete_api),
)


# --- RestApiPolicy ---------------------------------------------------------------------------------------------------


def _put_policy(aws: Aws, inputs: Props) -> str:
    _patch(aws, inputs["restApiId"], [replace("/policy", inputs["policy"])])
    return str(inputs["restApiId"])


def _read_policy(aws: Aws, api: str, _: Props) -> Props | None:
    policy = aws.client("apigateway").get_rest_api(restApiId=api).get("policy")
    return {"restApiId": api, "policy": policy} if policy else None


def _update_policy(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_policy(aws, new)


def _delete_policy(aws: Aws, api: str, _: Props) -> None:
    _patch(aws, api, [replace("/policy", "")])


REST_API_POLICY = Kind(
    type="aws:apigateway/restApiPolicy:RestApiPolicy",
    client="apigateway",
    inputs={"restApiId": _ANY_API, "policy": _policy.resource(_POLICY_SIZE, required=True)},
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)

# --- Resource: a path ------------------------------------------------------------------------------------------------


def _create_resource(aws: Aws, inputs: Props) -> str:
    made_ = aws.client("apigateway").create_resource(restApiId=inputs["restApi"], parentId=inputs["parentId"], pathPart=inputs["pathPart"])
    return str(made_["id"])


def _read_resource(aws: Aws, id_: str, known: Props) -> Props:
    live = aws.client("apigateway").get_resource(restApiId=known["restApi"], resourceId=id_)
    return {"restApi": known["restApi"], "parentId": live["parentId"], "pathPart": live["pathPart"], "path": live["path"]}


def _delete_resource(aws: Aws, id_: str, state: Props) -> None:
    aws.client("apigateway").delete_resource(restApiId=state["restApi"], resourceId=id_)


RESOURCE = Kind(
    type="aws:apigateway/resource:Resource",
    client="apigateway",
    inputs={
        "restApi": _ANY_API,
        "parentId": text(required=True),
        # API Gateway: letters, digits, . _ - : and one greedy or plain variable in braces.
        "pathPart": text(required=True, pattern=r"[a-zA-Z0-9._\-:]+|\{[a-zA-Z0-9._\-:]+\+?\}"),
    },
    outputs=("path",),
    create=_create_resource,
    read=_read_resource,
    delete=unless_gone(_read_resource, _delete_resource),
)

# --- RequestValidator ------------------------------------------------------------------------------------------------

_VALIDATOR = ("name", "validateRequestBody", "validateRequestParameters")


def _create_validator(aws: Aws, inputs: Props) -> str:
    sent = {name: inputs[name] for name in _VALIDATOR if inputs.get(name) is not None}
    return str(aws.client("apigateway").create_request_validator(restApiId=inputs["restApi"], **sent)["id"])


def _read_validator(aws: Aws, id_: str, known: Props) -> Props | None:
    # Asked for one that is gone, moto says that the request was bad.
    found = aws.client("apigateway").get_request_validators(restApiId=known["restApi"])["items"]
    live = next((entry for entry in found if entry["id"] == id_), None)
    return {"restApi": known["restApi"], **{name: live.get(name) for name in _VALIDATOR}} if live else None


def _update_validator(aws: Aws, id_: str, new: Props, _: Props) -> None:
    values = {"name": new["name"], **{name: bool(new.get(name)) for name in _VALIDATOR[1:]}}
    operations = [replace(f"/{name}", value) for name, value in values.items()]
    aws.client("apigateway").update_request_validator(restApiId=new["restApi"], requestValidatorId=id_, patchOperations=operations)


def _delete_validator(aws: Aws, id_: str, state: Props) -> None:
    aws.client("apigateway").delete_request_validator(restApiId=state["restApi"], requestValidatorId=id_)


REQUEST_VALIDATOR = Kind(
    type="aws:apigateway/requestValidator:RequestValidator",
    client="apigateway",
    inputs={"restApi": _ANY_API, "name": text(required=True), "validateRequestBody": flag(), "validateRequestParameters": flag()},
    create=_create_validator,
    read=_read_validator,
    update=_update_validator,
    delete=unless_gone(_read_validator, _delete_validator),
)

# --- Model -----------------------------------------------------------------------------------------------------------

_MODEL = ("name", "contentType", "description", "schema")


def _create_model(aws: Aws, inputs: Props) -> str:
    sent = {name: inputs[name] for name in _MODEL if inputs.get(name) is not None}
    return str(aws.client("apigateway").create_model(restApiId=inputs["restApi"], **sent)["id"])


def _read_model(aws: Aws, _: str, known: Props) -> Props:
    live = aws.client("apigateway").get_model(restApiId=known["restApi"], modelName=known["name"])
    return {"restApi": known["restApi"], **{name: live.get(name) for name in _MODEL}}


def _update_model(aws: Aws, _: str, new: Props, __: Props) -> None:
    _create_model(aws, new)


def _delete_model(aws: Aws, _: str, state: Props) -> None:
    aws.client("apigateway").delete_model(restApiId=state["restApi"], modelName=state["name"])


MODEL = Kind(
    type="aws:apigateway/model:Model",
    client="apigateway",
    inputs={
        "restApi": _ANY_API,
        "name": text(required=True, replaces=True, pattern=r"[a-zA-Z0-9]+"),
        "contentType": text(required=True, replaces=True),
        "description": text(),
        # API Gateway quotas: "Model size", 400 KB.
        "schema": json_text(at_most=400_000),
    },
    create=_create_model,
    read=_read_model,
    update=_update_model,
    delete=_delete_model,
)

# --- Response: what API Gateway itself answers -----------------------------------------------------------------------

_ANSWER = ("responseType", "statusCode", "responseParameters", "responseTemplates")


def _put_answer(aws: Aws, inputs: Props) -> str:
    sent = {name: inputs[name] for name in _ANSWER if inputs.get(name) is not None}
    aws.client("apigateway").put_gateway_response(restApiId=inputs["restApiId"], **sent)
    return made_id("aggr", inputs["restApiId"], inputs["responseType"])


def _read_answer(aws: Aws, id_: str, _: Props) -> Props:
    api, type_ = parts_of(id_)
    live = aws.client("apigateway").get_gateway_response(restApiId=api, responseType=type_)
    return {"restApiId": api, **{name: live.get(name) for name in _ANSWER}}


def _update_answer(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_answer(aws, new)


def _delete_answer(aws: Aws, id_: str, _: Props) -> None:
    api, type_ = parts_of(id_)
    aws.client("apigateway").delete_gateway_response(restApiId=api, responseType=type_)


RESPONSE = Kind(
    type="aws:apigateway/response:Response",
    client="apigateway",
    inputs={
        "restApiId": _ANY_API,
        "responseType": text(required=True, replaces=True, shape="PutGatewayResponse.responseType"),
        "statusCode": text(shape="PutGatewayResponse.statusCode"),
        "responseParameters": mapping(),
        "responseTemplates": mapping(),
    },
    create=_put_answer,
    read=_read_answer,
    update=_update_answer,
    delete=_delete_answer,
)

# --- Account: one per account and region -----------------------------------------------------------------------------

_ACCOUNT = "api-gateway-account"


def _put_account(aws: Aws, inputs: Props) -> str:
    role = inputs.get("cloudwatchRoleArn") or ""
    aws.client("apigateway").update_account(patchOperations=[replace("/cloudwatchRoleArn", role)])
    return _ACCOUNT


def _read_account(aws: Aws, _: str, known: Props) -> Props | None:
    live = aws.client("apigateway").get_account()
    role = live.get("cloudwatchRoleArn") or None
    # The settings of an account are always there; without the role that was asked for, nothing is left of this resource.
    if known.get("cloudwatchRoleArn") and not role:
        return None
    return {
        "cloudwatchRoleArn": role,
        "apiKeyVersion": live.get("apiKeyVersion"),
        "features": live.get("features") or [],
        "throttleSettings": [live["throttleSettings"]],
    }


def _update_account(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_account(aws, new)


def _delete_account(aws: Aws, _: str, __: Props) -> None:
    _put_account(aws, {})


ACCOUNT = Kind(
    type="aws:apigateway/account:Account",
    client="apigateway",
    inputs={"cloudwatchRoleArn": text(pattern=r"arn:aws[a-z-]*:iam::\d{12}:role/.+")},
    outputs=("apiKeyVersion", "features", "throttleSettings"),
    create=_put_account,
    read=_read_account,
    update=_update_account,
    delete=_delete_account,
)

KINDS = (REST_API, REST_API_POLICY, RESOURCE, REQUEST_VALIDATOR, MODEL, RESPONSE, ACCOUNT)
