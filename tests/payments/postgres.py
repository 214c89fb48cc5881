"""A real PostgreSQL for the tests: one server per test process, and a database of its own, at the newest schema, for each test that asks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from localcloud.stores.postgres import PostgresServer
from payments.storage.postgres import migrating
from payments.storage.postgres.credentials import Credentials, Login
from payments.storage.postgres.database import Connection, Connector, Database

USER = "payments"
PASSWORD = "made-up for tests"
_TEMPLATE = "template"
_numbers = itertools.count(1)


class Known(Credentials):
    """Credentials that need no secret. `later`: what is read after what was known was forgotten."""

    def __init__(self, user: str = USER, password: str = PASSWORD, *, later: tuple[str, str] | None = None) -> None:
        super().__init__("no secret")
        self._known = iter([Login(user, password)])
        self._later = Login(*(later or (user, password)))
        self.reads = 0

    def _read(self) -> Login:
        self.reads += 1
        return next(self._known, self._later)


@dataclass(frozen=True)
class TestDatabase:
    """One database of the server; PGHOSTADDR has to be the server's address, which the fixtures see to."""

    __test__ = False

    server: PostgresServer
    name: str
    host: str = "localhost"
    user: str = USER
    password: str = PASSWORD

    @property
    def port(self) -> int:
        """Of the server."""
        return self.server.port

    def connector(self, credentials: Credentials | None = None, options: Mapping[str, str] | None = None) -> Connector:
        """What makes connections, as the service makes them. options: settings of the session."""
        trust = self.server.authority.certificate
        return Connector(self.host, self.port, self.name, credentials or Known(self.user, self.password), trust=trust, options=options)

    def database(self, credentials: Credentials | None = None, options: Mapping[str, str] | None = None) -> Database:
        """A Database that the caller closes."""
        return Database(self.connector(credentials, options))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The server, with a migrated database to copy. Tests share it: what they do to it as a whole they do to a server of their own."""
    with PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        prepare(server)
        yield server


@pytest.fixture
def empty_database(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestDatabase]:
    """A database without any table."""
    yield from _made(postgres_server, monkeypatch, None)


@pytest.fixture
def test_database(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestDatabase]:
    """A database at the newest schema, with no payment in it."""
    yield from _made(postgres_server, monkeypatch, _TEMPLATE)


@pytest.fixture
def database(test_database: TestDatabase) -> Iterator[Database]:
    """The same, as the service sees it."""
    made = test_database.database()
    yield made
    made.close()


def prepare(server: PostgresServer) -> None:
    """Makes the service's role and the migrated database that others are copied from."""
    server.create_role(USER, PASSWORD)
    server.create_database(_TEMPLATE, USER)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PGHOSTADDR", server.address)
        migrating.migrate(migrator(TestDatabase(server, _TEMPLATE)))


def migrator(made: TestDatabase, settings: Mapping[str, str] = migrating.SESSION) -> Callable[[], Connection]:
    """Makes connections as the migrating function makes them."""
    return made.connector(options=settings)


def _made(server: PostgresServer, patched: pytest.MonkeyPatch, template: str | None) -> Iterator[TestDatabase]:
    name = f"test_{next(_numbers)}"
    server.create_database(name, USER, template=template)
    patched.setenv("PGHOSTADDR", server.address)
    yield TestDatabase(server, name)
    server.drop_database(name)
