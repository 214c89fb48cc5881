"""A resource type of the table: its inputs, what AWS computes, and create, read, update and delete through boto3.

How to write one (the modules in `resources/` are the examples):

* `create` makes the thing and returns its Pulumi id (the same id that the AWS provider gives). When it takes more than one
  call, the later ones go inside `with made(id):`, so that a failure leaves a resource that the engine knows and can mend.
* `read` asks moto and answers in the AWS provider's names, inputs and computed outputs alike; None when the thing is gone.
  It never repeats what it was given. An input that moto does not keep is listed in `gaps.py`; only then does the state's value stand.
* `update` is called when an input without `replaces` changed. A kind with no `update` is replaced whatever changes.
* `delete` of something that is already gone is no error (the caller sees to it).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import Field, Refusal, check, same, text
from localcloud.gaps import GAPS

Props = dict[str, Any]

# Every resource of the AWS provider (v7) takes the region it is managed in, except those of services that have none.
_REGION = {"region": text(replaces=True)}
_GLOBAL_SERVICES = {"iam", "route53"}


class PartlyMade(Exception):  # noqa: N818 - a state, not only an error
    """The resource exists, but a call after its creation failed."""

    def __init__(self, id_: str, cause: Exception) -> None:
        super().__init__(str(cause))
        self.id = id_
        self.cause = cause


@contextmanager
def made(id_: str) -> Generator[None]:
    """What runs inside happens to a resource that exists already; its failure is reported together with the id."""
    try:
        yield
    except ClientError as error:
        raise PartlyMade(id_, error) from error


@contextmanager
def if_there() -> Generator[None]:
    """What runs inside is about something that may be gone already; then nothing happens."""
    try:
        yield
    except ClientError as error:
        if not is_missing(error):
            raise


@dataclass(frozen=True)
class Change:
    """What differs between two sets of inputs: the names that changed, and those among them that force a replacement."""

    changed: tuple[str, ...]
    replaces: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One resource type.

    type: the Pulumi token, `aws:sqs/queue:Queue`.
    client: the boto3 client whose botocore model the fields' shapes name, and that `create` mostly talks to.
    inputs: every input the kind takes, by its Pulumi name; any other is refused.
    outputs: what AWS computes beyond the inputs (`id` and `region` need no mention).
    tagged: whether `tags` is an input (and `tagsAll` an output).
    delete_first: whether a replacement deletes the old one before it makes the new (names that must be unique).
    defaults: inputs that the AWS provider fills in when they are left out.
    rule: a check across inputs; answers the refusals.
    """

    type: str
    client: str
    inputs: Mapping[str, Field]
    create: Callable[[Aws, Props], str]
    read: Callable[[Aws, str, Props], Props | None]
    delete: Callable[[Aws, str, Props], None]
    update: Callable[[Aws, str, Props, Props], None] | None = None
    outputs: tuple[str, ...] = ()
    tagged: bool = False
    delete_first: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rule: Callable[[Props], Iterator[Refusal]] | None = None

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The inputs of this kind with those that every resource has."""
        tags = {"tags": Field(type=dict, item=Field(at_most=256))} if self.tagged else {}
        return {**self.inputs, **tags, **({} if self.client in _GLOBAL_SERVICES else _REGION)}

    @cached_property
    def computed(self) -> tuple[str, ...]:
        """The outputs that are unknown until the resource exists."""
        return (*self.outputs, *(("tagsAll",) if self.tagged else ()))

    def refusals(self, inputs: Props) -> list[Refusal]:
        """All that AWS would refuse about these inputs."""
        refused = list(check(self.client, self.fields, inputs))
        if self.rule and not refused:
            refused.extend(self.rule(inputs))
        return refused

    def with_defaults(self, inputs: Props) -> Props:
        """The inputs with the AWS provider's defaults for those left out."""
        return {**self.defaults, **inputs}

    def change(self, old: Props, new: Props) -> Change:
        """What an update from `old` to `new` inputs would change, and whether it replaces the resource."""
        names = sorted(n for n in set(old) | set(new) if not n.startswith("__"))
        changed = tuple(n for n in names if not same(self.fields.get(n), old.get(n), new.get(n)))
        replaces = tuple(n for n in changed if self.update is None or (n in self.fields and self.fields[n].replaces))
        return Change(changed, replaces)

    def make(self, aws: Aws, inputs: Props) -> tuple[str, Props]:
        """Create the resource; its id and its state as moto answers it."""
        id_ = self.create(aws, inputs)
        with made(id_):
            state = self.look(aws, id_, inputs)
        if state is None:
            raise LookupError(f"{self.type} {id_} was created, but moto does not show it")
        return id_, state

    def look(self, aws: Aws, id_: str, known: Props) -> Props | None:
        """The resource's state: what moto shows, and for what moto does not keep (`gaps.py`) what is known."""
        try:
            live = self.read(aws, id_, known)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        if live is None:
            return None
        kept = {name: known[name] for name in self.fields if name in known and name not in live and self.is_gap(name)}
        for name, value in live.items():
            if name in known and same(self.fields.get(name), known[name], value):
                kept[name] = known[name]
        state = {**live, **kept}
        if "region" in self.fields:
            state["region"] = known.get("region") or aws.region
        if self.tagged:
            state["tagsAll"] = state.get("tags") or {}
        return {name: value for name, value in state.items() if value is not None}

    def alter(self, aws: Aws, id_: str, new: Props, old: Props) -> Props:
        """Update the resource in place from the `old` state to the `new` inputs; its state afterwards."""
        if self.update is None:
            raise TypeError(f"{self.type} cannot be updated in place")
        self.update(aws, id_, new, self._found(aws, id_, old))
        state = self.look(aws, id_, new)
        if state is None:
            raise LookupError(f"{self.type} {id_} is gone")
        return state

    def destroy(self, aws: Aws, id_: str, state: Props) -> None:
        """Delete the resource; one that is gone already counts as deleted."""
        with if_there():
            self.delete(aws, id_, state)

    def _found(self, aws: Aws, id_: str, old: Props) -> Props:
        """What an update starts from: what is there, as the creation or an update before it may have failed half-way.

        After such a creation no output is known, and of what moto does not keep nothing can be said.
        """
        half_made = any(old.get(name) is None for name in self.computed)
        return self.look(aws, id_, {name: value for name, value in old.items() if not (half_made and self.is_gap(name))}) or old

    def is_gap(self, name: str) -> bool:
        """Whether `gaps.py` says that moto does not keep this input."""
        return f"{self.type}.{name}" in GAPS


@dataclass(frozen=True, kw_only=True)
class Function:
    """A look-up (Pulumi invoke): its token, its inputs, and the call; it answers in the AWS provider's names."""

    type: str
    client: str
    inputs: Mapping[str, Field]
    call: Callable[[Aws, Props], Props]

    def refusals(self, inputs: Props) -> list[Refusal]:
        """All that AWS would refuse about these inputs."""
        return list(check(self.client, {**self.inputs, **_REGION}, inputs))
