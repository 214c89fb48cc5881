"""Bringing a database to the schema that this version of the code needs, with yoyo-migrations."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration, default_migration_table

from payments.storage.postgres.database import Connection
from payments.storage.postgres.schema import MIGRATIONS
from payments.telemetry import described

SESSION = {"statement_timeout": "60000", "lock_timeout": "2000"}
"""Settings of a session that migrates, in milliseconds. A migration that waits for a lock makes everyone behind it wait, so it gives up soon."""

WAIT = 20.0
"""Seconds that a migration waits for another one to end."""

_LOCK_NUMBER = 0x6D69_6772_6174_6531
"""Names the lock of whoever migrates among the database's advisory locks."""


class MigrationRefused(RuntimeError):  # noqa: N818 - says what happened
    """The database refused a migration, or the connection broke in the middle of it; it was not applied, those before it were."""


class MigrationInProgress(RuntimeError):  # noqa: N818 - says what is the case, not who is at fault
    """Another migration runs on the database and has not ended in time. Nothing was done."""


def migrate(connect: Callable[[], Connection], *, wait: float = WAIT) -> list[str]:
    """Applies the migrations that the database does not have; their ids, in order. Each is applied whole, or not at all, with those before it.

    connect: makes a connection in autocommit mode, with the settings of SESSION.
    Raises MigrationRefused, MigrationInProgress and DatabaseUnavailable.
    """
    with _told(), _Backend(connect) as backend, _alone(backend.connection, wait):
        backend.init_database()
        # The advisory lock, which ends with its connection, is ours: what a migration that was killed left in yoyo's table says nothing.
        backend.break_lock()
        with backend.lock():
            wanted = backend.to_apply(read_migrations(str(MIGRATIONS)))
            backend.apply_migrations(wanted)
            return [migration.id for migration in wanted]


def rollback(connect: Callable[[], Connection], *, wait: float = WAIT) -> list[str]:
    """Undoes all migrations, with everything that is kept; their ids, the last one first. For tests and empty databases; errors as of migrate."""
    with _told(), _Backend(connect) as backend, _alone(backend.connection, wait):
        backend.init_database()
        backend.break_lock()
        with backend.lock():
            wanted = backend.to_rollback(read_migrations(str(MIGRATIONS)))
            backend.rollback_migrations(wanted)
            return [migration.id for migration in wanted]


class _Backend(PostgresqlPsycopgBackend):
    """yoyo's, on our connections; and a migration is one transaction with the note that it was applied, so that no crash comes between the two."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._make = connect
        # The address is not used: connections come from elsewhere.
        super().__init__(DatabaseURI("postgresql+psycopg", None, None, None, None, None, {}), default_migration_table)

    def connect(self, dburi: DatabaseURI) -> Connection:  # noqa: ARG002 - yoyo's signature
        return self._make()

    def copy(self) -> _Backend:
        return _Backend(self._make)

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        self.ensure_internal_schema_updated()
        migration.load()
        if not migration.use_transactions:
            super().apply_one(migration, force, mark)
            return
        with self.transaction():
            migration.process_steps(self, "apply", force=force)
            self.log_migration(migration, "apply")
            self.mark_one(migration, log=False)

    def rollback_one(self, migration: Migration, force: bool = False) -> None:
        self.ensure_internal_schema_updated()
        with self.transaction():
            migration.process_steps(self, "rollback", force=force)
            self.log_migration(migration, "rollback")
            self.unmark_one(migration, log=False)

    def get_log_data(self, migration: Migration | None = None, operation: str = "apply") -> dict[str, Any]:
        # yoyo asks the system for its user's and its host's names, which a function may not have, or only after a DNS time-out.
        return {
            "id": str(uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": "payments",
            "hostname": "payments",
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


@contextmanager
def _told() -> Generator[None]:
    """Psycopg's errors by class and SQLSTATE: its texts may quote rows, and what is raised here goes into Lambda's log and to whoever deploys."""
    try:
        yield
    except psycopg.Error as error:
        raise MigrationRefused(f"the database did not migrate: {described(error)}; its own log says of what. Mend that, and migrate again") from None


@contextmanager
def _alone(connection: Connection, wait: float) -> Generator[None]:
    """Holds the lock of whoever migrates; the server frees it when the connection ends."""
    deadline = time.monotonic() + wait
    # Asked for again and again: a statement that waits would itself hold up those that build an index concurrently.
    while not _locked(connection):
        if time.monotonic() >= deadline:
            raise MigrationInProgress(f"another migration of this database has been running for {wait:g} s and has not ended: try again when it has")
        time.sleep(min(0.2, wait))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK_NUMBER,))


def _locked(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_NUMBER,)).fetchone()
    return row is not None and bool(row[0])
