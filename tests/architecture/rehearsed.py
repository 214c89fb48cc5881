"""Every environment that has a page, rehearsed, as the tests of this folder look at them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import pulumi
import pulumi_aws

from localcloud.rehearsal import STACK_REFERENCE, Resource
from ops.families import family_of
from ops.rehearsal import rehearse
from ops.workspace import open_workspace
from payments.functions import FUNCTIONS
from shared import packages
from shared import page as pages
from shared.environment import Environment, Stage, environment_of

STAGES: tuple[str, ...] = get_args(Stage)
ENVIRONMENTS: tuple[str, ...] = tuple(pages.names())
FAMILIES: dict[str, list[str]] = {
    family: sorted((name for name in ENVIRONMENTS if family_of(name) == family), key=lambda name: STAGES.index(name.rpartition("-")[2]))
    for family in dict.fromkeys(map(family_of, ENVIRONMENTS))
}
"""By blueprint (empty for the platform's own), its environments from dev to prod."""


@dataclass(frozen=True)
class Stack:
    """One stack of a rehearsal: its project, its URN, its resources by URN."""

    project: str
    urn: str
    resources: dict[str, Resource]


@dataclass(frozen=True)
class Rehearsed:
    """One environment's rehearsal; `content` is what `invoke rehearse --json` writes."""

    name: str
    content: dict[str, Any]

    @property
    def environment(self) -> Environment:
        """What the page says."""
        return environment_of(pages.read(self.name))

    def stacks(self) -> Iterator[Stack]:
        """The stacks, in the order of their dependencies."""
        for stack in self.content["stacks"]:
            project = stack["project"]
            urn = f"urn:pulumi:{self.name}::{project}::pulumi:pulumi:Stack::{project}-{self.name}"
            yield Stack(project, urn, {entry["urn"]: Resource(**entry) for entry in stack["resources"]})

    def of_aws(self, type_: str = "") -> Iterator[Resource]:
        """The resources of the AWS provider, or those of one type."""
        for stack in self.stacks():
            yield from (entry for entry in stack.resources.values() if entry.type.startswith("aws:") and type_ in {"", entry.type})

    def shape(self) -> dict[str, Resource]:
        """Each resource by project, types and logical name: what two environments have in common when they are built alike."""
        found: dict[str, Resource] = {}
        for stack in self.stacks():
            for entry in stack.resources.values():
                if entry.type != STACK_REFERENCE:
                    found[f"{stack.project} {entry.urn.split('::', 2)[2]}"] = entry
        return found


def rehearsal_of(name: str, folder: Path) -> dict[str, Any]:
    """The rehearsal of an environment, with small packages made in `folder`: what functions hold is no matter here."""
    for function in FUNCTIONS:
        file = folder / "lambda-arm64" / f"{function.name}.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("handler.py", "")
    with patch.object(packages, "PACKAGES", folder):
        return json.loads(json.dumps(rehearse(open_workspace(name)).as_json(), default=str))


def sdk_class(module: str, name: str) -> Any:
    """What `aws.<module>.<name>` of a program is, in the SDK; None when it has none."""
    return getattr(getattr(pulumi_aws, module), name, None) if module else getattr(pulumi_aws, name, None)


def resource_class(type_: str) -> type[pulumi.CustomResource]:
    """The SDK's class of a type token."""
    service, _, name = type_.removeprefix("aws:").replace("/", ":").split(":")
    found = sdk_class({"lambda": "lambda_", "index": ""}.get(service, service), name)
    assert issubclass(found, pulumi.CustomResource), type_
    return found
