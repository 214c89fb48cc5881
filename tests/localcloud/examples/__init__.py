"""An example of each resource type in the table: how it is made, changed, replaced and refused.

A module per service, as in `localcloud/resources/`; each lists its examples in `EXAMPLES`. `test_table.py` takes every
example through the provider's gRPC surface, and fails when a type of the table has none.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.aws import Aws


@dataclass(frozen=True)
class Ref:
    """An output of a resource that the example needs: `Ref("vpc", "id")`; nested values take a path, `Ref("db", "masterUserSecrets.0.secretArn")`."""

    name: str
    output: str = "id"


@dataclass(frozen=True, kw_only=True)
class Example:
    """One resource type, exercised.

    inputs: what it is made from: every input that our programs use, and more where it is cheap.
    needs: other resources, made before it in this order, and deleted after it; their inputs may hold Refs to earlier ones.
    updates: inputs that change in place (merged over `inputs`; a value of None drops the input).
    replaces: inputs that force a replacement; each is tried by itself.
    bad: an input that AWS refuses; each is tried by itself, and the refusal must name it. A tuple of values tries each.
    drift: a change made behind Pulumi's back with boto3 (`Aws`, id); afterwards a read must differ in `drifts`.
    stays: why it is still there after its deletion, where AWS keeps it.
    """

    type: str
    inputs: Mapping[str, Any]
    needs: Mapping[str, Example] = field(default_factory=dict[str, "Example"])
    updates: Mapping[str, Any] = field(default_factory=dict[str, Any])
    replaces: Mapping[str, Any] = field(default_factory=dict[str, Any])
    bad: Mapping[str, Any] = field(default_factory=dict[str, Any])
    drift: Callable[[Aws, str], Any] | None = None
    drifts: str = ""
    stays: str = ""
    label: str = ""


def everything() -> list[Example]:
    """All examples of all modules."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    return [example for module in modules for example in module.EXAMPLES]
