"""Folders of servers, of which the costly part is made once per test process, and processes that start servers and can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localcloud.stores.postgres import PostgresServer
from localcloud.stores.server import Server

ROOT = Path(__file__).resolve().parents[3]
NAME = "payments.cluster-x.eu-west-1.rds.example.com"


@pytest.fixture(scope="module")
def postgres_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("postgres")


@pytest.fixture
def postgres(postgres_folder: Path) -> Iterator[PostgresServer]:
    """A server that runs; its folder serves the module's other tests too."""
    server = PostgresServer(postgres_folder, names=[NAME], durable=False)
    server.start()
    yield server
    server.stop()


@contextmanager
def started_elsewhere(server: Server) -> Generator[subprocess.Popen[str]]:
    """Another process that starts a server of the same kind and folder, and waits."""
    made = type(server)
    program = (
        f"import sys; from pathlib import Path; from {made.__module__} import {made.__name__} as S\n"
        f"s = S(Path(sys.argv[1]), names={list(server.names)!r}); s.start(); print('started', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(server.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def within(seconds: float, happens: Callable[[], bool]) -> bool:
    """Whether something happens before so many seconds are over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happens():
            return True
        time.sleep(0.01)
    return False
