"""The Go modules under `tools/`: what each builds, and a fingerprint by which a copy built from other pins is known."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ops.toolchain.places import Places

_SDK_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


@dataclass(frozen=True)
class Module:
    """One Go module of ours that pins one command. command: the executable's name; package: what `go build` builds; required: the module that holds it."""

    folder: Path
    command: str
    package: str
    required: str

    @cached_property
    def manifest(self) -> str:
        """The text of its go.mod."""
        return (self.folder / "go.mod").read_text(encoding="utf-8")

    @property
    def version(self) -> str:
        """The pinned version, without its v."""
        return self._find(rf"{re.escape(self.required)} v(\S+)")

    @property
    def go(self) -> str:
        """The oldest Go that may build it."""
        return self._find(r"^go (\S+)")

    @property
    def flags(self) -> list[str]:
        """How the official release builds it: static, no debug tables, the version written in (a module's build knows only `(devel)`)."""
        return ["-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", "osusergo,grpcnotrace", "-ldflags", f"-s -w -X {_SDK_VERSION}=v{self.version}"]

    def _find(self, pattern: str) -> str:
        match = re.search(pattern, self.manifest, re.MULTILINE)
        if match is None:
            message = f"{self.folder / 'go.mod'} has no line that matches {pattern!r}"
            raise ValueError(message)
        return match[1]


def cli(places: Places) -> Module:
    """The Pulumi CLI."""
    return Module(places.modules / "pulumi", "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", "github.com/pulumi/pulumi/pkg/v3")


def host(places: Places) -> Module:
    """The Python language host."""
    sdk = "github.com/pulumi/pulumi/sdk/v3"
    return Module(places.modules / "pulumi-language-python", "pulumi-language-python", f"{sdk}/python/cmd/pulumi-language-python", sdk)


def fingerprint(places: Places) -> str:
    """A digest of both modules' manifests; empty where there are none."""
    digest = hashlib.sha256()
    for module in (cli(places), host(places)):
        for name in ("go.mod", "go.sum"):
            file = module.folder / name
            if not file.is_file():
                return ""
            digest.update(file.read_bytes())
    return digest.hexdigest()
