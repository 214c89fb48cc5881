"""One example's life on a moto of its own, step by step, as the engine leads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud import catalogue
from localcloud.fields import same
from localcloud.gaps import GAPS
from tests.localcloud.engine import Engine
from tests.localcloud.examples import Example, Ref
from tests.localcloud.sdk import misfits_of_resource

Props = dict[str, Any]


def resolve(value: Any, look: Callable[[Ref], Any]) -> Any:
    """The value with its Refs replaced by what `look` finds for them."""
    if isinstance(value, Ref):
        return look(value)
    if isinstance(value, dict):
        return {key: resolve(entry, look) for key, entry in value.items()}
    if isinstance(value, list):
        return [resolve(entry, look) for entry in value]
    return value


def among(made: dict[str, Props]) -> Callable[[Ref], Any]:
    """Finds what a Ref means among the resources that were made."""

    def look(ref: Ref) -> Any:
        found: Any = made[ref.name]
        for step in ref.output.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found

    return look


def merged(inputs: Props, change: Props) -> Props:
    """The inputs with the change over them; None drops an input."""
    return {name: value for name, value in {**inputs, **change}.items() if value is not None}


def make(engine: Engine, example: Example) -> tuple[str, Props, Props, dict[str, Props]]:
    """Makes what the example needs and the example itself: id, state, inputs, and all that was made (by name)."""
    made = make_needs(engine, example)
    id_, state, inputs = make_one(engine, example, made)
    return id_, state, inputs, made


def make_needs(engine: Engine, example: Example) -> dict[str, Props]:
    """Makes what the example needs, by name."""
    made: dict[str, Props] = {}
    for name, needed in example.needs.items():
        id_, state, _, below = make(engine, needed) if needed.needs else (*make_one(engine, needed, made), {})
        made |= {key: value for key, value in below.items() if key not in made}
        made[name] = {**state, "id": id_}
    return made


def make_one(engine: Engine, example: Example, made: dict[str, Props]) -> tuple[str, Props, Props]:
    """Makes the example itself among what it needs: id, state, inputs."""
    inputs, refused = engine.check(example.type, resolve(dict(example.inputs), among(made)))
    assert refused == []
    id_, state = engine.create(example.type, inputs)
    return id_, state, inputs


class Life:
    """A resource between creation and deletion: what the engine knows of it, and the calls that the engine makes about it."""

    def __init__(self, engine: Engine, example: Example) -> None:
        self.engine = engine
        self.example = example
        self.kind = catalogue.kind(example.type)
        self.id, self.state, self.inputs, self.made = make(engine, example)

    def is_as_asked(self) -> None:
        """Every input is in the state as it was sent, every declared output is there, and all of it is what the SDK takes."""
        assert self.id
        for name, value in self.inputs.items():
            assert same(self.kind.fields[name], value, self.state.get(name)), f"{name}: sent {value!r}, moto shows {self.state.get(name)!r}"
        missing = [name for name in self.kind.outputs if name not in self.state]
        assert missing == [], "the kind declares outputs that moto's answer does not give"
        self.fits_the_sdk()

    def fits_the_sdk(self) -> None:
        """A program that reads any output gets it."""
        assert misfits_of_resource(self.example.type, self.state) == []

    def is_read_from_moto(self) -> None:
        """With nothing but the inputs known, what the read gives comes from moto."""
        live = self.kind.read(self.engine.clouds.get(self.engine.account, self.engine.region), self.id, dict(self.inputs))
        assert live is not None, "it was made, and moto does not show it"
        unread = {name for name, value in self.inputs.items() if value not in (None, {}, []) and name not in live}
        listed = {name for name in self.inputs if f"{self.example.type}.{name}" in GAPS}
        assert unread == listed, "inputs that moto does not give back are listed in localcloud/gaps.py, and no others"

    def is_unchanged(self, when: str) -> None:
        """A refresh and a deployment of the same program find nothing to do."""
        state, inputs = self._refreshed()
        assert self._diff(state, inputs, self.inputs) == (set(), set()), f"a deployment {when} is not the end of it"

    def shows_drift(self) -> None:
        """A change behind Pulumi's back is seen by a refresh, and mended by the next deployment."""
        assert self.example.drift is not None
        self.example.drift(self.engine.clouds.get(self.engine.account, self.engine.region), self.id)
        state, inputs = self._refreshed()
        changed, replaces = self._diff(state, inputs, self.inputs)
        assert changed == {self.example.drifts}, "the change behind its back is not what a refresh shows"
        if not replaces:
            self.state = self.engine.update(self.example.type, self.id, state, inputs, self.inputs)
            self.is_unchanged("that mends the drift")

    def is_updated(self) -> None:
        """The example's updates happen in place, and moto shows them."""
        new = merged(self.inputs, resolve(dict(self.example.updates), among(self.made)))
        assert self._diff(self.state, self.inputs, new) == (set(self.example.updates), set()), "updates are seen, and none of them replaces"
        self.state = self.engine.update(self.example.type, self.id, self.state, self.inputs, new)
        self.inputs = new
        read = self.engine.read(self.example.type, self.id, {}, new)
        assert read is not None
        for name in self.example.updates:
            if not self.kind.is_gap(name) and name in new:
                assert same(self.kind.fields[name], new[name], read[0].get(name)), f"{name} is still {read[0].get(name)!r}"
        self.fits_the_sdk()
        self.is_unchanged("after an update")

    def is_deleted(self) -> None:
        """It is gone (or stays, where AWS keeps it), and deleting it again is no error."""
        self.engine.delete(self.example.type, self.id, self.state)
        left = self.engine.read(self.example.type, self.id, self.state, self.inputs)
        assert (left is not None) == bool(self.example.stays), self.example.stays or "it is still there after its deletion"
        self.engine.delete(self.example.type, self.id, self.state)

    def _refreshed(self) -> tuple[Props, Props]:
        read = self.engine.read(self.example.type, self.id, self.state, self.inputs)
        assert read is not None, "a refresh does not find it"
        return read

    def _diff(self, state: Props, old: Props, new: Props) -> tuple[set[str], set[str]]:
        return self.engine.diff(self.example.type, self.id, state, old, new)
