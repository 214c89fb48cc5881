"""Migrations take no lock that a running service would feel, are applied once and whole, and can be undone."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from payments.functions import Variable
from payments.handlers import migrate_database
from payments.storage.postgres import database as database_module
from payments.storage.postgres import migrating, schema
from payments.storage.postgres.database import Connection, DatabaseUnavailable
from payments.storage.postgres.migrating import MigrationInProgress, migrate, rollback
from payments.storage.postgres.schema import MIGRATIONS, applied, head, is_at_head, known
from payments.storage.postgres.store import PostgresStore
from tests.payments.postgres import TestDatabase, migrator
from tests.payments.service import context
from tests.payments.storage.making import accept

SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
# The oldest major version that an environment may ask for decides what is safe.
POSTGRESQL = "17.0"

every = pytest.mark.parametrize("path", sorted(MIGRATIONS.glob("*.sql")), ids=lambda path: path.name)

SHAPE = """
    SELECT 'column', table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3
"""


def by_itself(path: Path) -> bool:
    """Whether the file's statements are no transaction, as an index that is built while others write cannot be part of one."""
    return "-- transactional: false" in path.read_text()


def linted(path: Path) -> subprocess.CompletedProcess[str]:
    undone = "ban-drop-table,ban-drop-function,ban-drop-column,require-concurrent-index-deletion"
    undoing = [f"--exclude={undone}"] if path.stem.endswith(".rollback") else []
    within = [] if by_itself(path) else ["--assume-in-transaction"]
    return subprocess.run([SQUAWK, f"--pg-version={POSTGRESQL}", *within, *undoing, path], capture_output=True, text=True, check=False)


@every
def test_a_migration_does_nothing_that_a_running_service_would_feel(path: Path) -> None:
    done = linted(path)
    assert done.returncode == 0, done.stdout


def test_the_linter_finds_what_a_running_service_would_feel(tmp_path: Path) -> None:
    bad = tmp_path / "0009.bad.sql"
    bad.write_text("ALTER TABLE payments ALTER COLUMN amount TYPE integer; CREATE INDEX i ON payments (state);")
    done = linted(bad)
    assert done.returncode != 0
    assert {"changing-column-type", "require-concurrent-index-creation", "require-lock-timeout"} <= set(re.findall(r"[a-z]+(?:-[a-z]+){2,}", done.stdout))


@every
def test_a_migration_has_its_opposite_and_a_place_in_the_order(path: Path) -> None:
    name = path.name.removesuffix(".rollback.sql").removesuffix(".sql")
    assert re.fullmatch(r"\d{4}\.[a-z-]+", name)
    assert (MIGRATIONS / f"{name}.sql").exists()
    assert (MIGRATIONS / f"{name}.rollback.sql").exists()
    numbers = [int(migration[:4]) for migration in known()]
    assert numbers == list(range(1, len(numbers) + 1))
    depends = re.findall(r"^-- depends: (\S+)$", (MIGRATIONS / f"{name}.sql").read_text(), re.MULTILINE)
    assert len(depends) == (name != known()[0])
    assert all(other < name for other in depends)


def test_an_empty_database_comes_to_the_head_once(empty_database: TestDatabase) -> None:
    database = empty_database.database()
    assert applied(database) == ()
    assert not is_at_head(database)
    assert migrate(migrator(empty_database)) == list(known())
    assert known()[-1] == head()
    assert is_at_head(database)
    assert migrate(migrator(empty_database)) == []
    assert accept(PostgresStore(database)).first
    database.close()


def test_every_migration_can_be_undone_and_done_again(empty_database: TestDatabase) -> None:
    database = empty_database.database()
    made = migrate(migrator(empty_database))
    shape = database.run(SHAPE)
    assert rollback(migrator(empty_database)) == made[::-1]
    assert applied(database) == ()
    left = {name.partition(".")[0] for kind, name, _ in database.run(SHAPE) if kind == "column"}
    assert left <= {"_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock"}
    assert not [row for row in database.run(SHAPE) if row[0] in {"trigger", "function"}]
    assert migrate(migrator(empty_database)) == made
    assert database.run(SHAPE) == shape
    database.close()


def test_a_database_that_knows_more_than_the_code_is_at_head(empty_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a new version comes, and after it was taken back, older code runs on the newer schema."""
    migrate(migrator(empty_database))
    older = known()[:-1]
    monkeypatch.setattr(schema, "known", lambda: older)
    database = empty_database.database()
    assert is_at_head(database)
    database.close()


def test_of_two_migrations_one_waits(empty_database: TestDatabase) -> None:
    together = threading.Barrier(2)

    def call(_: int) -> list[str]:
        together.wait()
        return migrate(migrator(empty_database))

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(call, range(2))) == [[], list(known())]


def test_a_migration_does_not_wait_for_ever(empty_database: TestDatabase) -> None:
    with empty_database.connector()() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [migrating._LOCK_NUMBER])
        with pytest.raises(MigrationInProgress):
            migrate(migrator(empty_database), wait=0.0)
    assert migrate(migrator(empty_database)) == list(known())


@pytest.mark.parametrize("nth", range(1, len(known()) + 1))
def test_a_migration_that_is_killed_leaves_nothing_that_the_next_one_cannot_finish(
    empty_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """The connection ends as the nth migration is noted, as it does when a function's time is over."""
    noted: list[str] = []
    mark = migrating._Backend.mark_one

    def marked(backend: migrating._Backend, migration: migrating.Migration, log: bool = True) -> None:
        noted.append(migration.id)
        mark(backend, migration, log)
        if len(noted) == nth:
            with empty_database.connector()() as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend.connection.info.backend_pid])

    with monkeypatch.context() as patched:
        patched.setattr(migrating._Backend, "mark_one", marked)
        with pytest.raises(migrating.MigrationRefused):
            migrate(migrator(empty_database))
    database = empty_database.database()
    assert applied(database) == known()[: nth - 1]
    assert database.run("SELECT count(*) FROM yoyo_lock") == [(1,)]
    assert migrate(migrator(empty_database)) == list(known()[nth - 1 :])
    assert accept(PostgresStore(database)).first
    database.close()


def test_a_migration_that_the_database_refuses_is_not_applied_in_part(empty_database: TestDatabase) -> None:
    database = empty_database.database()
    database.run("CREATE TABLE outbox ()")
    with pytest.raises(migrating.MigrationRefused, match=r"DuplicateTable \(SQLSTATE 42P07\)"):
        migrate(migrator(empty_database))
    assert applied(database) == known()[:1]
    assert database.run("SELECT to_regclass('idempotency_keys')") == [(None,)]
    database.run("DROP TABLE outbox")
    assert migrate(migrator(empty_database)) == list(known()[1:])
    database.close()


def test_the_function_migrates_and_says_what_it_did(empty_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the settings, the trust bundle and the limits that it has when deployed."""
    sessions: list[dict[str, str]] = []

    def connector(settings: object, options: dict[str, str]) -> object:
        sessions.append(options)
        assert settings == database_settings
        return empty_database.connector(options=options)

    variables = {
        Variable.STAGE: "dev",
        Variable.DATABASE_URL: f"postgresql://localhost:{empty_database.port}/{empty_database.name}?sslmode=verify-full",
        Variable.DATABASE_SECRET_ARN: "arn:secret",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    database_settings = migrate_database.load(migrate_database.MigrateDatabaseSettings).database
    monkeypatch.setattr(migrate_database, "connector", connector)
    assert migrate_database.handler({}, context()) == {"applied": list(known()), "version": head()}
    answer = migrate_database.handler({}, context())
    assert json.loads(json.dumps(answer)) == {"applied": [], "version": head()}
    assert sessions == [migrating.SESSION] * 2


def test_without_a_database_the_function_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> Connection:
        raise DatabaseUnavailable("no connection")

    with pytest.raises(DatabaseUnavailable):
        migrate(unreachable)


def test_the_module_has_the_same_limits_as_the_migrations_themselves() -> None:
    """A file's own limits win; the session's are for what yoyo does around it."""
    assert int(migrating.SESSION["lock_timeout"]) == database_module.LOCK_TIMEOUT * 1000
    for path in MIGRATIONS.glob("*.sql"):
        if not by_itself(path):
            assert f"SET LOCAL lock_timeout = '{database_module.LOCK_TIMEOUT}s';" in path.read_text()


def test_an_index_that_was_left_unfinished_is_made_anew(empty_database: TestDatabase) -> None:
    database = empty_database.database()
    migrate(migrator(empty_database))
    made = database.run(SHAPE)
    database.run("DROP INDEX CONCURRENTLY idempotency_keys_open")
    # What is left of one whose building was interrupted bears the name and is not valid: any index of that name stands for it.
    database.run("CREATE INDEX idempotency_keys_open ON idempotency_keys (key)")
    database.run("DELETE FROM _yoyo_migration WHERE migration_id = '0006.relay-indexes'")
    assert migrate(migrator(empty_database)) == ["0006.relay-indexes"]
    assert database.run(SHAPE) == made
    database.close()


def test_an_index_is_built_beside_those_who_write(empty_database: TestDatabase) -> None:
    """A transaction that began before is waited for, and nobody waits for that."""
    migrate(migrator(empty_database))
    database = empty_database.database()
    database.run("DELETE FROM _yoyo_migration WHERE migration_id = '0006.relay-indexes'")
    with empty_database.connector()() as other, other.transaction(), ThreadPoolExecutor(1) as pool:
        other.execute("SELECT FROM idempotency_keys")
        migrating_now = pool.submit(migrate, migrator(empty_database))
        for _ in range(5):
            time.sleep(0.1)
            accept(PostgresStore(database), f"key {time.monotonic()}", reference=f"order {time.monotonic()}")
        assert not migrating_now.done()
        other.execute("COMMIT")
        assert migrating_now.result(timeout=60) == ["0006.relay-indexes"]
    database.close()
