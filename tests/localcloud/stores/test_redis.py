"""Redis as the local target has it. Without a Redis on PATH these fail and say what to install."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from localcloud.stores import redis as stores
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import Kept, StoreError
from localcloud.stores.redis import RedisServer
from tests.localcloud.stores.conftest import started_elsewhere, within


def test_its_address_is_all_that_a_client_needs(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("key", "value")
        assert client.get("key") == b"value"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}


def test_without_password_tls_or_trust_it_is_not_reached(redis_server: RedisServer, tmp_path: Path) -> None:
    port = redis_server.port
    for refused in (
        f"redis://:{redis_server.password}@127.0.0.1:{port}",
        f"rediss://127.0.0.1:{port}?ssl_ca_certs={redis_server.authority.certificate}",
        f"rediss://:{redis_server.password}@127.0.0.1:{port}?ssl_ca_certs={Authority(tmp_path).certificate}",
    ):
        with redis.Redis.from_url(refused) as client, pytest.raises(redis.RedisError):
            client.get("key")


@pytest.mark.parametrize("crash", [False, True])
def test_it_comes_back_empty_where_it_was(redis_server: RedisServer, *, crash: bool) -> None:
    url = redis_server.url
    with redis.Redis.from_url(url) as client:
        client.set("key", "value")
    redis_server.stop(crash=crash)
    assert not redis_server.running()
    redis_server.start()
    assert redis_server.url == url
    with redis.Redis.from_url(url) as client:
        assert client.get("key") is None


def test_when_its_starter_is_killed_it_ends(redis_server: RedisServer) -> None:
    redis_server.stop()
    with started_elsewhere(redis_server) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        assert redis_server.running()
        starter.kill()
        assert within(10, lambda: not Kept(redis_server.folder, "redis").held())


def test_a_port_that_was_taken_meanwhile_is_left_to_its_taker(redis_server: RedisServer, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "port").write_text(str(redis_server.port))
    with RedisServer(tmp_path / "other") as other:
        assert other.port != redis_server.port
        assert redis_server.running()


def test_without_a_redis_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PROGRAMS", ("redis-of-nobody",))
    with pytest.raises(StoreError, match="apt-get install redis-server"):
        RedisServer(tmp_path).start()
    assert not Kept(tmp_path, "redis").held()
