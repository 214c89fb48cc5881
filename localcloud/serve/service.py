"""All of it together: what is deployed around some functions, at work on one loopback port."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.aws import Aws
from localcloud.serve import deployed, invoke_api
from localcloud.serve.functions import MOST_PROCESSES, Functions, Variables
from localcloud.serve.gateway import LARGEST_BODY, Gateway
from localcloud.serve.http1 import LOOPBACK, Request, Response, Server
from localcloud.serve.invoke_api import InvokeApi
from localcloud.serve.logs import LogWriter
from localcloud.serve.model import Deployed, QueueMapping, ServeError
from localcloud.serve.queues import Poller, Pollers
from localcloud.serve.timetable import RETRIES, AsyncCalls, Schedules, Timetable

log = logging.getLogger("localcloud.serve")

STATUS = "/_serve"
"""Where the service tells of itself."""


def _nothing(_: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve.

    folder: for unpacked packages and temporary files; one service at a time. port: 0 for a free one. packages: the zip for this machine by the name
    of a deployed function; asked again whenever what is deployed is. variables: what a function gets over its own environment.
    schedule_every: seconds between two runs of every schedule, in place of its own. redelivery: seconds after which a message that failed is
    handed out again, in place of the queue's visibility timeout. retries: seconds before each repetition of an asynchronous invocation.
    most_processes: of one function. refresh: seconds between two looks at what is deployed; 0 for none after the first.
    """

    folder: Path
    packages: Callable[[], Mapping[str, Path]]
    port: int = 0
    variables: Variables = _nothing
    schedule_every: float | None = None
    redelivery: int | None = None
    retries: tuple[float, ...] = RETRIES
    most_processes: int = MOST_PROCESSES
    refresh: float = 15.0


class Service:
    """Serves what is deployed. Raises OSError when the port is taken, ServeError when something there cannot be served at all."""

    def __init__(self, aws: Aws, settings: Settings) -> None:
        self.settings = settings
        self.deployed = deployed.read(aws, settings.packages())
        self.last_request = time.monotonic()
        self._aws = aws
        self._logs = LogWriter(aws)
        self._functions = Functions(aws, settings.folder, self._logs, variables=settings.variables, most=settings.most_processes)
        self._gateway = Gateway(self._functions, self._logs)
        self._timetable = Timetable()
        calls = AsyncCalls(self._functions, self._timetable, retries=settings.retries)
        self._schedules = Schedules(calls, self._functions, self._timetable, every=settings.schedule_every)
        self._pollers = Pollers(self._poller)
        self._invoke = InvokeApi(self._functions, calls)
        self._server = Server(self._answer, port=settings.port, largest=LARGEST_BODY, name="serve")
        self._stopping = threading.Event()
        self._refresher = threading.Thread(target=self._refresh, name="refresh", daemon=True)
        self._functions.update(self.deployed.functions)
        self._gateway.update(self.deployed)

    @property
    def endpoint(self) -> str:
        """Its URL; `<endpoint>/<api id>/<stage>` is an API's, and it is Lambda's endpoint too."""
        return f"http://{LOOPBACK}:{self._server.port}"

    @property
    def urls(self) -> dict[str, str]:
        """The URL of each API's stage, by `<api name>/<stage>`."""
        return {f"{stage.api_name}/{stage.name}": f"{self.endpoint}/{stage.api}/{stage.name}" for stage in self.deployed.stages}

    def start(self) -> None:
        """Answers requests and runs functions by request, from now on; queues and schedules wait for `start_feeding`."""
        self._logs.start()
        self._timetable.start()
        self._server.start()

    def start_feeding(self) -> None:
        """Feeds functions from queues and by schedules too, and follows what is deployed."""
        self._feed(self.deployed)
        if self.settings.refresh:
            self._refresher.start()

    def invoke(self, name: str, payload: bytes) -> tuple[str | None, bytes]:
        """Runs a function: its error, if there was one, and its answer."""
        outcome = self._functions.invoke(name, payload)
        return outcome.error, outcome.payload

    def warm(self) -> None:
        """Makes a process of each function, so that the first request does not wait for one."""
        self._functions.warm()

    def stop(self, grace: float = 10.0) -> None:
        """Takes nothing more, waits up to `grace` seconds for what is under way, and ends all processes."""
        self._stopping.set()
        self._timetable.stop()
        deadline = time.monotonic() + grace
        self._server.stop(grace)
        self._pollers.stop(max(0.0, deadline - time.monotonic()))
        self._functions.stop()
        self._gateway.stop()
        self._logs.stop()

    def _poller(self, mapping: QueueMapping) -> Poller:
        return Poller(self._aws, self._functions, mapping, redelivery=self.settings.redelivery)

    def _feed(self, found: Deployed) -> None:
        self._pollers.update(found.queues)
        self._schedules.update(found)

    def _refresh(self) -> None:
        """Follows deployments: what changed is served as it is now, without a request lost."""
        while not self._stopping.wait(self.settings.refresh):
            try:
                found = deployed.read(self._aws, self.settings.packages())
                if found != self.deployed:
                    self._functions.update(found.functions)
                    self._gateway.update(found)
                    self._feed(found)
                    self.deployed = found
                    log.info("what is deployed has changed, and is served as it is now")
            except (BotoCoreError, ClientError, ServeError) as error:
                # In the middle of a deployment something may be missing for a while.
                log.warning("what is deployed cannot be read now, and is served as it was: %s", error)

    def _answer(self, request: Request) -> Response:
        if request.raw_path == STATUS:
            body = {"pid": os.getpid(), "endpoint": self.endpoint, "urls": self.urls, "functions": sorted(self.deployed.functions)}
            return Response(200, json.dumps({**body, "problems": self.deployed.problems}).encode(), [("Content-Type", "application/json")])
        self.last_request = time.monotonic()
        if invoke_api.is_invocation(request):
            return self._invoke.answer(request)
        return self._gateway.answer(request)
