"""Where the functions' packages lie: made by `invoke package`, deployed by the app project."""

from __future__ import annotations

import os
from pathlib import Path

import pulumi

from shared.page import ROOT
from shared.variables import TARGET

PACKAGES = ROOT / ".local" / "packages"
"""A zip per function, for Lambda's processor."""


def package_file(function: str) -> Path:
    """The package of a function, for the target at hand."""
    # Those for AWS trust AWS's authorities, those for the local cloud the local one: neither may ever be deployed in the other's place. Nothing sets
    # the target where somebody runs `pulumi up` on AWS by hand.
    return PACKAGES / ("lambda-arm64" if _local() else "lambda-arm64-aws") / f"{function}.zip"


def package(function: str) -> pulumi.FileArchive:
    """The package of a function, as Lambda's code; stops the program when it was not made yet."""
    path = package_file(function)
    if not path.is_file():
        command = f"invoke package --target {'local' if _local() else 'aws'}"
        raise pulumi.RunError(f"the package of {function} is not there ({path.relative_to(ROOT)}): make it with `{command}` (`invoke deploy` does)")
    return pulumi.FileArchive(str(path))


def _local() -> bool:
    return os.environ.get(TARGET) == "local"
