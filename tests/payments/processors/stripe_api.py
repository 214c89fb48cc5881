"""A server on loopback that speaks what the service uses of Stripe's API, and remembers every charge.

PaymentIntents are created (confirmed at once, captured by hand), captured, read and searched for. As Stripe documents it:
form-encoded bodies, a bearer key, JSON answers and error objects; an `Idempotency-Key` stands for one request: its answer is kept
and given again (`Idempotent-Replayed: true`), other parameters are an `idempotency_error`, and a second request while the first runs is a 409.

By itself: `python -m tests.payments.processors.stripe_api --port N`, until standard input ends.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import re
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KEY = "sk_test_made_up"
APPROVED = "pm_card_visa"
DECLINED = "pm_card_visa_chargeDeclinedInsufficientFunds"
NEEDS_ACTION = "pm_card_authenticationRequired"

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Trouble:
    """What happens to the next request.

    status: answered with this status and nothing done. drop: the connection is closed without an answer. after: what was asked for is done first.
    delay: seconds before the answer.
    """

    status: int | None = None
    drop: bool = False
    after: bool = False
    delay: float = 0.0


@dataclass
class _Kept:
    digest: str
    answer: Answer | None = None


@dataclass
class StripeApi:
    """The server; `with StripeApi() as api`. All that it knows is readable and may be changed by a test."""

    port: int = 0
    keys: set[str] = field(default_factory=lambda: {KEY})
    troubles: deque[Trouble] = field(default_factory=deque[Trouble])
    down: bool = False
    searchable: bool = True
    intents: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list[tuple[str, str, dict[str, str]]])
    connections: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._numbers = itertools.count(1)
        api = self

        class Handler(_Handler):
            stripe = api

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, payment_id: str) -> list[dict[str, Any]]:
        """Every intent that was made for a payment: more than one would be a double charge."""
        with self._lock:
            return [intent for intent in self.intents.values() if intent["metadata"].get("payment_id") == payment_id]

    def forget_keys(self) -> None:
        """A day has passed: keys stand for nothing any more."""
        with self._lock:
            self._kept.clear()

    def answer(self, method: str, path: str, key: str | None, parameters: dict[str, str]) -> tuple[Answer, bool]:
        """An answer, and whether it is one that was given before."""
        if key is None or method == "GET":
            return self._done(method, path, parameters), False
        digest = hashlib.sha256(json.dumps([path, sorted(parameters.items())]).encode()).hexdigest()
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                self._kept[key] = kept = _Kept(digest)
                first = True
            else:
                first = False
        if first:
            kept.answer = self._done(method, path, parameters)
            return kept.answer, False
        if kept.digest != digest:
            return _error(400, "idempotency_error", None, "Keys for idempotent requests can only be used with the same parameters."), False
        if kept.answer is None:
            return _error(409, "idempotency_error", "idempotency_key_in_use", "There is currently another in-progress request using this key."), False
        return kept.answer, True

    def _done(self, method: str, path: str, parameters: dict[str, str]) -> Answer:
        with self._lock:
            answer = _error(404, "invalid_request_error", "resource_missing", "No such resource.")
            match (method, *path.strip("/").split("/")):
                case ("POST", "v1", "payment_intents"):
                    answer = self._create(parameters)
                case ("POST", "v1", "payment_intents", name, "capture") if name in self.intents:
                    answer = self._capture(self.intents[name])
                case ("GET", "v1", "payment_intents", "search"):
                    answer = self._search(parameters)
                case ("GET", "v1", "payment_intents", name) if name in self.intents:
                    answer = 200, self.intents[name]
                case _:
                    pass
            return answer

    def _create(self, parameters: dict[str, str]) -> Answer:
        method, amount = parameters.get("payment_method", ""), parameters.get("amount", "")
        if not amount.isdigit() or int(amount) < 1:
            return _error(400, "invalid_request_error", "parameter_invalid_integer", "Invalid integer.")
        if method.startswith("pm_card_visa_chargeDeclined"):
            return _error(402, "card_error", "card_declined", "Your card has insufficient funds.", decline_code="insufficient_funds")
        if not method.startswith("pm_card_"):
            return _error(400, "invalid_request_error", "resource_missing", "No such PaymentMethod.")
        name = f"pi_{next(self._numbers):024d}"
        metadata = {field[9:-1]: value for field, value in parameters.items() if field.startswith("metadata[")}
        status = "requires_action" if method == NEEDS_ACTION else "requires_capture"
        about = {"amount": int(amount), "currency": parameters["currency"], "capture_method": parameters["capture_method"], "amount_received": 0}
        self.intents[name] = {"id": name, "object": "payment_intent", "status": status, "metadata": metadata, **about}
        return 200, dict(self.intents[name])

    def _capture(self, intent: dict[str, Any]) -> Answer:
        if intent["status"] != "requires_capture":
            return _error(400, "invalid_request_error", "payment_intent_unexpected_state", "This PaymentIntent could not be captured.")
        intent.update(status="succeeded", amount_received=intent["amount"])
        return 200, dict(intent)

    def _search(self, parameters: dict[str, str]) -> Answer:
        asked = re.fullmatch(r"metadata\['payment_id'\]:'([^']+)'", parameters.get("query", ""))
        if not self.searchable or asked is None:
            return _error(400, "invalid_request_error", None, "Search is not supported here.")
        found = [intent for intent in self.intents.values() if intent["metadata"].get("payment_id") == asked[1]]
        return 200, {"object": "search_result", "data": found, "has_more": False}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With five, as is the default, a sixth connection of the same instant is tried again by the kernel a second later.
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    stripe: StripeApi
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        with self.stripe._lock:
            self.stripe.connections += 1
        super().setup()

    def do_GET(self) -> None:
        self._serve(_parameters(urlsplit(self.path).query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self._serve(_parameters(body))

    def _serve(self, parameters: dict[str, str]) -> None:
        api = self.stripe
        api.requests.append((self.command, self.path, parameters))
        trouble = api.troubles.popleft() if api.troubles else Trouble()
        if trouble.delay:
            time.sleep(trouble.delay)
        if api.down or (trouble.drop and not trouble.after):
            self.close_connection = True
            return
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in api.keys:
            self._send(_error(401, "invalid_request_error", None, "Invalid API Key provided."))
            return
        if trouble.status:
            self._send(_error(trouble.status, "rate_limit_error" if trouble.status == 429 else "api_error", None, "Made up trouble."))
            return
        answer, replayed = api.answer(self.command, urlsplit(self.path).path, self.headers.get("Idempotency-Key"), parameters)
        if trouble.drop:
            self.close_connection = True
            return
        self._send(answer, {"Idempotent-Replayed": "true"} if replayed else {})

    def _send(self, answer: Answer, headers: dict[str, str] | None = None) -> None:
        status, content = answer
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        # Whoever lost patience is gone.
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Nobody reads it."""


def _parameters(encoded: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(encoded, keep_blank_values=True).items()}


def _error(status: int, kind: str, code: str | None, message: str, **more: str) -> Answer:
    return status, {"error": {"type": kind, "message": message, **({"code": code} if code else {}), **more}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    with StripeApi(parser.parse_args().port) as running:
        print(running.endpoint, flush=True)
        sys.stdin.read()
