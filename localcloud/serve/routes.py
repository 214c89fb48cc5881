"""Which method of an API a request is for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from localcloud.serve.model import Method

_VARIABLE, _REST = "{}", "{+}"


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    name: str = ""
    methods: dict[str, Method] = field(default_factory=dict[str, Method])


@dataclass(frozen=True)
class Match:
    """A method, and what the variables of its path stand for."""

    method: Method
    parameters: dict[str, str]


class Routes:
    """The tree of an API's resources. A literal part of a path comes before a variable, and that before one that takes all the rest."""

    def __init__(self, methods: Iterable[Method]) -> None:
        self._root = _Node()
        for method in methods:
            node = self._root
            for part in _parts(method.resource):
                node = node.children.setdefault(_kind(part), _Node(name=part.strip("{}").removesuffix("+")))
            node.methods[method.verb] = method

    def match(self, verb: str, raw_path: str) -> Match | None:
        """The method for a request; None where there is none."""
        found = _find(self._root, _parts(raw_path), {})
        if found is None:
            return None
        node, parameters = found
        method = node.methods.get(verb) or node.methods.get("ANY")
        return Match(method, parameters) if method else None


def _parts(path: str) -> list[str]:
    return [part for part in path.strip("/").split("/") if part]


def _kind(part: str) -> str:
    if part.startswith("{") and part.endswith("}"):
        return _REST if part.endswith("+}") else _VARIABLE
    return part


def _find(node: _Node, parts: list[str], found: dict[str, str]) -> tuple[_Node, dict[str, str]] | None:
    if not parts:
        return (node, found) if node.methods else None
    first, rest = unquote(parts[0]), parts[1:]
    if (child := node.children.get(first)) and first not in {_VARIABLE, _REST} and (result := _find(child, rest, found)):
        return result
    if (child := node.children.get(_VARIABLE)) and (result := _find(child, rest, {**found, child.name: first})):
        return result
    if child := node.children.get(_REST):
        return child, {**found, child.name: unquote("/".join(parts))}
    return None
