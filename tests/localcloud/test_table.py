"""Every type of the table, through the provider's gRPC surface: made, read, changed, replaced, refused, deleted."""

from __future__ import annotations

import pytest
from pulumi.runtime.rpc import UNKNOWN

from localcloud import catalogue
from localcloud.gaps import GAPS
from tests.localcloud.engine import Engine
from tests.localcloud.examples import Example, everything
from tests.localcloud.life import Life, merged, resolve

EXAMPLES = everything()


def named(example: Example) -> str:
    return example.type.removeprefix("aws:") + (f" ({example.label})" if example.label else "")


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_the_life_of(engine: Engine, example: Example) -> None:
    life = Life(engine, example)
    life.is_as_asked()
    life.is_read_from_moto()
    life.is_unchanged("again")
    if example.drift:
        life.shows_drift()
    if example.updates:
        life.is_updated()
    life.is_deleted()


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.replaces], ids=named)
def test_is_replaced_for_the_inputs_that_aws_cannot_change(engine: Engine, example: Example) -> None:
    # Nothing need be made for this: what it refers to is stood for by a name.
    inputs = resolve(dict(example.inputs), str)
    for name, value in example.replaces.items():
        _, replaces = engine.diff(example.type, "id", {}, inputs, merged(inputs, {name: resolve(value, str)}))
        assert name in replaces


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.bad], ids=named)
def test_refuses_what_aws_refuses(engine: Engine, example: Example) -> None:
    inputs = resolve(dict(example.inputs), lambda _: UNKNOWN)
    for name, values in example.bad.items():
        for value in values if isinstance(values, tuple) else (values,):
            _, refused = engine.check(example.type, merged(inputs, {name: value}))
            assert any(path.split(".")[0].split("[")[0] == name for path, _ in refused), f"{name}={value!r} was taken; refused: {refused}"


@pytest.mark.parametrize("kind", catalogue.everything(), ids=lambda kind: kind.type.removeprefix("aws:"))
def test_a_preview_touches_nothing(engine: Engine, kind: catalogue.Kind) -> None:
    id_, state = engine.create(kind.type, {"name": UNKNOWN}, preview=True)
    assert id_ == ""
    assert all(state[name] == UNKNOWN for name in kind.computed)


def test_every_type_has_an_example() -> None:
    assert {kind.type for kind in catalogue.everything()} - {example.type for example in EXAMPLES} == set()


def test_gaps_are_about_types_and_inputs_that_exist() -> None:
    kinds = {kind.type: kind for kind in catalogue.everything()}
    for key in GAPS:
        type_, _, name = key.partition(".")
        assert type_ in kinds, key
        assert not name or name in kinds[type_].fields, key
