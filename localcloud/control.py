"""Starting, finding and stopping the local cloud of a folder."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# How many earlier clouds' states are kept for whoever wants to look at them.
_KEPT = 3
_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0


class LocalCloudError(RuntimeError):
    """The local cloud could not be started, found or stopped."""


@dataclass(frozen=True)
class Running:
    """A local cloud that answers.

    identity: its UUID. endpoint: URL of moto's server. provider: port of the Pulumi provider. started: seconds since the epoch.
    state: the folder for what is known of this very cloud; a restarted cloud has another.
    """

    identity: str
    pid: int
    endpoint: str
    provider: int
    started: float
    state: Path

    def creations(self, urn: str) -> list[str]:
        """The ids of the resources that exist for a URN; waits for a creation that is under way."""
        answer = _get(f"{self.endpoint}/_localcloud/creations?{urllib.parse.urlencode({'urn': urn})}", 90.0)
        return [str(id_) for id_ in answer["ids"]]

    def credentials(self, account: str, region: str = "us-east-1") -> dict[str, str]:
        """Environment variables with which any AWS tool is in `account` of this cloud."""
        from localcloud.aws import credentials

        return credentials(account, region, self.endpoint)

    def gaps(self) -> dict[str, str]:
        """Where moto does less than AWS, and what is done instead."""
        found: dict[str, str] = _get(f"{self.endpoint}/_localcloud", _ANSWER_SECONDS)["gaps"]
        return found


def find(home: Path) -> Running | None:
    """The local cloud of `home`, if it runs and answers under its own identity."""
    try:
        return _find(home)
    except TimeoutError:
        return None


def _find(home: Path) -> Running | None:
    """As `find`, but raises TimeoutError when something listens there and does not answer: it is busy, or stopped, and not gone."""
    try:
        about: dict[str, Any] = json.loads((home / "daemon.json").read_text())
        answer = _get(f"{about['endpoint']}/_localcloud", _ANSWER_SECONDS)
    except (OSError, ValueError, KeyError) as error:
        if isinstance(getattr(error, "reason", error), TimeoutError):
            raise TimeoutError from error
        return None
    if answer.get("identity") != about["identity"]:
        return None
    return Running(about["identity"], about["pid"], about["endpoint"], about["provider"], about["started"], home / about["identity"])


def start(home: Path, *, port: int = 0, idle: float | None = None) -> tuple[Running, list[Path]]:
    """The local cloud of `home`, started if need be, and the states of earlier clouds that were set aside for it."""
    home.mkdir(parents=True, exist_ok=True)
    with _only_one(home / "start.lock"):
        if running := _unless_silent(home):
            return running, []
        log = home / "daemon.log"
        command = [sys.executable, "-m", "localcloud.daemon", "--file", str(home / "daemon.json"), "--port", str(port)]
        command += ["--idle", str(idle)] if idle is not None else []
        (home / "daemon.json").unlink(missing_ok=True)
        with log.open("w") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=_environment())
        running = _wait(home, process, log)
        aside = _set_aside(home, running)
        running.state.mkdir()
        return running, aside


def _unless_silent(home: Path) -> Running | None:
    """The running cloud, None when there is none; one that is only slow must not be replaced, as all that was deployed would be lost with it."""
    try:
        return _find(home)
    except TimeoutError:
        pid = json.loads((home / "daemon.json").read_text())["pid"]
        raise LocalCloudError(
            f"the local cloud (process {pid}) is there and does not answer within {_ANSWER_SECONDS:.0f} s: try again when the machine is less busy, "
            f"or give it up with all that was deployed on it: kill -9 {pid}"
        ) from None


def stop(home: Path) -> bool:
    """Ends the local cloud of `home`; False when there is none. All that was deployed on it is gone with it."""
    running = find(home)
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + 15.0
    while time.monotonic() < deadline:
        if not _alive(running.pid):
            return True
        time.sleep(0.05)
    raise LocalCloudError(f"the local cloud (process {running.pid}) does not stop; see {home / 'daemon.log'}, and end it with: kill -9 {running.pid}")


def _alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # when this process started it, it is ours to reap
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _environment() -> dict[str, str]:
    """The daemon's environment: nothing of the caller's AWS settings may send its calls anywhere else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    root = str(Path(__file__).resolve().parent.parent)
    return {**kept, "PYTHONPATH": root, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _wait(home: Path, process: subprocess.Popen[bytes], log: Path) -> Running:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalCloudError(f"the local cloud ended as it started; the end of {log}:\n{_tail(log)}")
        if running := find(home):
            return running
        time.sleep(0.05)
    process.kill()
    raise LocalCloudError(f"the local cloud did not start within {_START_SECONDS:.0f} s; the end of {log}:\n{_tail(log)}")


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _set_aside(home: Path, running: Running) -> list[Path]:
    """Moves the states of earlier clouds away: what they describe is gone, and they must never be met again."""
    shelf = home / "set-aside"
    moved: list[Path] = []
    for folder in home.iterdir():
        if folder.is_dir() and folder != shelf and folder.name != running.identity:
            shelf.mkdir(exist_ok=True)
            moved.append(folder.rename(shelf / folder.name))
    kept = sorted(shelf.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True) if shelf.is_dir() else []
    for folder in kept[_KEPT:]:
        shutil.rmtree(folder)
    return [folder for folder in moved if folder.exists()]


@contextmanager
def _only_one(path: Path) -> Generator[None]:
    """Two processes that start the cloud at once: the second waits, and finds the first one's."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _get(url: str, timeout: float) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 - our own loopback address
        found: dict[str, Any] = json.load(answer)
    return found
