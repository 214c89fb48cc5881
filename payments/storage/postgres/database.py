"""PostgreSQL: connections over verified TLS, kept by thread, and transactions on them."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import errors as sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from payments.storage.postgres.credentials import Credentials, Login
from payments.storage.store import DatabaseUnavailable
from payments.storage.trust import TRUST_BUNDLE

if TYPE_CHECKING:
    from payments.settings import DatabaseSettings

Connection = psycopg.Connection[TupleRow]
Parameters = Mapping[str, Any] | Sequence[Any]

CONNECT_TIMEOUT = 3
"""Seconds for making a connection."""
STATEMENT_TIMEOUT = 5
"""Seconds for a statement; the server ends a longer one."""
LOCK_TIMEOUT = 2
"""Seconds that a statement waits for another transaction's lock."""
IDLE_TIMEOUT = 10
"""Seconds that a transaction may do nothing; the server ends it then, so that a stuck client holds no locks."""

# Beyond what psycopg counts among OperationalError: a standby that was the primary until now, and a transaction that the server ended.
_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, sql.ReadOnlySqlTransaction, sql.IdleInTransactionSessionTimeout, sql.InFailedSqlTransaction)


class LockTimeout(DatabaseUnavailable):
    """Another transaction held a lock for longer than LOCK_TIMEOUT. Nothing was done."""


class Database:
    """Runs statements and transactions, on one connection per thread.

    A connection is made when it is first needed and kept. One that the server closed while it was idle is replaced before anything is
    asked of it; one that breaks in the middle of something is dropped, and the caller is told, as nobody knows how far the server came.

    connect: makes a connection in autocommit mode; raises DatabaseUnavailable.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, Connection] = {}
        self._inside = threading.local()

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """A transaction, committed at the end of the block, rolled back when an exception leaves it. Inside another one it is a savepoint.

        Raises DatabaseUnavailable; where the connection broke during the commit, it may have been done.
        """
        outermost = not self._is_inside()
        with ExitStack() as stack, self._translated():
            connection = self._connection()
            try:
                stack.enter_context(connection.transaction())
            except psycopg.OperationalError:
                if not outermost:
                    raise
                # Nothing ran yet, so this may be tried again, on another connection.
                connection = self._replaced(connection)
                stack.enter_context(connection.transaction())
            with stack.pop_all():
                if not outermost:
                    yield connection
                    return
                self._inside.transaction = True
                try:
                    yield connection
                    if connection.closed:
                        # Somebody caught what told of it; psycopg does not commit then, and says nothing.
                        raise DatabaseUnavailable("the connection broke in the middle of the transaction, of which nothing was done; ask for the same again")
                finally:
                    self._inside.transaction = False

    def run(self, query: LiteralString, parameters: Parameters | None = None, *, repeatable: bool = False) -> list[TupleRow]:
        """One statement, which is a transaction of its own (or part of the one that this thread is in), in one round trip; its rows.

        repeatable: the statement may run twice without harm; then a connection that broke costs one more try instead of an error.
        Raises DatabaseUnavailable; where the connection broke, the statement may have been done.
        """
        with self._translated():
            connection = self._connection()
            try:
                return _rows(connection, query, parameters)
            except psycopg.OperationalError:
                if self._is_inside() or not repeatable or not connection.closed:
                    raise
                return _rows(self._replaced(connection), query, parameters)

    def close(self) -> None:
        """Closes every thread's connection; the next call makes a new one. No other thread may be in the middle of something."""
        with self._lock:
            connections = list(self._connections.values())
            self._connections.clear()
        for connection in connections:
            connection.close()

    def _connection(self) -> Connection:
        """This thread's connection, which was alive a moment ago; inside a transaction the one that it began on, whatever became of that."""
        with self._lock:
            connection = self._connections.get(threading.current_thread())
        if connection is None or (not self._is_inside() and _is_gone(connection)):
            return self._replaced(connection)
        return connection

    def _is_inside(self) -> bool:
        """Whether this thread is in a transaction: what is asked for then belongs to that, and on another connection would be done alone."""
        return getattr(self._inside, "transaction", False)

    def _replaced(self, connection: Connection | None) -> Connection:
        """A new connection in place of this thread's; those of threads that ended are closed on this occasion."""
        this = threading.current_thread()
        with self._lock:
            ended = [self._connections.pop(thread) for thread in list(self._connections) if thread is this or not thread.is_alive()]
        for old in ended if connection is None else (connection, *ended):
            old.close()
        made = self._connect()
        with self._lock:
            self._connections[this] = made
        return made

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Psycopg's errors as ours, where a repetition may help; all others are the program's fault and pass."""
        try:
            yield
        except sql.LockNotAvailable as error:
            raise LockTimeout(f"another transaction held a lock for over {LOCK_TIMEOUT} s; nothing was done, so the same can be asked for again") from error
        except _PASSING as error:
            name = type(error).__name__
            raise DatabaseUnavailable(f"the database cannot be reached or did not finish in time ({name}); the same can be asked for again") from error


class Connector:
    """Makes connections over TLS to the server that proves the host's name, with the limits of this module.

    credentials: read again when the server refuses them; then one more attempt is made, if they are others now.
    trust: file with the certificates of the authorities; TRUST_BUNDLE unless told.
    options: settings of the session in place of this module's, by name and in PostgreSQL's own units.
    """

    def __init__(
        self, host: str, port: int, name: str, credentials: Credentials, *, trust: Path | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        self._credentials = credentials
        self._parameters: dict[str, Any] = {
            "host": host,
            "port": port,
            "dbname": name,
            "sslmode": "verify-full",
            "sslrootcert": str(trust or TRUST_BUNDLE),
            "gssencmode": "disable",
            "target_session_attrs": "read-write",
            "connect_timeout": CONNECT_TIMEOUT,
            "application_name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "payments"),
            # A server that vanished without a word is noticed: after 20 s of silence, or 5 s after something was sent (milliseconds).
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "tcp_user_timeout": 5_000,
            "options": " ".join(f"-c {name}={value}" for name, value in {**session(), **(options or {})}.items()),
        }

    def __call__(self) -> Connection:
        """A connection in autocommit mode. Raises DatabaseUnavailable, and what Credentials raise."""
        login = self._credentials.current()
        made = self._attempt(login)
        if isinstance(made, psycopg.OperationalError) and _password_was_asked_for(made):
            self._credentials.forget(login)
            current = self._credentials.current()
            if current != login:
                made = self._attempt(current)
        if isinstance(made, psycopg.OperationalError):
            place = f"{self._parameters['host']}:{self._parameters['port']}"
            # Not raised from psycopg's error, which holds the password.
            raise DatabaseUnavailable(f"no connection to the database {self._parameters['dbname']} at {place}: {made}")
        return made

    def _attempt(self, login: Login) -> Connection | psycopg.OperationalError:
        text = make_conninfo(**self._parameters, user=login.user, password=login.password)
        try:
            # Statements are prepared when they are first run: every one of ours runs often.
            return psycopg.connect(text, autocommit=True, prepare_threshold=0)
        except psycopg.OperationalError as error:
            return error


@cache
def from_settings(settings: DatabaseSettings) -> Database:
    """The process's database."""
    return Database(connector(settings))


def connector(settings: DatabaseSettings, options: Mapping[str, str] | None = None) -> Connector:
    """Makes connections to the database, with credentials from its secret. options: as of Connector."""
    return Connector(settings.host, settings.port, settings.name, Credentials(settings.secret_arn), options=options)


def session() -> dict[str, str]:
    """Settings of every session, by name and in PostgreSQL's own units: the limits of this module, and how statements are planned."""
    # Times in milliseconds. Our statements are short: compiling one (jit) takes longer than running it.
    return {
        "statement_timeout": str(STATEMENT_TIMEOUT * 1000),
        "lock_timeout": str(LOCK_TIMEOUT * 1000),
        "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT * 1000),
        "timezone": "UTC",
        "jit": "off",
        # Every statement goes by an index. A plan that was made and kept while the tables were nearly empty would read them whole ever after,
        # until they are analyzed again: a minute of load is enough to make that ten times slower.
        "enable_seqscan": "off",
    }


def _rows(connection: Connection, query: LiteralString, parameters: Parameters | None) -> list[TupleRow]:
    cursor = connection.execute(query, parameters)
    # Not `description`, which would make an object of every column.
    return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


def _is_gone(connection: Connection) -> bool:
    """Whether the server closed the connection while it was idle. A server says nothing unasked, except farewell; looking costs no round trip."""
    if connection.closed:
        return True
    if connection.info.transaction_status is not TransactionStatus.IDLE:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _password_was_asked_for(error: psycopg.OperationalError) -> bool:
    # libpq hands over no SQLSTATE for a failed connection, and the server's text depends on its language.
    return error.pgconn is not None and error.pgconn.used_password
