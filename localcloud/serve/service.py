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
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.aws import Aws
from localcloud.serve import deployed, invoke_api
from localcloud.serve.balancer import Certify, Fronts
from localcloud.serve.containers import Image
from localcloud.serve.deployed_containers import task_definition
from localcloud.serve.ecs import MOST_TASKS, Services
from localcloud.serve.functions import MOST_PROCESSES, Functions, Variables
from localcloud.serve.gateway import LARGEST_BODY, Gateway
from localcloud.serve.http1 import LOOPBACK, Request, Response, Server
from localcloud.serve.invoke_api import InvokeApi
from localcloud.serve.logs import LogWriter
from localcloud.serve.model import Deployed, QueueMapping, ServeError
from localcloud.serve.queues import Poller, Pollers
from localcloud.serve.targets import Targets
from localcloud.serve.tasks import Launcher, Task, TaskVariables, run
from localcloud.serve.timetable import RETRIES, AsyncCalls, Schedules, Timetable

log = logging.getLogger("localcloud.serve")

STATUS = "/_serve"
"""Where the service tells of itself."""

TASKS = f"{STATUS}/tasks"
"""Where it is asked to run a task definition to its end (POST, JSON: `taskDefinition`); it answers with `exitCode` and the last `lines`."""

TASK_SECONDS = 600.0
"""For which a task that is run to its end may work."""


def _nothing(*_: object) -> Mapping[str, str]:
    return {}


def _no_packages() -> Mapping[str, Path]:
    return {}


def _no_image(uri: str) -> Image:
    raise ServeError(f"containers with the image {uri} cannot be run: nobody said what it holds")


@dataclass(frozen=True, kw_only=True)
class Containers:
    """How to run containers.

    cluster: whose services are served. image: what the image of a URI holds, for this machine. variables: what a container gets over its own environment.
    certify: issues the certificates of HTTPS's listeners, which without it are served by plain HTTP. most_tasks: of one service.
    """

    cluster: str = ""
    image: Callable[[str], Image] = _no_image
    variables: TaskVariables = _nothing
    certify: Certify | None = None
    most_tasks: int = MOST_TASKS


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve.

    folder: for unpacked packages and temporary files; one service at a time. port: 0 for a free one. packages: the zip for this machine by the name
    of a deployed function; asked again whenever what is deployed is. variables: what a function gets over its own environment.
    schedule_every: seconds between two runs of every schedule, in place of its own. redelivery: seconds after which a message that failed is
    handed out again, in place of the queue's visibility timeout. retries: seconds before each repetition of an asynchronous invocation.
    most_processes: of one function. refresh: seconds between two looks at what is deployed; 0 for none after the first.
    containers: what else there is to serve, besides functions.
    """

    folder: Path
    packages: Callable[[], Mapping[str, Path]] = _no_packages
    port: int = 0
    variables: Variables = _nothing
    schedule_every: float | None = None
    redelivery: int | None = None
    retries: tuple[float, ...] = RETRIES
    most_processes: int = MOST_PROCESSES
    refresh: float = 15.0
    containers: Containers = Containers()


class Service:
    """Serves what is deployed. Raises OSError when the port is taken, ServeError when something there cannot be served at all."""

    def __init__(self, aws: Aws, settings: Settings) -> None:
        self.settings = settings
        self.last_request = time.monotonic()
        self.deployed = self._read(aws)
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
        groups: dict[str, Targets] = {}
        containers = settings.containers
        self._launcher = Launcher(aws, settings.folder, self._logs, image=containers.image, variables=containers.variables)
        self._services = Services(self._launcher, groups, most=containers.most_tasks)
        first = settings.port and self._server.port + 1
        certificates = settings.folder / "certificates"
        self._fronts = Fronts(aws, certificates, groups=groups, certify=containers.certify, first_port=first, noticed=self._notice)
        self._functions.update(self.deployed.functions)
        self._gateway.update(self.deployed)

    @property
    def endpoint(self) -> str:
        """Its URL; `<endpoint>/<api id>/<stage>` is an API's, and it is Lambda's endpoint too."""
        return f"http://{LOOPBACK}:{self._server.port}"

    @property
    def urls(self) -> dict[str, str]:
        """The URL of each API's stage, by `<api name>/<stage>`, and of each load balancer's listener, by `<load balancer>/<port>`."""
        return {**{f"{stage.api_name}/{stage.name}": f"{self.endpoint}/{stage.api}/{stage.name}" for stage in self.deployed.stages}, **self._fronts.urls}

    def start(self) -> None:
        """Answers requests and runs functions by request, from now on; queues and schedules wait for `start_feeding`."""
        self._logs.start()
        self._timetable.start()
        self._server.start()
        self._fronts.update(self.deployed.balancers)

    def start_feeding(self) -> None:
        """Feeds functions from queues and by schedules too, runs the services, and follows what is deployed."""
        self._feed(self.deployed)
        if self.settings.refresh:
            self._refresher.start()

    def invoke(self, name: str, payload: bytes) -> tuple[str | None, bytes]:
        """Runs a function: its error, if there was one, and its answer."""
        outcome = self._functions.invoke(name, payload)
        return outcome.error, outcome.payload

    def run_task(self, definition: str) -> Task:
        """Runs a task definition (its ARN, or its family for the latest revision) to its end. Raises ServeError."""
        return run(self._launcher, task_definition(self._aws, definition, []), TASK_SECONDS)

    def warm(self) -> None:
        """Makes a process of each function, so that the first request does not wait for one."""
        self._functions.warm()

    def ready(self, seconds: float) -> bool:
        """Waits until the services' tasks are healthy; whether they are."""
        return self._services.ready(seconds)

    def counts(self) -> dict[str, dict[str, int]]:
        """By service: how many of its tasks are desired, running and healthy."""
        return self._services.counts()

    def stop(self, grace: float = 10.0) -> None:
        """Takes nothing more, waits up to `grace` seconds for what is under way, and ends all processes."""
        self._stopping.set()
        self._timetable.stop()
        deadline = time.monotonic() + grace
        self._server.stop(grace)
        self._fronts.stop(max(0.0, deadline - time.monotonic()))
        self._pollers.stop(max(0.0, deadline - time.monotonic()))
        self._services.stop()
        self._functions.stop()
        self._gateway.stop()
        self._logs.stop()

    def _poller(self, mapping: QueueMapping) -> Poller:
        return Poller(self._aws, self._functions, mapping, redelivery=self.settings.redelivery)

    def _feed(self, found: Deployed) -> None:
        self._pollers.update(found.queues)
        self._schedules.update(found)
        self._services.update(found.services)

    def _read(self, aws: Aws) -> Deployed:
        return deployed.read(aws, self.settings.packages(), self.settings.containers.cluster)

    def _refresh(self) -> None:
        """Follows deployments: what changed is served as it is now, without a request lost."""
        while not self._stopping.wait(self.settings.refresh):
            try:
                found = self._read(self._aws)
                if found != self.deployed:
                    self._functions.update(found.functions)
                    self._gateway.update(found)
                    self._fronts.update(found.balancers)
                    self._feed(found)
                    self.deployed = found
                    log.info("what is deployed has changed, and is served as it is now")
            except (BotoCoreError, ClientError, ServeError) as error:
                # In the middle of a deployment something may be missing for a while.
                log.warning("what is deployed cannot be read now, and is served as it was: %s", error)

    def _answer(self, request: Request) -> Response:
        if request.raw_path == STATUS:
            return _as_json(200, self._status())
        self._notice()
        if request.raw_path == TASKS and request.method == "POST":
            return self._run_task(request)
        if invoke_api.is_invocation(request):
            return self._invoke.answer(request)
        return self._gateway.answer(request)

    def _notice(self) -> None:
        self.last_request = time.monotonic()

    def _status(self) -> dict[str, Any]:
        found = {"pid": os.getpid(), "endpoint": self.endpoint, "urls": self.urls, "functions": sorted(self.deployed.functions)}
        return {**found, "services": self.counts(), "problems": self.deployed.problems}

    def _run_task(self, request: Request) -> Response:
        try:
            definition = json.loads(request.body)["taskDefinition"]
        except (ValueError, KeyError, TypeError):
            return _as_json(400, {"message": "the body has to be JSON with the text taskDefinition"})
        try:
            task = self.run_task(str(definition))
        except (ServeError, BotoCoreError, ClientError) as error:
            return _as_json(500, {"message": str(error)})
        return _as_json(200, {"exitCode": task.exit_code, "lines": list(task.lines)})


def _as_json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(status, json.dumps(body).encode(), [("Content-Type", "application/json")])
