"""Looking for a CLI that is there already. Nothing here installs, builds, or opens a connection."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ops.toolchain.cli import Cli, objection, parse, show
from ops.toolchain.pins import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.toolchain.memory import Memory
    from ops.toolchain.places import Places

HOST = "pulumi-language-python"
EXECUTOR = "pulumi-language-python-exec"
ON_PATH = "on PATH"
OWN = "the project's own copy"

_ANSWERS_WITHIN = 20.0
"""Seconds for `pulumi version`, which takes 0.2: a first start from a cold disk, or under a scanner that reads all 110 MB, takes several."""


@dataclass(frozen=True)
class Refusal:
    """A place that gave no CLI. place: where it was looked for; reason: why what is there is not used; absent: nothing is there."""

    place: str
    reason: str
    absent: bool = False

    def __str__(self) -> str:
        """One line of a report."""
        return f"{self.place}: {self.reason}"


def look(places: Places, environ: Mapping[str, str], memory: Memory) -> tuple[Cli | None, list[Refusal]]:
    """The first CLI that serves, and what was refused before it."""
    refused: list[Refusal] = []
    for search in (on_path, own_copy):
        found = search(places, environ, memory)
        if isinstance(found, Cli):
            return found, refused
        refused.append(found)
    return None, refused


def on_path(places: Places, environ: Mapping[str, str], memory: Memory) -> Cli | Refusal:
    """The CLI that the user's shell would start, if it brings its language host."""
    # The project's own copy comes to PATH through `Cli.environment`; it is looked at under its own name.
    folders = [entry for entry in environ.get("PATH", "").split(os.pathsep) if entry and Path(entry) != places.bin]
    path = os.pathsep.join(folders)
    command = shutil.which("pulumi", path=path) if path else None
    if command is None:
        return Refusal(ON_PATH, "there is no `pulumi`", absent=True)
    pulumi = Path(command)
    version = _version(pulumi, memory)
    if isinstance(version, Refusal):
        return version
    host = _host(pulumi, path)
    if host is None:
        return Refusal(ON_PATH, f"{pulumi} ({version}) has no {HOST} with {EXECUTOR} beside it or on PATH, and cannot run Python programs without them")
    return Cli(pulumi=pulumi, host=version, version=version, origin=ON_PATH, path=tuple(dict.fromkeys([pulumi.parent, host.parent])))


def own_copy(places: Places, environ: Mapping[str, str], memory: Memory) -> Cli | Refusal:  # noqa: ARG001 - one signature for both searches
    """The copy in `.local/bin` that an earlier run installed or built."""
    pulumi = places.bin / "pulumi"
    missing = [name for name in ("pulumi", HOST, EXECUTOR) if not (places.bin / name).is_file()]
    if missing:
        return Refusal(OWN, f"{places.bin} has no {', '.join(missing)}", absent=True)
    version = _version(pulumi, memory)
    if isinstance(version, Refusal):
        return Refusal(OWN, version.reason)
    made = memory.own()
    if made.get("pins") not in (None, "", fingerprint(places)):
        return Refusal(OWN, f"it was built from other modules than {places.modules} pins now")
    origin = f"{OWN} ({made['origin']})" if "origin" in made else OWN
    return Cli(pulumi=pulumi, host=made.get("host", "unknown"), version=version, origin=origin, path=(places.bin,))


def _host(pulumi: Path, path: str) -> Path | None:
    """Where the engine would find the language host: on PATH, or beside itself. The host wants its executor in its own folder."""
    candidates = [shutil.which(HOST, path=path), pulumi.parent / HOST, pulumi.resolve().parent / HOST]
    for candidate in map(Path, filter(None, candidates)):
        for folder in (candidate.parent, candidate.resolve().parent):
            if candidate.is_file() and (folder / EXECUTOR).is_file():
                return candidate
    return None


def _version(pulumi: Path, memory: Memory) -> str | Refusal:
    """The version of an executable, as text, or why it is not used."""
    known = memory.version(pulumi)
    answer = known or _ask(pulumi)
    if isinstance(answer, Refusal):
        return answer
    version = parse(answer)
    if version is None:
        return Refusal(ON_PATH, f"`{pulumi} version` answered {answer!r}, which is no version")
    if known is None:
        memory.keep_version(pulumi, answer)
    wrong = objection(version)
    return Refusal(ON_PATH, f"{pulumi} ({show(version)}) {wrong}") if wrong else show(version)


def _ask(pulumi: Path) -> str | Refusal:
    quiet = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run([pulumi, "version"], capture_output=True, text=True, timeout=_ANSWERS_WITHIN, check=False, env=quiet)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Refusal(ON_PATH, f"{pulumi} does not run: {error}")
    if done.returncode:
        return Refusal(ON_PATH, f"`{pulumi} version` ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout.strip()
