"""The options that name an environment on the command line, for every command that a message tells to run."""

from __future__ import annotations

from typing import Literal

TargetName = Literal["aws", "local"]


def options(env: str, suffix: str = "", target: str = "aws") -> str:
    """`--env dev --suffix pr42 --target local`; without what the task assumes by itself. For tasks without --target, leave the target out."""
    return f"--env {env}{f' --suffix {suffix}' if suffix else ''}{' --target local' if target == 'local' else ''}"
