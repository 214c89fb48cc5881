"""A server process of a folder: one at a time, found by whoever comes second, never left behind by whoever came first."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEEPER = Path(__file__).with_name("keeper.py")
_LARGEST_LOG = 16 * 1024 * 1024  # bytes, after which a start begins a new one and keeps one old

_started: dict[Path, subprocess.Popen[bytes]] = {}
"""The keepers that this process started, by folder. Held here because a keeper ends when its pipe does, and a pipe ends with its last reference."""


class StoreError(RuntimeError):
    """A store's server cannot be found, started or stopped; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a kind of server is asked to end.

    stop, crash: signals for an orderly end and for one as if the power had failed. grace: seconds until it is killed.
    """

    stop: signal.Signals
    crash: signal.Signals
    grace: float = 20.0


@dataclass(frozen=True)
class Kept:
    """The server `name` of a folder.

    The lock file is held by every process of the server through a descriptor that they inherit: while it can be locked, nothing of the server
    is alive, whatever pid files say.
    """

    folder: Path
    name: str

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.folder / f"{self.name}.log"

    def claim(self) -> int | None:
        """The right to start the server, as a descriptor; None while a server, or somebody who starts one, has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise
        self._about.unlink(missing_ok=True)
        return lock

    def spawn(self, lock: int, command: list[str], ending: Ending, environ: dict[str, str]) -> subprocess.Popen[bytes]:
        """Starts the server with the right to do so."""
        with suppress(FileNotFoundError):
            if self.log.stat().st_size > _LARGEST_LOG:
                self.log.replace(self.log.with_suffix(".log.old"))
        # Without the interpreter's site: it starts at once, and no .pth file of whatever is installed runs in it.
        keeper = [sys.executable, "-I", "-S", str(_KEEPER), str(int(ending.stop)), str(int(ending.crash)), str(ending.grace)]
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [*keeper, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                env=environ,
                start_new_session=True,  # Ctrl-C is for the one who serves; the server goes when that one says so
            )
        _started[self.folder / self.name] = process
        return process

    def publish(self, about: dict[str, Any]) -> None:
        """Tells others where the server listens."""
        process = _started[self.folder / self.name]
        new = self._about.with_suffix(".new")
        new.write_text(json.dumps({**about, "keeper": process.pid}), encoding="utf-8")
        new.replace(self._about)

    def about(self) -> dict[str, Any] | None:
        """What was published, None when there is no server."""
        try:
            found: dict[str, Any] = json.loads(self._about.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found if self.held() else None

    def held(self) -> bool:
        """Whether any process of the server is alive, or one is being started."""
        try:
            with self._lock.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def mine(self) -> bool:
        """Whether this process started the server that runs."""
        process = _started.get(self.folder / self.name)
        return process is not None and process.poll() is None

    def end(self, *, crash: bool = False, within: float = 30.0) -> None:
        """Ends the server, whoever started it, and waits until nothing of it is alive; nothing when there is none. Raises StoreError."""
        process = _started.pop(self.folder / self.name, None)
        about = self.about()
        published: int | None = about["keeper"] if about else None
        keeper = process.pid if process is not None and process.poll() is None else published
        if keeper is not None:
            with suppress(ProcessLookupError):
                os.kill(keeper, signal.SIGQUIT if crash else signal.SIGTERM)
        if process is not None and process.stdin is not None:
            if not crash:
                process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(within)
            process.stdin.close()
        deadline = time.monotonic() + within
        while self.held():
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{self.name} in {self.folder} does not end (its keeper is process {keeper}); see {self.log}, and end by hand what holds {self._lock}"
                )
            time.sleep(0.01)
        self._about.unlink(missing_ok=True)

    def tail(self, lines: int = 15) -> str:
        """The end of the log, for an error's text."""
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return "(nothing)"

    @property
    def _lock(self) -> Path:
        return self.folder / f"{self.name}.lock"

    @property
    def _about(self) -> Path:
        return self.folder / f"{self.name}.json"


@dataclass(frozen=True)
class Account:
    """The user of this machine as whom a server runs; numbers are None where it is the one who starts it.

    Servers refuse to be root (PostgreSQL does), and need not be. Started by root, they run as `nobody`, with one of root's powers left: to pass
    through folders that are closed to others, as the checkout or the temporary folder may lie in one of root's own.
    """

    user: int | None
    group: int | None

    @classmethod
    def to_run_as(cls) -> Account:
        """Root's stand-in, or whoever asks."""
        import pwd

        if os.geteuid() != 0:
            return cls(None, None)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def command(self, command: list[str], *, dies: bool = False) -> list[str]:
        """The command line with which it runs a command. dies: the command gets SIGINT when its parent is gone (where the system can: Linux)."""
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            if self.user is None:
                return command
            raise StoreError("setpriv, with which root starts a server as another user, is not on PATH: install util-linux, or do not run this as root")
        powers = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
        become = [f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups", *powers] if self.user is not None else []
        return [setpriv, *become, *(["--pdeathsig=INT"] if dies else []), *command] if become or dies else command

    def give(self, path: Path) -> None:
        """Makes a file or folder its own."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)
