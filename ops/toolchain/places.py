"""Where the tool chain keeps its things, all of it in the repository's folder: nothing is installed for the user or the machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The paths below the repository's root that the tool chain reads and writes."""

    root: Path

    @property
    def local(self) -> Path:
        """What belongs to this checkout and to no commit."""
        return self.root / ".local"

    @property
    def bin(self) -> Path:
        """The project's own copy: CLI, language host and its executor, side by side as they must be."""
        return self.local / "bin"

    @property
    def memory(self) -> Path:
        """What earlier runs found out (`ops.toolchain.memory`)."""
        return self.local / "toolchain.json"

    @property
    def lock(self) -> Path:
        """Held by the one run that installs or builds."""
        return self.local / "toolchain.lock"

    @property
    def modules(self) -> Path:
        """The pinned Go modules."""
        return self.root / "tools"


HERE = Places(Path(__file__).resolve().parents[2])
