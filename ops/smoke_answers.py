"""The service's answers as a client sees them, and what has to be true of each."""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

# API Gateway gives up after 29 seconds; no answer comes later.
_SECONDS = 35.0


class AnswerError(AssertionError):
    """An answer that is not as it has to be; says which one and what was expected, without what was sent."""


@dataclass(frozen=True)
class Answered:
    """An answer. path: of the route. kind: its media type."""

    path: str
    status: int
    kind: str
    body: bytes

    def __str__(self) -> str:
        """The answer by its route and status, with a problem's name and correlation id: enough to find it in the logs."""
        parts = [self.text("type").rpartition(":")[2], f"correlation id {self.text('correlation_id')}" if self.text("correlation_id") else ""]
        said = ", ".join(part for part in parts if part) or self.kind or "no media type"
        return f"POST /{self.path} answered {self.status} ({said})"

    def member(self, name: str) -> Any:
        """A member of the answer; None where it is missing or the answer is no JSON object."""
        try:
            decoded: Any = json.loads(self.body)
        except ValueError:
            return None
        return decoded.get(name) if isinstance(decoded, dict) else None

    def text(self, name: str) -> str:
        """A member that is a string; empty where it is none."""
        found = self.member(name)
        return found if isinstance(found, str) else ""

    def expect(self, status: int, kind: str) -> None:
        """Raises AnswerError unless the answer has this status and media type."""
        if self.status != status:
            raise AnswerError(f"{self}, expected {status}")
        if self.kind != kind:
            raise AnswerError(f"{self}: its media type is {self.kind or 'missing'}, expected {kind}")


class Client:
    """Sends requests to the two routes.

    key: the API key. host: the name that is asked for, and that the certificate has to be for, where that is not the URL's.
    trust: file with the certificates of whom to trust, where not those that everybody trusts.
    """

    def __init__(self, url: str, key: str, *, host: str = "", trust: Path | None = None) -> None:
        self._key = {"x-api-key": key}
        self._named: dict[str, Any] = {"sni_hostname": host} if host else {}
        # What listens on this machine is never behind a proxy; AWS may be.
        self._http = httpx.Client(
            base_url=url.rstrip("/") + "/",
            timeout=_SECONDS,
            trust_env=not _is_loopback(url),
            verify=ssl.create_default_context(cafile=str(trust)) if trust else True,
            headers={"Host": host} if host else None,
        )

    def __enter__(self) -> Self:
        """Connections are made when they are needed."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """Closes the connections."""
        self._http.close()

    def process(self, request: Mapping[str, Any], key: str) -> Answered:
        """POST /process-payment with an idempotency key."""
        return self._post("process-payment", request, {"Idempotency-Key": key, **self._key})

    def verify(self, request: Mapping[str, Any], *, authorized: bool = True) -> Answered:
        """POST /verify-payment, with the API key or without one."""
        return self._post("verify-payment", request, self._key if authorized else {})

    def elsewhere(self) -> Answered:
        """POST to a route that the API does not have."""
        return self._post("no-such-route", {}, self._key)

    def _post(self, path: str, request: Mapping[str, Any], headers: Mapping[str, str]) -> Answered:
        answer = self._http.post(path, json=dict(request), headers=dict(headers), extensions=self._named)
        return Answered(path, answer.status_code, answer.headers.get("content-type", "").partition(";")[0].strip().lower(), answer.content)


def problem(answer: Answered, status: int, name: str) -> str:
    """Holds an answer to be the problem document (RFC 9457) of that name; answers a line about it, or raises AnswerError."""
    answer.expect(status, "application/problem+json")
    if answer.text("type") != f"urn:payments:problem:{name}":
        raise AnswerError(f"{answer}: its type is {answer.text('type') or 'missing'}, expected urn:payments:problem:{name}")
    if answer.member("status") != status:
        raise AnswerError(f"{answer}: its member status is {answer.member('status')!r}, expected {status}")
    for member in ("title", "correlation_id"):
        if not answer.text(member):
            raise AnswerError(f"{answer}: it has no {member}")
    return f"{status} {name}"


def standing(answer: Answered, sent: Mapping[str, Any]) -> tuple[str, ...]:
    """The states in the history of a payment, oldest first; raises AnswerError where the answer contradicts itself or what was `sent`."""
    answer.expect(200, "application/json")
    for member in ("payment_id", "reference", "amount", "currency"):
        if answer.member(member) != sent[member] or isinstance(answer.member(member), bool | float):
            raise AnswerError(f"{answer}: its {member} is {answer.member(member)!r}, expected {sent[member]!r}")
    history = answer.member("history")
    steps = [step for step in history if isinstance(step, dict)] if isinstance(history, list) else []
    if not steps or any(not isinstance(step.get(member), str) for step in steps for member in ("state", "occurred_at")):
        raise AnswerError(f"{answer}: its history is to be a list of state and occurred_at, oldest first")
    states, times = tuple(step["state"] for step in steps), [step["occurred_at"] for step in steps]
    if answer.text("state") != states[-1]:
        raise AnswerError(f"{answer}: its state is {answer.text('state') or 'missing'}, but its history ends with {states[-1]}")
    if times != sorted(times):
        raise AnswerError(f"{answer}: its history goes back in time: {', '.join(times)}")
    return states


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
