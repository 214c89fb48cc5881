"""PostgreSQL as the local target has it: reached as RDS is, there for as long as its starter, and back with its data whatever ended it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from localcloud.stores import listening
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import Kept, StoreError
from localcloud.stores.postgres import PORT, PostgresServer
from tests.localcloud.stores.conftest import NAME, started_elsewhere, within

PASSWORD = "it's \\ a 'password'"


def connect(server: PostgresServer, **changed: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """As the service does, under the name of RDS's endpoint."""
    known: dict[str, Any] = {"hostaddr": server.address, "port": server.port, "user": "payments", "password": PASSWORD, "dbname": "payments"}
    trusting: dict[str, Any] = {"host": NAME, "sslmode": "verify-full", "sslrootcert": str(server.authority.certificate), "connect_timeout": 5}
    values: dict[str, Any] = {**known, **trusting, **changed}
    return psycopg.connect(**values)


def prepared(server: PostgresServer) -> None:
    server.create_role("payments", PASSWORD)
    server.create_database("payments", "payments")


def keeper_of(server: PostgresServer) -> int:
    found: int = json.loads((server.folder / "postgresql.json").read_text())["keeper"]
    return found


def pid_file(server: PostgresServer) -> Path:
    return next(server.folder.glob("data-*/postmaster.pid"))


def test_clients_reach_it_under_its_names_with_its_certificate_verified(postgres: PostgresServer) -> None:
    prepared(postgres)
    for host in (NAME, "localhost"):
        with connect(postgres, host=host) as connection:
            row = connection.execute("SELECT ssl, current_user::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert row == (True, "payments")
    assert postgres.port == PORT
    assert postgres.address.startswith("127.")


def test_the_master_user_is_no_superuser_and_owns_its_database(postgres: PostgresServer) -> None:
    prepared(postgres)
    with connect(postgres) as connection:
        assert connection.execute("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user").fetchone() == (False, True, True)
        connection.execute("CREATE TABLE owned (n int)")
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
        connection.rollback()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sslmode": "disable"}, "no pg_hba.conf entry"),
        ({"password": "another"}, "password authentication failed"),
        ({"host": "other.rds.example.com"}, "does not match host name"),
        ({"user": "nobody-knows"}, "password authentication failed"),
    ],
)
def test_others_are_refused(postgres: PostgresServer, changed: dict[str, str], said: str) -> None:
    prepared(postgres)
    with pytest.raises(psycopg.OperationalError, match=said):
        connect(postgres, **changed)


def test_another_authority_is_not_trusted(postgres: PostgresServer, tmp_path: Path) -> None:
    prepared(postgres)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(postgres, sslrootcert=str(Authority(tmp_path).certificate))


def test_passwords_are_changed_and_databases_copied_given_and_dropped(postgres: PostgresServer) -> None:
    prepared(postgres)
    postgres.create_role("payments", "rotated")
    with connect(postgres, password="rotated") as connection:
        connection.execute('CREATE TABLE IF NOT EXISTS "kept rows" AS SELECT 1 AS n')
    postgres.create_role("another", "x")
    postgres.create_database('an "odd" name', "payments", template="payments")
    postgres.create_database('an "odd" name', "another")
    with postgres.administrator('an "odd" name') as connection:
        assert connection.execute('SELECT n FROM "kept rows"').fetchone() == (1,)
        assert connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()").fetchone() == ("another",)
        postgres.drop_database('an "odd" name')
    postgres.drop_database('an "odd" name')
    with postgres.administrator() as connection:
        assert connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'an%'").fetchone() == (0,)


def ended_by_stopping(server: PostgresServer) -> None:
    server.stop()


def ended_by_a_crash(server: PostgresServer) -> None:
    server.stop(crash=True)


def ended_with_its_keeper(server: PostgresServer) -> None:
    os.kill(keeper_of(server), signal.SIGKILL)


def ended_by_kill(server: PostgresServer) -> None:
    os.kill(int(pid_file(server).read_text().split()[0]), signal.SIGKILL)


@pytest.mark.parametrize("end", [ended_by_stopping, ended_by_a_crash, ended_with_its_keeper, ended_by_kill])
def test_it_comes_back_with_its_data_where_it_was(postgres: PostgresServer, end: Callable[[PostgresServer], None]) -> None:
    prepared(postgres)
    where = (postgres.address, postgres.port)
    with connect(postgres) as connection:
        connection.execute("CREATE TABLE survives AS SELECT 7 AS n")
    end(postgres)
    assert within(10, lambda: not Kept(postgres.folder, "postgresql").held())
    assert not postgres.running()
    postgres.start()
    assert (postgres.address, postgres.port) == where
    with connect(postgres) as connection:
        assert connection.execute("SELECT n FROM survives").fetchone() == (7,)
        connection.execute("DROP TABLE survives")


def test_when_its_starter_is_killed_it_ends_and_the_next_finds_the_data(postgres: PostgresServer) -> None:
    prepared(postgres)
    postgres.stop()
    with started_elsewhere(postgres) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        starter.kill()
        assert within(10, lambda: not Kept(postgres.folder, "postgresql").held())  # the keeper has the lock too
    postgres.start()
    connect(postgres).close()


def test_the_pid_file_of_a_killed_server_is_no_obstacle_when_its_number_is_another_process_s(postgres: PostgresServer) -> None:
    file = pid_file(postgres)
    kept = file.read_text().split("\n", 1)[1]
    postgres.stop(crash=True)
    file.write_text(f"{os.getppid()}\n{kept}")
    postgres.start()
    assert postgres.running()


def test_who_comes_second_finds_the_first_one_s_server_and_leaves_it_alone(postgres: PostgresServer) -> None:
    prepared(postgres)
    postgres.stop()
    with started_elsewhere(postgres) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        keeper = keeper_of(postgres)
        with PostgresServer(postgres.folder, names=[NAME]) as second:
            connect(second).close()
        assert keeper_of(postgres) == keeper
        assert postgres.running()
        postgres.start()
        postgres.stop()
        assert not second.running()


def test_two_that_start_at_once_have_one_server(postgres: PostgresServer) -> None:
    postgres.stop()
    with started_elsewhere(postgres) as one, started_elsewhere(postgres) as other:
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
        connected = {keeper_of(postgres)}
        postgres.start()
        assert {keeper_of(postgres)} == connected
        postgres.stop()


def test_a_server_that_runs_without_a_name_that_is_needed_is_said_to(postgres: PostgresServer) -> None:
    with pytest.raises(StoreError, match=r"a certificate that is not for other\.example\.com"):
        PostgresServer(postgres.folder, names=["other.example.com"]).start()
    assert postgres.running()


def test_settings_reach_it_and_a_wrong_one_is_told_with_the_log(postgres: PostgresServer) -> None:
    postgres.stop()
    with PostgresServer(postgres.folder, settings={"max_connections": "17"}) as server, server.administrator() as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("17",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    with pytest.raises(StoreError, match=r'ended as it started(.|\n)*unrecognized configuration parameter "max_conections"'):
        PostgresServer(postgres.folder, settings={"max_conections": "17"}).start()
    postgres.start()
    with postgres.administrator() as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_what_a_killed_initialization_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "pg" / ".making-x").mkdir(parents=True)
    with PostgresServer(tmp_path / "pg", durable=False) as server:
        assert server.running()
    assert not list((tmp_path / "pg").glob(".making-*"))


def test_an_address_that_others_use_is_left_to_them(postgres: PostgresServer) -> None:
    first = listening.choose(postgres.folder, PORT)
    assert first != (postgres.address, PORT)
    assert first[1] == PORT
    postgres.stop()
    assert listening.choose(postgres.folder, PORT) == (postgres.address, PORT)


def test_on_a_system_with_one_loopback_address_it_takes_another_port(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(postgres)
    postgres.stop()
    monkeypatch.setattr(listening, "_addresses", lambda _: iter(["192.0.2.1"]))
    with PostgresServer(postgres.folder, names=[NAME], durable=False) as server:
        assert (server.address, server.port != PORT) == ("127.0.0.1", True)
        connect(server).close()
        where = server.port
        server.stop(crash=True)
        server.start()
        assert server.port == where
