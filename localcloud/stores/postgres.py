"""A real PostgreSQL server, the stand-in for RDS: TLS with a verified certificate, passwords by SCRAM, on the port that RDS has."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from localcloud.stores import binaries, listening
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import Account, Ending, Kept, StoreError

PORT = 5432
_ADMINISTRATOR = "localcloud"
_START_SECONDS = 60.0
_ENDING = Ending(stop=signal.SIGINT, crash=signal.SIGQUIT)  # PostgreSQL's "fast" and "immediate" shutdown

# RDS refuses connections without TLS by `rds.force_ssl`; here there is no rule that would let one in.
_ACCESS = "hostssl all all 127.0.0.0/8 scram-sha-256\n"
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """The server of a folder; it ends when the process that started it does, and comes up again with its data, also after kill -9.

    folder: for data, log and certificate; one per server. authority: signs the server's certificate; in the folder where none is given.
    names: host names by which clients know it, for example an RDS endpoint; `localhost` and its address are always among them.
    durable: False makes it quicker and lets it lose what a crash of this machine interrupts (a crash of the server alone loses nothing).
    settings: PostgreSQL's own, by name.

    A client reaches it under one of its names with `hostaddr` (or PGHOSTADDR) set to `address`, which is one of 127.0.0.0/8 of its own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        authority: Authority | None = None,
        names: Sequence[str] = (),
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.authority = authority or Authority(self.folder / "ca")
        self.names = tuple(names)
        self.address = listening.LOOPBACK
        self.port = PORT
        self._settings = {**({} if durable else _FORGETFUL), **(settings or {})}
        self._kept = Kept(self.folder, "postgresql")
        self._account = Account.to_run_as()

    def start(self) -> None:
        """Starts the server, or finds it running; returns when it answers. Raises StoreError."""
        deadline = time.monotonic() + _START_SECONDS
        while (lock := self._kept.claim()) is None:
            if self._found():
                return
            if time.monotonic() > deadline:
                raise StoreError(f"PostgreSQL in {self.folder} is held by another process and does not answer; see {self._kept.log}")
            time.sleep(0.05)
        try:
            self._run(lock)
        finally:
            os.close(lock)  # the server's processes have it now, if there are any
        try:
            self._wait_until_it_answers(deadline)
            self._kept.publish({"address": self.address, "port": self.port, "names": list(self.names)})
        except BaseException:
            self._kept.end()
            raise

    def stop(self, *, crash: bool = False) -> None:
        """Ends the server, whoever started it; nothing when it does not run. crash: as if it had been killed; the next start recovers."""
        self._kept.end(crash=crash)

    def running(self) -> bool:
        """Whether the server runs and answers."""
        return self._kept.about() is not None and self._refusal() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends the server if this process started it; another's goes on."""
        if self._kept.mine():
            self.stop()

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

    def _found(self) -> bool:
        """Whether a server that somebody else started is there; if so, where it listens is known afterwards."""
        about = self._kept.about()
        if about is None:
            return False
        self.address, self.port = about["address"], about["port"]
        if self._refusal() is not None:
            return False
        if missing := sorted(set(self.names) - set(about["names"])):
            raise StoreError(
                f"PostgreSQL in {self.folder} runs already, with a certificate that is not for {', '.join(missing)}. "
                "End what started it, or use another folder."
            )
        return True

    def _run(self, lock: int) -> None:
        """Prepares the folder and starts the server; nothing of an earlier one is alive, as the lock is ours."""
        programs = binaries.find()
        data = self.folder / f"data-{programs.major}"
        if not (data / "PG_VERSION").exists():
            self._initialize(programs, data)
        # A killed server's; its number may be another process's by now, and PostgreSQL would take that one for a server.
        (data / "postmaster.pid").unlink(missing_ok=True)
        if self.port == PORT or not listening.is_free(self.address, self.port):
            self.address, self.port = listening.choose(self.folder, PORT)
        issued = self.authority.issue([*self.names, "localhost", self.address])
        settings = {
            "listen_addresses": self.address,
            "port": str(self.port),
            "unix_socket_directories": "",
            "hba_file": self._own("access.conf", _ACCESS.encode()),
            "ssl": "on",
            "ssl_cert_file": self._own("server.pem", issued.certificate),
            "ssl_key_file": self._own("server.key", issued.key),
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [programs.program("postgres"), "-D", str(data), *options]
        self._kept.spawn(lock, self._account.command(command, dies=True), _ENDING, _environment())

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
        done = subprocess.run(self._account.command(command), capture_output=True, text=True, check=False, env=_environment(), cwd="/")
        if done.returncode != 0:
            shutil.rmtree(made)
            raise StoreError(f"a folder for PostgreSQL's data cannot be made in {self.folder}: {done.stderr.strip() or done.stdout.strip()}")
        made.rename(data)

    def _own(self, name: str, content: bytes) -> str:
        """Writes a file that only the server's user reads; its path."""
        path = self.folder / name
        new = path.with_name(f".{name}.new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_bytes(content)
        self._account.give(new)
        new.replace(path)
        return str(path)

    def _refusal(self) -> str | None:
        """Why the server does not answer; None when it does."""
        try:
            with self.administrator() as connection:
                connection.execute("SELECT 1")
        except (psycopg.OperationalError, OSError) as error:
            return str(error)
        return None

    def _wait_until_it_answers(self, deadline: float) -> None:
        while (refusal := self._refusal()) is not None:
            if not self._kept.mine():
                raise StoreError(f"PostgreSQL in {self.folder} ended as it started; the end of {self._kept.log}:\n{self._kept.tail()}")
            if time.monotonic() > deadline:
                raise StoreError(
                    f"PostgreSQL in {self.folder} did not answer within {_START_SECONDS:.0f} s: {refusal}\nThe end of {self._kept.log}:\n{self._kept.tail()}"
                )
            time.sleep(0.03)


def _environment() -> dict[str, str]:
    """The server's: nothing of the caller's settings for clients may reach it, and its messages are in one language."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
