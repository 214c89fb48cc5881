"""Where things are kept on this machine: everything under `.local/`, which git ignores.

`PAYMENTS_LOCAL` names another folder for all of these, for a second local cloud beside the first; the Pulumi CLI and the functions'
packages stay where they are, as they depend on the checkout alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from shared.page import ROOT

LOCAL = Path(os.environ.get("PAYMENTS_LOCAL") or ROOT / ".local").resolve()

CLOUD = LOCAL / "cloud"
"""The local cloud: what it listens on, its log, and a folder per cloud for the state of what was deployed on it."""

PULUMI_HOME = LOCAL / "pulumi"
"""The engine's home on the local target, so that the user's own log-in is neither needed nor touched."""

RECORDS = LOCAL / "records"
"""On the aws target: what each stack was last deployed from (`ops/fingerprint.py`)."""

LOGS = LOCAL / "logs"
"""The engine's own output, a folder per target, and a file per stack and command."""


def shown(path: Path) -> str:
    """A path for people: from the checkout's root, where it lies below that."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
