"""Tags, which most of AWS takes as a list of objects and Pulumi as a map, and their update through tag and untag calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def as_list(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """The tags as AWS's list of objects; `key` and `value` are the members' names, which differ from service to service."""
    return [{key: name, value: text} for name, text in sorted((tags or {}).items())]


def as_map(tags: Iterable[Mapping[str, Any]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """AWS's list of tag objects as a map, without the tags that AWS keeps for itself (`aws:…`), as the AWS provider hides them."""
    return {tag[key]: tag.get(value) or "" for tag in tags or () if not tag[key].startswith("aws:")}


def apply(
    old: Mapping[str, str] | None,
    new: Mapping[str, str] | None,
    *,
    tag: Callable[[dict[str, str]], object],
    untag: Callable[[list[str]], object],
) -> None:
    """Calls `untag` with the keys that are gone and `tag` with the tags that are new or differ; neither when there are none."""
    before, after = old or {}, new or {}
    if gone := sorted(set(before) - set(after)):
        untag(gone)
    if changed := {name: text for name, text in after.items() if before.get(name) != text}:
        tag(changed)
