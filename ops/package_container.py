"""What the container's image holds, for this machine: the same lock, the same sources and the same start, without a container engine.

A folder per version of the code, as the image's tag has it: what runs from one is not touched when another is made. The image itself is built from the
Dockerfile.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops import package, package_trust
from ops.package import PackageError, Platform, Progress
from ops.package_contents import files
from shared.image import image_tag

LOCK = "payments/requirements-container.txt"
BUNDLE = "payments/trust/bundle.pem"
_KEPT = 4
_STAMP = ".packed.json"

# What an image says of its own file system; here the process that starts it says where things are.
_PLACES = frozenset(("PATH", "PYTHONPATH"))


@dataclass(frozen=True)
class Packed:
    """A version of the container's code. tag: of the image that it is in. entry_point, command, environment: as the image declares them."""

    folder: Path
    tag: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    environment: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def ensure(progress: Progress | None = None, *, again: bool = False, root: Path = package.ROOT) -> Packed:
    """The code of this checkout, made if it is not there yet, or `again`; milliseconds otherwise. Raises PackageError."""
    platform, tag = package.this_machine(), image_tag(root)
    home = _home(platform, root)
    if not again and (found := _read(home / _name(tag, root))):
        return found
    with package.only_one(home):
        if not again and (found := _read(home / _name(tag, root))):  # another process may have made it while this one waited
            return found
        return _make(platform, tag, progress or (lambda _: None), root)


def find(tag: str, *, root: Path = package.ROOT) -> Packed | None:
    """The code of an image that was made here before, though the checkout may have moved on."""
    return _read(_home(package.this_machine(), root) / _name(tag, root))


def declared(dockerfile: str) -> dict[str, Any]:
    """What the image of a Dockerfile starts by itself, and with which variables; of its last stage. Raises PackageError where it does not say."""
    lines = [line for line in dockerfile.splitlines() if not line.startswith("#")]
    said = list(_instructions("\n".join(lines).replace("\\\n", " ").splitlines()))
    stage = said[max(number for number, (name, _) in enumerate(said) if name == "FROM") :] if ("FROM" in dict(said)) else said
    last = dict(stage)
    pairs = [pair for name, text in stage if name == "ENV" for pair in re.findall(r"(\w+)=(\S*)", text)]
    try:
        return {
            "entry_point": json.loads(last["ENTRYPOINT"]),
            "command": json.loads(last.get("CMD", "[]")),
            "environment": {name: value for name, value in pairs if name not in _PLACES},
        }
    except (KeyError, ValueError):
        raise PackageError(
            'the Dockerfile names no ENTRYPOINT, or names it or CMD not as a list (`["python", ...]`): a shell would not hand signals on'
        ) from None


def _instructions(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, text = line.partition(" ")
        if name.isupper():
            yield name, text.strip()


def _home(platform: Platform, root: Path) -> Path:
    return root / ".local" / "packages" / f"container-{platform.name}"


def _name(tag: str, root: Path) -> str:
    """Of the folder: other authorities are another package."""
    return f"{tag}-{package_trust.known('local', root)[:8]}"


def _read(folder: Path) -> Packed | None:
    try:
        about: dict[str, Any] = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
        os.utime(folder)  # the ones that are used are kept
    except (OSError, ValueError):
        return None
    return Packed(folder, about["tag"], tuple(about["entry_point"]), tuple(about["command"]), about["environment"])


def _make(platform: Platform, tag: str, tell: Progress, root: Path) -> Packed:
    starts = declared((root / "Dockerfile").read_text(encoding="utf-8"))
    try:
        trusted = package_trust.bundle(platform.target, root)
    except package_trust.TrustError as error:
        raise PackageError(str(error)) from None
    home = _home(platform, root)
    folder = home / _name(tag, root)  # after the authorities are there, as these are part of it
    with package.scratch_folder(home) as scratch:
        tell(f"installing the container's dependencies for {platform.name}")
        site = scratch / "site"
        package.install(platform, site, root, LOCK)
        for name, path in files(root).items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, site / name)
        (site / BUNDLE).parent.mkdir(parents=True, exist_ok=True)
        (site / BUNDLE).write_bytes(trusted)
        if image_tag(root) != tag:
            raise PackageError("the sources of the service changed while they were packed. Run this again")
        about = {"tag": tag, **starts, "platform": asdict(platform)}
        (site / _STAMP).write_text(json.dumps(about), encoding="utf-8")
        site.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        site.rename(folder)
    _forget(home, folder)
    packed = _read(folder)
    if packed is None:
        raise PackageError(f"{folder} was made and is not there any more: does something else clear .local/packages? Run this again")
    return packed


def _forget(home: Path, but: Path) -> None:
    """Removes versions that nobody has used for the longest time."""
    others = sorted((path for path in home.iterdir() if path != but and (path / _STAMP).is_file()), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(path.with_suffix(".pyc"), ignore_errors=True)
