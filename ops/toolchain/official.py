"""The official installation, through the Automation API's own installer."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ops.toolchain.child import ChildError, run

if TYPE_CHECKING:
    from ops.toolchain.memory import Memory
    from ops.toolchain.places import Places
    from ops.toolchain.progress import Progress

ORIGIN = "official"

_REACHED_WITHIN = 6.0
"""Seconds for the site's first answer. A network that is closed by silence costs this much, once an hour."""

_INSTALLED_WITHIN = 300.0
"""Seconds for the download itself, some 150 MB."""

# In processes of their own: neither a name server that does not answer nor the installer's shell script can be ended from within.
_PROBE = "import urllib.request as r; r.urlopen(r.Request('https://get.pulumi.com/install.sh', method='HEAD'), timeout=5).close()"
_INSTALL = """
import subprocess, sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
try:
    PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
except subprocess.CalledProcessError as error:
    sys.exit(error.output.decode(errors="replace") or str(error))
"""


def version() -> str:
    """The CLI's version that is installed: that of the SDK in this environment, as the two are released together."""
    return importlib.metadata.version("pulumi")


def install(places: Places, memory: Memory, progress: Progress, *, retry: bool = False) -> str:
    """Install the CLI into `.local/bin`; the answer is empty, or why it could not be done.

    retry: ask again even when that failed within the last hour.
    """
    wanted = version()
    known = None if retry else memory.failure(wanted)
    if known:
        return f"{known} (tried within the last hour; `python -m ops.toolchain --retry` tries again)"
    progress.phase(f"Installing Pulumi {wanted}")
    places.local.mkdir(parents=True, exist_ok=True)
    # Beside its destination, so that moving it there is a rename: a half of it is never found in place.
    with tempfile.TemporaryDirectory(prefix="pulumi-", dir=places.local) as stage:
        try:
            _python(_PROBE, cwd=stage, within=_REACHED_WITHIN)
            _python(_INSTALL, stage, wanted, cwd=stage, within=_INSTALLED_WITHIN)
        except ChildError as error:
            reason = _short(str(error))
            memory.keep_failure(wanted, reason)
            return reason
        shutil.rmtree(places.bin, ignore_errors=True)
        Path(stage, "bin").rename(places.bin)
    memory.keep_own(origin=ORIGIN, host=wanted, pins="")
    return ""


def _python(program: str, *arguments: str, cwd: str, within: float) -> None:
    run([sys.executable, "-c", program, *arguments], cwd=Path(cwd), environ=os.environ, within=within)


def _short(text: str) -> str:
    """The first line, which says what ended, and the last, which says why: between them stands a traceback."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    what = lines[0].replace(f"`{sys.executable} -c`", "the installer")
    return what if len(lines) == 1 else f"{what}: {lines[-1]}"
