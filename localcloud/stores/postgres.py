"""A real PostgreSQL server, the stand-in for RDS: TLS with a verified certificate, passwords by SCRAM, on the port that RDS has."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from localcloud.stores import binaries, listening
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import Ending, StoreError
from localcloud.stores.server import Server, environment

PORT = 5432
_ADMINISTRATOR = "localcloud"
_ENDING = Ending(stop=signal.SIGINT, crash=signal.SIGQUIT)  # PostgreSQL's "fast" and "immediate" shutdown

# RDS refuses connections without TLS by `rds.force_ssl`; here there is no rule that would let one in.
_ACCESS = "hostssl all all 127.0.0.0/8 scram-sha-256\n"
# Commits are still handed to the operating system one by one (synchronous_commit), so that a crashed server has all of them.
_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}


class PostgresServer(Server):
    """PostgreSQL of a folder.

    names: host names by which clients know it, for example an RDS endpoint.
    durable: False makes it quicker and lets it lose what a crash of this machine interrupts (a crash of the server alone loses nothing).
    settings: PostgreSQL's own, by name.

    A client reaches it under one of its names with `hostaddr` (or PGHOSTADDR) set to `address`, which is one of 127.0.0.0/8 of its own.
    """

    kind = "PostgreSQL"

    def __init__(
        self,
        folder: Path,
        *,
        authority: Authority | None = None,
        names: Sequence[str] = (),
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, authority=authority, names=names, port=PORT)
        self._settings = {**({} if durable else _FORGETFUL), **(settings or {})}

    def parameters(self, database: str = "postgres") -> dict[str, Any]:
        """For `psycopg.connect`, as the administrator, who may do everything (RDS gives nobody as much)."""
        return {
            "host": "localhost",
            "hostaddr": self.address,
            "port": self.port,
            "dbname": database,
            "user": _ADMINISTRATOR,
            "password": self._password_file.read_text(encoding="ascii"),
            "sslmode": "verify-full",
            "sslrootcert": str(self.authority.certificate),
            "connect_timeout": 5,
        }

    @contextmanager
    def administrator(self, database: str = "postgres") -> Generator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection as the administrator; each statement is a transaction of its own."""
        connection = psycopg.connect(**self.parameters(database), autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    def create_role(self, user: str, password: str) -> None:
        """A role that may log in and create databases and roles, as RDS's master user may; an existing one gets the password."""
        with self.administrator() as connection:
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (user,)).rowcount
            verb = sql.SQL("ALTER" if known else "CREATE")
            statement = sql.SQL("{} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(verb, sql.Identifier(user), sql.Literal(password))
            connection.execute(statement)

    def create_database(self, name: str, owner: str, *, template: str | None = None) -> None:
        """A database that belongs to a role; an existing one is given to it. template: the database to copy, while nobody is connected to that one."""
        with self.administrator() as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).rowcount:
                connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(owner)))
                return
            copied = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)) + copied)

    def drop_database(self, name: str) -> None:
        """Removes a database and ends whatever is connected to it; nothing when there is none."""
        with self.administrator() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @property
    def _password_file(self) -> Path:
        return self.folder / "administrator.password"

    def _run(self, lock: int) -> None:
        programs = binaries.find()
        data = self.folder / f"data-{programs.major}"
        if not (data / "PG_VERSION").exists():
            self._initialize(programs, data)
        # A killed server's; its number may be another process's by now, and PostgreSQL would take that one for a server.
        (data / "postmaster.pid").unlink(missing_ok=True)
        if self.port == PORT or not listening.is_free(self.address, self.port):
            self.address, self.port = listening.choose(self.folder, PORT)
        certificate, key = self._certify()
        settings = {
            "listen_addresses": self.address,
            "port": str(self.port),
            "unix_socket_directories": "",
            "hba_file": self._own("access.conf", _ACCESS.encode()),
            "ssl": "on",
            "ssl_cert_file": certificate,
            "ssl_key_file": key,
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [programs.program("postgres"), "-D", str(data), *options]
        self._kept.spawn(lock, self._account.command(command, dies=True), _ENDING, environment())

    def _initialize(self, programs: binaries.Binaries, data: Path) -> None:
        """Makes the data folder whole or not at all."""
        if not self._password_file.exists():
            self._own(self._password_file.name, secrets.token_urlsafe(24).encode())
        for left in self.folder.glob(".making-*"):
            shutil.rmtree(left)
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=self.folder))
        self._account.give(made)
        access = ["--auth=scram-sha-256", f"--username={_ADMINISTRATOR}", f"--pwfile={self._password_file}"]
        command = [programs.program("initdb"), "--pgdata", str(made), *access, "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"]
        done = subprocess.run(self._account.command(command), capture_output=True, text=True, check=False, env=environment(), cwd="/")
        if done.returncode != 0:
            shutil.rmtree(made)
            raise StoreError(f"a folder for PostgreSQL's data cannot be made in {self.folder}: {done.stderr.strip() or done.stdout.strip()}")
        made.rename(data)

    def _refusal(self) -> str | None:
        try:
            with self.administrator() as connection:
                connection.execute("SELECT 1")
        except (psycopg.OperationalError, OSError) as error:
            return str(error)
        return None
