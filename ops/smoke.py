"""Whether a deployed payment service does its job: a few requests as a client sends them, each answer looked at in full.

The payments are real for the service: they stay in its ledger, log and audit trail, under references that start with `smoke-`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from ops.report import Outcome, plain
from ops.smoke_answers import Answered, AnswerError, Client, problem, standing
from ops.smoke_report import Check

CARD_NUMBER: Final = "4242424242424242"
"""A number that processors publish for tests; no card has it."""

AMOUNT: Final = 100
CURRENCY: Final = "EUR"

_PATH_TO_CAPTURED = ("received", "submitted", "authorized", "captured")
_PATH_TO_DECLINED = ("received", "submitted", "declined")

# What a stage, its usage plan or a function answers in the first minute after it was made.
_NOT_YET = frozenset({403, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Payment tokens for which the deployed processor approves and declines."""

    approve: str
    decline: str


TOKENS: Final = {
    "sandbox": Tokens(approve="tok_approve", decline="tok_decline"),
    # Stripe's own test cards; they exist with a test key only (docs.stripe.com/testing).
    "stripe": Tokens(approve="pm_card_visa", decline="pm_card_chargeDeclined"),
}


@dataclass(frozen=True, kw_only=True)
class Service:
    """The service to try.

    url: of the API's stage or domain; the routes are below it. key: the API key. host: the name that it is to be asked
    by, where that is not the URL's. trust: file with whom to trust for its certificate, where not those that everybody trusts.
    patience: seconds that each wait may take: for the first answer of a service that was just deployed, and for a payment to be worked on.
    pause: seconds between two questions.
    """

    url: str
    key: str = field(repr=False)
    host: str = ""
    trust: Path | None = None
    tokens: Tokens = TOKENS["sandbox"]
    patience: float = 90.0
    pause: float = 0.5


class _NotTriedError(Exception):
    """A check that stands on another one, which failed."""


def smoke(service: Service, told: Callable[[Check], None] = lambda _: None) -> tuple[Check, ...]:
    """All checks, each told as soon as it is done; none is left out because another one failed, unless it stands on it."""
    with Client(service.url, service.key, host=service.host, trust=service.trust) as client:
        run = _Run(service, client)
        checks: list[Check] = []
        for name, check in run.checks():
            checks.append(_checked(name, check))
            told(checks[-1])
        return tuple(checks)


def _checked(name: str, check: Callable[[], str]) -> Check:
    started = time.monotonic()
    try:
        outcome, detail = Outcome.SUCCEEDED, check()
    except AnswerError as error:
        outcome, detail = Outcome.FAILED, str(error)
    except _NotTriedError as error:
        outcome, detail = Outcome.EARLY_EXIT, str(error)
    except httpx.HTTPError as error:
        outcome, detail = Outcome.FAILED, f"no answer: {type(error).__name__}: {error}"
    return Check(name=name, outcome=outcome, detail=plain(detail), seconds=time.monotonic() - started)


@dataclass
class _Run:
    """One run's payments, and the checks on them."""

    service: Service
    client: Client
    _first: Answered | None = None
    _request: dict[str, Any] = field(default_factory=dict[str, Any])
    _key: str = ""

    def checks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """The checks in the order in which they are made."""
        yield "process", self._accepted
        yield "captured", self._captured
        yield "by reference", self._by_reference
        yield "declined", self._declined
        yield "duplicate", self._duplicate
        yield "other body, same key", self._reused
        yield "bad input", self._bad_input
        yield "card number", self._card_number
        yield "unknown payment", self._unknown
        yield "without API key", self._without_key
        yield "unknown route", self._elsewhere

    def _accepted(self) -> str:
        """The first request waits for a service that was just deployed; sent again with its key, it makes one payment however often it is sent."""
        self._request, self._key = _request(self.service.tokens.approve), str(uuid.uuid4())
        deadline, tries = time.monotonic() + self.service.patience, 1
        while (answer := self._try()) is None or answer.status in _NOT_YET:
            if time.monotonic() >= deadline:
                raise AnswerError(_never(answer, self.service.patience))
            time.sleep(self.service.pause)
            tries += 1
        _accepted(answer)
        self._first = answer
        return f"payment {answer.text('payment_id')} {answer.text('state')}" + (f", at try {tries}" if tries > 1 else "")

    def _try(self) -> Answered | None:
        try:
            return self.client.process(self._request, self._key)
        except httpx.TransportError:
            return None

    def _captured(self) -> str:
        return self._until(self._payment(), self._request, _PATH_TO_CAPTURED)

    def _by_reference(self) -> str:
        payment = self._payment()
        answer = self.client.verify({"reference": self._request["reference"]})
        standing(answer, {**self._request, "payment_id": payment})
        return f"the same payment, {answer.text('state')}"

    def _declined(self) -> str:
        request = _request(self.service.tokens.decline)
        answer = self.client.process(request, str(uuid.uuid4()))
        _accepted(answer)
        return self._until(answer.text("payment_id"), request, _PATH_TO_DECLINED)

    def _duplicate(self) -> str:
        self._payment()
        again = self.client.process(self._request, self._key)
        if self._first is None or (again.status, again.body) != (self._first.status, self._first.body):
            raise AnswerError(f"{again}, expected the first answer once more, byte for byte: a second payment may have been made")
        return "the first answer, byte for byte"

    def _reused(self) -> str:
        self._payment()
        return problem(self.client.process({**self._request, "amount": AMOUNT + 1}, self._key), 422, "idempotency-key-reused")

    def _bad_input(self) -> str:
        """Fields that are missing, of the wrong type, or unknown; API Gateway or the function, whoever sees it first, refuses each."""
        good = _request(self.service.tokens.approve)
        bad = ({**good, "amount": "100"}, {**good, "surprise": 1}, {name: value for name, value in good.items() if name != "currency"})
        said = [problem(self.client.process(request, str(uuid.uuid4())), 400, "invalid-request") for request in bad]
        return f"{said[0]}, {len(said)} kinds"

    def _card_number(self) -> str:
        answer = self.client.process(_request(CARD_NUMBER), str(uuid.uuid4()))
        said = problem(answer, 400, "card-data-refused")
        if CARD_NUMBER.encode() in answer.body:
            raise AnswerError(f"{answer}: the answer repeats the card number")
        faults: Any = answer.member("errors")
        fields = [fault.get("field") for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else []
        if fields != ["payment_token"]:
            raise AnswerError(f"{answer}: its errors name the fields {fields}, expected payment_token alone")
        return said

    def _unknown(self) -> str:
        return problem(self.client.verify({"payment_id": str(uuid.uuid4())}), 404, "payment-not-found")

    def _without_key(self) -> str:
        return problem(self.client.verify({"payment_id": str(uuid.uuid4())}, authorized=False), 403, "forbidden")

    def _elsewhere(self) -> str:
        """Whatever stands in front of the service lets through what the API has, and nothing else."""
        answer = self.client.elsewhere()
        # A load balancer cannot say application/problem+json (ELB, FixedResponseActionConfig).
        answer.expect(404, "application/json" if answer.kind == "application/json" else "application/problem+json")
        if answer.text("type") != "urn:payments:problem:no-such-route":
            raise AnswerError(f"{answer}: its type is {answer.text('type') or 'missing'}, expected urn:payments:problem:no-such-route")
        return "404 no-such-route"

    def _payment(self) -> str:
        if self._first is None:
            raise _NotTriedError("not tried: no payment was accepted")
        return self._first.text("payment_id")

    def _until(self, payment: str, request: dict[str, Any], path: tuple[str, ...]) -> str:
        """Asks until the payment is in the path's last state; every answer on the way has to be true: a beginning of the path, and never one given back."""
        deadline, seen = time.monotonic() + self.service.patience, 0
        while True:
            states = standing(self.client.verify({"payment_id": payment}), {**request, "payment_id": payment})
            if states != path[: len(states)]:
                raise AnswerError(f"payment {payment} went {' → '.join(states)}, expected {' → '.join(path)}")
            if len(states) < seen:
                raise AnswerError(f"payment {payment} was {path[seen - 1]} and is {states[-1]} now: a state was shown that was not true")
            if states == path:
                return " → ".join(states)
            if time.monotonic() >= deadline:
                raise AnswerError(f"payment {payment} is still {states[-1]} after {self.service.patience:.0f} s, expected {path[-1]}: does the worker run?")
            seen = len(states)
            time.sleep(self.service.pause)


def _request(token: str) -> dict[str, Any]:
    return {"amount": AMOUNT, "currency": CURRENCY, "payment_token": token, "reference": f"smoke-{uuid.uuid4()}", "metadata": {"purpose": "smoke test"}}


def _accepted(answer: Answered) -> None:
    answer.expect(202, "application/json")
    if not answer.text("payment_id"):
        raise AnswerError(f"{answer}: it names no payment_id")
    if answer.text("state") != "received":
        raise AnswerError(f"{answer}: its state is {answer.text('state') or 'missing'}, expected received")


def _never(answer: Answered | None, seconds: float) -> str:
    if answer is None:
        return f"nothing answers, for {seconds:.0f} s: is the URL right, and does something listen there?"
    return f"{answer}, for {seconds:.0f} s{'; is the API key right?' if answer.status == 403 else ''}"
