"""The functions' packages: a zip per function, the same bytes whenever and wherever it is made from the same sources and lock.

Dependencies come from `payments/requirements.txt`, every one with its hash, as wheels for the platform that is asked for; nothing is built.
What a function cannot use is left out (the descriptions of AWS services that it does not call, other functions' handlers, compiled files,
installers' notes). "Same bytes" holds for one zlib: another release of it may compress otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform as machine
import shutil
import ssl
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from payments.functions import FUNCTIONS, PYTHON_VERSION, Function

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 15 * 1024 * 1024
"""Bytes of a zip. Lambda takes 50 MiB, but a cold start reads all of it."""

Progress = Callable[[str], None]

_LOCK = "payments/requirements.txt"
_RELOCK = (
    "uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header payments/requirements.in -o payments/requirements.txt"
)
_NOT_SHIPPED = ("requirements.in", "requirements.txt")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_ABANDONED_AFTER = 3600.0  # seconds; a build takes some ten


class PackageError(RuntimeError):
    """A package cannot be made; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where a package is to run.

    name: the folder of its packages. python: version, `3.13`. wheels: uv's `--python-platform`; None for this machine's own.
    """

    name: str
    python: str
    wheels: str | None


LAMBDA = Platform(name="lambda-arm64", python=PYTHON_VERSION, wheels="aarch64-manylinux2014")


def this_machine() -> Platform:
    """This machine's processor and the Python that runs now: for running packages without Lambda."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Platform(name=f"{sys.platform}-{machine.machine().lower()}-python{python}", python=python, wheels=None)


def ensure(progress: Progress | None = None, *, platform: Platform = LAMBDA, root: Path = ROOT) -> dict[str, Path]:
    """The packages by function name, made only if something that goes into them changed; milliseconds otherwise.

    progress: is told in a few words what begins; making packages takes seconds. Raises PackageError.
    """
    return paths(platform, root) if fresh(platform, root=root) else build(platform, progress, root=root)


def fresh(platform: Platform = LAMBDA, *, root: Path = ROOT) -> bool:
    """Whether the packages are there, untouched, and made from what is in the tree now."""
    try:
        stamp: dict[str, Any] = json.loads(_stamp(platform, root).read_text(encoding="utf-8"))
        return stamp == {"inputs": _inputs(platform, root), "packages": _seen(paths(platform, root))}
    except (OSError, ValueError):
        return False


def paths(platform: Platform = LAMBDA, root: Path = ROOT) -> dict[str, Path]:
    """Where the packages are, or will be, by function name."""
    return {function.name: _folder(platform, root) / f"{function.name}.zip" for function in FUNCTIONS}


def build(platform: Platform = LAMBDA, progress: Progress | None = None, *, root: Path = ROOT) -> dict[str, Path]:
    """Makes all packages, whatever is there; each appears whole or not at all. Raises PackageError."""
    tell: Progress = progress or _silent
    # Taken before anything is read: should a file change meanwhile, the stamp is stale and the next `ensure` builds again.
    inputs = _inputs(platform, root)
    done = paths(platform, root)
    with _scratch(_folder(platform, root)) as scratch:
        tell(f"installing the functions' dependencies for {platform.name}")
        site = scratch / "site"
        _install(platform, site, root)
        for function in FUNCTIONS:
            tell(f"packing {function.name}")
            made = scratch / f"{function.name}.zip"
            _pack(made, {**_dependencies(site, function), **_sources(root, function)})
            _check_size(function, made)
        for function in FUNCTIONS:
            (scratch / f"{function.name}.zip").replace(done[function.name])
        stamp = scratch / "stamp.json"
        stamp.write_text(json.dumps({"inputs": inputs, "packages": _seen(done)}), encoding="utf-8")
        stamp.replace(_stamp(platform, root))
    return done


def _silent(_: str) -> None:
    """Progress that nobody watches."""


def _folder(platform: Platform, root: Path) -> Path:
    return root / ".local" / "packages" / platform.name


def _stamp(platform: Platform, root: Path) -> Path:
    return _folder(platform, root) / "stamp.json"


def _inputs(platform: Platform, root: Path) -> str:
    """A digest over all that decides what is in the packages."""
    digest = hashlib.sha256(json.dumps([asdict(platform), [asdict(function) for function in FUNCTIONS]]).encode())
    for name, file in sorted({**_files(root), _LOCK: root / _LOCK, "ops/package.py": Path(__file__)}.items()):
        content = file.read_bytes() if file.is_file() else b""
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _seen(packages: dict[str, Path]) -> dict[str, list[int]]:
    """By what a changed or foreign file in a package's place is noticed without reading it: size and time of change."""
    return {name: [path.stat().st_size, path.stat().st_mtime_ns] for name, path in packages.items()}


def _files(root: Path) -> dict[str, Path]:
    """The service's own files by their name in a package."""
    found = (path for path in (root / "payments").rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): path
        for path in found
        if path.name not in _NOT_SHIPPED and path.suffix != ".pyc" and not any(part.startswith(".") for part in path.relative_to(root).parts)
    }


def _sources(root: Path, function: Function) -> dict[str, Path]:
    """The service's files for one function: without the other functions' handlers, so that a change in one of those leaves it alone."""
    others = {f"{other.module.replace('.', '/')}.py" for other in FUNCTIONS if other is not function}
    files = {name: path for name, path in _files(root).items() if name not in others}
    own = f"{function.module.replace('.', '/')}.py"
    if own not in files:
        raise PackageError(
            f"function {function.name}: payments/functions.py says that its handler is in {own}, but {root / own} is not there. Correct one of the two."
        )
    return files


def _dependencies(site: Path, function: Function) -> dict[str, Path]:
    """What of the installed distributions goes into a function's package, by its name there."""
    if missing := [service for service in function.services if not (site / "botocore" / "data" / service).is_dir()]:
        raise PackageError(f"function {function.name}: botocore does not know the service {', '.join(missing)}. Correct `services` in payments/functions.py.")
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    return {name: path for name, path in files.items() if _wanted(PurePosixPath(name), function)}


def _wanted(name: PurePosixPath, function: Function) -> bool:
    match name.parts:
        case ("bin", *_) | (".lock",) | ("boto3", "data" | "examples", *_):
            return False  # scripts, uv's lock, and what only boto3's resource interface reads
        case ("botocore", "data", service, _, *_):
            return service in function.services
        case (distribution, kind, *_) if distribution.endswith(".dist-info"):
            # Names, versions and licences; the rest (RECORD, INSTALLER, REQUESTED, direct_url.json) tells how and from where it was installed.
            return kind in {"METADATA", "entry_points.txt", "licenses"} or kind.startswith(("LICENSE", "NOTICE"))
        case _:
            return name.suffix != ".pyc"


def _install(platform: Platform, site: Path, root: Path) -> None:
    from ops.toolchain.child import ChildError, run

    lock = root / _LOCK
    if not lock.is_file():
        raise PackageError(f"{lock} is not there: it names the functions' dependencies with their hashes. Restore it, or make it anew: {_RELOCK}")
    foreign = ["--python-platform", platform.wheels, "--python-version", platform.python] if platform.wheels else []
    command = [
        *(_uv(), "pip", "install", "--quiet", "--target", str(site), "--python", sys.executable, *foreign),
        *("--only-binary", ":all:", "--require-hashes", "--no-deps", "--no-compile-bytecode", "--requirements", str(lock)),
    ]
    try:
        run(command, cwd=root, environ={**_certificates(), **os.environ})
    except ChildError as error:
        raise PackageError(
            f"the dependencies in {lock} cannot be installed for {platform.name} (Python {platform.python}): {error}\n"
            "If a hash or a version is refused, the lock does not fit what the registry has; make it anew: "
            f"{_RELOCK}\nIf the registry cannot be reached, run this once where it can be: what uv has downloaded is used again."
        ) from None


def _certificates() -> dict[str, str]:
    """Lets uv trust what this machine trusts (a company's proxy, say), where the machine has a list; uv brings one of its own."""
    return {"UV_SYSTEM_CERTS": "true"} if ssl.get_default_verify_paths().cafile else {}


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise PackageError(f"uv, which installs the functions' dependencies, is neither beside {sys.executable} nor on PATH. `make venv` installs it.")
    return found


def _pack(target: Path, entries: dict[str, Path]) -> None:
    with zipfile.ZipFile(target, "w") as package:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # Unix, on whatever system this runs
            info.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(info, entries[name].read_bytes(), compresslevel=9)


def _check_size(function: Function, package: Path) -> None:
    size = package.stat().st_size
    if size > LARGEST:
        raise PackageError(
            f"the package of {function.name} has {size / 1024**2:.1f} MiB; {LARGEST // 1024**2} MiB are allowed, as a cold start reads all of it. "
            "Take a dependency out of payments/requirements.in, or a service out of the function's `services`."
        )


@contextmanager
def _scratch(folder: Path) -> Generator[Path]:
    """A folder for a build beside its results, so that they can be renamed into place; gone afterwards, whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".building-*"):
        if time.time() - left.stat().st_mtime > _ABANDONED_AFTER:  # a killed build's; a younger one may be under way
            shutil.rmtree(left, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
