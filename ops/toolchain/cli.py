"""What a Pulumi CLI is to the platform: where it is, which version, and what it needs on PATH."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Version = tuple[int, int, int]

MINIMUM: Version = (3, 250, 0)
"""The version that `tools/pulumi/go.mod` pins: the oldest that the tests run with. Nothing says that an older one fails; nothing says that it works either,
and a copy of the platform's own costs less than a deployment that behaves as no test does."""

MAJOR = 3
"""The Automation API refuses an engine of another major version."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def parse(text: str) -> Version | None:
    """`v3.250.0`, also with what pre-releases and builds append, as three numbers; None for anything else."""
    match = _VERSION.match(text.strip())
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def show(version: Version) -> str:
    """`(3, 250, 0)` as `3.250.0`."""
    return ".".join(map(str, version))


def objection(version: Version) -> str:
    """Why an engine of this version is not used, as the end of a sentence; empty when it is."""
    if version[0] != MAJOR:
        return f"is of major version {version[0]}, and the Automation API in use drives {MAJOR}"
    return f"is older than {show(MINIMUM)}, the oldest that is tested" if version < MINIMUM else ""


@dataclass(frozen=True, kw_only=True)
class Cli:
    """A Pulumi CLI that is new enough, with its Python language host.

    pulumi: the executable; host: the language host's version; version: the engine's; origin: where it came from, in words for people;
    path: folders that must come first on PATH for the engine to find itself and the language host.
    """

    pulumi: Path
    host: str
    version: str
    origin: str
    path: tuple[Path, ...]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with a PATH on which the engine finds this Python first (language hosts start whatever `python3` comes first), then itself."""
        first = [os.path.dirname(sys.executable), *map(str, self.path)]  # noqa: PTH120 - resolving would leave the virtual environment
        rest = [entry for entry in base.get("PATH", os.defpath).split(os.pathsep) if entry and entry not in first]
        return {**base, "PATH": os.pathsep.join([*first, *rest])}
