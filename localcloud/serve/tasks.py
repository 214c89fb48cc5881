"""Tasks of ECS: a container's process each, with the environment that ECS would give it and an address of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from localcloud.aws import Aws
from localcloud.serve.containers import Container, HealthCommand, Image
from localcloud.serve.logs import Line, LogWriter, now
from localcloud.serve.model import ServeError
from localcloud.serve.secret_values import SecretValues
from localcloud.stores import keeper, listening

TaskVariables = Callable[[str, str, int], Mapping[str, str]]
"""What a container gets over its own environment, by its name, the task's address, and the port there."""

# What a container listens on that maps no port; with an address of its own it is in nobody's way.
_PORT = 8080
_LINES = 200
_SETTLE = 5.0  # seconds that output may take to be read to its end after the process has ended

_PYTHON = """#!/bin/sh
exec {python} -S -P "$@"
"""


class Task:
    """One task. `address` and `port`: where its container listens, if it does.

    The process is kept by `localcloud.stores.keeper`, which ends it when this process is gone, however that comes about.
    """

    def __init__(
        self, container: Container, command: list[str], environment: Mapping[str, str], *, id_: str, folder: Path, told: Callable[[list[Line]], None]
    ) -> None:
        self.id = id_
        self.container = container
        self.started = time.monotonic()
        self.lines: deque[str] = deque(maxlen=_LINES)
        self.address, self.port = environment["HOST"], int(environment["PORT"])
        self._environment, self._folder, self._told = dict(environment), folder, told
        keeping = [sys.executable, "-I", "-S", str(Path(keeper.__file__)), "15", "9", str(container.stop_timeout)]
        self._process = subprocess.Popen(
            [*keeping, *command],
            env=self._environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the one who serves
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), name=f"task-{self.id[:8]}", daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """The process's status once it has ended; what a signal ended has 128 and its number, as ECS tells it."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def end(self) -> None:
        """Asks the process to end: SIGTERM, and SIGKILL when its stop timeout is over. Returns at once."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """Waits for its end and for the end of its output; None when the time was over first."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(_SETTLE)
        return self.exit_code

    def is_well(self, health: HealthCommand) -> bool:
        """Asks the container's own health check, once."""
        kind, *rest = health.command
        command = ["/bin/sh", "-c", " ".join(rest)] if kind == "CMD-SHELL" else rest if kind == "CMD" else [kind, *rest]
        try:
            done = subprocess.run(
                command, env=self._environment, cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=health.timeout, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def _read(self, output: BinaryIO) -> None:
        with output:
            for line in output:
                text = line.decode(errors="replace").rstrip("\n")
                self.lines.append(text)
                self._told([(now(), text)])


class Launcher:
    """Starts tasks.

    folder: for the tasks' temporary folders. image: what the image of a URI holds, for this machine.
    """

    def __init__(self, aws: Aws, folder: Path, logs: LogWriter, *, image: Callable[[str], Image], variables: TaskVariables) -> None:
        self._aws, self._folder, self._logs, self._image, self._variables = aws, folder, logs, image, variables
        self._secrets = SecretValues(aws)
        self._lock = threading.Lock()
        self._roles: dict[str, dict[str, str]] = {}
        shutil.rmtree(folder / "tasks", ignore_errors=True)

    def launch(self, container: Container) -> Task:
        """Starts a task of a container. Raises ServeError, as ECS stops a task with a ResourceInitializationError."""
        image = self._image(container.image)
        with self._lock:
            scratch = self._scratch()
            address, port = listening.choose(scratch, container.port or _PORT)
        environment = self._environment(container, image, scratch)
        environment |= {"HOST": address, "PORT": str(port), **self._variables(container.name, address, port)}
        # An entry point of the definition's own takes the image's command away too ("ENTRYPOINT", Dockerfile reference).
        usual = () if container.entry_point else image.command
        command = [*(container.entry_point or image.entry_point), *(container.command or usual)]
        id_ = uuid.uuid4().hex
        return Task(container, command, environment, id_=id_, folder=scratch, told=self._writer(container, id_))

    def _writer(self, container: Container, id_: str) -> Callable[[list[Line]], None]:
        place = container.logs
        if place is None:
            return lambda _: None
        stream = "/".join(part for part in (place.prefix, container.name, id_) if part)
        return lambda lines: self._logs.write(place.group, stream, lines)

    def _scratch(self) -> Path:
        home = self._folder / "tasks"
        home.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="task-", dir=home))

    def _environment(self, container: Container, image: Image, scratch: Path) -> dict[str, str]:
        """The image's, the task definition's, what ECS gives ("Amazon ECS environment variables"), and the way to the local cloud."""
        given = {
            "AWS_REGION": self._aws.region,
            "AWS_DEFAULT_REGION": self._aws.region,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_EC2_METADATA_DISABLED": "true",
            **({"AWS_ENDPOINT_URL": self._aws.endpoint} if self._aws.endpoint else {}),
            **self._credentials(container.role),
        }
        own = {
            "PATH": f"{self._programs()}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(image.folder),
            # The image is compiled when it is made. Here the bytecode is kept beside the folder, for the next task.
            "PYTHONPYCACHEPREFIX": str(image.folder.with_suffix(".pyc")),
            "PYTHONDONTWRITEBYTECODE": "",
            # A home and a temporary folder of its own: nothing that the user keeps in theirs (~/.aws, ~/.pgpass) may reach the task.
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
        }
        return {**image.environment, **container.environment, **self._secrets.of(container), **given, **own}

    def _programs(self) -> Path:
        """A folder with the image's one program, Python: this one, that finds nothing but what PYTHONPATH names."""
        folder = self._folder / "bin"
        shim = folder / "python"
        if not shim.exists():
            folder.mkdir(parents=True, exist_ok=True)
            new = folder / f".python-{uuid.uuid4().hex}"
            new.write_text(_PYTHON.format(python=f"'{sys.executable}'"))
            new.chmod(0o755)
            new.replace(shim)
        return folder

    def _credentials(self, role: str) -> dict[str, str]:
        """The credentials of the task's role; the local cloud never lets them expire."""
        if not role:
            return {}
        with self._lock:
            if role not in self._roles:
                keys = self._aws.client("sts").assume_role(RoleArn=role, RoleSessionName="task")["Credentials"]
                self._roles[role] = {
                    "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
                    "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                    "AWS_SESSION_TOKEN": keys["SessionToken"],
                }
            return self._roles[role]


def run(launcher: Launcher, container: Container, seconds: float) -> Task:
    """Runs a task to its end, as RunTask does and waits for. Raises ServeError where it does not end within `seconds`."""
    task = launcher.launch(container)
    if task.wait(seconds) is None:
        task.end()
        task.wait(container.stop_timeout + _SETTLE)
        raise ServeError(f"a task of {container.definition} did not end within {seconds:.0f} s; its last lines:\n" + "\n".join(list(task.lines)[-5:]))
    return task
