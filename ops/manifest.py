"""An environment's manifest: every resource that is deployed, with its configuration, from the state of its stacks (docs/schemas/manifest.schema.json).

A deployment that ended well leaves one behind, `.local/manifests/<target>/<stack>.json`; `invoke manifest` writes it anew, anywhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops import places
from ops.deployed import NotDeployedError, deployed
from ops.fingerprint import INVENTORY
from ops.projects import projects
from ops.state import SIGNATURE, deployment
from shared.files import write_whole
from shared.page import ROOT

if TYPE_CHECKING:
    from ops.session import Session

SCHEMA = 1

# The engine's marks for what is no plain value (sdk/go/common/resource, sig.go).
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's mark for a secret, not one
_ASSETS = {"c44067f5952c0a294b673a41bacd8c17": "asset", "0def7320c3a5731c473e5ecbe6d01bc7": "archive"}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is deployed of one environment.

    commit: of the checkout in which the command ran (`-dirty` where files differ from it; empty outside of a repository), which is not what stacks
    were deployed from that it left alone, or that another checkout deployed: each stack's `code` tells. generated: when the manifest was made.
    stacks: each with its project, when it was last changed, the engine, and the digest of the code that this machine deployed it from.
    resources: sorted by project, type and name.
    """

    environment: str
    suffix: str
    stage: str
    account: str
    region: str
    target: str
    commit: str
    generated: datetime
    stacks: tuple[dict[str, Any], ...]
    resources: tuple[dict[str, Any], ...]

    def to_json(self) -> str:
        """The manifest for a file; the same state makes the same resources in the same order."""
        whole = {"schema": SCHEMA, **vars(self), "generated": f"{self.generated:%Y-%m-%dT%H:%M:%SZ}"}
        return json.dumps({**whole, "stacks": list(self.stacks), "resources": list(self.resources)}, indent=1) + "\n"


def manifest(session: Session) -> Manifest:
    """The manifest of a session's environment; raises NotDeployedError when one of its stacks holds nothing."""
    environment = session.workspace.environment
    held = {name: deployment(session.stack(name), session.target.state) for name in projects()}
    if missing := [name for name, found in held.items() if not found or not found.get("resources")]:
        raise NotDeployedError(f"never deployed: {', '.join(missing)}. Next: invoke deploy {deployed(session).options}")
    return Manifest(
        environment=session.workspace.name,
        suffix=session.workspace.suffix,
        stage=environment.platform.stage,
        account=environment.account,
        region=environment.region,
        target=session.target.name,
        commit=_commit(),
        generated=datetime.now(UTC),
        stacks=tuple(_stack(session, name, found or {}) for name, found in held.items()),
        resources=tuple(sorted(_resources(held), key=lambda one: (one["project"], one["type"], one["name"], one["urn"], one["replaced"], one["id"]))),
    )


def write(found: Manifest, file: str) -> None:
    """Writes the manifest, whole or not at all; to standard output without a file."""
    if not file or file == "-":
        sys.stdout.write(found.to_json())
    else:
        write_whole(Path(file), found.to_json())


def file_of(session: Session) -> Path:
    """Where a deployment leaves the manifest of its environment."""
    return places.LOCAL / "manifests" / session.target.name / f"{session.workspace.stack}.json"


def keep(session: Session) -> Path | None:
    """Writes the manifest of what was just deployed, and answers the file; None while one of the environment's stacks holds nothing.

    Raises OSError, and EngineError where the state is asked for through the engine.
    """
    try:
        found = manifest(session)
    except NotDeployedError:
        return None
    file = file_of(session)
    write_whole(file, found.to_json())
    return file


def _stack(session: Session, name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    about, record = found.get("manifest") or {}, session.record(name)
    return {
        "project": name,
        "stack": session.workspace.stack,
        "changed": about.get("time", ""),
        "engine": about.get("version", ""),
        "code": record.fingerprint.code if record else "",
        "resources": sum(1 for _ in _made(found)),
    }


def _resources(held: Mapping[str, Mapping[str, Any] | None]) -> Iterator[dict[str, Any]]:
    for name, found in held.items():
        arns = _arns(found or {})
        for entry in _made(found or {}):
            inputs, outputs = entry.get("inputs") or {}, entry.get("outputs") or {}
            logical = entry["urn"].rpartition("::")[2]
            yield {
                "project": name,
                "type": entry["type"],
                "name": logical,
                "urn": entry["urn"],
                "id": entry.get("id", ""),
                "arn": arns.get((entry["type"], logical, entry.get("id", "")), ""),
                "replaced": bool(entry.get("delete")),
                "tags": {key: str(value) for key, value in sorted((outputs.get("tags") or inputs.get("tags") or {}).items())},
                "inputs": {key: _plain(value) for key, value in sorted(inputs.items()) if key != "tags" and not key.startswith("__")},
            }


def _arns(found: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    """The ARNs of the inventory that the stack exports, by type, name and ID: it knows which `arn` is a resource's own."""
    stack = next((entry for entry in found.get("resources") or [] if entry["type"] == "pulumi:pulumi:Stack"), {})
    listed = (stack.get("outputs") or {}).get(INVENTORY)
    return {(one["type"], one["name"], one["id"]): one.get("arn", "") for one in listed} if isinstance(listed, list) else {}


def _made(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The resources that a provider manages; also one that was replaced and waits for its deletion, as it is still there."""
    for entry in found.get("resources") or []:
        if entry.get("custom") and not entry["type"].startswith("pulumi:"):
            yield entry


def _plain(value: Any) -> Any:
    """A value as it is configured: secrets masked, files by their digests."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    sign = value.get(SIGNATURE)
    if sign in _ASSETS:
        return {_ASSETS[sign]: value.get("hash", "")}
    if sign is not None:
        return "[secret]" if sign == _SECRET else f"[{sign}]"
    return {key: _plain(entry) for key, entry in value.items() if not str(key).startswith("__")}


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip()
