"""The cache on a real Redis: what is old is neither taken nor told, and a Redis that is gone costs next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from payments.domain.payment import Change, Payment, State
from payments.functions import VERIFY_PAYMENT
from payments.storage import cache as caching
from payments.storage.cache import PAUSE, TIMEOUT, Name, PaymentCache
from payments.telemetry import Telemetry
from tests.payments.container.conftest import Clock
from tests.payments.container.redis_server import RedisServer

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
BEGIN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
WAY = (State.RECEIVED, State.SUBMITTED, State.AUTHORIZED, State.CAPTURED, State.REFUNDED)


def payment(sequence: int = 1, **changes: Any) -> Payment:
    history = tuple(Change(n, WAY[n - 1], BEGIN + timedelta(seconds=n), f"request-{n}", "why" if n == 2 else None) for n in range(1, sequence + 1))
    made = Payment(
        payment_id=ID,
        merchant="default",
        amount=1050,
        currency="EUR",
        payment_token="tok_approve",
        reference="Bestellung Nr. 7, größer",
        session_id="session-9",
        metadata={"note": "kept out"},
        state=WAY[sequence - 1],
        processor="sandbox",
        processor_reference="sandbox-1",
        history=history,
    )
    return replace(made, **changes)


def told(cache: PaymentCache, merchant: str = "default") -> int | None:
    """The sequence of what the cache tells."""
    found = cache.get(merchant, Name(ID, None))
    return found.history[-1].sequence if found else None


def test_what_was_put_is_told_by_either_name_without_what_nobody_is_told(cache: PaymentCache) -> None:
    whole = payment(3)
    assert cache.get("default", Name(ID, None)) is None
    assert cache.put(whole)
    public = replace(whole, payment_token="", session_id=None, metadata={}, processor=None, processor_reference=None)
    assert cache.get("default", Name(ID, None)) == public
    assert cache.get("default", Name(None, whole.reference)) == public
    assert cache.get("default", Name(None, "another")) is None


def test_redis_holds_no_token_no_metadata_no_session_and_no_reference_in_a_key(cache: PaymentCache, redis_server: RedisServer) -> None:
    cache.put(payment(2))
    with redis_server.client() as client:
        keys = cast("list[bytes]", client.keys())
        dumped = b"".join(b"".join(cast("dict[bytes, bytes]", client.hgetall(key)).values()) for key in keys if client.type(key) == b"hash")
    assert len(keys) == 2
    assert b"request-1" in dumped
    assert not [word for word in (b"tok_approve", b"kept out", b"session-9") if word in dumped]
    assert b"Bestellung" not in b"".join(keys)


def test_another_merchants_payment_is_not_told(cache: PaymentCache) -> None:
    cache.put(payment())
    assert told(cache, "somebody else") is None
    assert cache.get("somebody else", Name(None, payment().reference)) is None


def test_stages_share_nothing(cache: PaymentCache, redis_server: RedisServer) -> None:
    cache.put(payment())
    other = PaymentCache.at(redis_server.url, stage="dev-pr42", telemetry=Telemetry(VERIFY_PAYMENT))
    assert told(other) is None
    other.close()


def test_what_is_older_is_not_taken(cache: PaymentCache, another_cache: Callable[[], PaymentCache]) -> None:
    assert cache.put(payment(3))
    assert not another_cache().put(payment(2))
    assert told(cache) == 3
    assert another_cache().put(payment(4))
    assert told(cache) == 4


def test_what_was_outdated_is_neither_told_nor_taken_again(cache: PaymentCache, another_cache: Callable[[], PaymentCache]) -> None:
    cache.put(payment(2))
    another_cache().outdate({ID: 3})
    assert told(cache) is None
    assert not cache.put(payment(2))
    assert told(cache) is None
    assert cache.put(payment(3))
    assert told(cache) == 3


def test_outdating_what_is_newer_already_changes_nothing(cache: PaymentCache) -> None:
    cache.put(payment(3))
    cache.outdate({ID: 3})
    assert told(cache) == 3


@pytest.mark.parametrize(
    ("sequence", "seconds"), [(1, caching.MOVING_SECONDS), (3, caching.MOVING_SECONDS), (4, caching.REFUNDABLE_SECONDS), (5, caching.ENDED_SECONDS)]
)
def test_how_long_a_state_is_told_depends_on_what_may_come_after_it(cache: PaymentCache, redis_server: RedisServer, sequence: int, seconds: int) -> None:
    cache.put(payment(sequence))
    with redis_server.client() as client:
        lasts = client.pttl(cache._key(ID)) / 1000
    assert lasts == pytest.approx(seconds + caching.GUARD_SECONDS, abs=5)


def test_a_state_is_told_for_its_time_and_guards_against_older_ones_for_longer(cache: PaymentCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "MOVING_SECONDS", 0.15)
    cache.put(payment(2))
    assert told(cache) == 2
    time.sleep(0.2)
    assert told(cache) is None
    assert not cache.put(payment(1))


def test_a_redis_that_is_gone_is_as_good_as_an_empty_one_and_left_alone_for_a_while(cache: PaymentCache, redis_server: RedisServer, clock: Clock) -> None:
    cache.put(payment(4))
    redis_server.stop()
    assert told(cache) is None
    redis_server.start()
    with redis_server.client() as client:
        commands = client.info("stats")["total_commands_processed"]
        assert told(cache) is None
        assert cache.put(payment(4))
        cache.outdate({ID: 4})
        clock.now += PAUSE - 0.1
        assert told(cache) is None
        assert client.info("stats")["total_commands_processed"] <= commands + 1
    clock.now += 0.2
    assert cache.put(payment(4))
    assert told(cache) == 4


def test_a_redis_that_does_not_answer_costs_one_timeout(cache: PaymentCache, redis_server: RedisServer, clock: Clock) -> None:
    cache.put(payment(4))
    redis_server.freeze()
    begin = time.monotonic()
    assert [told(cache) for _ in range(50)] == [None] * 50
    assert TIMEOUT * 0.9 < time.monotonic() - begin < TIMEOUT * 4
    redis_server.thaw()
    clock.now += PAUSE
    assert told(cache) == 4


def test_after_the_pause_one_caller_tries_and_the_others_do_not_wait(cache: PaymentCache, redis_server: RedisServer, clock: Clock) -> None:
    redis_server.freeze()
    assert told(cache) is None
    clock.now += PAUSE
    assert cache._may_try()
    begin = time.monotonic()
    assert told(cache) is None
    assert time.monotonic() - begin < TIMEOUT / 2


def test_a_connection_that_broke_unused_costs_no_pause(cache: PaymentCache, redis_server: RedisServer) -> None:
    cache.put(payment(4))
    redis_server.stop()
    redis_server.start()
    assert cache.put(payment(3))
    assert told(cache) == 3


def test_a_wrong_password_is_a_redis_that_is_gone_and_is_not_logged(redis_server: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    url = redis_server.url.replace("made-up", "wrong-one")
    refused = PaymentCache.at(url, stage="dev", telemetry=Telemetry(VERIFY_PAYMENT))
    assert told(refused) is None
    assert refused.put(payment())
    refused.close()
    written = "".join(capsys.readouterr())
    assert "wrong-one" not in written
