"""API Gateway REST proxy events (payload version 1.0) as requests, and answers in the shape that API Gateway wants back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from payments import errors
from payments.clients import is_busy
from payments.domain.card_data import findings
from payments.functions import Metric
from payments.settings import Settings, SettingsError
from payments.telemetry import Telemetry

LARGEST_BODY = 32 * 1024
"""Bytes of a request's body."""

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Request:
    """What a route is given: the decoded JSON object, the headers by lower-case name, and the id that all logs of the request bear."""

    payload: dict[str, Any]
    headers: dict[str, str]
    correlation_id: str

    def as_model(self, model: type[M]) -> M:
        """The payload as a model; raises the problem that names each wrong field and its rule."""
        try:
            return model.model_validate(self.payload)
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False, include_context=False)
            raise errors.invalid_request(errors.Fault(_path(fault["loc"]), fault["msg"]) for fault in faults) from None


@dataclass(frozen=True)
class Answer:
    """What a route answers: the body is written in the order of its keys, so that equal answers are equal bytes."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict[str, str])


def respond(event: dict[str, Any], context: Any, telemetry: Telemetry, settings: Callable[[], S], route: Callable[[Request, S], Answer]) -> dict[str, Any]:
    """Runs a route on an event: the proxy integration's answer, a problem document where the route raised one.

    Whatever else is raised becomes a 500 (or a 503, where trying again helps) that tells nothing of the cause; the cause is logged.
    """
    correlation_id = _correlation_id(event, context)
    with telemetry.log.append_context_keys(correlation_id=correlation_id):
        try:
            # Settings first: they tell the stage, without which not even a refusal would be counted in the right place.
            loaded = settings()
            answer = route(_request(event, correlation_id), loaded)
        except errors.Problem as problem:
            answer = _refusal(problem, telemetry)
        except Exception as error:  # noqa: BLE001 - the border: a caller gets an answer whatever happened, and the log gets the cause
            answer = _failure(error, telemetry)
        finally:
            telemetry.flush()
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Correlation-Id": correlation_id, **answer.headers}
    body = {**answer.body, "correlation_id": correlation_id} if "type" in answer.body else answer.body
    return {"statusCode": answer.status, "headers": headers, "body": json.dumps(body, ensure_ascii=False), "isBase64Encoded": False}


def _request(event: dict[str, Any], correlation_id: str) -> Request:
    sent: dict[str, str] = event.get("headers") or {}
    headers = {name.lower(): value for name, value in sent.items()}
    payload = _payload(_body(event))
    if found := list(findings(payload)):
        raise errors.card_data_refused(errors.Fault(finding.field, finding.rule) for finding in found)
    return Request(payload, headers, correlation_id)


def _body(event: dict[str, Any]) -> str:
    body = str(event.get("body") or "")
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        if len(raw) > LARGEST_BODY:
            raise errors.body_too_large(LARGEST_BODY)
        return raw.decode()
    except (binascii.Error, UnicodeError):
        raise errors.malformed_body("The body is not text in UTF-8.") from None


def _payload(text: str) -> dict[str, Any]:
    """RFC 8259 as RFC 7493 (I-JSON) narrows it: no repeated names, no lone surrogates, no NaN."""
    try:
        payload = json.loads(text, object_pairs_hook=_object, parse_constant=_not_a_number)
        json.dumps(payload, ensure_ascii=False).encode()
    except errors.Problem:
        raise
    except (ValueError, RecursionError):  # UnicodeEncodeError and JSONDecodeError are ValueErrors
        raise errors.malformed_body("The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise errors.malformed_body("The body is not a JSON object.")
    return payload


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise errors.malformed_body("An object in the body has the same name twice.")
    return members


def _not_a_number(_: str) -> NoReturn:
    raise errors.malformed_body("The body holds a number that JSON does not have.")


def _refusal(problem: errors.Problem, telemetry: Telemetry) -> Answer:
    telemetry.count(Metric.REQUEST_REFUSED if problem.status < 500 else Metric.REQUEST_FAILED)
    if problem.name == "card-data-refused":
        telemetry.count(Metric.CARD_DATA_REFUSED)
    # Names of fields are the caller's too: only how many were wrong is logged.
    telemetry.log.info("request refused", problem=problem.name, status=problem.status, faults=len(problem.faults))
    return _problem(problem)


def _failure(error: Exception, telemetry: Telemetry) -> Answer:
    telemetry.count(Metric.REQUEST_FAILED)
    if is_busy(error):
        telemetry.log.warning("request failed: busy", cause=str(error))
        return _problem(errors.temporarily_unavailable())
    if isinstance(error, SettingsError):
        telemetry.log.error("request failed: %s", error)
    else:
        telemetry.log.error("request failed", exc_info=error)
    return _problem(errors.internal_error())


def _problem(problem: errors.Problem) -> Answer:
    retry = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else {}
    return Answer(problem.status, problem.document, {"Content-Type": "application/problem+json", **retry})


def _correlation_id(event: dict[str, Any], context: Any) -> str:
    """API Gateway's id of the request, which its access log has too; never a value that the caller chose."""
    about: dict[str, Any] = event.get("requestContext") or {}
    return str(about.get("requestId") or context.aws_request_id)


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".") or "body"
