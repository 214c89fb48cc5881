"""The tree's own files, and what the programs' sources say of AWS."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pulumi

from shared.page import ROOT
from tests.architecture.rehearsed import sdk_class

_FOREIGN = {"__pycache__", "node_modules"}


@lru_cache(maxsize=1)
def files() -> tuple[Path, ...]:
    """Every file of the tree that is ours: no environment, no cache, nothing that a run leaves behind."""

    def below(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.name in _FOREIGN or (path.is_dir() and path.name.startswith(".") and path.name not in {".ci", ".github"}):
                continue
            if path.is_dir():
                yield from below(path)
            else:
                yield path

    return tuple(below(ROOT))


def python(*rooms: str) -> list[Path]:
    """The Python files of the tree, or of some of its rooms."""
    return [path for path in files() if path.suffix == ".py" and (not rooms or path.relative_to(ROOT).parts[0] in rooms)]


@dataclass(frozen=True)
class Call:
    """A call of the AWS SDK in a program: where, what is called, and how."""

    where: str
    called: Any
    node: ast.Call

    @property
    def is_resource(self) -> bool:
        """Whether it makes a resource."""
        return inspect.isclass(self.called) and issubclass(self.called, pulumi.CustomResource)

    @property
    def token(self) -> str:
        """The resource's type token, or the look-up's."""
        if self.is_resource:
            return self.called.pulumi_type
        source = inspect.getsource(self.called)
        found = re.search(r"invoke(?:_output)?\('(aws:[^']+)'", source)
        return found[1] if found else ""

    def option(self, name: str) -> ast.expr | None:
        """The keyword argument's expression."""
        return next((keyword.value for keyword in self.node.keywords if keyword.arg == name), None)


def aws_calls() -> Iterator[Call]:
    """Each `aws.<Thing>(...)` and `aws.<service>.<Thing>(...)` in the programs and in what they share."""
    for path in python("projects", "shared"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (match := re.fullmatch(r"aws\.(?:(\w+)\.)?(\w+)", ast.unparse(node.func))):
                called = sdk_class(match[1] or "", match[2])
                yield Call(f"{path.relative_to(ROOT)}:{node.lineno}", called, node)


def components() -> Iterator[tuple[str, ast.ClassDef]]:
    """Each component, whichever component it is made from: where it stands, and its class."""
    classes = [(path, node) for path in python("projects", "shared") for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    known, before = {"Component", "ComponentResource"}, set[str]()
    while known != before:
        before = set(known)
        known |= {node.name for _, node in classes if known & _bases(node)}
    for path, node in classes:
        if known & _bases(node):
            yield f"{path.relative_to(ROOT)}:{node.name}", node


def _bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).split(".")[-1] for base in node.bases}
