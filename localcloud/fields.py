"""What a resource type says about each of its inputs, and the check that holds an input to it.

A `Field` names the botocore shape that AWS publishes for the value, so that enumerations, lengths, ranges and patterns are
AWS's own; what AWS documents but does not publish in a shape is said beside it (`one_of`, `at_least`, `at_most`, `pattern`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import botocore.model
from pulumi.asset import Archive, Asset, AssetArchive
from pulumi.runtime.rpc import UNKNOWN

from localcloud.models import LOADER

type_names = {str: "a string", bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "an object"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input of a resource type, or one member of a nested object.

    type: the Python type of the value (`object` takes any: archives and assets).
    required: AWS or the Pulumi schema wants it.
    replaces: changing it makes AWS provider replace the resource.
    unordered: a list whose order AWS does not keep.
    json: a string that holds JSON; compared by meaning.
    secret: a refusal does not show the value, nor does a rehearsal's file.
    marks: an object that says something by being there, though it be empty (`{"block": {}}`).
    shape: `Operation.Member[.Member…]` in botocore's model of the kind's client; a list is entered by itself.
    one_of / at_least / at_most / pattern: AWS's documented limits where the shape does not say them; for strings and lists, lengths.
    rule: a further check; answers what is wrong, or None.
    fields / item: members of an object (or of each object in a list); the field of each item of a list or map.
    """

    type: type = str
    required: bool = False
    replaces: bool = False
    unordered: bool = False
    json: bool = False
    secret: bool = False
    marks: bool = False
    shape: str = ""
    one_of: tuple[Any, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    pattern: str = ""
    rule: Callable[[Any], str | None] | None = None
    fields: Mapping[str, Field] = field(default_factory=dict[str, "Field"])
    item: Field | None = None


def text(**about: Any) -> Field:
    """A string."""
    return Field(type=str, **about)


def number(**about: Any) -> Field:
    """A whole number."""
    return Field(type=int, **about)


def decimal(**about: Any) -> Field:
    """A number that may have a fraction."""
    return Field(type=float, **about)


def flag(**about: Any) -> Field:
    """True or false."""
    return Field(type=bool, **about)


def json_text(**about: Any) -> Field:
    """A string that holds a JSON document, compared by meaning."""
    return Field(type=str, json=True, **about)


def texts(item: Field | None = None, *, unordered: bool = True, **about: Any) -> Field:
    """A list of strings."""
    return Field(type=list, item=item or Field(), unordered=unordered, **about)


def block(fields: Mapping[str, Field], **about: Any) -> Field:
    """A nested object with the given members."""
    return Field(type=dict, fields=fields, **about)


def blocks(fields: Mapping[str, Field], *, unordered: bool = False, **about: Any) -> Field:
    """A list of nested objects with the given members."""
    return Field(type=list, item=Field(type=dict, fields=fields), unordered=unordered, **about)


def mapping(item: Field | None = None, **about: Any) -> Field:
    """A map from strings to strings."""
    return Field(type=dict, item=item or Field(), **about)


def archive(**about: Any) -> Field:
    """An asset or an archive."""
    return Field(type=object, **about)


@dataclass(frozen=True)
class Refusal:
    """An input that AWS would not take: which (a path such as `rules[0].status`), and why.

    reason: reads well after a colon, and names the value: the engine says "property P value {V} has a problem: " before it, with an empty V for a path.
    """

    path: str
    reason: str


def check(client: str, fields: Mapping[str, Field], values: Mapping[str, Any], at: str = "") -> Iterator[Refusal]:
    """Every way in which `values` breaks `fields`; unknown values (of a preview) pass."""
    for name in sorted(set(values) - set(fields)):
        if not name.startswith("__"):
            yield Refusal(f"{at}{name}", f"unknown input; this type takes {', '.join(sorted(fields))}")
    for name, wanted in fields.items():
        value = values.get(name)
        if value is None:
            if wanted.required:
                yield Refusal(f"{at}{name}", "it is required and missing")
        else:
            yield from _check_value(client, wanted, value, f"{at}{name}")


def secret_values(fields: Mapping[str, Field], values: Mapping[str, Any]) -> Iterator[Any]:
    """The values, at whatever depth, of the fields that are secret."""
    for name, value in values.items():
        if name in fields and value is not None:
            yield from _secrets_within(fields[name], value)


def _secrets_within(wanted: Field, value: Any) -> Iterator[Any]:
    if wanted.secret:
        yield value
    elif wanted.item and isinstance(value, list | dict):
        for entry in value if isinstance(value, list) else value.values():
            yield from _secrets_within(wanted.item, entry)
    elif isinstance(value, dict):
        yield from secret_values(wanted.fields, value)


def _check_value(client: str, wanted: Field, value: Any, path: str) -> Iterator[Refusal]:
    if value == UNKNOWN:
        return
    if not _is_a(value, wanted.type):
        yield Refusal(path, f"must be {type_names[wanted.type]}, not {_show(wanted, value)}")
        return
    reasons = [*_limits(wanted, value), *(_shape_limits(client, wanted, value) if wanted.shape else ())]
    for reason in dict.fromkeys(reasons):
        yield Refusal(path, reason)
    yield from _check_within(client, wanted, value, path)


def _check_within(client: str, wanted: Field, value: Any, path: str) -> Iterator[Refusal]:
    if isinstance(value, list):
        for position, entry in enumerate(value):
            if wanted.item:
                yield from _check_value(client, wanted.item, entry, f"{path}[{position}]")
    elif isinstance(value, dict):
        if wanted.fields:
            yield from check(client, wanted.fields, value, f"{path}.")
        elif wanted.item:
            for key, entry in value.items():
                yield from _check_value(client, wanted.item, entry, f"{path}.{key}")


def _is_a(value: Any, wanted: type) -> bool:
    if wanted is object:
        return True
    if wanted in (int, float):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (wanted is float or float(value).is_integer())
    return isinstance(value, wanted)


def _show(wanted: Field, value: Any) -> str:
    if wanted.secret:
        return "the secret that was given"
    shown = json.dumps(value, default=repr)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."


def _limits(wanted: Field, value: Any) -> Iterator[str]:
    if wanted.one_of and value not in wanted.one_of:
        yield f"must be one of {', '.join(map(str, wanted.one_of))}, not {_show(wanted, value)}"
    yield from _range(wanted, value, wanted.at_least, wanted.at_most)
    if wanted.pattern and isinstance(value, str) and not re.fullmatch(wanted.pattern, value):
        yield f"must match {wanted.pattern}, not {_show(wanted, value)}"
    if wanted.json and isinstance(value, str):
        try:
            json.loads(value)
        except ValueError as error:
            yield f"must be JSON, not {_show(wanted, value)}: {error}"
    if wanted.rule and (reason := wanted.rule(value)):
        yield reason


def _range(wanted: Field, value: Any, least: float | None, most: float | None) -> Iterator[str]:
    """Numbers by their value, all else by its length."""
    size, what = value, ""
    if isinstance(value, str | list | dict):
        size, what = len(value), " characters" if isinstance(value, str) else " entries"
    verb, of = ("have", f" (in {_show(wanted, value)})") if what else ("be", "")
    if least is not None and size < least:
        yield f"must {verb} at least {least:g}{what}, not {size}{of}"
    if most is not None and size > most:
        yield f"must {verb} at most {most:g}{what}, not {size}{of}"


@lru_cache(maxsize=64)
def _model(client: str) -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(LOADER.load_service_model(client, "service-2"), client)


@lru_cache(maxsize=4096)
def shape_of(client: str, path: str) -> Any:
    """The botocore shape at `Operation.Member…`; a KeyError names a path that AWS's model does not have."""
    operation, *members = path.split(".")
    shape: Any = _model(client).operation_model(operation).input_shape
    for member in members:
        while shape.type_name == "list":
            shape = shape.member
        if shape.type_name != "structure" or member not in shape.members:
            raise KeyError(f"botocore's {client} has no {path}: {member} is not in {shape.name}")
        shape = shape.members[member]
    return shape


def _shape_limits(client: str, wanted: Field, value: Any) -> Iterator[str]:
    shape = shape_of(client, wanted.shape)
    least_and_most = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(value, list):
        yield from _range(wanted, value, *least_and_most)
        return
    while shape.type_name == "list":
        shape = shape.member
        least_and_most = shape.metadata.get("min"), shape.metadata.get("max")
    enum = getattr(shape, "enum", None) or ()
    if enum and value not in enum:
        yield f"must be one of {', '.join(enum)}, not {_show(wanted, value)}"
    if isinstance(value, str) and shape.type_name == "string":
        pattern = shape.metadata.get("pattern")
        if pattern and not _matches(pattern, value):
            yield f"must match {pattern}, not {_show(wanted, value)}"
        yield from _range(wanted, value, *least_and_most)
    elif shape.type_name in {"integer", "long", "double", "float"}:
        yield from _range(wanted, value, *least_and_most)


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # a few of AWS's patterns are in Java's dialect; AWS checks those itself
        return True


def same(wanted: Field | None, left: Any, right: Any) -> bool:
    """Whether two values of a field mean the same to AWS: JSON by content, unordered lists as sets, `1` as `1.0`, absent as empty (unless it marks)."""
    if left in (None, [], {}, "") and right in (None, [], {}, ""):
        return (left is None) == (right is None) or wanted is None or not wanted.marks
    if wanted is None or left is None or right is None:
        return bool(left == right)
    if wanted.json and isinstance(left, str) and isinstance(right, str):
        return _json_same(left, right)
    if isinstance(left, list) and isinstance(right, list):
        if wanted.unordered:
            left, right = sorted(left, key=_key), sorted(right, key=_key)
        return len(left) == len(right) and all(same(wanted.item, one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        keys = set(left) | set(right)
        return all(same(wanted.fields.get(k) or wanted.item, left.get(k), right.get(k)) for k in keys if not k.startswith("__"))
    return _alike(left, right)


def _alike(left: Any, right: Any) -> bool:
    """Archives by the engine's hash of their content where both have one (`wire.load`), else by what they are made from; all else by value."""
    if not isinstance(left, Archive | Asset) or not isinstance(right, Archive | Asset):
        return bool(left == right)
    one, other = dict(vars(left)), dict(vars(right))
    hashes = one.pop("hash", None), other.pop("hash", None)
    if None not in hashes:
        return bool(hashes[0] == hashes[1])
    if isinstance(left, AssetArchive) and isinstance(right, AssetArchive):
        return set(left.assets) == set(right.assets) and all(_alike(left.assets[name], right.assets[name]) for name in left.assets)
    return type(left) is type(right) and one == other


def _json_same(left: str, right: str) -> bool:
    try:
        return bool(json.loads(left) == json.loads(right))
    except ValueError:
        return left == right


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
