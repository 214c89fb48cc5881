"""What earlier runs found out, so that it is not found out again: versions of executables, and an official installation that failed.

Everything in it can be lost: a file that is missing or unreadable is an empty memory.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

from shared.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

FORGET_AFTER = 3600.0
"""Seconds for which a failed official installation is not tried again: long enough for a closed network not to be asked at every run,
short enough for a laptop that was offline."""


class Memory:
    """A small JSON file, read once, written whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._notes: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            notes = json.loads(file.read_text(encoding="utf-8"))
            self._notes = notes if isinstance(notes, dict) else {}

    def version(self, executable: Path) -> str | None:
        """What `executable` answered when it was last asked for its version; None when it is another file by now. Asking costs 0.2 s."""
        note = self._part("versions").get(str(executable))
        return note["version"] if isinstance(note, dict) and note.get("file") == _identity(executable) else None

    def keep_version(self, executable: Path, version: str) -> None:
        """Remember what `executable` answered."""
        self._part("versions")[str(executable)] = {"file": _identity(executable), "version": version}
        self._write()

    def own(self) -> dict[str, str]:
        """How the project's own copy came to be: `origin`, `host` (a version) and `pins` (a fingerprint); empty when it was put there by hand."""
        return {key: value for key, value in self._part("own").items() if isinstance(value, str)}

    def keep_own(self, *, origin: str, host: str, pins: str) -> None:
        """Remember how the project's own copy came to be."""
        self._notes["own"] = {"origin": origin, "host": host, "pins": pins}
        self._write()

    def failure(self, version: str) -> str | None:
        """Why the official installation of `version` failed less than `FORGET_AFTER` seconds ago."""
        note = self._part("official")
        at = note.get("at")
        recent = note.get("version") == version and isinstance(at, int | float) and 0 <= time.time() - at < FORGET_AFTER
        return str(note.get("reason")) if recent else None

    def keep_failure(self, version: str, reason: str) -> None:
        """Remember why the official installation of `version` failed."""
        self._notes["official"] = {"version": version, "reason": reason, "at": time.time()}
        self._write()

    def _part(self, name: str) -> dict[str, Any]:
        part = self._notes.setdefault(name, {})
        if not isinstance(part, dict):
            part = self._notes[name] = {}
        return part

    def _write(self) -> None:
        # A checkout that cannot be written to still finds a CLI on PATH: it only pays for the question each time.
        with contextlib.suppress(OSError):
            write_whole(self._file, json.dumps(self._notes, indent=1))


def _identity(executable: Path) -> list[int]:
    with contextlib.suppress(OSError):
        found = executable.stat()
        return [found.st_size, found.st_mtime_ns]
    return []
