"""The container's commands. Each imports what it needs when it is called: the look at one's health must not cost what the service costs."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from payments.container.settings import ServerSettings
    from payments.telemetry import Telemetry

KEPT_SECONDS = 75
"""For which a connection without a request is kept open: longer than the load balancer keeps it (projects/app/web.py), or it would send a request into one
that is about to be closed, and answer 502 ("Edit attributes for your Application Load Balancer", connection idle timeout)."""

_PATIENCE = 3.0  # seconds
_UNFINISHED = 1
_NOT_STARTED = 3  # as uvicorn's own command ends then


def main(arguments: Sequence[str]) -> int:
    """Runs one of the commands; the process's exit status, 0 where all was finished."""
    command = _COMMANDS.get(arguments[0]) if len(arguments) == 1 else None
    if command is None:
        print(f"usage: python -m payments.container {'|'.join(_COMMANDS)}", file=sys.stderr)
        return 2
    # As a container's first process this one would not be ended by SIGTERM unless it had asked for it; servers replace this with their own way to end.
    signal.signal(signal.SIGTERM, _leave)
    return command()


def web() -> int:
    """Answers the API's routes until it is told to stop."""
    from payments.container.settings import WebSettings
    from payments.container.web import application
    from payments.functions import PROCESS_PAYMENT
    from payments.settings import SettingsError, load
    from payments.telemetry import Telemetry

    try:
        settings = load(WebSettings)
    except SettingsError as error:
        return _misconfigured(error)
    return _serve(application(settings), settings, Telemetry(PROCESS_PAYMENT))


def worker() -> int:
    """Works on the queue's messages, and runs the relay, until it is told to stop."""
    from payments.container.settings import WorkerSettings
    from payments.container.work import Work
    from payments.functions import PAYMENT_WORKER
    from payments.settings import SettingsError, load
    from payments.telemetry import Telemetry

    try:
        settings = load(WorkerSettings)
        work = Work(settings)
    except SettingsError as error:
        return _misconfigured(error)
    status = _serve(work.application(), settings, Telemetry(PAYMENT_WORKER))
    return _UNFINISHED if work.unfinished else status


def migrate() -> int:
    """Brings the database to the schema that this version of the code needs, as the function migrate-database does."""
    from payments.functions import MIGRATE_DATABASE
    from payments.settings import MigrateDatabaseSettings, SettingsError, load
    from payments.storage.postgres.database import connector
    from payments.storage.postgres.migrating import SESSION, MigrationInProgress, MigrationRefused
    from payments.storage.postgres.migrating import migrate as apply
    from payments.storage.postgres.schema import head
    from payments.storage.store import DatabaseUnavailable
    from payments.telemetry import Telemetry

    try:
        settings = load(MigrateDatabaseSettings)
    except SettingsError as error:
        return _misconfigured(error)
    try:
        applied = apply(connector(settings.database, SESSION))
    except (DatabaseUnavailable, MigrationInProgress, MigrationRefused) as error:
        print(error, file=sys.stderr)
        return 1
    Telemetry(MIGRATE_DATABASE).log.info("database migrated" if applied else "database was at this version before", applied=applied, version=head())
    return 0


def health() -> int:
    """Asks the server in this container whether it is well: what HEALTHCHECK runs."""
    host = os.environ.get("HOST", "0.0.0.0")  # noqa: S104 - any address, unless one is told
    itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate is the server's own, and this is its own container.
    itself.check_hostname, itself.verify_mode = False, ssl.CERT_NONE
    where = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    connection = http.client.HTTPSConnection(where, int(os.environ.get("PORT", "8443")), timeout=_PATIENCE, context=itself)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        print(answer.read(1000).decode())
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    return 0 if answer.status == http.client.OK else 1


_COMMANDS: Mapping[str, Callable[[], int]] = MappingProxyType({command.__name__: command for command in (web, worker, migrate, health)})


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - as Python calls it
    sys.exit(0)


def _misconfigured(error: Exception) -> int:
    print(error, file=sys.stderr)
    return 2


def _serve(application: Starlette, settings: ServerSettings, telemetry: Telemetry) -> int:
    """Answers by TLS until SIGTERM or SIGINT: then nothing new is taken, and what was begun is finished."""
    import asyncio

    import uvicorn

    from payments.container.logs import one_form
    from payments.container.tls import ServerLoop, server_context

    one_form(telemetry)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            ssl_context_factory=lambda *_: server_context(),
            timeout_keep_alive=KEPT_SECONDS,
            timeout_graceful_shutdown=int(settings.grace),
        )
    )

    def stop(number: int, frame: object) -> None:  # noqa: ARG001 - as Python calls it
        server.should_exit = True

    # Uvicorn has handlers of its own while it serves. Ours are there before that, and when it raises the signal again after the end:
    # the process has done as it was told, and says so.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with asyncio.Runner(loop_factory=ServerLoop) as runner:
        runner.run(server.serve())
    return 0 if server.started else _NOT_STARTED
