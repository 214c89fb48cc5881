"""The functions' packages: a zip per function, the same bytes whenever and wherever it is made from the same sources and lock.

Dependencies come from `payments/requirements.txt`, every one with its hash, as wheels for the platform that is asked for; nothing is built.
What a function cannot use is left out: distributions that it does not require, modules that it does not reach, the descriptions of AWS services that it
does not call, compiled files, installers' notes (`ops/package_contents.py`). Put in is whom it trusts to speak for its database
(`ops/package_trust.py`). "Same bytes" holds for one zlib: another release of it may compress otherwise.
"""

from __future__ import annotations

import fcntl
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
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ops import package_trust
from ops.options import TargetName
from ops.package_contents import ContentsError, Distributions, Sources, extras, files, is_wanted
from ops.package_trust import TrustError
from payments.functions import FUNCTIONS, PYTHON_VERSION, Function

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 15 * 1024 * 1024
"""Bytes of a zip. Lambda takes 50 MiB, but a cold start reads all of it."""

Progress = Callable[[str], None]

_LOCK = "payments/requirements.txt"
_REQUIREMENTS = "payments/requirements.in"
_BUNDLE = "payments/trust/bundle.pem"
_RELOCK = (
    "uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header payments/requirements.in -o payments/requirements.txt"
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_ABANDONED_AFTER = 3600.0  # seconds; a build takes some ten


class PackageError(RuntimeError):
    """A package cannot be made; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where a package is to run.

    name: the folder of its packages. python: version, `3.13`. wheels: uv's `--python-platform`; None for this machine's own.
    target: whose databases it reaches, and so whose authorities it trusts.
    """

    name: str
    python: str
    wheels: str | None
    target: TargetName = "local"

    @property
    def markers(self) -> dict[str, str]:
        """The values of the markers of PEP 508 there."""
        from packaging.markers import default_environment

        here = {name: str(value) for name, value in default_environment().items()}
        version = {"python_version": self.python, "python_full_version": f"{self.python}.0", "implementation_version": f"{self.python}.0"}
        there = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64", **version}
        return {**here, **there} if self.wheels else here


LAMBDA = Platform(name="lambda-arm64", python=PYTHON_VERSION, wheels="aarch64-manylinux_2_28")
"""Lambda, as the local target has it. Its Python 3.12 and later run on Amazon Linux 2023, whose glibc is 2.34: wheels for 2.28 fit."""

LAMBDA_ON_AWS = replace(LAMBDA, name="lambda-arm64-aws", target="aws")


def for_target(target: TargetName) -> Platform:
    """What is deployed on a target."""
    return LAMBDA_ON_AWS if target == "aws" else LAMBDA


def this_machine() -> Platform:
    """This machine's processor and the Python that runs now: for running packages without Lambda."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Platform(name=f"{sys.platform}-{machine.machine().lower()}-python{python}", python=python, wheels=None)


def ensure(progress: Progress | None = None, *, platform: Platform = LAMBDA, root: Path = ROOT) -> dict[str, Path]:
    """The packages by function name, made only if something that goes into them changed; milliseconds otherwise.

    progress: is told in a few words what begins; making packages takes seconds. Raises PackageError.
    """
    if not fresh(platform, root=root):
        with only_one(_folder(platform, root)):
            if not fresh(platform, root=root):  # another process may have made them while this one waited
                _build(platform, progress or _silent, root)
    return paths(platform, root)


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
    with only_one(_folder(platform, root)):
        _build(platform, progress or _silent, root)
    return paths(platform, root)


def _build(platform: Platform, tell: Progress, root: Path) -> None:
    try:
        trusted = package_trust.bundle(platform.target, root)
        # Taken before anything else is read: should a file change meanwhile, the stamp is stale and the next `ensure` builds again.
        inputs = _inputs(platform, root)
        done = paths(platform, root)
        with scratch_folder(_folder(platform, root)) as scratch:
            tell(f"installing the functions' dependencies for {platform.name}")
            site = scratch / "site"
            install(platform, site, root)
            installed = Distributions(site, extras((root / _REQUIREMENTS).read_text(encoding="utf-8")), platform.markers)
            sources = Sources(files(root))
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # compressing takes most of the time, and needs no lock of the interpreter's
                packing: list[Future[None]] = []
                for function in FUNCTIONS:
                    tell(f"packing {function.name}")
                    entries = {**_dependencies(installed, function), **_sources(sources, function, root)}
                    packing.append(pool.submit(_pack, scratch / f"{function.name}.zip", entries, {_BUNDLE: trusted}))
                for packed in packing:
                    packed.result()
            for function in FUNCTIONS:
                _check_size(function, scratch / f"{function.name}.zip")
            for function in FUNCTIONS:
                (scratch / f"{function.name}.zip").replace(done[function.name])
            stamp = scratch / "stamp.json"
            stamp.write_text(json.dumps({"inputs": inputs, "packages": _seen(done)}), encoding="utf-8")
            stamp.replace(_stamp(platform, root))
    except (ContentsError, TrustError) as error:
        raise PackageError(str(error)) from None


def _silent(_: str) -> None:
    """Progress that nobody watches."""


def _folder(platform: Platform, root: Path) -> Path:
    return root / ".local" / "packages" / platform.name


def _stamp(platform: Platform, root: Path) -> Path:
    return _folder(platform, root) / "stamp.json"


def _inputs(platform: Platform, root: Path) -> str:
    """A digest over all that decides what is in the packages."""
    said = [asdict(platform), repr(FUNCTIONS), package_trust.known(platform.target, root)]
    digest = hashlib.sha256(json.dumps(said).encode())
    makers = {f"ops/{name}.py": Path(__file__).with_name(f"{name}.py") for name in ("package", "package_contents", "package_trust")}
    for name, file in sorted({**files(root), _LOCK: root / _LOCK, _REQUIREMENTS: root / _REQUIREMENTS, **makers}.items()):
        content = file.read_bytes() if file.is_file() else b""
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _seen(packages: dict[str, Path]) -> dict[str, list[int]]:
    """By what a changed or foreign file in a package's place is noticed without reading it: size and time of change."""
    return {name: [path.stat().st_size, path.stat().st_mtime_ns] for name, path in packages.items()}


def _sources(sources: Sources, function: Function, root: Path) -> dict[str, Path]:
    own = f"{function.module.replace('.', '/')}.py"
    if own not in sources.all:
        raise PackageError(
            f"function {function.name}: payments/functions.py says that its handler is in {own}, but {root / own} is not there. Correct one of the two."
        )
    return sources.reached(function.module)


def _dependencies(installed: Distributions, function: Function) -> dict[str, Path]:
    """What of the installed distributions goes into a function's package, by its name there."""
    known = installed.site / "botocore" / "data"
    if missing := [service for service in function.services if not (known / service).is_dir()]:
        raise PackageError(f"function {function.name}: botocore does not know the service {', '.join(missing)}. Correct `services` in payments/functions.py.")
    found = installed.files(installed.required(function.distributions))
    return {name: path for name, path in found.items() if is_wanted(name, function.services)}


def install(platform: Platform, site: Path, root: Path, lock_file: str = _LOCK) -> None:
    """Installs what a lock names into a folder, by its hashes and without building anything. Raises PackageError."""
    from ops.toolchain.child import ChildError, run

    lock, relock = root / lock_file, _RELOCK.replace(_LOCK, lock_file).replace(_REQUIREMENTS, lock_file.replace(".txt", ".in"))
    if not lock.is_file():
        raise PackageError(f"{lock} is not there: it names the dependencies with their hashes. Restore it, or make it anew: {relock}")
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
            f"{relock}\nIf the registry cannot be reached, run this once where it can be: what uv has downloaded is used again."
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


def _pack(target: Path, entries: dict[str, Path], made: dict[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w") as package:
        for name in sorted({*entries, *made}):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # Unix, on whatever system this runs
            info.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(info, made[name] if name in made else entries[name].read_bytes(), compresslevel=9)


def _check_size(function: Function, package: Path) -> None:
    size = package.stat().st_size
    if size > LARGEST:
        raise PackageError(
            f"the package of {function.name} has {size / 1024**2:.1f} MiB; {LARGEST // 1024**2} MiB are allowed, as a cold start reads all of it. "
            "Take a dependency out of payments/requirements.in, or a service out of the function's `services`."
        )


@contextmanager
def only_one(folder: Path) -> Generator[None]:
    """Of two processes that want the same packages in a folder the second waits, and finds the first one's."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch_folder(folder: Path) -> Generator[Path]:
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
