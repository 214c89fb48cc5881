"""Where the functions and containers of an environment run on this machine: what `invoke serve` serves, started for a while where nobody does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ops import places
from ops.deployed import Deployed
from ops.engine import running
from ops.options import options
from ops.package_trust import local_authority
from shared.page import ROOT

if TYPE_CHECKING:
    from ops.session import Session

_STATUS = "/_serve"
_ANSWER_SECONDS = 5.0
_STOP_SECONDS = 60.0  # tasks of containers have 30 to finish what they began
_PORTS: Final = {"https": 443, "http": 80}


class ServedError(RuntimeError):
    """What is deployed is not served, or cannot be."""


@dataclass(frozen=True)
class Reached:
    """Where the service is called. host: the name that it is to be asked by, where that is not the URL's. trust: file with whom to trust for that name."""

    url: str
    host: str = ""
    trust: Path | None = None


@dataclass(frozen=True)
class Served:
    """A process that serves.

    pid: its process. functions: endpoint of Lambda's API. urls: of each API's stage, by `<api name>/<stage>`, and of each load balancer's listener, by
    `<load balancer>/<port>`.
    """

    pid: int
    functions: str
    urls: Mapping[str, str]

    def api(self, where: Deployed) -> Reached:
        """The environment's API; raises ServedError when that is not among what is served."""
        if not where.contained:
            return Reached(self._url(f"{where.output('app', 'apiName')}/{where.output('app', 'apiStage')}"))
        deployed = urlsplit(where.output("app", "apiUrl"))
        name = str(where.output("app", "loadBalancerArn")).split("/")[-2]
        url = self._url(f"{name}/{deployed.port or _PORTS[deployed.scheme]}")
        return Reached(url, deployed.hostname or "", local_authority().certificate if url.startswith("https:") else None)

    def _url(self, wanted: str) -> str:
        if wanted not in self.urls:
            raise ServedError(f"process {self.pid} serves {', '.join(sorted(self.urls)) or 'no API'}, and not {wanted}. Next: end it, and invoke serve again")
        return self.urls[wanted]


@contextmanager
def functions_of(session: Session, *, start: Callable[[Session], None] | None = None) -> Generator[Served | None]:
    """Where the functions of an environment are called: None on AWS, where Lambda runs them.

    On this machine what serves is found, or started for as long as this lasts and ended afterwards. Raises ServedError.
    """
    if session.target.cloud is None:
        yield None
        return
    file = file_of(session.workspace.stack)
    found = find(file)
    if found:
        yield found
        return
    (start or _start)(session)
    found = find(file)
    if found is None:
        raise ServedError(f"what was started to serve {session.workspace.stack} does not answer. Next: invoke serve {_options(session)} shows why")
    try:
        yield found
    finally:
        stop(found)


def file_of(stack: str) -> Path:
    """Says, while a stack is served, by which process and on which port (JSON: pid, port, url)."""
    return places.LOCAL / "serve" / f"{stack}.json"


def find(file: Path) -> Served | None:
    """What serves, as it says itself; None when nothing does, or something else has its port now."""
    try:
        about: dict[str, Any] = json.loads(file.read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{int(about['port'])}{_STATUS}", timeout=_ANSWER_SECONDS) as answer:
            said: dict[str, Any] = json.load(answer)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Served(said["pid"], said["endpoint"], said["urls"]) if said.get("pid") == about.get("pid") else None


def stop(served: Served) -> None:
    """Asks it to end, and waits until it has; raises ServedError when it does not."""
    with suppress(ProcessLookupError):
        os.kill(served.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while running(served.pid):
        if time.monotonic() >= deadline:
            raise ServedError(f"process {served.pid}, which serves, does not end within {_STOP_SECONDS:.0f} s. Next: kill -9 {served.pid}")
        time.sleep(0.05)


def _start(session: Session) -> None:
    command = [sys.executable, "-m", "invoke", "serve", *_options(session).split(), "--background"]
    # What it says belongs to progress, as this command's own result is on standard output.
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False)
    if done.returncode:
        raise ServedError(f"what is deployed to {session.workspace.stack} cannot be served (invoke serve ended with {done.returncode}); why stands above")


def _options(session: Session) -> str:
    return options(session.workspace.name, session.workspace.suffix)
