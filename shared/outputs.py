"""Documents with outputs in them: policies, dashboards, container definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi


def known(document: Any) -> pulumi.Output[Any]:
    """The document (dicts, lists and what JSON has besides) with the value of every output in it.

    `Output.from_input` would do, but makes an output of each key and each string: several tasks of the program's loop for every one of a
    policy's hundred, and most of what a program takes.
    """
    return pulumi.Output.all(*_outputs(document)).apply(lambda values: _filled(document, iter(values)))


def as_json(document: Any, *, sort_keys: bool = False) -> pulumi.Output[str]:
    """The document as JSON without spaces, once all that is in it is known."""
    return known(document).apply(lambda whole: json.dumps(whole, separators=(",", ":"), sort_keys=sort_keys))


def _outputs(document: Any) -> Iterator[pulumi.Output[Any]]:
    if isinstance(document, pulumi.Output):
        yield document
    elif isinstance(document, Mapping):
        for value in document.values():
            yield from _outputs(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from _outputs(value)


def _filled(document: Any, values: Iterator[Any]) -> Any:
    """The document with `values` in the places of its outputs, in their order."""
    if isinstance(document, pulumi.Output):
        return next(values)
    if isinstance(document, Mapping):
        return {key: _filled(value, values) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_filled(value, values) for value in document]
    return document
