"""`invoke serve`: what is deployed to the local target, at work on this machine until it is told to stop."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops import places, served
from ops.answers import refused, say, with_session
from ops.engine import running
from ops.options import options as named
from ops.report import EXIT_FAILED, EXIT_GOOD
from shared.files import write_whole
from shared.page import ROOT

if TYPE_CHECKING:
    from localcloud.serve.service import Containers, Service
    from ops.deployed import Deployed
    from ops.run import Request
    from ops.serve_stores import Stores
    from ops.session import Session

log = logging.getLogger("ops.serve")

BACKGROUND_IDLE = 1800.0
"""Seconds without a request after which what serves in the background ends by itself."""

# Making the packages may be a part of it, and takes most of that.
_READY_SECONDS = 300.0
_LOOK_SECONDS = 2.0

# Until tasks of containers are expected to answer; then they go on trying while requests are met with 503, as on AWS.
_HEALTHY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to serve.

    port: 0 for the one that the environment had last, or a free one. schedule_every: seconds between two runs of each schedule, 0 for its own.
    redelivery: seconds until a message that failed comes again, 0 for the queue's own visibility timeout. idle: seconds without a request after
    which serving ends, 0 for never.
    """

    port: int = 0
    schedule_every: float = 0.0
    redelivery: int = 0
    idle: float = 0.0


def serve(request: Request, options: Options | None = None, *, background: bool = False, stop: bool = False) -> int:
    """Serves an environment of the local target until Ctrl-C or SIGTERM; answers the exit code.

    background: returns as soon as it is served, by a process of its own. stop: ends what serves it, in the background or elsewhere.
    """
    if request.target != "local":
        return refused(["serving is for the local target: on aws, AWS runs what is deployed. Next: invoke serve without --target"])
    chosen = options or Options()

    def show(session: Session) -> int:
        if stop:
            return _stop(session)
        return _in_background(session, chosen) if background else _in_foreground(session, chosen)

    return with_session(request, show)


def _stop(session: Session) -> int:
    found = served.find(served.file_of(session.workspace.stack))
    if found is None:
        say(f"{session.workspace.stack} is not served")
        return EXIT_GOOD
    try:
        served.stop(found)
    except served.ServedError as error:
        return refused([str(error)], EXIT_FAILED)
    say(f"{session.workspace.stack} is served no more")
    return EXIT_GOOD


def _in_background(session: Session, options: Options) -> int:
    stack = session.workspace.stack
    file = served.file_of(stack)
    if found := served.find(file):
        say(f"{stack} is served already, by process {found.pid} on {found.functions}")
        return EXIT_GOOD
    file.parent.mkdir(parents=True, exist_ok=True)
    output = file.with_suffix(".log")
    with output.open("w") as log_file:
        process = subprocess.Popen(
            _command(session, options), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, start_new_session=True, env={**os.environ}
        )
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if (found := served.find(file)) and found.pid == process.pid:
            say(f"{stack} is served by process {found.pid} on {found.functions}; it logs to {places.shown(output)}")
            say(f"it ends with: invoke serve {_env(session)} --stop")
            return EXIT_GOOD
        if process.poll() is not None:
            return refused([f"serving ended as it began; the end of {places.shown(output)}:\n{_tail(output)}"], EXIT_FAILED)
        time.sleep(0.1)
    process.terminate()
    return refused([f"it is not served after {_READY_SECONDS:.0f} s; the end of {places.shown(output)}:\n{_tail(output)}"], EXIT_FAILED)


def _command(session: Session, options: Options) -> list[str]:
    chosen = {
        "--port": options.port,
        "--schedule-every": options.schedule_every,
        "--redelivery": options.redelivery,
        "--idle": options.idle or BACKGROUND_IDLE,
    }
    given = [f"{name}={value}" for name, value in chosen.items() if value]
    return [sys.executable, "-m", "invoke", "serve", *_env(session).split(), *given]


def _in_foreground(session: Session, options: Options) -> int:
    from botocore.exceptions import BotoCoreError, ClientError

    from localcloud.serve.model import ServeError
    from localcloud.stores.kept import StoreError
    from ops.deployed import NotDeployedError, deployed
    from ops.lambda_functions import FunctionError
    from ops.tasks_of_ecs import TaskError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    file = served.file_of(session.workspace.stack)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _stopping() as stopping, _only_one(file.with_suffix(".lock")) as alone:
            if not alone:
                return refused([f"{session.workspace.stack} is served already. Next: invoke serve {_env(session)} --stop"], EXIT_FAILED)
            with _served(session, deployed(session), options, file) as (service, stores):
                _wait(session, service, stores, options, stopping)
    except (ServeError, StoreError, NotDeployedError, FunctionError, TaskError) as error:
        return refused([str(error)], EXIT_FAILED)
    except (ClientError, BotoCoreError) as error:
        return refused([f"the local cloud: {error}"], EXIT_FAILED)
    except OSError as error:
        return refused([f"it cannot be served: {error}"], EXIT_FAILED)
    return EXIT_GOOD


@contextmanager
def _served(session: Session, where: Deployed, options: Options, file: Path) -> Generator[tuple[Service, Stores]]:
    """Everything at work, in order: the stores, the functions, the migration, then queues, schedules and containers; ended in the other order."""
    from localcloud.aws import Aws
    from localcloud.serve.service import Settings
    from ops import migrate
    from ops.serve_packages import Packages
    from ops.serve_stores import Stores

    cloud, environment, stack = session.target.cloud, session.workspace.environment, session.workspace.stack
    if cloud is None:
        raise RuntimeError("a session on the local target has a local cloud")
    home = cloud.state / "served" / stack
    with ExitStack() as ending:
        stores = Stores(where, home)
        packages = Packages(where, home / "packages", say)
        packages()  # what speaks against serving at all is told before anything is started
        containers = _containers(where, stores)
        stores.start()
        ending.callback(stores.stop)
        formats = _log_formats(session)
        settings = Settings(
            folder=home,
            packages=packages,
            port=options.port or _former_port(file),
            variables=lambda name: {**stores.variables, **formats.get(name, {})},
            schedule_every=options.schedule_every or None,
            redelivery=options.redelivery or None,
            containers=containers,
        )
        service = _bound(Aws(environment.account, environment.region, cloud.endpoint), settings, options)
        service.start()
        ending.callback(service.stop)
        say(str(migrate.migrate(where, endpoint=service.endpoint)))
        service.warm()
        service.start_feeding()
        if not service.ready(_HEALTHY_SECONDS):
            say(f"not all tasks are healthy after {_HEALTHY_SECONDS:.0f} s: invoke logs {where.options} --since 5m")
        _publish(file, {"pid": os.getpid(), "port": int(service.endpoint.rpartition(":")[2]), "url": service.endpoint, "stack": stack})
        ending.callback(file.unlink, missing_ok=True)
        _tell(service, stack)
        yield service, stores


def _containers(where: Deployed, stores: Stores) -> Containers:
    """How the environment's containers are run, if it has any."""
    from localcloud.serve.service import Containers
    from ops.package_trust import local_authority
    from ops.serve_image import Images

    if not where.contained:
        return Containers()
    image = Images(where, say)
    return Containers(
        cluster=where.output("app", "clusterName"),
        image=image,
        # The service's own names for where it listens (payments/container/settings.py).
        variables=lambda _, address, port: {**stores.variables, "HOST": address, "PORT": str(port)},
        certify=local_authority().issue,
    )


def _bound(aws: Any, settings: Any, options: Options) -> Service:
    """The service on the port of before, or on any where that is another's by now; a port that was asked for is insisted on."""
    from dataclasses import replace

    from localcloud.serve.service import Service

    try:
        return Service(aws, settings)
    except OSError:
        if options.port or not settings.port:
            raise
        return Service(aws, replace(settings, port=0))


def _wait(session: Session, service: Service, stores: Stores, options: Options, stopping: threading.Event) -> None:
    """Until it is told to stop, the local cloud is gone, or nobody has asked for anything for so long."""
    from botocore.exceptions import BotoCoreError, ClientError

    cloud = session.target.cloud
    while not stopping.wait(_LOOK_SECONDS):
        if cloud is not None and not running(cloud.pid):
            say("the local cloud has stopped, and what was deployed is gone with it")
            return
        if options.idle and time.monotonic() - service.last_request > options.idle:
            say(f"no request for {options.idle:.0f} s")
            return
        with contextlib.suppress(BotoCoreError):
            try:
                stores.keep_passwords()
            except ClientError as error:
                log.warning("a store's secret cannot be read: %s", error)
    say("stopping")


@contextmanager
def _stopping() -> Generator[threading.Event]:
    """Set by Ctrl-C and SIGTERM; a second one ends the process as it stands, and the kernel takes its children along."""
    event = threading.Event()

    def stop(number: int, _: Any) -> None:
        if event.is_set():
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        event.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _only_one(path: Path) -> Generator[bool]:
    """Whether this process is the only one that serves, for as long as it does."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _log_formats(session: Session) -> dict[str, Mapping[str, str]]:
    """What Lambda makes of a function's logging configuration; the local cloud does not keep that, the state of the stack does."""
    state = session.target.state
    if state is None:
        return {}
    path = state / ".pulumi" / "stacks" / "app" / f"{session.workspace.stack}.json"
    resources: list[Mapping[str, Any]] = json.loads(path.read_text())["checkpoint"]["latest"].get("resources") or []
    found: dict[str, Mapping[str, str]] = {}
    for resource in resources:
        if resource.get("type") == "aws:lambda/function:Function":
            outputs = resource.get("outputs") or {}
            given = outputs.get("loggingConfig") or {}
            levels = {"AWS_LAMBDA_LOG_FORMAT": given.get("logFormat"), "AWS_LAMBDA_LOG_LEVEL": given.get("applicationLogLevel")}
            found[outputs["name"]] = {name: value for name, value in levels.items() if value}
    return found


def _former_port(file: Path) -> int:
    """The port on which the stack was served before, so that its URLs stay; 0 where it was not."""
    try:
        return int(file.with_suffix(".port").read_text())
    except (OSError, ValueError):
        return 0


def _publish(file: Path, about: Mapping[str, Any]) -> None:
    write_whole(file.with_suffix(".port"), str(about["port"]))
    write_whole(file, json.dumps(about))


def _tell(service: Service, stack: str) -> None:
    for problem in service.deployed.problems:
        say(f"not served: {problem}")
    for name, url in sorted(service.urls.items()):
        say(f"{stack}: {name} on {url}")
    if service.deployed.functions:
        fed = f"{len(service.deployed.queues)} queues, {len(service.deployed.schedules)} schedules"
        say(f"{stack}: functions on {service.endpoint} (Lambda's Invoke), {fed}")
    for name, counted in service.counts().items():
        fewer = "" if counted["running"] >= counted["desired"] else f", of {counted['desired']} on AWS"
        say(f"{stack}: service {name}: {counted['running']} tasks{fewer}, {counted['healthy']} healthy")
    sys.stdout.flush()


def _env(session: Session) -> str:
    return named(session.workspace.name, session.workspace.suffix)


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
