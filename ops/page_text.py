"""Changes to a page's text that leave all the rest of it, its comments among it, as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml


class PageTextError(ValueError):
    """A key that cannot be set on the page; says which, and why."""


def with_value(text: str, key: str, value: Any) -> str:
    """The page with `key` set to `value`: `data:database.multiAz` is a member of a section; raises PageTextError.

    What is there is replaced in its place; what is not is added at the end of what it belongs to.
    """
    path = _path(key)
    return _set(text, _config(text, key)[1], path, value, key)


def without(text: str, key: str) -> str:
    """The page without `key`; raises PageTextError where there is none."""
    (named, node), (*above, last) = _config(text, key), _path(key)
    for name in above:
        found = _member(node, name)
        if found is None or not isinstance(found[1], yaml.MappingNode):
            raise PageTextError(f"{key}: the page has none to take away")
        named, node = found[0], found[1]
    position = next((position for position, (name, _) in enumerate(node.value) if name.value == last), None)
    if position is None:
        raise PageTextError(f"{key}: the page has none to take away")
    if node.flow_style or len(node.value) == 1:
        kept = {name: entry for name, entry in _value(text, node).items() if name != last}
        return _replaced(text, named, node, kept)
    name, entry = node.value[position]
    start = text.rfind("\n", 0, name.start_mark.index) + 1
    end = text.find("\n", _end(text, entry))
    return text[:start] + (text[end + 1 :] if end >= 0 else "")


def with_title(text: str, lines: Sequence[str]) -> str:
    """The page with other comments before its first key."""
    body = text.splitlines(keepends=True)
    while body and (not body[0].strip() or body[0].lstrip().startswith("#")):
        body.pop(0)
    return "".join([*(f"# {line}\n" for line in lines), *body])


def _path(key: str) -> list[str]:
    namespace, colon, rest = key.partition(":")
    section, *members = rest.split(".")
    if not (colon and namespace and section and all(members)):
        raise PageTextError(f"{key}: a key is <namespace>:<section>, with .<member> for a part of the section, such as data:database.multiAz")
    return [f"{namespace}:{section}", *members]


def _config(text: str, key: str) -> tuple[yaml.Node, yaml.MappingNode]:
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    found = _member(root, "config")
    if found is None or not isinstance(found[1], yaml.MappingNode):
        raise PageTextError(f"{key}: the page has no `config:` to set it in")
    return found[0], found[1]


def _value(text: str, node: yaml.MappingNode) -> dict[str, Any]:
    indent = " " * node.start_mark.column
    found: dict[str, Any] = yaml.safe_load(indent + text[node.start_mark.index : _end(text, node)])
    return found


def _set(text: str, node: yaml.MappingNode, path: list[str], value: Any, key: str) -> str:
    first, *rest = path
    found = _member(node, first)
    if found is None:
        for name in reversed(rest):
            value = {name: value}
        return _added(text, node, first, value)
    named, entry = found
    if not rest:
        return _replaced(text, named, entry, value)
    if not isinstance(entry, yaml.MappingNode):
        raise PageTextError(f"{key}: {first} has no members; it is {entry.value!r}")
    return _set(text, entry, rest, value, key)


def _member(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The key of that name, and what it has."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode) and key.value == name), None)


def _replaced(text: str, named: yaml.Node, node: yaml.Node, value: Any) -> str:
    end = _end(text, node)
    if not _is_block(node):
        return f"{text[: node.start_mark.index]}{_flow(value)}{text[end:]}"
    # A section under its key, on lines of its own, gives way to one behind its key; the comments between the two stay.
    behind = text.index(":", named.end_mark.index) + 1
    between = text[behind : node.start_mark.index].rstrip()
    return f"{text[:behind]} {_flow(value)}{between}{text[end:]}"


def _added(text: str, node: yaml.MappingNode, name: str, value: Any) -> str:
    entry = f"{_flow(name)}: {_flow(value)}"
    if node.flow_style:
        end = node.end_mark.index - 1
        return f"{text[:end].rstrip()}{', ' if node.value else ''}{entry}{text[end:]}"
    last = _end(text, node)
    return f"{text[:last]}\n{' ' * node.start_mark.column}{entry}{text[last:]}"


def _end(text: str, node: yaml.Node) -> int:
    """Where a node ends; the comments and empty lines after a block belong to what follows."""
    if not _is_block(node):
        return node.end_mark.index
    return _end(text, _last(node))


def _last(node: yaml.Node) -> yaml.Node:
    child = node.value[-1]
    found: yaml.Node = child[1] if isinstance(node, yaml.MappingNode) else child
    return found


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _flow(value: Any) -> str:
    """A value on one line."""
    written = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).strip()
    return written.removesuffix("...").strip()
