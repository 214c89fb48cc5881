"""What a stack's state says, read without starting the engine where the state is a file.

A file backend is read as the engine writes it (`.pulumi/stacks/<project>/<stack>.json`, `.pulumi/locks/…`); any other is asked
through the engine.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.engine import Stack, running

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The engine's mark of a value that is no plain one: a secret, a file."""


@dataclass(frozen=True)
class Pending:
    """An operation that an engine began and did not finish: create, update or delete, and of which resource."""

    urn: str
    operation: str


@dataclass(frozen=True)
class Lock:
    """Who holds a stack."""

    file: Path
    pid: int
    host: str
    since: str

    @property
    def here(self) -> bool:
        """Whether its holder is a process of this very machine; of another's nobody here can tell whether it is alive."""
        return self.host == socket.gethostname()

    @property
    def stale(self) -> bool:
        """Whether its holder, a process of this very machine, is no more."""
        return self.here and not running(self.pid)


@dataclass(frozen=True)
class State:
    """A stack's state.

    digest: changes whenever the state does. resources: how many are managed by a provider. outputs: as they stand in the state, secrets encrypted.
    """

    digest: str
    resources: int
    outputs: dict[str, Any]
    pending: tuple[Pending, ...]


def read(stack: Stack, folder: Path | None) -> State | None:
    """The state of a stack, None when it was never made; `folder` is that of a file backend."""
    found = deployment(stack, folder)
    return None if found is None else _state(found)


def deployment(stack: Stack, folder: Path | None) -> dict[str, Any] | None:
    """The same in the engine's own form: `resources`, `pending_operations`, and the `manifest` of its last change."""
    if folder is None:
        exported = stack.export()
        return exported["deployment"] if exported else None
    path = folder / ".pulumi" / "stacks" / stack.project.name / f"{stack.name}.json"
    if not path.exists():
        return None
    checkpoint: dict[str, Any] = json.loads(path.read_text())["checkpoint"]
    return checkpoint.get("latest") or {}


def left_alone(stack: Stack, folder: Path | None) -> dict[str, tuple[str, ...]]:
    """The properties that the program leaves to others (`ignore_changes`), as patterns of paths, by the URN of the resource."""
    resources: list[dict[str, Any]] = (deployment(stack, folder) or {}).get("resources") or []
    return {entry["urn"]: tuple(map(_pattern, entry["ignoreChanges"])) for entry in resources if entry.get("ignoreChanges")}


def _pattern(path: str) -> str:
    """A property with all that is in it; `[*]` is any member of a list."""
    return re.escape(path).replace(re.escape("[*]"), r"\[\d+\]") + r"(?:[.\[].*)?"


def tidy(stack: Stack, folder: Path) -> None:
    """Removes what an engine that was killed left half-written in a file backend.

    A state is written beside the old one and then takes its place, whole. The attributes beside it are not: cut off, they keep the engine from
    reading the state ("failed to load checkpoint: EOF"), which it can do without them.
    """
    for path in (folder / ".pulumi" / "stacks" / stack.project.name).glob(f"{stack.name}.json*"):
        if path.suffix == ".tmp" or (path.suffix == ".attrs" and not _is_json(path)):
            path.unlink(missing_ok=True)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def locks(stack: Stack, folder: Path) -> list[Lock]:
    """The locks on a stack in a file backend."""
    found: list[Lock] = []
    for path in (folder / ".pulumi" / "locks" / "organization" / stack.project.name / stack.name).glob("*.json"):
        try:
            content = json.loads(path.read_text())
        except (OSError, ValueError):
            continue  # released, or being written, at this very instant
        found.append(Lock(path, content["pid"], content["hostname"], content["timestamp"]))
    return found


def _state(deployment: dict[str, Any]) -> State:
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    pending = tuple(Pending(entry["resource"]["urn"], entry["type"]) for entry in deployment.get("pending_operations") or [])
    outputs = next((entry.get("outputs") or {} for entry in resources if entry["type"] == "pulumi:pulumi:Stack"), {})
    # The manifest and the time stamps say when, not what.
    content = [{key: value for key, value in entry.items() if key not in {"created", "modified"}} for entry in resources]
    digest = hashlib.sha256(json.dumps([content, [vars(entry) for entry in pending]], sort_keys=True).encode()).hexdigest()
    managed = sum(1 for entry in resources if entry.get("custom") and not entry["type"].startswith("pulumi:"))
    return State(digest, managed, outputs, pending)


def masked(outputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs of a state for showing: a secret is `[secret]`."""
    return {name: _masked(value) for name, value in outputs.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return "[secret]" if SIGNATURE in value else {name: _masked(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_masked(entry) for entry in value]
    return value
