"""Finds the Pulumi CLI, or makes it.

In this order: one on PATH that is new enough, the project's own copy in `.local/bin`, the official installation, a build from the Go modules
that are pinned under `tools/`. `find` only looks, and costs milliseconds; `ensure` also installs and builds, and costs up to minutes.
"""

from __future__ import annotations

from ops.toolchain.cli import MINIMUM, Cli
from ops.toolchain.ensure import ToolchainError, ensure, find
from ops.toolchain.look import Refusal, look

__all__ = ["MINIMUM", "Cli", "Refusal", "ToolchainError", "ensure", "find", "look"]
