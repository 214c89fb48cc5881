"""A payment service of a few lines on loopback, which answers as the real one does, or is wrong in one way that a test names."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "an-api-key"
_PATHS = {"tok_approve": ["received", "submitted", "authorized", "captured"], "tok_decline": ["received", "submitted", "declined"]}
_FIELDS = {"amount": int, "currency": str, "payment_token": str, "reference": str, "metadata": dict}


class RefusedError(Exception):
    def __init__(self, status: int, name: str, **more: Any) -> None:
        self.status = status
        self.body = {"type": f"urn:payments:problem:{name}", "title": "No", "status": status, "correlation_id": str(uuid.uuid4()), **more}


@dataclass
class FakeService:
    """wrong: the one way in which it is wrong; empty when it is right. asked: requests to each route."""

    wrong: str = ""
    asked: dict[str, int] = field(default_factory=lambda: {"process-payment": 0, "verify-payment": 0, "no-such-route": 0})
    payments: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    keys: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    url: str = ""

    def answer(self, route: str, headers: dict[str, str], text: str) -> tuple[int, str, bytes]:
        """Status, media type and body."""
        self.asked[route] += 1
        if self.wrong == "new" and self.asked[route] < 3:
            return 403, "application/problem+json", json.dumps(RefusedError(403, "forbidden").body).encode()
        try:
            status, body = self._routed(route, headers, text)
        except RefusedError as refusal:
            kind = "application/json" if self.wrong == "plain problems" else "application/problem+json"
            return self._refusal(refusal), kind, json.dumps(refusal.body).encode()
        return status, "application/json", body

    def _routed(self, route: str, headers: dict[str, str], text: str) -> tuple[int, bytes]:
        if headers.get("x-api-key") != KEY and self.wrong != "open":
            raise RefusedError(403, "forbidden")
        if route == "no-such-route":
            if self.wrong == "any route":
                return 200, b"{}"
            body = RefusedError(404, "elsewhere" if self.wrong == "other refusal" else "no-such-route").body
            return 404, json.dumps(body).encode()
        return self._process(headers, text) if route == "process-payment" else (200, self._verify(json.loads(text)))

    def _refusal(self, refusal: RefusedError) -> int:
        if self.wrong == "no correlation":
            del refusal.body["correlation_id"]
        if self.wrong == "other status":
            refusal.body["status"] = 418
        return refusal.status

    def _process(self, headers: dict[str, str], text: str) -> tuple[int, bytes]:
        if self.wrong == "down":
            raise RefusedError(500, "internal-error")
        request, key = json.loads(text), headers["idempotency-key"]
        self._card_data(request, text)
        self._validity(request)
        if key in self.keys and self.wrong != "forgets keys":
            before, stored = self.keys[key]
            if before != text and self.wrong != "ignores bodies":
                raise RefusedError(422, "idempotency-key-reused")
            return 202, stored
        payment: dict[str, Any] = {**request, "payment_id": str(uuid.uuid4()), "asked": 0}
        self.payments[payment["payment_id"]] = payment
        state = "captured" if self.wrong == "boasts" else "received"
        answer = json.dumps({"payment_id": payment["payment_id"], "state": state}).encode()
        self.keys[key] = text, answer
        return 200 if self.wrong == "answers 200" else 202, answer

    def _card_data(self, request: dict[str, Any], text: str) -> None:
        if "4242424242424242" in text and self.wrong != "takes cards":
            more = {"detail": "4242424242424242 is a card"} if self.wrong == "repeats cards" else {}
            raise RefusedError(400, "card-data-refused", errors=[{"field": "body" if self.wrong == "vague" else "payment_token", "rule": "a card"}], **more)

    def _validity(self, request: dict[str, Any]) -> None:
        wanted = {name: kind for name, kind in _FIELDS.items() if self.wrong != "takes anything" or name in request}
        known = {name: value for name, value in request.items() if self.wrong != "drops unknown fields" or name in _FIELDS}
        fits = set(known) == set(wanted) and all(isinstance(known[name], kind) for name, kind in wanted.items())
        if not fits and self.wrong != "takes anything":
            raise RefusedError(400, "invalid-request")

    def _verify(self, asked: dict[str, Any]) -> bytes:
        ((name, value),) = asked.items()
        found = next((payment for payment in self.payments.values() if payment[name] == value), None)
        if found is None:
            if self.wrong == "invents payments":
                return json.dumps({"payment_id": value, "state": "captured"}).encode()
            raise RefusedError(404, "payment-not-found")
        found["asked"] += 1
        states = self._states(found)
        history = [{"state": state, "occurred_at": f"2026-11-21T10:00:{second:02}.000000Z"} for second, state in enumerate(states)]
        answer = {name: found[name] for name in ("payment_id", "reference", "amount", "currency")} | {"state": states[-1], "history": history}
        changed = {
            "other amount": {"amount": found["amount"] * 100},
            "fractions": {"amount": float(found["amount"])},
            "state apart": {"state": "received"},
            "no history": {"history": []},
            "back in time": {"history": history[::-1] if len(history) < 2 else [{**step, "occurred_at": f"{9 - n}"} for n, step in enumerate(history)]},
        }
        return json.dumps(answer | changed.get(self.wrong, {})).encode()

    def _states(self, payment: dict[str, Any]) -> list[str]:
        path = _PATHS[payment["payment_token"]]
        reached = min(payment["asked"], len(path))
        if self.wrong == "no worker":
            return path[:1]
        if self.wrong == "declines everything" and path[-1] == "captured":
            return _PATHS["tok_decline"][:reached]
        if self.wrong == "approves everything" and path[-1] == "declined":
            return _PATHS["tok_approve"][:reached]
        if self.wrong == "wavers" and payment["asked"] == 3:
            return path[:1]
        return path[:reached]


@contextmanager
def serving(wrong: str = "") -> Generator[FakeService]:
    """The service on a free port of loopback."""
    service = FakeService(wrong)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, kind, body = service.answer(self.path.removeprefix("/stage/"), {name.lower(): value for name, value in self.headers.items()}, text)
            if service.wrong == "hangs up":
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """A test's output is no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}/stage"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
