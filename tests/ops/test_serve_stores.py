"""The stand-ins of deployed stores: under the deployed names, with the deployed credentials and what becomes of these."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from localcloud.stores.certificates import Authority
from ops import serve_stores
from ops.deployed import Deployed, NotDeployedError
from ops.serve_stores import Cache, Database, Stores
from tests.ops.somewhere import deployed

HOST, READER, CACHE = "db.cluster-x.eu-west-1.rds.example.com", "db.cluster-ro-x.eu-west-1.rds.example.com", "master.cache.abc.euw1.cache.example.com"
DATABASE = {
    "transactionLogTableName": "log",
    "databaseUrl": f"postgresql://{HOST}:5432/payments?sslmode=verify-full",
    "databaseAddress": HOST,
    "databaseReaderAddress": READER,
    "databaseName": "payments",
    "databaseSecretArn": "arn:database",
}
CACHED = {"transactionLogTableName": "log", "cacheAddress": CACHE, "cacheSecretArn": "arn:cache"}


class _Secrets:
    """Secrets Manager, as far as it is asked."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.login("first")
        self.token("first/token")

    def login(self, password: str) -> None:
        self.secrets["arn:database"] = json.dumps({"username": "payments", "password": password})

    def token(self, token: str) -> None:
        self.secrets["arn:cache"] = f"rediss://:{token.replace('/', '%2F')}@{CACHE}:6379/0"

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        return {"SecretString": self.secrets[SecretId]}


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path / "ca")
    monkeypatch.setattr(serve_stores, "local_authority", lambda: made)
    return made


@pytest.fixture
def secrets() -> _Secrets:
    return _Secrets()


def where(secrets: _Secrets, data: dict[str, Any]) -> Deployed:
    return deployed({"data": data}, lambda *_: secrets)


def user(authority: Authority, database: Database, password: str, host: str = HOST) -> str:
    """Who is let in with a password, under a name of the deployment."""
    address = database.variables["PGHOSTADDR"]
    place: dict[str, Any] = {"host": host, "hostaddr": address, "port": database._server.port, "dbname": "payments", "user": "payments"}
    with psycopg.connect(**place, password=password, sslmode="verify-full", sslrootcert=str(authority.certificate)) as connection:
        row = connection.execute("SELECT current_user || '@' || current_database()").fetchone()
        assert row is not None
        return str(row[0])


def test_the_database_has_the_deployed_names_credentials_and_follows_a_rotation(tmp_path: Path, authority: Authority, secrets: _Secrets) -> None:
    database = Database(where(secrets, DATABASE), tmp_path / "postgres")
    database.start()
    try:
        # An instance's or a writer's endpoint, and the readers', which a cluster has besides.
        assert user(authority, database, "first") == user(authority, database, "first", READER) == "payments@payments"
        secrets.login("second")
        database.keep_password()
        assert user(authority, database, "second") == "payments@payments"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            user(authority, database, "first")
        assert "DATABASE_URL" not in database.variables
        database._server.port = 15_432
        assert database.variables["DATABASE_URL"] == f"postgresql://{HOST}:15432/payments?sslmode=verify-full"
        database._server.port = 5432
    finally:
        database.stop()
    assert not database._server.running()


@pytest.fixture
def cache(tmp_path: Path, authority: Authority, secrets: _Secrets) -> Iterator[Cache]:
    made = Cache(where(secrets, CACHED), tmp_path / "redis")
    made.start()
    yield made
    made.stop()


def test_the_cache_has_the_deployed_token_and_follows_a_rotation(cache: Cache, authority: Authority, secrets: _Secrets) -> None:
    def ping(token: str) -> bool:
        place: dict[str, Any] = {"host": cache.variables["CACHE_HOSTADDR"], "port": 6379, "password": token, "ssl": True}
        made = redis.Redis(**place, ssl_ca_certs=str(authority.certificate), retry=Retry(NoBackoff(), 0))
        with made as client:
            return bool(client.ping())

    assert ping("first/token")
    secrets.token("second")
    cache.keep_password()
    assert ping("second")
    with pytest.raises(redis.AuthenticationError):
        ping("first/token")
    assert "CACHE_URL" not in cache.variables
    cache._server.port = 16_379
    assert cache.variables["CACHE_URL"] == f"rediss://:second@{CACHE}:16379/0"
    cache._server.port = 6379


def test_an_environment_has_stand_ins_for_what_it_has(tmp_path: Path, authority: Authority, secrets: _Secrets) -> None:
    table = Stores(where(secrets, {"transactionLogTableName": "log", "paymentsTableName": "payments"}), tmp_path)
    table.start()
    assert dict(table.variables) == {}
    table.keep_passwords()
    table.stop()
    assert list(tmp_path.iterdir()) == []
    both = Stores(where(secrets, {**DATABASE, **CACHED}), tmp_path)
    both.start()
    try:
        assert set(both.variables) == {"PGHOSTADDR", "CACHE_HOSTADDR"}
    finally:
        both.stop()
    assert not any(store._server.running() for store in both._stores)


def test_when_one_does_not_start_the_others_are_ended(tmp_path: Path, authority: Authority, secrets: _Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = Stores(where(secrets, {**DATABASE, **CACHED}), tmp_path)

    def fail(_: Cache) -> None:
        raise OSError("no Redis")

    monkeypatch.setattr(Cache, "start", fail)
    with pytest.raises(OSError, match="no Redis"):
        stores.start()
    assert not any(store._server.running() for store in stores._stores)


def test_without_deployed_stores_nothing_is_started(tmp_path: Path, secrets: _Secrets) -> None:
    with pytest.raises(NotDeployedError, match="data was never deployed to dev"):
        Stores(deployed({}, lambda *_: secrets), tmp_path)
