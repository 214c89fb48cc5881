"""What the container's tests stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from payments.functions import VERIFY_PAYMENT
from payments.storage.cache import PaymentCache
from payments.storage.cached_payments import CachedPayments
from payments.storage.postgres.database import Database
from payments.storage.postgres.payments import PostgresPayments
from payments.telemetry import Telemetry
from tests.payments.container.redis_server import RedisServer


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def another_cache(redis_server: RedisServer, clock: Clock) -> Iterator[Callable[[], PaymentCache]]:
    """The cache as one more process has it."""
    made: list[PaymentCache] = []

    def make() -> PaymentCache:
        cache = PaymentCache.at(redis_server.url, stage="dev", telemetry=Telemetry(VERIFY_PAYMENT))
        cache._clock = clock
        made.append(cache)
        return cache

    yield make
    for cache in made:
        cache.close()


@pytest.fixture
def cache(another_cache: Callable[[], PaymentCache]) -> PaymentCache:
    return another_cache()


@pytest.fixture
def payments(database: Database, cache: PaymentCache) -> CachedPayments:
    return CachedPayments(PostgresPayments(database), cache)
