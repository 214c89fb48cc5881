"""Every type of the table, through the provider's gRPC surface: made, read, changed, replaced, refused, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from pulumi.runtime.rpc import UNKNOWN

from localcloud import catalogue
from localcloud.fields import same
from localcloud.gaps import GAPS
from tests.localcloud.engine import Engine, attached
from tests.localcloud.examples import Example, Ref, everything

EXAMPLES = everything()


@pytest.fixture
def engine() -> Iterator[Engine]:
    with mock_aws(), attached() as engine:
        yield engine


def named(example: Example) -> str:
    return example.type.removeprefix("aws:") + (f" ({example.label})" if example.label else "")


def resolve(value: Any, made: dict[str, dict[str, Any]]) -> Any:
    """The value with its Refs replaced by what was made."""
    if isinstance(value, Ref):
        found: Any = made[value.name]
        for step in value.output.split("."):
            if found == UNKNOWN:
                break
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found
    if isinstance(value, dict):
        return {key: resolve(entry, made) for key, entry in value.items()}
    if isinstance(value, list):
        return [resolve(entry, made) for entry in value]
    return value


def make(engine: Engine, example: Example) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]:
    """Makes what the example needs and the example itself: id, state, inputs, and all that was made (by name)."""
    made: dict[str, dict[str, Any]] = {}
    for name, needed in example.needs.items():
        id_, state, _, below = make(engine, needed) if needed.needs else (*_one(engine, needed, made), {})
        made |= {key: value for key, value in below.items() if key not in made}
        made[name] = {**state, "id": id_}
    id_, state, inputs = _one(engine, example, made)
    return id_, state, inputs, made


def _one(engine: Engine, example: Example, made: dict[str, dict[str, Any]]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    inputs, refused = engine.check(example.type, resolve(dict(example.inputs), made))
    assert refused == []
    id_, state = engine.create(example.type, inputs)
    return id_, state, inputs


class _Unknowns(dict[str, Any]):
    """Everything that does not exist yet: each name leads to the same answer."""

    def __init__(self, answer: Any = UNKNOWN) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, _: str) -> Any:
        return self._answer


def merged(inputs: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The inputs with the change over them; None drops an input."""
    return {name: value for name, value in {**inputs, **change}.items() if value is not None}


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_is_made_as_asked(engine: Engine, example: Example) -> None:
    kind = catalogue.kind(example.type)
    id_, state, inputs, _ = make(engine, example)
    assert id_
    for name, value in inputs.items():
        assert same(kind.fields[name], value, state.get(name)), f"{name}: sent {value!r}, moto shows {state.get(name)!r}"
    missing = [name for name in kind.outputs if name not in state]
    assert missing == [], "the kind declares outputs that moto's answer does not give"


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_is_read_from_moto_not_from_what_was_sent(engine: Engine, example: Example) -> None:
    kind = catalogue.kind(example.type)
    id_, _, inputs, _ = make(engine, example)
    # With nothing but the id's own parts known, all else must come from moto.
    live = kind.read(engine.clouds.get(engine.account, engine.region), id_, dict(inputs))
    assert live is not None
    unread = {name for name, value in inputs.items() if value not in (None, {}, []) and name not in live}
    listed = {name for name in inputs if f"{example.type}.{name}" in GAPS}
    assert unread == listed, "inputs that moto does not give back are listed in localcloud/gaps.py, and no others"


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_a_second_deployment_changes_nothing(engine: Engine, example: Example) -> None:
    id_, state, inputs, _ = make(engine, example)
    read = engine.read(example.type, id_, state, inputs)
    assert read is not None
    state_now, inputs_now = read
    assert engine.diff(example.type, id_, state_now, inputs_now, inputs) == (set(), set())


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.updates], ids=named)
def test_is_updated_in_place(engine: Engine, example: Example) -> None:
    kind = catalogue.kind(example.type)
    id_, state, inputs, made = make(engine, example)
    new = merged(inputs, resolve(dict(example.updates), made))
    changed, replaces = engine.diff(example.type, id_, state, inputs, new)
    assert changed == set(example.updates)
    assert replaces == set()
    engine.update(example.type, id_, state, inputs, new)
    read = engine.read(example.type, id_, {}, new)
    assert read is not None
    for name in example.updates:
        if not kind.is_gap(name) and name in new:
            assert same(kind.fields[name], new[name], read[0].get(name)), f"{name} is still {read[0].get(name)!r}"


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.replaces], ids=named)
def test_is_replaced_for_the_inputs_that_aws_cannot_change(engine: Engine, example: Example) -> None:
    id_, state, inputs, made = make(engine, example)
    for name, value in example.replaces.items():
        _, replaces = engine.diff(example.type, id_, state, inputs, merged(inputs, {name: resolve(value, made)}))
        assert name in replaces


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.bad], ids=named)
def test_refuses_what_aws_refuses(engine: Engine, example: Example) -> None:
    inputs = resolve(dict(example.inputs), _Unknowns(_Unknowns()))
    for name, values in example.bad.items():
        for value in values if isinstance(values, tuple) else (values,):
            _, refused = engine.check(example.type, merged(inputs, {name: value}))
            assert any(path.split(".")[0].split("[")[0] == name for path, _ in refused), f"{name}={value!r} was taken; refused: {refused}"


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_a_preview_touches_nothing(engine: Engine, example: Example) -> None:
    kind = catalogue.kind(example.type)
    id_, state = engine.create(example.type, {"name": UNKNOWN}, preview=True)
    assert id_ == ""
    assert all(state[name] == UNKNOWN for name in kind.computed)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.drift], ids=named)
def test_a_change_behind_its_back_is_seen(engine: Engine, example: Example) -> None:
    id_, state, inputs, _ = make(engine, example)
    assert example.drift is not None
    example.drift(engine.clouds.get(engine.account, engine.region), id_)
    read = engine.read(example.type, id_, state, inputs)
    assert read is not None
    changed, _ = engine.diff(example.type, id_, read[0], read[1], inputs)
    assert changed == {example.drifts}


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_is_gone_after_deletion_and_deleting_again_is_no_error(engine: Engine, example: Example) -> None:
    id_, state, inputs, _ = make(engine, example)
    engine.delete(example.type, id_, state)
    assert engine.read(example.type, id_, state, inputs) is None
    engine.delete(example.type, id_, state)


def test_every_type_has_an_example() -> None:
    assert {kind.type for kind in catalogue.everything()} - {example.type for example in EXAMPLES} == set()


def test_gaps_are_about_types_and_inputs_that_exist() -> None:
    kinds = {kind.type: kind for kind in catalogue.everything()}
    for key in GAPS:
        type_, _, name = key.partition(".")
        assert type_ in kinds, key
        assert not name or name in kinds[type_].fields, key
