"""A program's view of its stack: its settings, its environment, what it takes from upstream and what it publishes."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, Generic, TypeVar

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from shared.contracts import Contract
from shared.environment import Environment, environment_of
from shared.inventory import INVENTORY_OUTPUT, Inventory
from shared.page import Page, PageError, Settings, from_engine
from shared.tags import tag_everything

S = TypeVar("S", bound=Settings)
C = TypeVar("C", bound=Contract)

# Set by `invoke preview`: the projects that were never deployed, whose outputs a preview takes as unknown.
UNDEPLOYED = "PAYMENTS_UNDEPLOYED"

# Set by the tasks: the target, for the commands that an error names.
TARGET = "PAYMENTS_TARGET"


class Stack(Generic[S]):
    """The first line of every program: reads the page, or stops the program with all that is wrong with it."""

    settings: S
    environment: Environment

    def __init__(self, settings: type[S]) -> None:
        self.project = pulumi.get_project()
        page = _page()
        problems: list[str] = []
        for read in (lambda: setattr(self, "environment", environment_of(page)), lambda: setattr(self, "settings", page.settings(self.project, settings))):
            try:
                read()
            except PageError as error:
                problems += map(str, error.problems)
        if problems:
            raise pulumi.RunError("\n".join(problems))
        self._inventory = Inventory()
        tag_everything(self.environment.tags)

    def upstream(self, contract: type[C]) -> C:
        """The outputs of another project's stack in the same environment, typed.

        Stops the program when the producer lacks an output, has it as null, or speaks another version of the contract. In a
        preview of an environment where the producer was never deployed, its outputs are unknown; an update never sees those.
        """
        producer = f"{self.environment.platform.organization}/{contract.PROJECT}/{pulumi.get_stack()}"
        if contract.PROJECT in _undeployed():
            return contract.read(lambda _: _unknown())
        reference = pulumi.StackReference(producer)
        consumer, command = f"{self.project}/{pulumi.get_stack()}", f"invoke deploy {self._selected()} --only {contract.PROJECT}"

        def checked(found: dict[str, Any]) -> dict[str, Any]:
            if problems := contract.problems(found or {}):
                raise pulumi.RunError(
                    f"{consumer} takes {contract.__name__} from {producer}, but of that stack {'; '.join(problems)}. Deploy it first: {command}"
                )
            return found

        # The stack's own `get_output` goes through all outputs for each that is asked for, an inventory of every resource among them.
        outputs, secrets = pulumi.Output.unsecret(reference.outputs).apply(checked), reference.secret_output_names

        def read(name: str) -> pulumi.Output[Any]:
            return outputs.apply(lambda found: secrets.apply(lambda names: _marked(found.get(name), secret=name in (names or contract.secrets()))))

        return contract.read(read)

    def _selected(self) -> str:
        """The options that name this environment on the command line."""
        original = self.environment.platform.copy_of
        named = f"--env {original} --suffix {self.environment.platform.environment_suffix}" if original else f"--env {pulumi.get_stack()}"
        return f"{named} --target local" if os.environ.get(TARGET) == "local" else named

    def publish(self, outputs: Contract) -> None:
        """Exports this project's contract, and the inventory of what the program made; so it is the program's last line."""
        if self.project != outputs.PROJECT:
            raise pulumi.RunError(f"{self.project} publishes {type(outputs).__name__}, which is the contract of {outputs.PROJECT}")
        for name, value in outputs.exports().items():
            pulumi.export(name, value)
        pulumi.export(INVENTORY_OUTPUT, self._inventory.output())


def _marked(value: Any, *, secret: bool) -> Any:
    return pulumi.Output.secret(value) if secret else value


def _page() -> Page:
    """The page, from the configuration that the engine (or rehearsal) gave to this program."""
    config: dict[str, str] = {**get_config_env(), **CONFIG.get()}
    return from_engine(pulumi.get_stack(), config)


def _undeployed() -> set[str]:
    named = set(json.loads(os.environ.get(UNDEPLOYED, "[]")))
    if named and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(
            f"{UNDEPLOYED} is set ({', '.join(sorted(named))}): unknown upstream outputs are for previews only. Unset it, or deploy those projects first"
        )
    return named


def _unknown() -> pulumi.Output[Any]:
    """An output whose value only a deployment can tell."""

    def soon(value: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
        future.set_result(value)
        return future

    return pulumi.Output(soon(set()), soon(None), soon(False))
