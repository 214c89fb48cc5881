"""The table against the official AWS provider's SDK: the same inputs, of the same types, at every depth, and the same ones required.

The SDK is generated from the provider's schema, so this holds the table to the real provider without needing it.
"""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
from pulumi import _types

from localcloud import catalogue
from localcloud.fields import Field
from localcloud.kinds import Kind

MODULES = {"lambda": "lambda_", "index": ""}
SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}

# Inputs that the SDK types more narrowly or widely than the wire: archives are objects of several classes.
ARCHIVES = (pulumi.Archive, pulumi.Asset)


def arguments_of(type_: str) -> type[Any]:
    """The SDK's class of a resource's inputs."""
    service, _, name = type_.removeprefix("aws:").replace("/", ":").split(":")
    module = importlib.import_module(f"pulumi_aws.{MODULES.get(service, service)}".rstrip("."))
    # Where a nested input has the same class name, the resource's is ...InitArgs.
    found: type[Any] = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    return found


def inputs_of(cls: type[Any]) -> Mapping[str, tuple[Any, bool]]:
    """The inputs of an SDK class by their name on the wire: the type, and whether it is required."""
    known = {"Output": pulumi.Output, "T": typing.TypeVar("T"), **vars(importlib.import_module(cls.__module__))}
    hints = typing.get_type_hints(cls.__init__, known)
    names = _types.input_type_py_to_pulumi_names(cls)
    return {names.get(name, name): (_bare(hint), not _optional(hint)) for name, hint in hints.items() if name not in {"return", "__self__"}}


def _optional(hint: Any) -> bool:
    return any(part is types.NoneType or _optional(part) for part in typing.get_args(hint))


def _bare(hint: Any) -> Any:
    """The type within Input[...] and Optional[...]; of a union of an Args class and its dict form, the class."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        wanted = [part for part in parts if part is not types.NoneType and not _is_output_or_future(part)]
        if str in wanted:
            return str  # a policy, which may also be given as an object; the programs give text
        classes = [part for part in wanted if isinstance(part, type) and _types.is_input_type(part)]
        return _bare((classes or wanted)[0])
    return hint


def _is_output_or_future(part: Any) -> bool:
    origin = typing.get_origin(part) or part
    return isinstance(origin, type) and (issubclass(origin, pulumi.Output) or origin.__name__ in {"Awaitable", "Future"}) or "Awaitable" in str(origin)


def _differences(kind: Kind, fields: Mapping[str, Field], cls: type[Any], at: str = "") -> Iterator[str]:
    wanted = inputs_of(cls)
    for name, field in fields.items():
        if name not in wanted:
            yield f"{at}{name}: the provider has no such input"
            continue
        type_, _ = wanted[name]
        yield from _type_differences(kind, field, type_, f"{at}{name}")
    for name, (_, required) in wanted.items():
        if required and (name not in fields or not fields[name].required):
            yield f"{at}{name}: the provider requires it, the table does not"


def _type_differences(kind: Kind, field: Field, type_: Any, path: str) -> Iterator[str]:
    origin = typing.get_origin(type_)
    if isinstance(type_, type) and issubclass(type_, ARCHIVES):
        if field.type is not object:
            yield f"{path}: the provider takes an archive"
    elif origin is not None and issubclass(origin, typing.Sequence):
        if field.type is not list:
            yield f"{path}: the provider takes a list, the table {field.type.__name__}"
        elif field.item is not None:
            yield from _type_differences(kind, field.item, _bare(typing.get_args(type_)[0]), f"{path}[]")
    elif origin is not None and issubclass(origin, typing.Mapping):
        if field.type is not dict or field.fields:
            yield f"{path}: the provider takes a map of strings"
    elif isinstance(type_, type) and _types.is_input_type(type_):
        if field.type is not dict:
            yield f"{path}: the provider takes an object, the table {field.type.__name__}"
        else:
            yield from _differences(kind, field.fields, type_, f"{path}.")
    elif type_ in SCALARS and field.type is not type_:
        yield f"{path}: the provider takes a {SCALARS[type_]}, the table {field.type.__name__}"


@pytest.mark.parametrize("kind", catalogue.everything(), ids=lambda kind: kind.type)
def test_inputs_are_the_providers(kind: Kind) -> None:
    assert list(_differences(kind, kind.fields, arguments_of(kind.type))) == []


def test_a_difference_is_found() -> None:
    """The comparison itself can fail: wrong type, unknown input and missing required input are each told."""
    kind = catalogue.kind("aws:sqs/queuePolicy:QueuePolicy")
    fields = {"policy": Field(type=list), "nonsense": Field()}
    found = list(_differences(kind, fields, arguments_of(kind.type)))
    assert [line.split(":")[0] for line in found] == ["policy", "nonsense", "policy", "queueUrl"]
