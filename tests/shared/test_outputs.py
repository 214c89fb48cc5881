"""Documents with outputs in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from shared.outputs import as_json, known
from tests.projects.harness import Cloud, empty_aws


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("dev") as cloud:
        yield cloud


def exported(cloud: Cloud, make: Any) -> tuple[Any, bool]:
    """What a program that exports `make()` says, and whether it is a secret."""
    made = cloud.make(lambda _: pulumi.export("document", make()))
    return made.outputs["document"], made.secrets == {"document"}


def test_an_output_anywhere_gives_way_to_its_value(cloud: Cloud) -> None:
    found, secret = exported(
        cloud,
        lambda: known(
            {"a": pulumi.Output.from_input(1), "list": [{"deep": pulumi.Output.from_input(["x", "y"])}, 2, None], "tuple": (pulumi.Output.from_input("z"),)}
        ),
    )
    assert found == {"a": 1, "list": [{"deep": ["x", "y"]}, 2, None], "tuple": ["z"]}
    assert not secret


def test_a_document_without_outputs_is_itself(cloud: Cloud) -> None:
    assert exported(cloud, lambda: known({"a": [1, {}]})) == ({"a": [1, {}]}, False)


def test_one_secret_makes_the_document_secret(cloud: Cloud) -> None:
    found, secret = exported(cloud, lambda: as_json({"b": pulumi.Output.secret("s"), "a": 1}, sort_keys=True))
    assert (json.loads(found), found, secret) == ({"a": 1, "b": "s"}, '{"a":1,"b":"s"}', True)
