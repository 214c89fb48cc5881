"""Redis as a cache of what is told of payments. The database decides; Redis, where it answers, saves asking it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeVar

import redis

from payments.domain.payment import FINAL, TRANSITIONS, Change, Payment, State
from payments.storage.redis_client import client_at
from payments.telemetry import Telemetry

T = TypeVar("T")

TIMEOUT = 0.2
"""Seconds for a connection to Redis, and for an answer; the database answers in less."""

PAUSE = 5.0
"""Seconds for which Redis is left alone after it failed. Then one caller tries it, and the others go on to the database until it answers."""

MOVING_SECONDS = 2
"""For which a payment is told from the cache that is on its way: nobody tells the cache of what a function in Lambda did."""
REFUNDABLE_SECONDS = 5 * 60
"""For which a payment is told from the cache that only a refund moves."""
ENDED_SECONDS = 24 * 60 * 60
"""For which a payment is told from the cache that nothing moves any more."""

GUARD_SECONDS = 30
"""For which a payment's sequence outlives what was cached of it: longer than any reading of the database takes that began before."""

_CONNECTIONS = 64

# Times are Redis's own, in milliseconds, as those of the containers may differ.
_NOW = "local clock = redis.call('TIME') local now = clock[1] * 1000 + math.floor(clock[2] / 1000) "
_GET = (
    _NOW
    + """
local held = redis.call('HMGET', KEYS[1], 'body', 'until')
if not held[1] or tonumber(held[2]) <= now then return false end
return held[1]
"""
)
_PUT = (
    _NOW
    + """
if tonumber(redis.call('HGET', KEYS[1], 'sequence') or 0) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'sequence', ARGV[1], 'body', ARGV[2], 'until', now + ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[3] + ARGV[4])
return 1
"""
)
_OUTDATE = """
if tonumber(redis.call('HGET', KEYS[1], 'sequence') or 0) >= tonumber(ARGV[1]) then return 0 end
redis.call('HDEL', KEYS[1], 'body', 'until')
redis.call('HSET', KEYS[1], 'sequence', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""


@dataclass(frozen=True)
class Name:
    """What a caller calls a payment: its id, or its reference; the other one is None."""

    payment_id: str | None
    reference: str | None


class PaymentCache:
    """Payments by id, each with the sequence of its last change: what is older than that is not taken any more, however late it comes.

    A payment's token, session and metadata are not kept: they are empty in what the cache gives back.
    No method raises because of Redis. One that fails, or takes longer than TIMEOUT, is as good as an empty one, and is left alone for PAUSE.

    stage: so that stages that share a Redis share nothing in it.
    """

    def __init__(self, client: redis.Redis, *, stage: str, telemetry: Telemetry, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._prefix = f"payments:1:{stage}"  # the number changes with the shape of what is kept
        self._telemetry = telemetry
        self._clock = clock
        self._lock = threading.Lock()
        self._resting_until: float | None = None
        self._get, self._put, self._outdate = (client.register_script(script) for script in (_GET, _PUT, _OUTDATE))

    @classmethod
    def at(cls, url: str, *, stage: str, telemetry: Telemetry) -> Self:
        """The cache in the Redis at a URL (`rediss://:password@host:port/0`). No connection is made before it is needed."""
        return cls(client_at(url, timeout=TIMEOUT, connections=_CONNECTIONS), stage=stage, telemetry=telemetry)

    def get(self, merchant: str, name: Name) -> Payment | None:
        """The merchant's payment, as far as the cache may tell it."""
        return self._tried(lambda: self._got(merchant, name), None)

    def put(self, payment: Payment) -> bool:
        """Keeps a payment as it was read; False where the cache knows of a later change, so that what was read is old."""
        return self._tried(lambda: self._kept(payment), True)

    def outdate(self, sequences: Mapping[str, int]) -> None:
        """Makes the cache tell nothing of payments that is older than their change with this sequence. To be called when it was committed."""
        self._tried(lambda: self._outdated(sequences), None)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _got(self, merchant: str, name: Name) -> Payment | None:
        payment_id = name.payment_id
        if name.reference is not None:
            known: Any = self._client.get(self._reference_key(merchant, name.reference))
            payment_id = known.decode() if known else None
        body = self._get(keys=[self._key(payment_id)]) if payment_id else None
        payment = _decoded(body) if body else None
        return payment if payment is not None and payment.merchant == merchant else None

    def _kept(self, payment: Payment) -> bool:
        arguments = [payment.history[-1].sequence, _encoded(payment), _seconds(payment.state) * 1000, GUARD_SECONDS * 1000]
        with self._client.pipeline(transaction=False) as pipeline:
            self._put(keys=[self._key(payment.payment_id)], args=arguments, client=pipeline)
            # A reference stays its payment's for good.
            pipeline.set(self._reference_key(payment.merchant, payment.reference), payment.payment_id, ex=ENDED_SECONDS)
            taken, _ = pipeline.execute()
        return bool(taken)

    def _outdated(self, sequences: Mapping[str, int]) -> None:
        with self._client.pipeline(transaction=False) as pipeline:
            for payment_id, sequence in sequences.items():
                self._outdate(keys=[self._key(payment_id)], args=[sequence, GUARD_SECONDS * 1000], client=pipeline)
            pipeline.execute()

    def _key(self, payment_id: str) -> str:
        return f"{self._prefix}:payment:{payment_id}"

    def _reference_key(self, merchant: str, reference: str) -> str:
        # References are their merchants' own affair: Redis need not know them by heart, nor be given keys of any length.
        return f"{self._prefix}:reference:{hashlib.sha256(json.dumps([merchant, reference]).encode()).hexdigest()}"

    def _tried(self, do: Callable[[], T], otherwise: T) -> T:
        if not self._may_try():
            return otherwise
        try:
            done = do()
        except (redis.RedisError, OSError) as error:
            with self._lock:
                self._resting_until = self._clock() + PAUSE
            # Not the error's text: it may name the server's address, and nothing in it is needed.
            self._telemetry.log.warning("cache unavailable, left alone for %d s", PAUSE, cause=type(error).__name__)
            return otherwise
        with self._lock:
            self._resting_until = None
        return done

    def _may_try(self) -> bool:
        with self._lock:
            if self._resting_until is None:
                return True
            if self._clock() < self._resting_until:
                return False
            # This caller tries; the others wait for what comes of it.
            self._resting_until = self._clock() + PAUSE
            return True


def _seconds(state: State) -> int:
    if state not in FINAL:
        return MOVING_SECONDS
    return REFUNDABLE_SECONDS if TRANSITIONS[state] else ENDED_SECONDS


def _encoded(payment: Payment) -> str:
    kept = {name: getattr(payment, name) for name in ("payment_id", "merchant", "amount", "currency", "reference", "state")}
    changes = [[change.sequence, change.state, change.occurred_at.isoformat(), change.correlation_id, change.reason] for change in payment.history]
    return json.dumps({**kept, "history": changes}, ensure_ascii=False, separators=(",", ":"))


def _decoded(body: bytes) -> Payment:
    kept: dict[str, Any] = json.loads(body)
    history = tuple(
        Change(sequence, State(state), datetime.fromisoformat(occurred_at), correlation_id, reason)
        for sequence, state, occurred_at, correlation_id, reason in kept["history"]
    )
    return Payment(
        payment_id=kept["payment_id"],
        merchant=kept["merchant"],
        amount=kept["amount"],
        currency=kept["currency"],
        payment_token="",
        reference=kept["reference"],
        session_id=None,
        metadata={},
        state=State(kept["state"]),
        processor=None,
        processor_reference=None,
        history=history,
    )
