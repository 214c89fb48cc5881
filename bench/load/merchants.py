"""Merchants who send payments at a steady rate, whether they are answered or not, and ask in between what became of them."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.timing import Failed

TIMES = 10
"""How many times the normal load: a usage plan's rate is what a client may send at most, so the normal load is a tenth of it."""
SECONDS = 60.0

_CHECK_EVERY = 5
"""One request in so many asks for a payment's status."""
_PATIENCE = 30.0
_PAUSE = 1.0
# Throttled; somebody works on the same key; not for now.
_LATER = frozenset({409, 429, 500, 502, 503, 504})
_ORDER = ("received", "submitted", "authorized", "captured")


@dataclass
class Merchants:
    """All of them. accepted: payments, with the states that were last shown of each.

    checks: seconds that each status check took. unanswered: those that got no status. untrue: statuses that do not go with one shown before.
    """

    url: str
    key: str = field(repr=False)
    rate: float
    offered: int = 0
    repeated: int = 0
    unanswered: int = 0
    untrue: int = 0
    accepted: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    checks: list[float] = field(default_factory=list[float])

    async def ask(self) -> None:
        """For SECONDS; returns when everything that was sent was answered. A request is never held back by those before it."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with httpx.AsyncClient(base_url=self.url, headers={"x-api-key": self.key}, timeout=_PATIENCE, limits=limits) as client:
            sent: list[asyncio.Task[None]] = []
            begun = time.perf_counter()
            for number in range(int(self.rate * SECONDS)):
                await asyncio.sleep(begun + number / self.rate - time.perf_counter())
                asked = self._check(client) if number % _CHECK_EVERY == 0 and self.accepted else self._pay(client)
                sent.append(asyncio.create_task(asked))
            await asyncio.gather(*sent)

    def p99(self) -> float:
        """Seconds within which 99 of 100 status checks were answered."""
        return sorted(self.checks)[int(0.99 * len(self.checks))]

    async def _pay(self, client: httpx.AsyncClient) -> None:
        """Until it is accepted, always under the same key: so does a merchant who does not know whether a request arrived."""
        self.offered += 1
        name = uuid.uuid4().hex
        body = {"amount": 1050, "currency": "EUR", "payment_token": "tok_approve", "reference": name}
        for attempt in range(int(SECONDS)):
            self.repeated += attempt > 0
            answer = await self._post(client, "/process-payment", body, {"Idempotency-Key": name})
            if answer is not None and answer.status_code == 202:
                self.accepted[answer.json()["payment_id"]] = []
                return
            if answer is not None and answer.status_code not in _LATER:
                raise Failed(f"a payment was answered {answer.status_code}: {answer.text}")
            await asyncio.sleep(_PAUSE)

    async def _check(self, client: httpx.AsyncClient) -> None:
        """Any payment's status; what was shown of it before must still be the beginning of its history."""
        payment_id = random.choice(list(self.accepted))  # noqa: S311 - which one is no secret
        started = time.perf_counter()
        answer = await self._post(client, "/verify-payment", {"payment_id": payment_id}, {})
        self.checks.append(time.perf_counter() - started)
        if answer is None or answer.status_code != 200:
            self.unanswered += 1
            return
        states = [change["state"] for change in answer.json()["history"]]
        seen = self.accepted[payment_id]
        shorter, longer = sorted([seen, states], key=len)
        # Two checks of one payment may overtake one another.
        self.untrue += longer[: len(shorter)] != shorter or tuple(longer) != _ORDER[: len(longer)]
        self.accepted[payment_id] = longer

    async def _post(self, client: httpx.AsyncClient, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response | None:
        try:
            return await client.post(path, json=body, headers=headers)
        except httpx.TransportError:
            return None
