"""Where the functions' packages lie: made by `invoke package`, deployed by the app project."""

from __future__ import annotations

from pathlib import Path

import pulumi

from shared.page import ROOT

PACKAGES = ROOT / ".local" / "packages"
"""A zip per function, for Lambda's processor."""


def package_file(function: str) -> Path:
    """The package of a function."""
    return PACKAGES / "lambda-arm64" / f"{function}.zip"


def package(function: str) -> pulumi.FileArchive:
    """The package of a function, as Lambda's code; stops the program when it was not made yet."""
    path = package_file(function)
    if not path.is_file():
        raise pulumi.RunError(f"the package of {function} is not there ({path.relative_to(ROOT)}): make it with `invoke package` (`invoke deploy` does)")
    return pulumi.FileArchive(str(path))
