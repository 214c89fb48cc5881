"""A client process: the functions' handlers, called one event after the other with what API Gateway and SQS would hand them."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import uuid4

import boto3

from payments.storage.postgres import database

MERCHANTS = 1000
"""As many as "many merchants" are."""
VERIFIED = 500
"""Payments that are asked about, with the references 1 to this; all of one merchant."""
BATCH = 10
"""Messages that SQS hands over at once."""
_CONTEXT: Any = SimpleNamespace(aws_request_id="bench", get_remaining_time_in_millis=lambda: 28_000)

Action = Callable[[], object]


@dataclass(frozen=True)
class Order:
    """What a client is to do.

    what: a method of Client that gets one action ready. seconds: how long; or times: how often.
    """

    what: str
    seconds: float = float("inf")
    times: float = float("inf")


@dataclass(frozen=True)
class Done:
    """What a client did. actions: seconds of each. wall: seconds of all, what got them ready included."""

    actions: list[float]
    wall: float


class Aws:
    """AWS's clients: everything is done at once, and the database's secret is what the environment says."""

    def __init__(self, service: str, **_: Any) -> None:
        self.service = service

    def get_secret_value(self, **_: Any) -> dict[str, Any]:
        """Secrets Manager's."""
        return {"SecretString": json.dumps({"username": os.environ["PGUSER"], "password": os.environ["PGPASSWORD"]})}

    def publish_batch(self, **parameters: Any) -> dict[str, Any]:
        """SNS's: all were taken."""
        return {"Successful": [{"Id": entry["Id"]} for entry in parameters["PublishBatchRequestEntries"]]}

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        return lambda **_: {}


class Client:
    """Gets actions ready; what an action does is measured, and an answer that is not the expected one ends the benchmark."""

    def __init__(self) -> None:
        from payments.assembly.storing import store_from
        from payments.handlers import payment_worker, process_payment, verify_payment
        from payments.settings import VerifyPaymentSettings, load

        self._process, self._verify, self._work = process_payment.handler, verify_payment.handler, payment_worker.handler
        self._payments = store_from(load(VerifyPaymentSettings).place).payments
        self._numbers = itertools.count(1)
        self._taken_in: list[dict[str, Any]] = []
        self._name = uuid4().hex

    def first(self) -> Action:
        """A payment request."""
        event = _payment("bench", f"{self._name}-{next(self._numbers)}")
        self._taken_in.append(event)
        return lambda: self._accept(event)

    def repeated(self) -> Action:
        """A request that came before."""
        event = self._taken_in[next(self._numbers) % len(self._taken_in)]
        return lambda: self._accept(event)

    def verify(self) -> Action:
        """A question for one of the payments of `verified`."""
        reference = self._asked_about()
        event = _event("verified", json.dumps({"reference": reference}))
        return lambda: _expect(200, self._verify(event, _CONTEXT))

    def found(self) -> Action:
        """The same without the handler: what finds the payment in the database, and reads its rows."""
        reference = self._asked_about()
        return lambda: self._payments.find("verified", reference=reference)

    def verified(self) -> Action:
        """A batch of the payments that are asked about, seen through to their end."""
        return self._whole([_payment("verified", str(next(self._numbers))) for _ in range(BATCH)])

    def hot(self) -> Action:
        """A batch of payments of one merchant, from their requests to the ledger."""
        return self._whole([_payment("hot", f"{self._name}-{next(self._numbers)}") for _ in range(BATCH)])

    def many(self) -> Action:
        """A batch of payments of many merchants, from their requests to the ledger."""
        numbers = [next(self._numbers) for _ in range(BATCH)]
        return self._whole([_payment(f"merchant-{number * 7919 % MERCHANTS}", f"{self._name}-{number}") for number in numbers])

    def batch(self) -> Action:
        """Messages that the worker is handed all at once."""
        messages = self._messages()
        return lambda: self._worked(messages)

    def singles(self) -> Action:
        """As many messages, one after the other."""
        messages = self._messages()
        return lambda: [self._worked([message]) for message in messages]

    def _asked_about(self) -> str:
        return str(1 + next(self._numbers) * 7919 % VERIFIED)

    def _messages(self) -> list[str]:
        return [self._accept(_payment("bench", f"{self._name}-{next(self._numbers)}")) for _ in range(BATCH)]

    def _whole(self, events: list[dict[str, Any]]) -> Action:
        return lambda: self._worked([self._accept(event) for event in events])

    def _accept(self, event: dict[str, Any]) -> str:
        """The id of the payment."""
        answer = self._process(event, _CONTEXT)
        _expect(202, answer)
        return json.loads(answer["body"])["payment_id"]

    def _worked(self, payment_ids: list[str]) -> None:
        bodies = [json.dumps({"payment_id": name, "correlation_id": "bench"}) for name in payment_ids]
        records = [{"messageId": str(number), "body": body, "attributes": {"ApproximateReceiveCount": "1"}} for number, body in enumerate(bodies)]
        if self._work({"Records": records}, _CONTEXT) != {"batchItemFailures": []}:
            raise AssertionError("the worker handed messages back")


def _payment(merchant: str, name: str) -> dict[str, Any]:
    wanted = {"amount": 1050, "currency": "EUR", "payment_token": "tok_approve", "reference": name, "session_id": "session-1", "metadata": {}}
    return _event(merchant, json.dumps(wanted), {"Idempotency-Key": name})


def _event(merchant: str, body: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    about = {"requestId": str(uuid4()), "identity": {"apiKeyId": merchant}}
    return {"headers": {"Content-Type": "application/json", **(headers or {})}, "requestContext": about, "body": body, "isBase64Encoded": False}


def _expect(status: int, answer: dict[str, Any]) -> None:
    if answer["statusCode"] != status:
        raise AssertionError(f"answered {answer['statusCode']}: {answer['body']}")


def serve(pipe: Connection, certificate: Path) -> None:
    """A client process's life: orders in, what was done (or why it was not) out. Logs and metrics are made and thrown away."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    with mock.patch.object(boto3, "client", Aws), mock.patch.object(database, "TRUST_BUNDLE", certificate):
        client = Client()
        while (order := pipe.recv()) is not None:
            try:
                pipe.send(_obey(client, order))
            except Exception as error:  # noqa: BLE001 - the parent raises it
                pipe.send(error)


def _obey(client: Client, order: Order) -> Done:
    ready: Callable[[], Action] = getattr(client, order.what)
    actions: list[float] = []
    begun = time.perf_counter()
    while len(actions) < order.times and time.perf_counter() - begun < order.seconds:
        act = ready()
        started = time.perf_counter()
        act()
        actions.append(time.perf_counter() - started)
    return Done(actions, time.perf_counter() - begun)
