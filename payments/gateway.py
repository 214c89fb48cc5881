"""API Gateway REST proxy events (payload version 1.0) as requests, and answers in the shape that API Gateway wants back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from payments import errors, http
from payments.telemetry import Telemetry


def respond(event: dict[str, Any], context: Any, telemetry: Telemetry, route: Callable[[http.Request], http.Answer]) -> dict[str, Any]:
    """Runs a route on an event; see http.respond."""
    about: dict[str, Any] = event.get("requestContext") or {}
    # API Gateway's id of the request, which its access log has too.
    correlation_id = str(about.get("requestId") or context.aws_request_id)

    def call() -> http.Answer:
        headers: dict[str, str] = event.get("headers") or {}
        return route(http.Request.read(_body(event), headers, merchant=_merchant(about), correlation_id=correlation_id))

    answer = http.respond(call, correlation_id=correlation_id, telemetry=telemetry)
    return {"statusCode": answer.status, "headers": answer.headers, "body": answer.body, "isBase64Encoded": False}


def _merchant(about: dict[str, Any]) -> str:
    """The API key's id. The key itself is a secret, and is looked at by API Gateway alone."""
    identity: dict[str, Any] = about.get("identity") or {}
    return str(identity.get("apiKeyId") or http.DEFAULT_MERCHANT)


def _body(event: dict[str, Any]) -> bytes:
    body = str(event.get("body") or "")
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeError):
        raise errors.malformed_body("The body is not text in UTF-8.") from None
