"""The Pulumi engine, one stack at a time: its command line, run with its event log followed while it runs.

The Automation API runs the same command line, but asks for outputs, secrets and history after every update, three more processes
that a chain of four stacks does not need; its event types are what is parsed here.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ops import places
from ops.engine_events import Listener, Summary
from ops.projects import Project
from ops.toolchain import Cli
from shared.variables import TARGET

_POLL_SECONDS = 0.05


class EngineError(RuntimeError):
    """The engine said no before or beside an update; the message is its own."""


@dataclass(frozen=True)
class Stack:
    """One stack of one project, and how to run the engine on it."""

    project: Project
    name: str
    configuration: Path
    cli: Cli
    environment: Mapping[str, str] = field(repr=False)
    organization: str = "organization"

    @property
    def full_name(self) -> str:
        """The stack as the engine is asked for it: with the organization, where the backend has several."""
        return self.name if self.organization == "organization" else f"{self.organization}/{self.project.name}/{self.name}"

    def init(self) -> None:
        """Makes the (empty) stack; no error when it is there.

        The engine writes a salt into the configuration that it finds beside the project, and this command takes no other file: it is
        run in a folder that stands in for the project, so that no committed page is written to.
        """
        with tempfile.TemporaryDirectory(prefix=f"{self.project.name}-") as folder:
            Path(folder, "Pulumi.yaml").write_text(f"name: {self.project.name}\nruntime: python\n")
            Path(folder, f"Pulumi.{self.name}.yaml").write_bytes(self.configuration.read_bytes())
            named = yaml.safe_load(self.configuration.read_text()).get("secretsprovider")
            provider = ["--secrets-provider", named] if named else []
            answer = self.call("stack", "init", self.full_name, "--no-select", *provider, folder=Path(folder))
        if answer.returncode and "already exists" not in answer.stderr:
            raise EngineError(_said(answer))

    def remove(self) -> None:
        """Forgets a stack that holds nothing any more; its page stays."""
        answer = self.call("stack", "rm", "--stack", self.full_name, "--yes", "--preserve-config")
        if answer.returncode and "no stack named" not in answer.stderr:
            raise EngineError(_said(answer))

    def cancel(self) -> None:
        """Breaks the lock of an update that is no more."""
        answer = self.call("cancel", self.full_name, "--yes")
        if answer.returncode:
            raise EngineError(_said(answer))

    def export(self) -> dict[str, Any] | None:
        """The stack's deployment (secrets encrypted), or None when there is no such stack."""
        answer = self.call("stack", "export", "--stack", self.full_name)
        if answer.returncode:
            if "no stack named" in answer.stderr:
                return None
            raise EngineError(_said(answer))
        exported: dict[str, Any] = json.loads(answer.stdout)
        return exported

    def load(self, deployment: Mapping[str, Any]) -> None:
        """Replaces the stack's deployment by one that was exported, and changed since."""
        with tempfile.TemporaryDirectory(prefix=f"{self.project.name}-") as folder:
            file = Path(folder, "deployment.json")
            file.write_text(json.dumps(deployment))
            answer = self.call("stack", "import", "--stack", self.full_name, "--file", str(file))
        if answer.returncode:
            raise EngineError(_said(answer))

    def outputs(self, *, show_secrets: bool) -> dict[str, Any] | None:
        """The stack's outputs, or None when there is no such stack; secrets are masked unless asked for."""
        shown = ["--show-secrets"] if show_secrets else []
        answer = self.call("stack", "output", "--stack", self.full_name, "--json", *shown)
        if answer.returncode:
            if "no stack named" in answer.stderr:
                return None
            raise EngineError(_said(answer))
        outputs: dict[str, Any] = json.loads(answer.stdout)
        return outputs

    def call(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A short command of the engine, run to its end in the project's folder (or another)."""
        command = [str(self.cli.pulumi), *arguments, "--non-interactive", "--color", "never"]
        return subprocess.run(command, cwd=folder or self.project.folder, env=dict(self.environment), capture_output=True, text=True, check=False)

    def operate(self, command: str, *arguments: str, listener: Listener, cancelled: threading.Event) -> Summary:
        """An operation (`up`, `preview`, `refresh`, `destroy`), with its events told to `listener` while it runs.

        When `cancelled` is set the engine is asked to stop: it finishes what it has under way, writes its state and releases its lock.
        """
        # The same stack may be at work on both targets at once.
        logs = places.LOGS / self.environment.get(TARGET, "aws")
        logs.mkdir(parents=True, exist_ok=True)
        stem = f"{self.name}-{self.project.name}-{command}"
        events, said = logs / f"{stem}.events", logs / f"{stem}.log"
        events.unlink(missing_ok=True)
        whole = [str(self.cli.pulumi), command, "--stack", self.full_name, "--config-file", str(self.configuration)]
        whole += ["--non-interactive", "--color", "never", "--suppress-outputs", "--event-log", str(events), *arguments]
        if command != "preview" and "--preview-only" not in arguments:
            whole += ["--yes", "--skip-preview"]
        with said.open("w") as output:
            # Its own process group: a Ctrl-C at the terminal reaches the engine through us, once, and not twice.
            process = subprocess.Popen(
                whole, cwd=self.project.folder, env=dict(self.environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
            )
            try:
                _follow(process, events, listener, cancelled)
            except BaseException:
                process.send_signal(signal.SIGINT)
                process.wait()
                raise
        return listener.summary(process.returncode, _last_error(said), interrupted=cancelled.is_set())


def _follow(process: subprocess.Popen[bytes], path: Path, listener: Listener, cancelled: threading.Event) -> None:
    """Reads the event log until the process has ended and nothing is left to read."""
    asked_to_stop = False
    position, rest = 0, b""
    while True:
        ended = process.poll() is not None
        if path.exists():
            with path.open("rb") as log:
                log.seek(position)
                found = log.read()
            position += len(found)
            *lines, rest = (rest + found).split(b"\n")
            for line in lines:
                with suppress(ValueError):  # the last line of an engine that was killed
                    listener.event(json.loads(line))
        if ended:
            return
        if cancelled.is_set() and not asked_to_stop:
            process.send_signal(signal.SIGINT)
            asked_to_stop = True
        time.sleep(_POLL_SECONDS)


def _last_error(log: Path) -> str:
    """The engine's own last words about what went wrong outside of any resource (a lock, a missing stack, a bad option)."""
    found = [line.removeprefix("error: ").strip() for line in log.read_text(errors="replace").splitlines() if line.startswith("error: ")]
    return found[-1] if found else ""


def _said(answer: subprocess.CompletedProcess[str]) -> str:
    return _last_of(answer.stderr.splitlines()) or _last_of(answer.stdout.splitlines()) or f"the engine ended with {answer.returncode}"


def _last_of(lines: Sequence[str]) -> str:
    return next((re.sub(r"^error: ", "", line.strip()) for line in reversed(lines) if line.strip()), "")


def running(pid: int) -> bool:
    """Whether a process of this machine is alive; one that has ended and that its parent does not ask about is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):  # only Linux has this file; the name in brackets may hold anything
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
