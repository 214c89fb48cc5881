"""The service to measure: a durable PostgreSQL server of its own at the newest schema, client processes, and rounds of this and that."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

import boto3

from bench.payments.client import BATCH, VERIFIED, Aws, Done, Order, serve
from localcloud.stores.postgres import PostgresServer
from payments.functions import FUNCTIONS, Variable
from payments.storage.postgres import database, migrating
from payments.storage.postgres.credentials import Credentials
from payments.storage.postgres.database import Connector

CLIENTS = 4
"""Client processes, and clients of pgbench."""
SECONDS = 5.0
"""How long each is measured in a round."""


@dataclass(frozen=True)
class Load:
    """What clients did together. throughput: actions a second. p99: seconds within which 99 of 100 actions ended."""

    throughput: float
    p99: float


def percentile_99(seconds: Sequence[float]) -> float:
    """The 99th percentile."""
    return sorted(seconds)[int(0.99 * len(seconds))]


@dataclass(frozen=True)
class Bench:
    """The client processes, and a folder for whatever a benchmark writes. The environment leads libpq to the database."""

    folder: Path
    clients: list[Connection]

    def load(self, what: str) -> Load:
        """All clients at once, for SECONDS."""
        done = self.order(Order(what, seconds=SECONDS))
        return Load(sum(len(one.actions) / one.wall for one in done), percentile_99([seconds for one in done for seconds in one.actions]))

    def order(self, order: Order, clients: int = CLIENTS) -> list[Done]:
        """So many clients at once do the same; raises what one of them raised."""
        for pipe in self.clients[:clients]:
            pipe.send(order)
        answers = [pipe.recv() for pipe in self.clients[:clients]]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def in_turn(rounds: int, **what: Callable[[], Load]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Throughputs and 99th percentiles of each of `what`, `rounds` times in turn."""
    throughputs: dict[str, list[float]] = {name: [] for name in what}
    p99s: dict[str, list[float]] = {name: [] for name in what}
    for number in range(rounds):
        for name, run in what.items():
            load = run()
            throughputs[name].append(load.throughput)
            p99s[name].append(load.p99)
            print(f"  round {number + 1}: {name} {load.throughput:.0f} a second, p99 {load.p99 * 1000:.1f} ms", file=sys.stderr, flush=True)
    return throughputs, p99s


@contextmanager
def running() -> Generator[Bench]:
    """Server and clients, warm: each client has a connection, and every statement of the service is prepared on it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, PostgresServer(Path(name, "postgres")) as server:
        folder = Path(name)
        user, password = "payments", secrets.token_urlsafe(24)
        server.create_role(user, password)
        server.create_database("payments", user)
        with mock.patch.dict(os.environ, _environment(server, user, password)):
            _migrate(server)
            with _clients(server.authority.certificate) as pipes:
                bench = Bench(folder, pipes)
                bench.order(Order("verified", times=VERIFIED / BATCH), clients=1)
                for what in ("first", "repeated", "verify", "found", "batch"):
                    bench.order(Order(what, times=20))
                yield bench


def _migrate(server: PostgresServer) -> None:
    with mock.patch.object(boto3, "client", Aws):
        connector = Connector("localhost", server.port, "payments", Credentials("secret"), trust=server.authority.certificate, options=migrating.SESSION)
        migrating.migrate(connector)


def _environment(server: PostgresServer, user: str, password: str) -> dict[str, str]:
    """For libpq (pgbench has the session that the service has), and for the functions."""
    place = {"HOST": "localhost", "HOSTADDR": server.address, "PORT": str(server.port), "DATABASE": "payments", "USER": user, "PASSWORD": password}
    limits = " ".join(f"-c {name}={value}" for name, value in database.session().items())
    session = {"OPTIONS": limits, "SSLMODE": "verify-full", "SSLROOTCERT": str(server.authority.certificate), "GSSENCMODE": "disable"}
    own = {
        Variable.DATABASE_URL: f"postgresql://localhost:{server.port}/payments?sslmode=verify-full",
        Variable.PROCESSOR: "sandbox",
        Variable.MAX_RECEIVES: "5",
    }
    wanted = {variable for function in FUNCTIONS for variable in function.needs("relational")} | {Variable.SESSIONS_TABLE}
    names = {variable.value: own.get(variable, "payments") for variable in wanted}
    return {**{f"PG{key}": value for key, value in {**place, **session}.items()}, **names}


@contextmanager
def _clients(certificate: Path) -> Generator[list[Connection]]:
    spawning = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes = []
    try:
        for _ in range(CLIENTS):
            ours, theirs = spawning.Pipe()
            process = spawning.Process(target=serve, args=(theirs, certificate), daemon=True)
            process.start()
            theirs.close()  # a client that dies is noticed: nothing comes any more
            pipes.append(ours)
            processes.append(process)
        yield pipes
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join(10)
    finally:
        for process in processes:
            process.kill()
