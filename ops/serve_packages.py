"""The functions' packages for this machine, made from the very sources of what is deployed."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.serve.model import ServeError

if TYPE_CHECKING:
    from ops.deployed import Deployed


class Packages:
    """What `localcloud.serve` asks for: a zip by a deployed function's name.

    The local cloud has packages for Lambda's processor; those for this machine's are made of the same sources and lock. They are copied at the
    deployment that they belong to, so that what is edited afterwards is served when it is deployed and not before.
    folder: where the copies are kept. tell: is told in a few words what begins.
    """

    def __init__(self, where: Deployed, folder: Path, tell: Callable[[str], None]) -> None:
        self._where, self._folder, self._tell = where, folder, tell
        self._client: Any = where.client("lambda")
        self._digests: dict[str, str] = {}
        self._made: dict[str, Path] = {}

    def __call__(self) -> Mapping[str, Path]:
        """The packages; the same ones until something else is deployed. Raises ServeError where the sources have moved on."""
        names = self._where.functions()
        digests = {name: self._deployed(physical) for name, physical in names.items()}
        if digests != self._digests:
            self._made = self._make(names, digests)
            self._digests = digests
        return self._made

    def _deployed(self, physical: str) -> str:
        return str(self._client.get_function_configuration(FunctionName=physical)["CodeSha256"])

    def _make(self, names: Mapping[str, str], digests: Mapping[str, str]) -> dict[str, Path]:
        from ops import package

        try:
            if not package.fresh(package.for_target("local")):
                raise self._moved_on("its sources or their lock")
            lambdas = package.paths(package.for_target("local"))
            if changed := sorted(name for name, digest in digests.items() if name not in lambdas or _digest(lambdas[name]) != digest):
                raise self._moved_on(", ".join(changed))
            here = package.ensure(self._tell, platform=package.this_machine())
        except package.PackageError as error:
            raise ServeError(str(error)) from None
        kept = self._folder / hashlib.sha256("".join(sorted(digests.values())).encode()).hexdigest()[:16]
        shutil.rmtree(self._folder, ignore_errors=True)
        kept.mkdir(parents=True)
        return {physical: Path(shutil.copy2(here[name], kept / f"{name}.zip")) for name, physical in names.items()}

    def _moved_on(self, what: str) -> ServeError:
        where = self._where
        return ServeError(f"{what} changed since the functions were deployed to {where.stack}; what is deployed is served. Next: invoke deploy {where.options}")


def _digest(package: Path) -> str:
    """As Lambda has it (CodeSha256)."""
    return base64.b64encode(hashlib.sha256(package.read_bytes()).digest()).decode()
