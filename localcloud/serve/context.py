"""What is known of a request to an API: `$context` of templates and logs, and the event that a function gets."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from localcloud.serve.functions import new_trace
from localcloud.serve.http1 import Request
from localcloud.serve.model import Key, Method, Stage
from localcloud.serve.routes import Match

_VARIABLE = re.compile(r"\$(?:\{(context\.[A-Za-z0-9_.]+|stageVariables\.[A-Za-z0-9_]+)\}|(context\.[A-Za-z0-9_.]+|stageVariables\.[A-Za-z0-9_]+))")
_ACCOUNT_DOMAIN = "execute-api"


@dataclass
class Context:
    """One request on its way. path: below the stage, decoded. rest: becomes known on the way; by the names of `$context`."""

    stage: Stage
    request: Request
    account: str
    region: str
    raw_path: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_id: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(10)).decode().rstrip("="))
    trace: str = field(default_factory=new_trace)
    began: float = field(default_factory=time.time)
    match: Match | None = None
    key: Key | None = None
    rest: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def domain(self) -> str:
        """The host that the request was sent to."""
        return self.request.header("host") or f"{self.stage.api}.{_ACCOUNT_DOMAIN}.{self.region}.amazonaws.com"

    def values(self) -> dict[str, str]:
        """`$context`, as far as it is known by now."""
        method = self.match.method if self.match else None
        found = {
            "accountId": self.account,
            "apiId": self.stage.api,
            "domainName": self.domain,
            "domainPrefix": self.stage.api,
            "extendedRequestId": self.extended_id,
            "httpMethod": self.request.method,
            "identity.sourceIp": self.request.peer,
            "identity.userAgent": self.request.header("user-agent") or "-",
            "path": f"/{self.stage.name}{self.raw_path}",
            "protocol": self.request.version,
            "requestId": self.request_id,
            "requestTime": self.moment(),
            "requestTimeEpoch": str(int(self.began * 1000)),
            "resourceId": method.resource_id if method else "-",
            "resourcePath": method.resource if method else "-",
            "stage": self.stage.name,
            "xrayTraceId": self.trace.partition(";")[0].removeprefix("Root="),
        }
        if self.key:
            found |= {"identity.apiKey": _masked(self.key.value), "identity.apiKeyId": self.key.id}
        return {**found, **self.rest}

    def moment(self) -> str:
        """When the request came, in the Common Log Format."""
        return datetime.fromtimestamp(self.began, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    def filled(self, template: str, *, missing: str = "") -> str:
        """A template with its `$context` and `$stageVariables`; `missing` stands for what is not known."""
        values = self.values()

        def value(found: re.Match[str]) -> str:
            kind, _, name = (found[1] or found[2]).partition(".")
            # A name at the end of a sentence is no name that ends with a dot.
            bare = name.rstrip(".")
            known = values if kind == "context" else self.stage.variables
            return known.get(bare, missing) + name[len(bare) :]

        return _VARIABLE.sub(value, template)


def _masked(key: str) -> str:
    """An API key in a log tells which it was, and no more ("Variables for access logging")."""
    return "*" * max(0, len(key) - 6) + key[-6:]


def event(context: Context, method: Method, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The event of a Lambda proxy integration ("Input format of a Lambda function for proxy integration", payload version 1.0)."""
    request = context.request
    headers, many = _grouped(request.headers)
    query, many_queries = _grouped(parse_qsl(request.query, keep_blank_values=True))
    body, encoded = _body(request, context.stage)
    return {
        "resource": method.resource,
        "path": context.request.path.removeprefix(f"/{context.stage.api}/{context.stage.name}") or "/",
        "httpMethod": request.method,
        "headers": headers or None,
        "multiValueHeaders": many or None,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": many_queries or None,
        "pathParameters": dict(parameters) or None,
        "stageVariables": dict(context.stage.variables) or None,
        "requestContext": _request_context(context, method),
        "body": body,
        "isBase64Encoded": encoded,
    }


def _request_context(context: Context, method: Method) -> dict[str, Any]:
    identity: dict[str, Any] = dict.fromkeys(
        (
            *("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType", "cognitoIdentityId"),
            *("cognitoIdentityPoolId", "principalOrgId", "user", "userArn"),
        )
    )
    identity |= {"sourceIp": context.request.peer, "userAgent": context.request.header("user-agent")}
    if context.key:
        identity |= {"apiKey": context.key.value, "apiKeyId": context.key.id}
    return {
        "accountId": context.account,
        "apiId": context.stage.api,
        "deploymentId": "",
        "domainName": context.domain,
        "domainPrefix": context.stage.api,
        "extendedRequestId": context.extended_id,
        "httpMethod": context.request.method,
        "identity": identity,
        "path": f"/{context.stage.name}{context.raw_path}",
        "protocol": context.request.version,
        "requestId": context.request_id,
        "requestTime": context.moment(),
        "requestTimeEpoch": int(context.began * 1000),
        "resourceId": method.resource_id,
        "resourcePath": method.resource,
        "stage": context.stage.name,
    }


def _grouped(pairs: list[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The last value of each name, and all of them."""
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return {name: values[-1] for name, values in many.items()}, many


def _body(request: Request, stage: Stage) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    if binary(request.header("content-type") or "application/json", stage.binary_types):
        return base64.b64encode(request.body).decode(), True
    return request.body.decode(errors="replace"), False


def binary(media_type: str, types: tuple[str, ...]) -> bool:
    """Whether bodies of a media type are handled as bytes."""
    bare = media_type.partition(";")[0].strip().lower()
    return any(one in {"*/*", bare} or (one.endswith("/*") and bare.startswith(one[:-1])) for one in types)


def quoted(text: str) -> str:
    """A text as `$context.error.messageString` has it: with quotes, ready for JSON."""
    return json.dumps(text)
