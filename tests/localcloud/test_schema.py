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
from localcloud.fields import Field, type_names
from localcloud.kinds import Kind
from tests.localcloud.sdk import class_of, misfits_of_answer, misfits_of_resource

SCALARS = (str, bool, int, float)

# Inputs that the SDK types more narrowly or widely than the wire: archives are objects of several classes.
ARCHIVES = (pulumi.Archive, pulumi.Asset)


def arguments_of(type_: str) -> type[Any]:
    """The SDK's class of a resource's inputs."""
    # Where a nested input has the same class name, the resource's is ...InitArgs.
    found: type[Any] = class_of(type_, "InitArgs") or class_of(type_, "Args")
    return found


def inputs_of(cls: type[Any]) -> Mapping[str, tuple[Any, bool]]:
    """The inputs of an SDK class by their name on the wire: the type, and whether it is required."""
    # With local names of its own: without, `typing` would take a name that another service has too for what it was there.
    own = {"Output": pulumi.Output, "T": typing.TypeVar("T")}
    hints = typing.get_type_hints(cls.__init__, vars(importlib.import_module(cls.__module__)), own)
    names = _types.input_type_py_to_pulumi_names(cls)
    return {names.get(name, name): (_bare(hint), not _optional(hint)) for name, hint in hints.items() if name not in {"return", "__self__"}}


def _optional(hint: Any) -> bool:
    return types.NoneType in typing.get_args(hint)


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
    return (isinstance(origin, type) and (issubclass(origin, pulumi.Output) or origin.__name__ in {"Awaitable", "Future"})) or "Awaitable" in str(origin)


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
        wanted, what = object, "an archive"
    elif origin is not None and issubclass(origin, typing.Sequence):
        wanted, what = list, "a list"
    elif (origin is not None and issubclass(origin, typing.Mapping)) or _types.is_input_type(type_):
        wanted, what = dict, "an object"
    else:
        wanted, what = (type_, type_names[type_]) if type_ in SCALARS else (field.type, "")
    if field.type is not wanted:
        yield f"{path}: the provider takes {what}, the table {field.type.__name__}"
    elif wanted is list and field.item is not None:
        yield from _type_differences(kind, field.item, _bare(typing.get_args(type_)[0]), f"{path}[]")
    elif origin is not None and wanted is dict and field.fields:
        yield f"{path}: the provider takes a map of strings"
    elif wanted is dict and origin is None:
        yield from _differences(kind, field.fields, type_, f"{path}.")


@pytest.mark.parametrize("kind", catalogue.everything(), ids=lambda kind: kind.type)
def test_inputs_are_the_providers(kind: Kind) -> None:
    assert list(_differences(kind, kind.fields, arguments_of(kind.type))) == []


def test_a_difference_is_found() -> None:
    """The comparison itself can fail: wrong type, unknown input and missing required input are each told."""
    kind = catalogue.kind("aws:sqs/queuePolicy:QueuePolicy")
    fields = {"policy": Field(type=list), "nonsense": Field()}
    found = list(_differences(kind, fields, arguments_of(kind.type)))
    assert [line.split(":")[0] for line in found] == ["policy", "nonsense", "policy", "queueUrl"]


def test_an_output_that_a_program_could_not_read_is_found() -> None:
    """Outputs are held to the SDK in the life of each example; this comparison can fail, too."""
    account = {"throttleSettings": {"burstLimit": 5000}, "limits": [], "features": ["UsagePlans", 2]}
    assert [line.split(": ")[0] for line in misfits_of_resource("aws:apigateway/account:Account", account)] == ["throttleSettings", "limits", "features[1]"]
    nested = {"throttleSettings": [{"burstLimit": "5000", "burst": 1}]}
    found = misfits_of_resource("aws:apigateway/account:Account", nested)
    assert [line.split(": ")[0] for line in found] == [f"throttleSettings[0].{name}" for name in ("rateLimit", "burstLimit", "burst")]
    assert misfits_of_answer("aws:index/getPartition:getPartition", {"id": "aws", "dnsName": "aws"})[0].startswith("dnsName")
