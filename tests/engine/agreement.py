"""Comparing what the engine recorded with what a rehearsal recorded, though every id that AWS makes up differs between the two.

A generated value (an id, an ARN, an address) is an output of some resource. Wherever it stands in an input, it is replaced by the name of
the output that it came from, so that two references are the same when they refer to the same thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]

# The engine's marks on values that are more than JSON, and what rehearsal writes for a secret.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_MASKED = "[secret]"


@dataclass(frozen=True)
class Made:
    """A resource as both record it: type, name and parent, and the inputs with every reference named."""

    type: str
    name: str
    parent: str
    inputs: Any


def named(resources: list[Entry], other: list[Entry]) -> dict[str, Made]:
    """The resources by URN, comparable with those of the other run."""
    references = _references(resources, other)
    return {
        entry["urn"]: Made(entry["type"], entry["urn"].rsplit("::", 1)[-1], entry.get("parent") or "", _plain(entry.get("inputs") or {}, references))
        for entry in resources
    }


def _references(resources: list[Entry], other: list[Entry]) -> dict[str, str]:
    """For each generated value, the output that it came from, longest first: an ARN before the id that is in it."""
    others = {entry["urn"]: dict(_leaves(entry)) for entry in other}
    found: dict[str, str] = {}
    for entry in resources:
        for path, value in _leaves(entry):
            # A mask stands for no resource's output, but for any secret.
            if len(value) > 5 and value != _MASKED and others.get(entry["urn"], {}).get(path) != value:
                # What a component hands on is its child's too, and the two runs record them in an order of their own.
                name = f"<{path} of {entry['urn']}>"
                found[value] = min(found.get(value, name), name)
    return {value: found[value] for value in sorted(found, key=len, reverse=True)}


def _leaves(entry: Entry) -> Iterator[tuple[str, str]]:
    """The id and the texts among the outputs at the top, by name."""
    outputs: Mapping[str, Any] = entry.get("outputs") or {}
    if entry.get("id"):
        yield "id", entry["id"]
    # A stack's and a reference's outputs repeat what other resources have.
    if not entry["type"].startswith("pulumi:"):
        yield from ((name, value) for name, value in sorted(outputs.items()) if isinstance(value, str))


def _plain(value: Any, references: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _MASKED
        if _SIGNATURE in value or set(value) == {"file", "hash"}:
            return {"hash": value["hash"]}  # an archive: the engine keeps its hash alone
        return {key: _plain(entry, references) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry, references) for entry in value]
    if isinstance(value, str):
        for generated, name in references.items():
            value = value.replace(generated, name)
    return value
