"""API Gateway: methods, what they call, and what they answer.

moto can make these but not change them. Making one anew drops what hangs below it, so an update takes that along.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from localcloud.aws import Aws
from localcloud.fields import Field, Refusal, block, flag, mapping, number, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources._apigateway_names import METHODS, PLACE, given, made_id, named, parts_of, place, unless_gone

# --- Method ----------------------------------------------------------------------------------------------------------

_METHOD = {
    "apiKeyRequired": "apiKeyRequired",
    "authorization": "authorizationType",
    "authorizationScopes": "authorizationScopes",
    "authorizerId": "authorizerId",
    "operationName": "operationName",
    "requestModels": "requestModels",
    "requestParameters": "requestParameters",
    "requestValidatorId": "requestValidatorId",
}


def _where(id_: str) -> Props:
    api, resource, method, *_ = parts_of(id_)
    return {"restApiId": api, "resourceId": resource, "httpMethod": method}


def _here(id_: str) -> Props:
    api, resource, method, *_ = parts_of(id_)
    return {"restApi": api, "resourceId": resource, "httpMethod": method}


def _put_method(aws: Aws, inputs: Props) -> str:
    aws.client("apigateway").put_method(**place(inputs), **given(inputs, _METHOD))
    return made_id("agm", *place(inputs).values())


def _read_method(aws: Aws, id_: str, _: Props) -> Props:
    return {**_here(id_), **named(aws.client("apigateway").get_method(**_where(id_)), _METHOD)}


def _update_method(aws: Aws, id_: str, new: Props, _: Props) -> None:
    client = aws.client("apigateway")
    before = client.get_method(**_where(id_))
    _put_method(aws, new)
    for response in (before.get("methodResponses") or {}).values():
        client.put_method_response(**_where(id_), **_given(response, _RESPONSE_MEMBERS))
    if before.get("methodIntegration"):
        _restore_integration(aws, id_, before["methodIntegration"])


def _delete_method(aws: Aws, id_: str, _: Props) -> None:
    aws.client("apigateway").delete_method(**_where(id_))


def _method_rule(inputs: Props) -> Iterator[Refusal]:
    if inputs["authorization"] in {"CUSTOM", "COGNITO_USER_POOLS"} and inputs.get("authorizerId") is None:
        yield Refusal("authorization", f"{inputs['authorization']} needs an authorizerId")


# API Gateway developer guide, "Request and response data mapping reference".
_REQUEST_PARAMETER = r"method\.request\.(path|querystring|multivaluequerystring|header|multivalueheader)\.[A-Za-z0-9._$-]+"


def _keys(pattern: str, example: str) -> Callable[[Props], str | None]:

    def check(values: Props) -> str | None:
        wrong = sorted(key for key in values if not re.fullmatch(pattern, key))
        return f"{', '.join(wrong)}: a name here looks like {example}" if wrong else None

    return check


METHOD = Kind(
    type="aws:apigateway/method:Method",
    client="apigateway",
    inputs={
        **PLACE,
        "apiKeyRequired": flag(),
        "authorization": text(required=True, one_of=("NONE", "CUSTOM", "AWS_IAM", "COGNITO_USER_POOLS")),
        "authorizationScopes": texts(),
        "authorizerId": text(),
        "operationName": text(),
        "requestModels": mapping(),
        "requestParameters": mapping(flag(), rule=_keys(_REQUEST_PARAMETER, "method.request.header.Authorization")),
        "requestValidatorId": text(),
    },
    rule=_method_rule,
    create=_put_method,
    read=_read_method,
    update=_update_method,
    delete=unless_gone(_read_method, _delete_method),
)

# --- MethodResponse --------------------------------------------------------------------------------------------------

_RESPONSE_MEMBERS = ("statusCode", "responseModels", "responseParameters")
_STATUS = text(required=True, replaces=True, pattern=r"[1-5]\d\d")


def _given(members: Props, names: tuple[str, ...]) -> Props:
    return {name: members[name] for name in names if members.get(name) is not None}


def _put_method_response(aws: Aws, inputs: Props) -> str:
    aws.client("apigateway").put_method_response(**place(inputs), **_given(inputs, _RESPONSE_MEMBERS))
    return made_id("agmr", *place(inputs).values(), inputs["statusCode"])


def _read_method_response(aws: Aws, id_: str, _: Props) -> Props | None:
    responses = aws.client("apigateway").get_method(**_where(id_)).get("methodResponses") or {}
    live = responses.get(parts_of(id_)[3])
    return {**_here(id_), **{name: live.get(name) for name in _RESPONSE_MEMBERS}} if live else None


def _update_method_response(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_method_response(aws, new)


def _delete_method_response(aws: Aws, id_: str, _: Props) -> None:
    aws.client("apigateway").delete_method_response(**_where(id_), statusCode=parts_of(id_)[3])


METHOD_RESPONSE = Kind(
    type="aws:apigateway/methodResponse:MethodResponse",
    client="apigateway",
    inputs={
        **PLACE,
        "statusCode": _STATUS,
        "responseModels": mapping(),
        "responseParameters": mapping(flag(), rule=_keys(r"method\.response\.header\.[A-Za-z0-9-]+", "method.response.header.Location")),
    },
    create=_put_method_response,
    read=_read_method_response,
    update=_update_method_response,
    delete=unless_gone(_read_method_response, _delete_method_response),
)

# --- Integration -----------------------------------------------------------------------------------------------------

_INTEGRATION = {
    "connectionType": "connectionType",
    "contentHandling": "contentHandling",
    "credentials": "credentials",
    "passthroughBehavior": "passthroughBehavior",
    "requestParameters": "requestParameters",
    "requestTemplates": "requestTemplates",
    "timeoutMilliseconds": "timeoutInMillis",
    "type": "type",
    "uri": "uri",
}
_INTEGRATION_RESPONSE = ("statusCode", "contentHandling", "responseParameters", "responseTemplates", "selectionPattern")


def _put_integration(aws: Aws, inputs: Props) -> str:
    sent = given(inputs, {**_INTEGRATION, "integrationHttpMethod": "integrationHttpMethod"})
    if inputs.get("tlsConfig"):
        sent["tlsConfig"] = inputs["tlsConfig"]
    aws.client("apigateway").put_integration(**place(inputs), **sent)
    return made_id("agi", *place(inputs).values())


def _live_integration(aws: Aws, id_: str) -> Props | None:
    live: Props = aws.client("apigateway").get_integration(**_where(id_))
    return live if live.get("type") else None


def _read_integration(aws: Aws, id_: str, known: Props) -> Props | None:
    live = _live_integration(aws, id_)
    if live is None:
        return None
    method = live.get("httpMethod")
    # moto fills the method of the integration in with that of the resource's method, where AWS leaves it out.
    filled_in = method == parts_of(id_)[2] and known.get("integrationHttpMethod") is None
    return {**_here(id_), **named(live, _INTEGRATION), "integrationHttpMethod": None if filled_in else method, "tlsConfig": live.get("tlsConfig")}


def _update_integration(aws: Aws, id_: str, new: Props, _: Props) -> None:
    before = _live_integration(aws, id_) or {}
    _put_integration(aws, new)
    _restore_responses(aws, id_, before)


def _restore_integration(aws: Aws, id_: str, live: Props) -> None:
    sent = _given(live, (*_INTEGRATION.values(), "tlsConfig"))
    method = {"integrationHttpMethod": live["httpMethod"]} if live.get("httpMethod") else {}
    aws.client("apigateway").put_integration(**_where(id_), **sent, **method)
    _restore_responses(aws, id_, live)


def _restore_responses(aws: Aws, id_: str, live: Props) -> None:
    for response in (live.get("integrationResponses") or {}).values():
        sent = _given({**response, "responseTemplates": _templates(response)}, _INTEGRATION_RESPONSE)
        aws.client("apigateway").put_integration_response(**_where(id_), **sent)


def _templates(response: Props) -> dict[str, str] | None:
    """The templates of a response: one that passes the body through is the empty string, where moto answers with null."""
    return {name: template or "" for name, template in (response.get("responseTemplates") or {}).items()} or None


def _delete_integration(aws: Aws, id_: str, _: Props) -> None:
    aws.client("apigateway").delete_integration(**_where(id_))


def _integration_rule(inputs: Props) -> Iterator[Refusal]:
    type_, uri = inputs["type"], inputs.get("uri")
    if type_ != "MOCK":
        if uri is None:
            yield Refusal("uri", f"it is required for type {type_}")
        if inputs.get("integrationHttpMethod") is None:
            yield Refusal("integrationHttpMethod", f"it is required for type {type_}")
    if type_ == "AWS_PROXY" and isinstance(uri, str) and ":lambda:path/" in uri and inputs.get("integrationHttpMethod") not in (None, "POST"):
        yield Refusal("integrationHttpMethod", "must be POST: API Gateway calls Lambda by POST whatever the method is")


INTEGRATION = Kind(
    type="aws:apigateway/integration:Integration",
    client="apigateway",
    inputs={
        **PLACE,
        "type": text(required=True, replaces=True, shape="PutIntegration.type"),
        # Not VPC_LINK: moto does not keep which link it is.
        "connectionType": text(one_of=("INTERNET",)),
        "contentHandling": text(shape="PutIntegration.contentHandling"),
        "credentials": text(replaces=True, pattern=r"arn:aws[a-z-]*:iam::(\d{12}:role/.+|\*:user/\*)"),
        "integrationHttpMethod": text(replaces=True, one_of=METHODS),
        "passthroughBehavior": text(replaces=True, one_of=("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")),
        "requestParameters": mapping(rule=_keys(r"integration\.request\.(path|querystring|header)\..+", "integration.request.header.X-Request-Id")),
        "requestTemplates": mapping(),
        # 29 s by default; since 2024 a regional or private API may ask for a quota of up to 300 s (AWS provider, timeout_milliseconds).
        "timeoutMilliseconds": number(at_least=50, at_most=300_000),
        "tlsConfig": block({"insecureSkipVerification": flag()}),
        "uri": text(),
    },
    rule=_integration_rule,
    create=_put_integration,
    read=_read_integration,
    update=_update_integration,
    delete=unless_gone(_read_integration, _delete_integration),
)

# --- IntegrationResponse ---------------------------------------------------------------------------------------------


def _put_integration_response(aws: Aws, inputs: Props) -> str:
    aws.client("apigateway").put_integration_response(**place(inputs), **_given(inputs, _INTEGRATION_RESPONSE))
    return made_id("agir", *place(inputs).values(), inputs["statusCode"])


def _read_integration_response(aws: Aws, id_: str, _: Props) -> Props | None:
    live = ((_live_integration(aws, id_) or {}).get("integrationResponses") or {}).get(parts_of(id_)[3])
    if live is None:
        return None
    return {**_here(id_), **{name: live.get(name) for name in _INTEGRATION_RESPONSE}, "responseTemplates": _templates(live)}


def _update_integration_response(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_integration_response(aws, new)


def _delete_integration_response(aws: Aws, id_: str, _: Props) -> None:
    aws.client("apigateway").delete_integration_response(**_where(id_), statusCode=parts_of(id_)[3])


_HEADER: Field = mapping(rule=_keys(r"method\.response\.header\.[A-Za-z0-9-]+", "method.response.header.Location"))

INTEGRATION_RESPONSE = Kind(
    type="aws:apigateway/integrationResponse:IntegrationResponse",
    client="apigateway",
    inputs={
        **PLACE,
        "statusCode": _STATUS,
        "contentHandling": text(shape="PutIntegrationResponse.contentHandling"),
        "responseParameters": _HEADER,
        "responseTemplates": mapping(),
        "selectionPattern": text(),
    },
    create=_put_integration_response,
    read=_read_integration_response,
    update=_update_integration_response,
    delete=unless_gone(_read_integration_response, _delete_integration_response),
)

KINDS = (METHOD, METHOD_RESPONSE, INTEGRATION, INTEGRATION_RESPONSE)
