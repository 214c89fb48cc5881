"""Requests and answers of the routes, whatever brought them: API Gateway's events (see gateway.py) or the container's server."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self, TypeVar, cast

from pydantic import BaseModel, ValidationError

from payments import errors
from payments.clients import is_busy
from payments.domain.card_data import findings
from payments.functions import Metric
from payments.settings import SettingsError
from payments.storage.store import DatabaseUnavailable
from payments.telemetry import Telemetry

LARGEST_BODY = 32 * 1024
"""Bytes of a request's body."""

DEFAULT_MERCHANT = "default"
"""Whose payments they are where nothing tells callers apart."""

LAYERS = 50
"""Of objects and arrays within each other that a body may have. What reads it, here and in the database, has a place for each on its stack."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Request:
    """What a route is given.

    payload: the body's JSON object, free of card data.
    headers: by lower-case name.
    merchant: whose payment it is about; told by what let the caller in, never by the caller.
    correlation_id: the id that all logs of the request bear; never a value that the caller chose.
    """

    payload: dict[str, Any]
    headers: Mapping[str, str]
    merchant: str
    correlation_id: str

    @classmethod
    def read(cls, body: bytes, headers: Mapping[str, str], *, merchant: str, correlation_id: str) -> Self:
        """The request; raises the problem that tells what is wrong with its body."""
        if len(body) > LARGEST_BODY:
            raise errors.body_too_large(LARGEST_BODY)
        payload = _payload(body)
        if found := list(findings(payload)):
            raise errors.card_data_refused(errors.Fault(finding.field, finding.rule) for finding in found)
        return cls(payload, {name.lower(): value for name, value in headers.items()}, merchant, correlation_id)

    def as_model(self, model: type[M]) -> M:
        """The payload as a model; raises the problem that names each wrong field and its rule."""
        try:
            return model.model_validate(self.payload)
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False, include_context=False)
            raise errors.invalid_request(errors.Fault(_path(fault["loc"]), fault["msg"]) for fault in faults) from None


@dataclass(frozen=True)
class Answer:
    """What is answered; the body is JSON text."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict[str, str])


def respond(route: Callable[[], Answer], *, correlation_id: str, telemetry: Telemetry) -> Answer:
    """Runs a route: its answer with the headers that every answer has, a problem document where it raised one.

    Whatever else is raised becomes a 500 (or a 503, where trying again helps) that tells nothing of the cause; the cause is logged.
    """
    with telemetry.correlated(correlation_id):
        try:
            answer = route()
        except errors.Problem as problem:
            answer = _refusal(problem, correlation_id, telemetry)
        except Exception as error:  # noqa: BLE001 - the border: a caller gets an answer whatever happened, and the log gets the cause
            answer = _failure(error, correlation_id, telemetry)
        finally:
            telemetry.flush()
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Correlation-Id": correlation_id, **answer.headers}
    return Answer(answer.status, answer.body, headers)


def _payload(body: bytes) -> dict[str, Any]:
    """RFC 8259 as RFC 7493 (I-JSON) narrows it: no repeated names, no lone surrogates, no NaN."""
    try:
        text = body.decode()
        payload = json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_not_a_number)
        if text.count("{") + text.count("[") > LAYERS and _is_deep(payload):
            raise _too_deep()
        # Half a surrogate pair can only be written as an escape.
        if "\\u" in text:
            json.dumps(payload, ensure_ascii=False).encode()
    except errors.Problem:
        raise
    except UnicodeDecodeError:
        raise errors.malformed_body("The body is not text in UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # which JSONDecodeError and UnicodeEncodeError are
        raise errors.malformed_body("The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise errors.malformed_body("The body is not a JSON object.")
    return payload


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise errors.malformed_body("An object in the body has the same name twice.")
    return members


def _number(written: str) -> float:
    number = float(written)
    # 1e999 is JSON, but no double, and PostgreSQL's json has no infinity (RFC 8259, section 6, leaves the range to the reader).
    return number if math.isfinite(number) else _not_a_number(written)


def _not_a_number(_: str) -> NoReturn:
    raise errors.malformed_body("The body holds a number that JSON does not have, or that is too large.")


def _is_deep(payload: Any) -> bool:
    """Whether there are more than LAYERS; layer by layer, as going into each would need the very stack that may not be there."""
    layer: list[Any] = [payload]
    for _ in range(LAYERS):
        layer = [inner for outer in layer for inner in _members(outer) if isinstance(inner, dict | list)]
    return bool(layer)


def _members(value: Any) -> Iterable[Any]:
    return cast(dict[str, Any], value).values() if isinstance(value, dict) else value


def _too_deep() -> errors.Problem:
    return errors.malformed_body(f"The body has objects or arrays within each other in more than {LAYERS} layers.")


def _refusal(problem: errors.Problem, correlation_id: str, telemetry: Telemetry) -> Answer:
    telemetry.count(Metric.REQUEST_REFUSED if problem.status < 500 else Metric.REQUEST_FAILED)
    if problem.name == errors.CARD_DATA_REFUSED:
        telemetry.count(Metric.CARD_DATA_REFUSED)
    # Names of fields are the caller's too: only how many were wrong is logged.
    telemetry.log.info("request refused", problem=problem.name, status=problem.status, faults=len(problem.faults))
    return _problem(problem, correlation_id)


def _failure(error: Exception, correlation_id: str, telemetry: Telemetry) -> Answer:
    telemetry.count(Metric.REQUEST_FAILED)
    if isinstance(error, DatabaseUnavailable) or is_busy(error):
        telemetry.log.warning("request failed: busy", cause=str(error))
        return _problem(errors.temporarily_unavailable(), correlation_id)
    if isinstance(error, SettingsError):
        telemetry.log.error("request failed: %s", error)
    else:
        telemetry.log.error("request failed", exc_info=error)
    return _problem(errors.internal_error(), correlation_id)


def _problem(problem: errors.Problem, correlation_id: str) -> Answer:
    retry = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else {}
    document = json.dumps({**problem.document, "correlation_id": correlation_id}, ensure_ascii=False)
    return Answer(problem.status, document, {"Content-Type": "application/problem+json", **retry})


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".") or "body"
