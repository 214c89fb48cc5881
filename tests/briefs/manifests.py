"""The manifest of an environment of a family."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from ops import manifest as manifests
from ops.workspace import open_workspace
from tests.briefs.family import Deployed


def manifest_of(deployed: Deployed) -> dict[str, Any]:
    """The manifest of an environment whose stacks hold what its programs made."""

    def held(stack: str, _: object) -> dict[str, Any]:
        # A function's package is bytes; the engine's state has its digest.
        found = [
            {"custom": True, "type": one.type, "urn": one.urn, "id": one.id, "inputs": one.inputs | ({"code": {}} if "code" in one.inputs else {})}
            for one in deployed.resources(stack)
        ]
        return {"manifest": {"time": "2026-01-02T03:04:05Z", "version": "v3.1.0"}, "resources": found}

    session: Any = SimpleNamespace(
        workspace=open_workspace(deployed.name), stack=lambda project: project, record=lambda _: None, target=SimpleNamespace(name="local", state=None)
    )
    with patch.object(manifests, "deployment", held):
        found: dict[str, Any] = json.loads(manifests.manifest(session).to_json())
    return found
