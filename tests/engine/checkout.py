"""A checkout of one's own: the project's files in a temporary folder, with its own `.local`, its own local cloud, and pages that a test may change.

What users type is what runs: `invoke` as a process, the real engine below it. The engine is reached through a stand-in on PATH that writes
down each call before it becomes the engine, so that "no engine was started" can be told from "it had nothing to do".
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from localcloud import control
from localcloud.aws import Aws
from localcloud.control import Running
from ops import package_trust
from ops.toolchain import Cli
from shared.page import ROOT

DEV_ACCOUNT = "123456789012"

# What a deployment reads; the tests, the documents and the tools' caches stay behind.
SHARED = ("packages", "ca", "toolchain.json")
"""Of `.local`, what every checkout has from the original."""

_FOLDERS = ("environments", "localcloud", "ops", "payments", "projects", "requirements", "shared", "tools")
_FILES = ("tasks.py", "pyproject.toml", "Dockerfile")
_INVOKE_SECONDS = 600.0


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The report that `--json` printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def outcomes(self) -> dict[str, str]:
        """Each project's outcome."""
        return {result["project"]: result["outcome"] for result in self.report["results"]}

    def result(self, project: str) -> dict[str, Any]:
        """What the report says of one project."""
        return next(result for result in self.report["results"] if result["project"] == project)


@dataclass
class Checkout:
    """The project in `root`; its commands run as processes and end with it."""

    root: Path
    cli: Cli
    _running: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    @property
    def local(self) -> Path:
        """The checkout's own `.local`."""
        return self.root / ".local"

    # --- commands ------------------------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """The environment of a user's shell: no AWS or Pulumi settings, no target, and the noted engine first on PATH."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_", "PYTEST_", "MOTO_", "PAYMENTS_TARGET"))}
        # The virtual environment names the checkout that it was made for; modules are to come from this one.
        return {**kept, "PYTHONPATH": str(self.root), "PATH": os.pathsep.join([str(self.root / "bin"), kept.get("PATH", os.defpath)])}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `invoke` in a process group of its own, as a shell does; `end` it, or wait for it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "invoke", *arguments],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self._running.append(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> Ended:
        """Waits for the end of a command that was started."""
        out, err = process.communicate(timeout=_INVOKE_SECONDS)
        self._running.remove(process)
        return Ended(process.returncode, out, err)

    def invoke(self, *arguments: str) -> Ended:
        """Runs `invoke` to its end."""
        return self.end(self.start(*arguments))

    def on_dev(self, command: str, *arguments: str) -> Ended:
        """A command on the dev environment of the local target, with its report."""
        return self.invoke(command, "--env", "dev", "--target", "local", "--json", *arguments)

    def shell(self, script: str, folder: Path) -> Ended:
        """Runs a script in a shell, in a folder of the checkout."""
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script],
            cwd=folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INVOKE_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    # --- what there is -------------------------------------------------------------------------------------------

    @cached_property
    def cloud(self) -> Running:
        """The checkout's local cloud, which is started when it is first asked for."""
        return control.start(self.local / "cloud")[0]

    def aws(self, account: str = DEV_ACCOUNT, region: str = "us-east-1") -> Aws:
        """An account of the local cloud."""
        return Aws(account, region, self.cloud.endpoint)

    def calls(self) -> list[list[str]]:
        """The engine's commands so far, each as its arguments."""
        noted = self.root / "calls"
        return [shlex.split(line) for line in noted.read_text().splitlines()] if noted.exists() else []

    def deployment(self, project: str, stack: str = "dev") -> dict[str, Any]:
        """A stack's state, as the engine keeps it; empty when there is none."""
        path = self.cloud.state / "state" / ".pulumi" / "stacks" / project / f"{stack}.json"
        found: dict[str, Any] = json.loads(path.read_text())["checkpoint"].get("latest") or {} if path.exists() else {}
        return found

    def resources(self, project: str, stack: str = "dev") -> list[dict[str, Any]]:
        """The resources in a stack's state."""
        return self.deployment(project, stack).get("resources") or []

    def managed(self, project: str, stack: str = "dev") -> list[dict[str, Any]]:
        """The resources of a stack that AWS holds."""
        return [entry for entry in self.resources(project, stack) if entry["type"].startswith("aws:")]

    def engine(self, project: str, stack: str = "dev") -> int | None:
        """The process that holds a stack's lock, if one does."""
        folder = self.cloud.state / "state" / ".pulumi" / "locks" / "organization" / project / stack
        for path in folder.glob("*.json"):
            with suppress(OSError, ValueError):  # released, or being written, at this very instant
                return int(json.loads(path.read_text())["pid"])
        return None

    def events(self, project: str, command: str = "up", stack: str = "dev") -> list[dict[str, Any]]:
        """The engine's events of the last such command, as far as they are written."""
        path = self.local / "logs" / "local" / f"{stack}-{project}-{command}.events"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def pages(self) -> dict[str, bytes]:
        """The files in environments/, by name: what git would compare."""
        return {path.name: path.read_bytes() for path in (self.root / "environments").iterdir()}

    # --- changes -------------------------------------------------------------------------------------------------

    @contextmanager
    def changed_page(self, name: str = "dev", **values: Any) -> Generator[None]:
        """The page with other values (`**{"data:tables": {...}}`; None takes a key away), until the end of the block."""
        path = self.root / "environments" / f"Pulumi.{name}.yaml"
        before = path.read_bytes()
        document = yaml.safe_load(before)
        document["config"] = {key: value for key, value in {**document["config"], **values}.items() if value is not None}
        path.write_text(yaml.safe_dump(document))
        try:
            yield
        finally:
            path.write_bytes(before)

    @contextmanager
    def changed_file(self, name: str, old: str, new: str) -> Generator[None]:
        """A file with `old`, which must be in it once, replaced by `new`, until the end of the block."""
        path = self.root / name
        before = path.read_text()
        assert before.count(old) == 1, f"{name} has {before.count(old)} times: {old}"
        path.write_text(before.replace(old, new))
        try:
            yield
        finally:
            path.write_text(before)

    def close(self) -> None:
        """Ends what still runs: commands, the cloud, and the language hosts of engines that a test killed."""
        for process in self._running:
            process.kill()
            process.wait()
        for pid in self._hosts():
            os.kill(pid, signal.SIGKILL)
        daemon = self.local / "cloud" / "daemon.json"
        if daemon.exists():
            with suppress(ProcessLookupError):
                os.kill(json.loads(daemon.read_text())["pid"], signal.SIGCONT)  # a test that failed may have left it stopped
        control.stop(self.local / "cloud")

    def _hosts(self) -> Iterator[int]:
        """The language hosts that were started from this checkout. They look for their engine every five minutes only, and end when it is gone."""
        own = str(self.root / "bin").encode()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # ended meanwhile
                if path.read_bytes().startswith(own):
                    yield int(path.parent.name)


def check_out(root: Path, cli: Cli) -> Checkout:
    """Copies the project as it is now to `root`; what takes minutes to make (the functions' packages) is shared with the original."""
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy2(ROOT / name, root / name)
    (root / ".local").mkdir()
    # Packages hold the certificate of the checkout's authority: who shares the one shares the other.
    package_trust.bundle("local")
    (ROOT / ".local" / "packages").mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        if (ROOT / ".local" / name).exists():
            (root / ".local" / name).symlink_to(ROOT / ".local" / name)
    # The programs' Pulumi.yaml names the environment that they run in by this path.
    (root / ".venv").symlink_to(sys.prefix)
    _note_calls(root, cli)
    return Checkout(root, cli)


def _note_calls(root: Path, cli: Cli) -> None:
    """Puts a stand-in for the engine into `bin`, which writes down its arguments and becomes the engine, with its language host beside it."""
    (root / "bin").mkdir()
    path = os.pathsep.join(map(str, cli.path))
    for name in ("pulumi-language-python", "pulumi-language-python-exec"):
        if found := shutil.which(name, path=path) or shutil.which(name):
            (root / "bin" / name).symlink_to(Path(found).resolve())
    noted, pulumi = shlex.quote(str(root / "calls")), shlex.quote(str(cli.pulumi.resolve()))
    script = root / "bin" / "pulumi"
    # `version` is asked once when the tool chain is looked at, and starts no engine.
    script.write_text(f'#!/bin/sh\n[ "$*" = version ] || echo "$@" >> {noted}\nexec {pulumi} "$@"\n')
    script.chmod(0o755)


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Waits until the condition holds, and answers what it answered."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")
