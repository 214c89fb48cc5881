"""The four projects and the order they depend in, read from the programs themselves.

A program says what it takes and gives in two places, `stack.upstream(SomeOutputs)` and `stack.publish(SomeOutputs(...))` (or of a variable that is
annotated so) of its `__main__.py`; this reads just those from the source. There is no second list, and nothing of Pulumi is imported for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ops.queue import in_order
from shared.page import ROOT

FOLDER = ROOT / "projects"


class ProjectError(ValueError):
    """The programs do not fit together: a contract that nobody publishes, or two do."""


@dataclass(frozen=True)
class Project:
    """One Pulumi project.

    contract: the name of the contract that it publishes. takes: the projects whose contracts it consumes.
    """

    name: str
    folder: Path
    contract: str
    takes: tuple[str, ...]


@lru_cache(maxsize=4)
def projects(folder: Path = FOLDER) -> Mapping[str, Project]:
    """All projects by name, each after those that it depends on; raises ProjectError, and GraphError on a cycle."""
    mains = {path.parent.name: ast.parse(path.read_text()) for path in sorted(folder.glob("*/__main__.py"))}
    publishers: dict[str, str] = {}
    for name, tree in mains.items():
        for contract in _contracts(tree, "publish"):
            if contract in publishers:
                raise ProjectError(f"{contract} is published by {publishers[contract]} and by {name}; a contract has one producer")
            publishers[contract] = name
    found: dict[str, Project] = {}
    for name, tree in mains.items():
        wanted = list(_contracts(tree, "upstream"))
        if unknown := [contract for contract in wanted if contract not in publishers]:
            raise ProjectError(f"projects/{name}/__main__.py takes {', '.join(unknown)}, which no project publishes")
        published = next((contract for contract, producer in publishers.items() if producer == name), "")
        found[name] = Project(name, folder / name, published, tuple(publishers[contract] for contract in wanted))
    order = in_order({name: project.takes for name, project in found.items()})
    return {name: found[name] for name in order}


def graph() -> dict[str, tuple[str, ...]]:
    """Each project with those that it takes from."""
    return {name: project.takes for name, project in projects().items()}


def _contracts(tree: ast.Module, method: str) -> Iterator[str]:
    """The contract in each `stack.<method>(Contract)` or `stack.<method>(Contract(...))`, in the order of the source.

    A variable stands for the contract that it is annotated with: `handed: Contract = ...`.
    """
    annotated = {
        node.target.id: node.annotation.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.annotation, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method and node.args:
            first = node.args[0]
            named = first.func if isinstance(first, ast.Call) else first
            if isinstance(named, ast.Name):
                yield annotated.get(named.id, named.id)
