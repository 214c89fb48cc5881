"""The background process: moto's server and the Pulumi provider, on loopback, with one identity.

moto keeps everything in memory, so what was deployed lives exactly as long as this process. Its identity (a UUID) is in every
answer of its control page, and whoever keeps a state about the cloud keeps it under that identity.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent import futures
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import grpc
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from pulumi.runtime.proto import provider_pb2_grpc
from werkzeug.serving import make_server

from localcloud.aws import Clouds
from localcloud.gaps import GAPS
from localcloud.journal import Journal
from localcloud.moto_queues import wait_without
from localcloud.moto_settings import as_a_control_plane
from localcloud.provider import Provider

log = logging.getLogger("localcloud")

CONTROL = "/_localcloud"
LOOPBACK = "127.0.0.1"

StartResponse = Callable[..., Any]


class Application:
    """moto's WSGI application with a control page beside it.

    moto promises no thread safety, so its requests are taken one at a time; one that waits for messages of a queue keeps no other waiting.
    """

    def __init__(self, identity: str, journal: Journal) -> None:
        self.identity = identity
        self.last_request = time.monotonic()
        self._journal = journal
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = threading.Lock()
        wait_without(self._one_at_a_time)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request: the control page's by itself, all others by moto."""
        self.last_request = time.monotonic()
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(CONTROL):
            body = json.dumps(self._control(path.removeprefix(CONTROL), parse_qs(environ.get("QUERY_STRING", "")))).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        with self._one_at_a_time:
            return self._moto(environ, start_response)

    def _control(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        if path == "/creations":
            return {"ids": self._journal.creations(query["urn"][0])}
        return {"identity": self.identity, "pid": os.getpid(), "gaps": GAPS}


def serve(file: Path, port: int, idle: float) -> None:
    """Serves until SIGTERM, SIGINT or `idle` seconds without a request; `file` tells others where it listens while it does."""
    as_a_control_plane()
    journal = Journal()
    application = Application(str(uuid.uuid4()), journal)
    http = make_server(LOOPBACK, port, application, threaded=True, request_handler=_Quiet)
    endpoint = f"http://{LOOPBACK}:{http.server_port}"

    rpc = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=[("grpc.max_receive_message_length", -1)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(Clouds(endpoint), journal), rpc)
    provider_port = rpc.add_insecure_port(f"{LOOPBACK}:0")
    rpc.start()

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=http.serve_forever, daemon=True).start()

    about = {"identity": application.identity, "pid": os.getpid(), "endpoint": endpoint, "provider": provider_port, "started": time.time()}
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(about))
    temporary.replace(file)
    log.info("local cloud %s: moto on %s, provider on port %d", application.identity, endpoint, provider_port)
    try:
        while not stopping.wait(1.0):
            if time.monotonic() - application.last_request > idle:
                log.info("no request for %.0f s: stopping", idle)
                break
    finally:
        file.unlink(missing_ok=True)
        rpc.stop(grace=2.0).wait()
        http.shutdown()


class _Quiet(MotoRequestHandler):
    """moto's request handler without a line per request."""

    def log_request(self, *_: Any, **__: Any) -> None:
        """Nothing: the log is for what went wrong."""


def main() -> None:
    """`python -m localcloud.daemon`; started by `localcloud.control`."""
    parser = argparse.ArgumentParser(description="moto's server and a Pulumi provider in front of it, on loopback")
    parser.add_argument("--file", type=Path, required=True, help="where to write what the cloud listens on, for the time that it does")
    parser.add_argument("--port", type=int, default=0, help="of moto's server (default: a free one)")
    parser.add_argument("--idle", type=float, default=8 * 3600, help="seconds without a request after which it stops (default: 8 hours)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serve(options.file, options.port, options.idle)


if __name__ == "__main__":
    main()
