"""Connections that break, servers that go away, statements that take too long: what is asked for is done wholly or not at all, and the caller knows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from localcloud.stores.postgres import PostgresServer
from payments.domain.payment import State
from payments.storage.postgres import database as module
from payments.storage.postgres.database import Connection, Database, DatabaseUnavailable, LockTimeout
from payments.storage.postgres.payments import PostgresPayments
from payments.storage.postgres.store import PostgresStore
from tests.payments.postgres import TestDatabase, prepare
from tests.payments.storage.making import accept, step


def backend(database: Database) -> int:
    """The server's process for this thread's connection."""
    return database.run("SELECT pg_backend_pid()")[0][0]


def end(test_database: TestDatabase, process: int) -> None:
    """Ends a connection from the server's side, and returns when it is gone."""
    with test_database.connector()() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


def test_a_thread_keeps_its_connection_and_shares_it_with_none(database: Database) -> None:
    mine = backend(database)
    assert backend(database) == mine
    theirs: list[int] = []
    thread = threading.Thread(target=lambda: theirs.append(backend(database)))
    thread.start()
    thread.join()
    assert theirs
    assert theirs != [mine]


def test_the_connections_of_threads_that_ended_are_closed(test_database: TestDatabase) -> None:
    made: list[Connection] = []
    connect = test_database.connector()

    def noted() -> Connection:
        made.append(connect())
        return made[-1]

    database = Database(noted)
    for _ in range(3):
        thread = threading.Thread(target=database.run, args=("SELECT 1",))
        thread.start()
        thread.join()
    assert [connection.closed for connection in made] == [True, True, False]
    database.close()
    assert made[-1].closed


def test_a_connection_that_the_server_closed_is_replaced_before_anything_is_asked_of_it(database: Database, test_database: TestDatabase) -> None:
    for use in ("run", "transaction"):
        before = backend(database)
        end(test_database, before)
        if use == "run":
            assert backend(database) != before
        else:
            with database.transaction() as connection:
                assert connection.info.backend_pid != before


def test_a_transaction_that_cannot_begin_begins_on_another_connection(database: Database, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection was alive when it was looked at."""
    before = backend(database)
    end(test_database, before)
    monkeypatch.setattr(module, "_is_gone", lambda _: False)
    with database.transaction() as connection:
        assert connection.info.backend_pid != before


def test_a_statement_that_may_be_repeated_is_when_the_connection_breaks(
    database: Database, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_is_gone", lambda connection: connection.closed)
    end(test_database, backend(database))
    assert database.run("SELECT 1", repeatable=True) == [(1,)]
    end(test_database, backend(database))
    with pytest.raises(DatabaseUnavailable, match="AdminShutdown"):
        database.run("SELECT 1")
    assert database.run("SELECT 1") == [(1,)]


def test_a_transaction_whose_connection_breaks_is_undone_and_not_repeated(database: Database, test_database: TestDatabase) -> None:
    payment_id = accept(PostgresStore(database)).payment_id

    def broken() -> None:
        with database.transaction() as connection:
            assert PostgresPayments(database).advance([step(payment_id, State.RECEIVED, State.SUBMITTED)]) == {payment_id}
            end(test_database, connection.info.backend_pid)
            # Repeatable or not: what came before it in the transaction is gone.
            database.run("SELECT 1", repeatable=True)

    with pytest.raises(DatabaseUnavailable):
        broken()
    assert PostgresPayments(database).load([payment_id])[payment_id].state is State.RECEIVED


@pytest.mark.parametrize("noticed", [False, True], ids=["by the savepoint", "before it"])
def test_a_block_whose_transaction_lost_its_connection_is_not_done_alone(database: Database, test_database: TestDatabase, *, noticed: bool) -> None:
    def broken() -> None:
        with database.transaction() as connection:
            accept(PostgresStore(database), "key-1", reference="order 1")
            end(test_database, connection.info.backend_pid)
            if noticed:
                with pytest.raises(DatabaseUnavailable):
                    database.run("SELECT 1")
            with pytest.raises(DatabaseUnavailable), database.transaction():
                accept(PostgresStore(database), "key-2", reference="order 2")
            with pytest.raises(DatabaseUnavailable):
                accept(PostgresStore(database), "key-3", reference="order 3")

    with pytest.raises(DatabaseUnavailable):
        broken()
    assert database.run("SELECT count(*) FROM payments") == [(0,)]
    with database.transaction():
        assert accept(PostgresStore(database), "key-1", reference="order 1").first


def test_an_exception_undoes_the_transaction_and_a_block_inside_it_alone(database: Database) -> None:
    def undone(number: int) -> None:
        with database.transaction():
            accept(PostgresStore(database), f"key-{number}", reference=f"order {number}")
            raise KeyError

    with pytest.raises(KeyError):
        undone(7)
    assert PostgresPayments(database).find("default", reference="order 7") is None
    with database.transaction():
        accept(PostgresStore(database), "key-2", reference="order 8")
        with pytest.raises(KeyError):
            undone(9)
    assert PostgresPayments(database).find("default", reference="order 8") is not None
    assert PostgresPayments(database).find("default", reference="order 9") is None


def test_a_statement_does_not_run_for_ever(test_database: TestDatabase) -> None:
    database = test_database.database(options={"statement_timeout": "50"})
    with pytest.raises(DatabaseUnavailable, match="QueryCanceled"):
        database.run("SELECT pg_sleep(10)")
    assert database.run("SELECT 1") == [(1,)]
    database.close()


def test_a_lock_is_not_waited_for_for_ever(test_database: TestDatabase) -> None:
    database = test_database.database(options={"lock_timeout": "50"})
    with test_database.connector()() as other, other.transaction():
        other.execute("LOCK TABLE payments")
        with pytest.raises(LockTimeout):
            database.run("SELECT count(*) FROM payments")
    database.close()


def test_a_transaction_that_does_nothing_is_ended_by_the_server(test_database: TestDatabase) -> None:
    database = test_database.database(options={"idle_in_transaction_session_timeout": "50"})

    def idle() -> None:
        with database.transaction() as connection, test_database.connector()() as other:
            while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [connection.info.backend_pid]).fetchone():
                other.execute("SELECT pg_sleep(0.02)")
            connection.execute("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        idle()
    assert database.run("SELECT 1") == [(1,)]
    database.close()


def test_the_session_has_the_limits_that_are_promised(database: Database) -> None:
    names = {
        "statement_timeout": "5s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
        "TimeZone": "UTC",
        "jit": "off",
        "enable_seqscan": "off",
        "application_name": "payments",
    }
    found = dict(database.run("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(names)]))
    assert found == names
    assert database.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [(True,)]


def test_a_standby_that_was_the_primary_is_not_written_to(test_database: TestDatabase) -> None:
    """Read-only from one moment to the next, as after a failover."""
    database = test_database.database()
    database.run("SET default_transaction_read_only = on")
    with pytest.raises(DatabaseUnavailable, match="ReadOnlySqlTransaction"):
        accept(PostgresStore(database))
    database.close()


def test_a_mistake_in_a_statement_is_no_unavailability(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.run("SELECT * FROM nothing")
    assert database.run("SELECT 1") == [(1,)]


def test_a_server_that_does_not_prove_its_name_is_given_no_password(test_database: TestDatabase, tmp_path: Path) -> None:
    other_name = TestDatabase(test_database.server, test_database.name, host="localhost.localdomain")
    with pytest.raises(DatabaseUnavailable, match="does not match host name"):
        other_name.connector()()
    nobody = tmp_path / "nobody.pem"
    nobody.write_text("")
    untrusting = test_database.connector()
    untrusting._parameters["sslrootcert"] = str(nobody)
    with pytest.raises(DatabaseUnavailable, match="certificate"):
        untrusting()


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:
    """A server that a test may do anything to."""
    with PostgresServer(tmp_path / "postgres", durable=False) as server:
        prepare(server)
        monkeypatch.setenv("PGHOSTADDR", server.address)
        yield server


@pytest.mark.parametrize("crash", [False, True], ids=["restarted", "crashed"])
def test_a_server_that_comes_back_is_used_again_and_has_what_it_promised(own_server: PostgresServer, crash: bool) -> None:
    database = TestDatabase(own_server, "template").database()
    first = accept(PostgresStore(database))
    own_server.stop(crash=crash)
    with pytest.raises(DatabaseUnavailable, match="no connection"):
        accept(PostgresStore(database))
    with pytest.raises(DatabaseUnavailable, match="no connection"), database.transaction():
        pass
    own_server.start()
    again = accept(PostgresStore(database))
    assert (again.payment_id, again.first) == (first.payment_id, False)
    database.close()
