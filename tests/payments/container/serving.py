"""An application behind the real server, on a port of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette

from tests.payments.container.keyed import HEADERS


@contextmanager
def served(application: Starlette) -> Generator[httpx.Client]:
    """A client of it, with an API key; threads may share it."""
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the server ended as it started"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False, headers=HEADERS) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)
