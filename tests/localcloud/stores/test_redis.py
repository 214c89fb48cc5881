"""Redis as the local target has it: reached as ElastiCache is, under its endpoint's name, with TLS and the token, and gone with its starter."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from localcloud.stores import redis as store
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import StoreError
from localcloud.stores.redis import RedisServer
from tests.localcloud.stores.conftest import within

NAME = "master.payments-cache.abc123.use1.cache.amazonaws.com"
TOKEN = 'it\'s "a" \\ token, ünusual'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis", token=TOKEN, names=[NAME]) as started:
        yield started


def client(server: RedisServer, token: str = TOKEN, *, tls: bool = True) -> redis.Redis:
    return redis.Redis(
        host=server.address,
        port=server.port,
        password=token,
        ssl=tls,
        ssl_ca_certs=str(server.authority.certificate),
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
    )


def test_clients_reach_it_with_tls_and_the_token_alone(server: RedisServer) -> None:
    with client(server) as connection:
        assert connection.set("a", "b" * 300_000)
        assert connection.get("a") == b"b" * 300_000
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
    with client(server, "another") as connection, pytest.raises(AuthenticationError):
        connection.ping()
    with client(server, tls=False) as connection, pytest.raises(redis.ConnectionError):
        connection.ping()
    assert (server.port, server.address.startswith("127.")) == (store.PORT, True)


def test_its_certificate_is_for_the_endpoint_and_no_other_name(server: RedisServer) -> None:
    trusting = ssl.create_default_context(cafile=str(server.authority.certificate))
    with socket.create_connection((server.address, server.port), timeout=5) as plain, trusting.wrap_socket(plain, server_hostname=NAME) as connection:
        assert connection.version() in {"TLSv1.2", "TLSv1.3"}
    with socket.create_connection((server.address, server.port), timeout=5) as plain, pytest.raises(ssl.SSLCertVerificationError):
        trusting.wrap_socket(plain, server_hostname="another.cache.amazonaws.com")


def test_another_token_is_taken_and_the_former_no_more(server: RedisServer) -> None:
    server.change_token("second")
    with client(server, "second") as connection:
        assert connection.ping()
    with client(server) as connection, pytest.raises(AuthenticationError):
        connection.ping()
    server.change_token(TOKEN)


def test_it_begins_empty_again_and_whoever_comes_second_finds_it(tmp_path: Path, server: RedisServer) -> None:
    with client(server) as connection:
        connection.set("a", "b")
    second = RedisServer(tmp_path / "redis", token=TOKEN, names=[NAME])
    second.start()
    assert (second.address, second.port) == (server.address, server.port)
    server.stop(crash=True)
    assert not server.running()
    server.start()
    with client(server) as connection:
        assert connection.keys() == []


def test_nothing_of_it_is_left_when_it_was_stopped(server: RedisServer) -> None:
    address, port = server.address, server.port
    server.stop()
    assert not server._kept.held()
    again = RedisServer(server.folder, token=TOKEN)
    again.address, again.port = address, port
    assert again._refusal() is not None


def test_the_front_ends_with_the_server_behind_it(server: RedisServer) -> None:
    # A server that ends by itself: the front must not go on without it.
    started = time.monotonic()
    with client(server) as connection:
        connection.shutdown(nosave=True)
    assert within(10, lambda: not server._kept.held()), time.monotonic() - started


def test_a_program_that_is_none_and_a_machine_without_one_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.VARIABLE, str(tmp_path))
    monkeypatch.setattr(store.os, "access", lambda *_: False)
    with pytest.raises(StoreError, match=f"{store.VARIABLE} is .*which is no program"):
        store.program()
    monkeypatch.delenv(store.VARIABLE)
    monkeypatch.setattr(store.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(store.shutil, "which", lambda _: None)
    with pytest.raises(StoreError, match="no Redis was found"):
        RedisServer(tmp_path, token=TOKEN, authority=Authority(tmp_path / "ca")).start()
