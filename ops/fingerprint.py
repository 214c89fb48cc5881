"""What a stack was deployed from, so that one that provably did not change need not be started.

A stack is a function of its program, the part of the page that it reads, its upstream's outputs, and the state it starts from.
When the digests of all four are those that its last successful deployment left behind, another one would change nothing.
What somebody did to the cloud behind the engine's back is not among them: `invoke drift` looks for that, as `pulumi up` does not either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ops.projects import Project
from shared.environment import shape_of
from shared.files import write_whole
from shared.image import image_tag
from shared.page import ROOT, Page

INVENTORY = "inventory"
"""As shared/inventory.py names it, which imports Pulumi: too slow for a task that only looks."""

# What a program may import beside its own folder (import-linter holds it to that), and what pins the SDKs.
_COMMON = ("shared", "requirements/all.txt")


@dataclass(frozen=True)
class Fingerprint:
    """Digests of what a stack is deployed from, and of the state it left (empty before the deployment)."""

    code: str
    page: str
    upstream: str
    engine: str
    state: str

    def differences(self, other: Fingerprint) -> list[str]:
        """What differs, in words."""
        words = {"code": "code changed", "page": "page changed", "upstream": "upstream outputs changed", "engine": "engine changed", "state": "state changed"}
        return [word for name, word in words.items() if getattr(self, name) != getattr(other, name)]


@dataclass(frozen=True)
class Record:
    """A successful deployment: what it was made from and left behind, the digest of its outputs, and when (ISO 8601, UTC).

    The engine encrypts a secret output anew whenever it writes the state, so that its text there changes although it does not: the digest is kept
    for as long as nothing was changed.
    """

    fingerprint: Fingerprint
    outputs: str
    at: str


def code_of(project: Project, packages: Iterable[Path] = (), *, contained: bool = False) -> str:
    """The digest of the program and of all that it imports.

    packages: files that the program deploys. contained: the environment runs containers; a program that names their image deploys all that is in it.
    """
    digest = hashlib.sha256(_tree(project.folder).encode())
    for name in (*_COMMON, *(["payments", "Dockerfile"] if _reads_payments(project.folder) else [])):
        digest.update(_tree(ROOT / name).encode())
    for package in sorted(packages):
        digest.update(hashlib.sha256(package.read_bytes()).digest())
    if contained and _names_the_image(project.folder):
        digest.update(image_tag(ROOT).encode())
    return digest.hexdigest()


def page_of(page: Page, project: Project) -> str:
    """The digest of what the program reads of its page: its own section, those that all read, and the shape that the others' sections give."""
    read = {namespace: page.section(namespace) for namespace in ("aws", "platform", project.name)}
    return _digest({**read, "shape": asdict(shape_of(page))})


def outputs_of(outputs: Mapping[str, Any]) -> str:
    """The digest of a stack's outputs, as they stand in its state, but for the inventory: no other program reads that."""
    return _digest({name: value for name, value in outputs.items() if name != INVENTORY})


def upstream_of(outputs: Mapping[str, str]) -> str:
    """The digest of the digests of each upstream project's outputs."""
    return _digest(outputs)


def load(folder: Path, project: Project, stack: str) -> Record | None:
    """The record of the last successful deployment that this machine knows of."""
    try:
        content = json.loads(_file(folder, project, stack).read_text())
        return Record(Fingerprint(**content["fingerprint"]), content["outputs"], content["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def now() -> str:
    """The time for a record."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def save(folder: Path, project: Project, stack: str, record: Record) -> None:
    """Keeps the record of a successful deployment."""
    write_whole(_file(folder, project, stack), json.dumps(asdict(record), indent=2))


def forget(folder: Path, project: Project, stack: str) -> None:
    """The stack is no more, or its last deployment failed."""
    _file(folder, project, stack).unlink(missing_ok=True)


def _file(folder: Path, project: Project, stack: str) -> Path:
    return folder / project.name / f"{stack}.json"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


@lru_cache(maxsize=8)
def _reads_payments(folder: Path) -> bool:
    """Whether a program takes anything from the payment service's own code (the list of its functions, the limits of a request)."""
    return any("from payments" in file.read_text() for file in folder.rglob("*.py"))


@lru_cache(maxsize=8)
def _names_the_image(folder: Path) -> bool:
    """Whether a program deploys the image of the checkout, whose tag is a digest of more than its sources (shared/image.py)."""
    return any("image_tag" in file.read_text() for file in folder.rglob("*.py"))


@lru_cache(maxsize=32)
def _tree(path: Path) -> str:
    """The digest of a file, or of every source file below a folder."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in {".py", ".yaml", ".json"})
    for file in files:
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
