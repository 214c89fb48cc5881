"""The official AWS provider's SDK as a witness: its classes say the name and type of every input and output, at every depth."""

from __future__ import annotations

import collections.abc
import importlib
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pulumi import _types

from localcloud.fields import type_names

_MODULES = {"lambda": "lambda_", "index": ""}
_SCALARS = (str, bool, int, float)


def class_of(type_: str, suffix: str = "") -> Any:
    """The SDK's class for a token; None when the SDK has none of that name."""
    service, _, name = type_.removeprefix("aws:").replace("/", ":").split(":")
    module = importlib.import_module(f"pulumi_aws.{_MODULES.get(service, service)}".rstrip("."))
    return getattr(module, f"{name[:1].upper()}{name[1:]}{suffix}", None)


def misfits_of_resource(type_: str, state: dict[str, Any]) -> list[str]:
    """Where a resource's state is not what the SDK's class takes; there, a program that reads the output gets an error or garbage."""
    return [found for name, value in state.items() for found in _misfits(_types_of(class_of(type_)), name, value, "")]


def misfits_of_answer(token: str, answer: dict[str, Any]) -> list[str]:
    """The same for a look-up's answer."""
    known = _types.output_type_types(class_of(token, "Result"))
    return [found for name, value in answer.items() for found in _misfits(known, name, value, "")]


@cache
def _types_of(cls: Any) -> dict[str, Any]:
    return {"id": str, **_types.resource_types(cls)}


def _misfits(known: dict[str, Any], name: str, value: Any, at: str) -> Iterator[str]:
    if name not in known:
        yield f"{at}{name}: the SDK has no such output; it has {', '.join(sorted(known))}"
    else:
        yield from _misfit(known[name], value, f"{at}{name}")


def _misfit(hint: Any, value: Any, path: str) -> Iterator[str]:
    hint = _types.unwrap_type(hint)
    origin = typing.get_origin(hint)
    if isinstance(hint, type) and _types.is_output_type(hint):
        yield from _misfits_of_object(hint, value, path)
    elif origin in {collections.abc.Sequence, list}:
        entries = enumerate(value) if isinstance(value, list) else None
        yield from _misfits_within(typing.get_args(hint)[0], entries, f"{path}: the SDK takes a list, not {value!r}", path + "[{}]")
    elif origin in {collections.abc.Mapping, dict}:
        entries = value.items() if isinstance(value, dict) else None
        yield from _misfits_within(typing.get_args(hint)[1], entries, f"{path}: the SDK takes a map, not {value!r}", path + ".{}")
    elif hint in _SCALARS and not _is_scalar(hint, value):
        yield f"{path}: the SDK takes {type_names[hint]}, not {value!r}"


def _misfits_of_object(cls: type[Any], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: the SDK takes an object ({cls.__name__}), not {value!r}"
        return
    for name in sorted(_types._required_property_names(cls) - set(value)):
        yield f"{path}.{name}: the SDK's {cls.__name__} always has it, and the state does not"
    for name, entry in value.items():
        yield from _misfits(_types.output_type_types(cls), name, entry, f"{path}.")


def _misfits_within(hint: Any, entries: Iterable[tuple[Any, Any]] | None, otherwise: str, path: str) -> Iterator[str]:
    if entries is None:
        yield otherwise
        return
    for key, entry in entries:
        yield from _misfit(hint, entry, path.format(key))


def _is_scalar(hint: Any, value: Any) -> bool:
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint
