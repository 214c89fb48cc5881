"""The deployed stores' stand-ins on this machine: a real PostgreSQL and a real Redis, under the endpoints and with the credentials that are deployed."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from localcloud.stores import postgres, redis
from localcloud.stores.postgres import PostgresServer
from localcloud.stores.redis import RedisServer
from ops.package_trust import local_authority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ops.deployed import Deployed

log = logging.getLogger("ops.serve")


class Database:
    """The relational database of an environment, an instance or a cluster: one server has all of its endpoints' names.

    folder: of the server and its data, which belong to one local cloud: its secrets are another's no more.
    Raises StoreError where PostgreSQL cannot be started, NotDeployedError where there is none to stand in for.
    """

    def __init__(self, where: Deployed, folder: Path) -> None:
        self._url = str(where.output("data", "databaseUrl"))
        self._name = str(where.output("data", "databaseName"))
        self._secret_arn = where.output("data", "databaseSecretArn")
        self._secrets: Any = where.client("secretsmanager")
        self._login = ("", "")
        names = [str(where.output("data", "databaseAddress")), *filter(None, [where.optional("data", "databaseReaderAddress")])]
        # What a crash of this machine would lose is lost with the local cloud anyway, which is in memory.
        self._server = PostgresServer(folder, authority=local_authority(), names=names, durable=False)

    def start(self) -> None:
        """Starts the server, with the deployed master user and database."""
        self._server.start()
        self.keep_password()
        self._server.create_database(self._name, self._login[0])

    def keep_password(self) -> None:
        """Gives the master user the password that its secret has now: what a rotation by RDS does."""
        secret = json.loads(self._secrets.get_secret_value(SecretId=self._secret_arn)["SecretString"])
        login = (secret["username"], secret["password"])
        if login != self._login:
            self._server.create_role(*login)
            if self._login[0]:
                log.info("the database's password was rotated")
            self._login = login

    def stop(self) -> None:
        """Ends the server if this process started it."""
        self._server.__exit__(None, None, None)

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs to find the server under the deployed name."""
        # libpq goes to this address and still verifies the certificate by the name (libpq, "hostaddr").
        found = {"PGHOSTADDR": self._server.address}
        # Where the system has one loopback address only, PostgreSQL could not have the port of the deployment.
        moved = _moved(self._url, self._server.port, postgres.PORT)
        return {**found, "DATABASE_URL": moved} if moved else found


class Cache:
    """The cache of an environment: a replication group's primary endpoint. What it holds ends with it."""

    def __init__(self, where: Deployed, folder: Path) -> None:
        self._folder, self._names = folder, [str(where.output("data", "cacheAddress"))]
        self._secret_arn = where.output("data", "cacheSecretArn")
        self._secrets: Any = where.client("secretsmanager")
        self._url = self._read()
        self._server = RedisServer(folder, token=_token(self._url), authority=local_authority(), names=self._names)

    def start(self) -> None:
        """Starts the server, with the token that is deployed."""
        self._server.start()

    def keep_password(self) -> None:
        """Has the server take the token that the secret has now: what a rotation by ElastiCache does."""
        url = self._read()
        if _token(url) != _token(self._url):
            self._server.change_token(_token(url))
            log.info("the cache's token was rotated")
        self._url = url

    def stop(self) -> None:
        """Ends the server if this process started it."""
        self._server.__exit__(None, None, None)

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs to find the server under the deployed name."""
        found = {"CACHE_HOSTADDR": self._server.address}
        moved = _moved(self._url, self._server.port, redis.PORT)
        return {**found, "CACHE_URL": moved} if moved else found

    def _read(self) -> str:
        return str(self._secrets.get_secret_value(SecretId=self._secret_arn)["SecretString"])


class Stores:
    """All stand-ins that an environment needs; one that keeps payments in DynamoDB, which the local cloud has, may need none."""

    def __init__(self, where: Deployed, home: Path) -> None:
        made: list[tuple[bool, Callable[[], Database | Cache]]] = [
            (where.relational, lambda: Database(where, home / "postgres")),
            (where.optional("data", "cacheAddress") is not None, lambda: Cache(where, home / "redis")),
        ]
        self._stores = [make() for needed, make in made if needed]
        self._running = ExitStack()

    def start(self) -> None:
        """Starts them; when one does not start, those that had are ended."""
        with ExitStack() as ending:
            for store in self._stores:
                store.start()
                ending.callback(store.stop)
            self._running = ending.pop_all()

    def keep_passwords(self) -> None:
        """Follows rotations."""
        for store in self._stores:
            store.keep_password()

    def stop(self) -> None:
        """Ends those that this process started."""
        self._running.close()

    @property
    def variables(self) -> Mapping[str, str]:
        """What a process needs to find them."""
        return {name: value for store in self._stores for name, value in store.variables.items()}


def _token(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _moved(url: str, port: int, usual: int) -> str:
    """The URL with the port that the server has here; empty where that is the deployed one."""
    parts = urlsplit(url)
    return "" if port == (parts.port or usual) else parts._replace(netloc=_netloc(parts, port)).geturl()


def _netloc(parts: SplitResult, port: int) -> str:
    login, at, _ = parts.netloc.rpartition("@")
    return f"{login}{at}{parts.hostname}:{port}"
