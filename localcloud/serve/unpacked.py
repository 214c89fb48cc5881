"""What a function's process sees: its package, unpacked, and AWS's runtime client, by itself."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

from localcloud.serve.model import Function, ServeError

# AWS's runtime client with what it imports; where there is none, `runtime_loop` takes its place.
_CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
_LOOP = "runtime_loop.py"


def stamp(package: Path) -> str:
    """What tells a package from its successor: the digest of its bytes. Raises ServeError where there is none."""
    try:
        status = package.stat()
    except OSError as error:
        raise ServeError(f"the package {package} cannot be read: {error}") from None
    return _digest(package, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _digest(package: Path, _: int, __: int) -> str:
    with package.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]


def unpack(function: Function, folder: Path) -> Path:
    """The folder with the function's package unpacked, made unless it is there; former ones of the function are removed."""
    home = folder / "functions" / function.name
    task = home / function.stamp
    if not task.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        for former in home.iterdir():
            shutil.rmtree(former, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=home))
        try:
            with zipfile.ZipFile(function.package) as package:
                package.extractall(scratch)
        except (OSError, zipfile.BadZipFile) as error:
            raise ServeError(f"the package of {function.name}, {function.package}, cannot be unpacked: {error}") from None
        scratch.chmod(0o755)
        scratch.rename(task)
    return task


def runtime_folder(folder: Path, *, own: bool = False) -> Path:
    """A folder with links to the runtime client and to nothing else that is installed beside it.

    own: leave AWS's out, so that the stand-in for it is used.
    """
    target = folder / ("runtime-own" if own else "runtime")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / _LOOP).symlink_to(Path(__file__).with_name(_LOOP))
    found = [Path(spec.origin) for name in _CLIENT if (spec := importlib.util.find_spec(name)) and spec.origin]
    if not own and len(found) == len(_CLIENT):
        for origin in found:
            place = origin.parent if origin.name == "__init__.py" else origin
            (target / place.name).symlink_to(place)
    return target
