"""The answers that API Gateway gives by itself ("Gateway response types"), and those that functions give."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from localcloud.serve.context import Context, binary, quoted
from localcloud.serve.firewalls import Said
from localcloud.serve.http1 import Headers, Response
from localcloud.serve.model import GatewayResponse


@dataclass(eq=False)
class RefusedError(Exception):
    """A request that goes no further. kind: the gateway response. error: the header x-amzn-ErrorType. detail: what validation found."""

    kind: str
    status: int
    error: str
    message: str
    detail: str = ""


def missing_token() -> RefusedError:
    """There is no such route."""
    return RefusedError("MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException", "Missing Authentication Token")


def invalid_key() -> RefusedError:
    """There is no API key, or none that the stage takes."""
    return RefusedError("INVALID_API_KEY", 403, "ForbiddenException", "Forbidden")


def throttled() -> RefusedError:
    """Faster than a limit allows."""
    return RefusedError("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests")


def filtered() -> RefusedError:
    """The web ACL before the stage blocks the request, and has no answer of its own."""
    return RefusedError("WAF_FILTERED", 403, "ForbiddenException", "Forbidden")


def quota_exceeded() -> RefusedError:
    """More than the plan's quota."""
    return RefusedError("QUOTA_EXCEEDED", 429, "LimitExceededException", "Limit Exceeded")


def bad_parameters(names: list[str]) -> RefusedError:
    """Required parameters are missing."""
    listed = f"[{', '.join(names)}]"
    return RefusedError("BAD_REQUEST_PARAMETERS", 400, "BadRequestException", f"Missing required request parameters: {listed}", listed)


def bad_body(detail: str) -> RefusedError:
    """The body does not fit the model."""
    return RefusedError("BAD_REQUEST_BODY", 400, "BadRequestException", "Invalid request body", detail)


def configuration() -> RefusedError:
    """The integration cannot be called: there is no permission, no such function, or it is throttled."""
    return RefusedError("API_CONFIGURATION_ERROR", 500, "InternalServerErrorException", "Internal server error")


def bad_answer() -> RefusedError:
    """The function failed, or its answer is no proxy answer ("Errors", Lambda with API Gateway)."""
    return RefusedError("DEFAULT_5XX", 502, "InternalServerErrorException", "Internal server error")


def timed_out() -> RefusedError:
    """The function did not answer within the integration's time."""
    return RefusedError("INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", "Endpoint request timed out")


def refusal(context: Context, refused: RefusedError) -> Response:
    """The answer to a request that goes no further, as the API's gateway responses shape it; theirs for all of 4XX or 5XX where there is no own."""
    responses = context.stage.responses
    default = responses.get(f"DEFAULT_{refused.status // 100}XX", GatewayResponse())
    shape = responses.get(refused.kind, default)
    context.rest |= {
        "error.message": refused.message,
        "error.messageString": quoted(refused.message),
        "error.responseType": refused.kind,
        "error.validationErrorString": refused.detail,
    }
    template = shape.templates.get("application/json", '{"message":$context.error.messageString}')
    headers: dict[str, tuple[str, str]] = {"content-type": ("Content-Type", "application/json"), "x-amzn-errortype": ("x-amzn-ErrorType", refused.error)}
    for place, source in shape.parameters.items():
        name = place.removeprefix("gatewayresponse.header.")
        if name != place and (value := _parameter(context, source)) is not None:
            headers[name.lower()] = name, value
    # A default's status applies to every other response of its hundred that has none of its own.
    status = shape.status or default.status or refused.status
    return _answer(context, status, list(headers.values()), context.filled(template).encode())


def _parameter(context: Context, source: str) -> str | None:
    """The value of a response's header: a text in quotes, or where it is taken from."""
    if source.startswith("'"):
        return source.strip("'")
    kind, _, name = source.partition(".")
    if kind == "context":
        return context.values().get(name)
    if kind == "stageVariables":
        return context.stage.variables.get(name)
    return context.request.header(source.removeprefix("method.request.header.")) if source.startswith("method.request.header.") else None


def said(context: Context, custom: Said) -> Response:
    """The answer that the web ACL before the stage has of its own, which goes before the API's gateway responses."""
    return _answer(context, custom.status, [("Content-Type", custom.content_type)], custom.body.encode())


# What the connection is about, which API Gateway writes itself ("Important notes", remapped headers).
_OWN = frozenset(("connection", "content-length", "date", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"))
_MEMBERS = frozenset(("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"))


def proxied(context: Context, payload: bytes) -> Response:
    """A function's answer as an HTTP response; raises RefusedError where it is not in the format for proxy integrations."""
    try:
        answer: Any = json.loads(payload)
        if not isinstance(answer, dict) or not set(answer) <= _MEMBERS:
            raise bad_answer()
        status = int(answer.get("statusCode") or 200)
        headers = _headers(answer)
        body = _body(context, answer)
    except (ValueError, TypeError):
        raise bad_answer() from None
    if not 100 <= status <= 599:
        raise bad_answer()
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return _answer(context, status, headers, body)


def _headers(answer: dict[str, Any]) -> Headers:
    single, many = answer.get("headers") or {}, answer.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(many, dict):
        raise bad_answer()
    pairs = [(str(name), _text(value)) for name, values in many.items() for value in values]
    told = {name.lower() for name, _ in pairs}
    pairs += [(str(name), _text(value)) for name, value in single.items() if str(name).lower() not in told]
    return [(f"x-amzn-Remapped-{name}", value) if name.lower() in _OWN else (name, value) for name, value in pairs]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise bad_answer()
    if "\r" in (text := str(value)) or "\n" in text:
        raise bad_answer()  # else the function's answer could write headers of its own
    return text


def _body(context: Context, answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise bad_answer()
    accepted = (context.request.header("accept") or "").split(",")[0] or "application/json"
    if answer.get("isBase64Encoded") is True and binary(accepted, context.stage.binary_types):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            raise configuration() from None
    return body.encode()


def _answer(context: Context, status: int, headers: Headers, body: bytes) -> Response:
    own = [("x-amzn-RequestId", context.request_id), ("x-amz-apigw-id", context.extended_id), ("X-Amzn-Trace-Id", context.trace.partition(";")[0])]
    return Response(status, body, [*headers, *own])
