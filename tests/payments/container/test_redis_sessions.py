"""Sessions in a real Redis over TLS: the last payment of each, for a day; and the server proves the name that the URL has, wherever it is reached."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from localcloud.stores.redis import RedisServer
from payments.assembly.projecting import projector_from
from payments.assembly.storing import store_from
from payments.domain.audit import timestamp
from payments.functions import PAYMENT_WORKER
from payments.settings import PaymentWorkerSettings, load
from payments.storage import redis_client
from payments.storage.redis_client import client_at
from payments.storage.redis_sessions import RedisSessions
from payments.storage.sessions import LIFETIME
from payments.telemetry import Telemetry
from tests.payments.service import REQUEST, Service, aws

NAME = "master.payments-dev.abc123.use1.cache.example.com"
TOKEN = "made-up for tests"
NOW = datetime.now(UTC)
_sessions = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis"), token=TOKEN, names=[NAME]) as made:
        yield made


@pytest.fixture
def url(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """As the cache's secret has it; the name leads nowhere by itself."""
    monkeypatch.setenv("CACHE_HOSTADDR", server.address)
    monkeypatch.setattr(redis_client, "TRUST_BUNDLE", server.authority.certificate)
    return written(server, NAME, TOKEN)


def written(server: RedisServer, host: str, token: str) -> str:
    return f"rediss://:{token.replace(' ', '%20')}@{host}:{server.port}/0"


def kept(url: str, session: str, stage: str = "dev") -> dict[bytes, bytes]:
    with client_at(url, timeout=5, connections=1) as client:
        found: dict[bytes, bytes] = client.hgetall(f"sessions:1:{stage}:shop/{session}")  # pyright: ignore[reportAssignmentType]
        return found


def moment(seconds: float = 0) -> str:
    return timestamp(NOW + timedelta(seconds=seconds))


def test_a_session_has_its_last_payment_whatever_the_order_in_which_they_are_told(url: str) -> None:
    session, sessions = f"s-{next(_sessions)}", RedisSessions(lambda: url, stage="dev")
    sessions.remember("shop", session, "second", moment(1))
    sessions.remember("shop", session, "first", moment())
    assert kept(url, session) == {b"last_payment_id": b"second", b"last_payment_at": moment(1).encode()}
    sessions.remember("shop", session, "second", moment(1))
    sessions.remember("shop", session, "third", moment(2))
    assert kept(url, session)[b"last_payment_id"] == b"third"
    assert kept(url, session, "staging") == {}


def test_a_session_is_kept_for_a_day_after_its_last_payment(url: str) -> None:
    session, sessions = f"s-{next(_sessions)}", RedisSessions(lambda: url, stage="dev")
    sessions.remember("shop", session, "first", moment(-3600))
    with client_at(url, timeout=5, connections=1) as client:
        key = f"sessions:1:dev:shop/{session}"
        assert client.expiretime(key) == int((NOW - timedelta(hours=1)).timestamp()) + LIFETIME
        sessions.remember("shop", session, "second", moment())
        assert client.expiretime(key) == int(NOW.timestamp()) + LIFETIME


def test_threads_that_tell_of_one_session_leave_the_last_payment(url: str) -> None:
    session, sessions = f"s-{next(_sessions)}", RedisSessions(lambda: url, stage="dev")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: sessions.remember("shop", session, str(number), moment(number % 17)), range(68)))
    assert kept(url, session)[b"last_payment_at"] == moment(16).encode()


def test_a_server_that_has_another_name_is_given_no_password(server: RedisServer, url: str) -> None:
    elsewhere = RedisSessions(lambda: written(server, "cache.example.org", TOKEN), stage="dev")
    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        elsewhere.remember("shop", "s", "first", moment())


def test_a_server_whose_authority_is_unknown_is_given_no_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_client, "TRUST_BUNDLE", Path("none"))
    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        RedisSessions(lambda: url, stage="dev").remember("shop", "s", "first", moment())


def test_a_token_that_was_changed_is_read_again(server: RedisServer, url: str) -> None:
    tokens = iter([written(server, NAME, "an old one"), url])
    session, sessions = f"s-{next(_sessions)}", RedisSessions(lambda: next(tokens), stage="dev")
    sessions.remember("shop", session, "first", moment())
    assert kept(url, session)[b"last_payment_id"] == b"first"


@pytest.mark.parametrize("variable", ["CACHE_SECRET_ARN", "CACHE_URL"])
def test_sessions_are_kept_in_the_cache_where_there_is_no_table(service: Service, url: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = aws("secretsmanager").create_secret(Name="cache", SecretString=url)["ARN"]
    monkeypatch.delenv("SESSIONS_TABLE")
    monkeypatch.setenv(variable, url if variable == "CACHE_URL" else secret)
    session = f"s-{next(_sessions)}"
    status, body, _ = service.process({**REQUEST, "session_id": session})
    assert status == 202
    assert service.work(*service.taken()) == []
    with client_at(url, timeout=5, connections=1) as client:
        (key,) = client.keys(f"sessions:1:dev:*/{session}")
        assert client.hget(key, "last_payment_id") == body["payment_id"].encode()


def test_no_connection_is_made_before_a_session_is_told_of(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SESSIONS_TABLE")
    monkeypatch.setenv("CACHE_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:none")
    settings = load(PaymentWorkerSettings)
    outbox = store_from(settings.place).outbox
    assert isinstance(projector_from(settings, outbox, Telemetry(PAYMENT_WORKER)).sessions, RedisSessions)
