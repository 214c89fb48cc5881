"""The API's OpenAPI 3.1 document, made from the models that the routes use: `python -m payments.openapi` prints it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from payments.domain.currency import MINOR_DIGITS
from payments.domain.payment import Model, PaymentRequest
from payments.functions import PROCESS_PAYMENT, VERIFY_PAYMENT
from payments.http import LARGEST_BODY, LAYERS
from payments.routes.process_payment import KEY_PATTERN
from payments.service.accepting import Accepted
from payments.service.verifying import PaymentStatus, VerifyRequest

VERSION = "1.2.0"
"""Of the API: the first number changes when callers have to change, the second when they may."""

# What JSON Schema can say of rules that the models have in code.
_WORD = r"[^\s\u0000-\u001f\u007f-\u009f]"
_RULES: dict[str, dict[str, Any]] = {
    "currency": {"enum": sorted(MINOR_DIGITS), "description": "Code of a currency in ISO 4217."},
    "metadata": {
        "description": f"What you want to have kept with the payment. Objects and arrays within each other, the body included, are at most {LAYERS} deep, "
        "and numbers with a fraction or an exponent are no larger than a double holds."
    },
    "reference": {"pattern": f"^{_WORD}+( +{_WORD}+)*$"},
}
_CORRELATION = {"X-Correlation-Id": {"description": "Of this request; name it when you ask about it.", "required": True, "schema": {"type": "string"}}}
_STATUS = {
    "Link": {
        "description": 'Where to ask what became of the payment: `<URL>; rel="status"` (RFC 8288, RFC 8631); where the API knows its URL.',
        "schema": {"type": "string"},
    }
}
_RETRY = {"Retry-After": {"description": "Seconds after which the same request may be sent again.", "schema": {"type": "integer", "minimum": 1}}}

# No 405: the document has the methods that there are.
# By status: what it means, the last part of the problems' `type`, and whether `Retry-After` comes with it.
_PROBLEMS: dict[int, tuple[str, tuple[str, ...], bool]] = {
    400: ("The request is not valid.", ("malformed-body", "invalid-request", "card-data-refused", "idempotency-key-invalid"), False),
    403: ("The API key is missing or not valid.", ("forbidden",), False),
    404: ("The merchant has no such payment.", ("payment-not-found",), False),
    408: ("The body did not arrive in time; containers answer so, API Gateway waits for whole requests itself.", ("body-too-slow",), False),
    409: (
        "Another request with this idempotency key is in progress, or another payment has this reference.",
        ("idempotency-key-in-progress", "reference-in-use"),
        True,
    ),
    413: (f"The body is over {LARGEST_BODY} bytes.", ("body-too-large",), False),
    422: ("The idempotency key belongs to another request.", ("idempotency-key-reused",), False),
    429: ("Too many requests.", ("too-many-requests",), False),
    500: ("The service failed.", ("internal-error",), False),
    503: ("The service is busy.", ("temporarily-unavailable",), True),
    504: ("The service did not answer in time.", ("timeout",), False),
}
_OF_ALL = (400, 403, 408, 413, 429, 500, 503, 504)


class Fault(Model):
    """One thing that is wrong with a request. field: its path. rule: what it breaks. Values are never repeated."""

    field: str
    rule: str


class Problem(Model):
    """Why a request was not answered (RFC 9457). type: what to decide by; it never changes."""

    type: Annotated[str, Field(pattern="^urn:payments:problem:[a-z-]+$")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = ""
    errors: tuple[Fault, ...] = ()
    correlation_id: str


def document() -> dict[str, Any]:
    """The document."""
    requests: list[type[BaseModel]] = [PaymentRequest, VerifyRequest, Problem]
    answers: list[type[BaseModel]] = [Accepted, PaymentStatus]
    _, schemas = models_json_schema(
        [*((model, "validation") for model in requests), *((model, "serialization") for model in answers)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Payments",
            "version": VERSION,
            "description": "Takes payments in and tells where they stand. Card data is refused wherever it appears: send tokens of the processor's vault.",
        },
        "servers": [{"url": "{stage}", "variables": {"stage": {"default": "/", "description": "The URL of the environment's stage."}}}],
        "security": [{"apiKey": []}],
        "paths": {
            f"/{PROCESS_PAYMENT.name}": {"post": _process()},
            f"/{VERIFY_PAYMENT.name}": {"post": _verify()},
        },
        "components": {
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
            "schemas": {name: _completed(schema) for name, schema in sorted(schemas["$defs"].items())},
        },
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _process() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "A value of your own for each payment, such as a UUID. A request that comes again with its key is given the first one's answer, "
        "byte for byte, for 72 hours at least; the same key with another body is refused.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": KEY_PATTERN},
    }
    return {
        "operationId": "processPayment",
        "summary": "Take a payment in",
        "description": "Answers as soon as the payment is kept. What becomes of it is told by /verify-payment.",
        "parameters": [key],
        "requestBody": _body("PaymentRequest"),
        "responses": _responses(202, "The payment was taken in, now or by an earlier request with this key.", "Accepted", (409, 422)),
    }


def _verify() -> dict[str, Any]:
    return {
        "operationId": "verifyPayment",
        "summary": "Tell where a payment stands",
        "requestBody": _body("VerifyRequest"),
        "responses": _responses(200, "The payment's state and history.", "PaymentStatus", (404,)),
    }


def _body(model: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _reference(model)}}}


def _responses(status: int, meaning: str, model: str, own: tuple[int, ...]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _reference(model)}}
    answers: dict[str, Any] = {str(status): {"description": meaning, "headers": {**_CORRELATION, **_STATUS}, "content": content}}
    for code in sorted((*_OF_ALL, *own)):
        why, names, retry = _PROBLEMS[code]
        answers[str(code)] = {
            "description": f"{why} Types: {', '.join(f'`urn:payments:problem:{name}`' for name in names)}.",
            "content": {"application/problem+json": {"schema": _reference("Problem")}},
            **({"headers": _RETRY} if retry else {}),
        }
    return answers


def _reference(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the rules that pydantic cannot see, and without titles, which only repeat names."""
    done = {name: value for name, value in schema.items() if name != "title"}
    if properties := done.get("properties"):
        done["properties"] = {name: _field(name, about, request="payment_token" in properties) for name, about in properties.items()}
    return done


def _field(name: str, about: dict[str, Any], *, request: bool) -> dict[str, Any]:
    done = {key: value for key, value in about.items() if key != "title"}
    return {**done, **_RULES.get(name, {})} if request else done


if __name__ == "__main__":
    print(text(), end="")
