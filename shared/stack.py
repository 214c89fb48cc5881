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
from shared.variables import CONFIRMED, TARGET, UNDEPLOYED

S = TypeVar("S", bound=Settings)
C = TypeVar("C", bound=Contract)


class Stack(Generic[S]):
    """The first line of every program: reads the page, or stops the program with all that is wrong with it."""

    settings: S
    environment: Environment

    def __init__(self, settings: type[S]) -> None:
        self.project = pulumi.get_project()
        page = _page()
        problems: list[str] = []
        try:
            self.environment = environment_of(page)
        except PageError as error:
            problems += map(str, error.problems)
        try:
            self.settings = page.settings(self.project, settings)
        except PageError as error:
            problems += map(str, error.problems)
        if problems:
            raise pulumi.RunError("\n".join(problems))
        self._check_confirmed(page)
        self._inventory = Inventory(self.environment)
        tag_everything(self.environment.tags)

    def _check_confirmed(self, page: Page) -> None:
        """Stops an update of a protected environment on AWS that nobody confirmed, also one that was not started by a task."""
        stack = pulumi.get_stack()
        if not self.environment.platform.protected or pulumi.runtime.is_dry_run() or os.environ.get(TARGET) == "local":
            return
        if (named := os.environ.get(CONFIRMED, "")) != stack:
            raise pulumi.RunError(
                f"{page.file} says platform:protected, and {CONFIRMED} is {named or 'not set'}: nothing was touched. If {stack} is meant, deploy it with "
                f"`{deploy_command(self.project)}`, which asks for its name, or export {CONFIRMED}={stack}"
            )

    def upstream(self, contract: type[C]) -> C:
        """The outputs of another project's stack in the same environment, typed.

        Stops the program when the producer lacks an output, has it as null, or speaks another version of the contract. In a
        preview of an environment where the producer was never deployed, its outputs are unknown; an update never sees those.
        """
        producer = f"{self.environment.platform.organization}/{contract.PROJECT}/{pulumi.get_stack()}"
        if contract.PROJECT in _undeployed():
            return contract.read(lambda _: _unknown())
        reference = pulumi.StackReference(producer)
        consumer, command = f"{self.project}/{pulumi.get_stack()}", deploy_command(contract.PROJECT)

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

    def publish(self, outputs: Contract) -> None:
        """Exports this project's contract, and the inventory of what the program made; so it is the program's last line."""
        if self.project != outputs.PROJECT:
            raise pulumi.RunError(f"{self.project} publishes {type(outputs).__name__}, which is the contract of {outputs.PROJECT}")
        for name, value in outputs.exports().items():
            pulumi.export(name, value)
        pulumi.export(INVENTORY_OUTPUT, self._inventory.output())


def deploy_command(project: str) -> str:
    """What deploys a project of this very environment (or of this very copy of one), for errors that ask for it."""
    page = _page()
    original, suffix = page.config.get("platform:copyOf"), page.config.get("platform:environmentSuffix")
    named = f"--env {original} --suffix {suffix}" if original else f"--env {page.name}"
    return f"invoke deploy {named}{' --target local' if os.environ.get(TARGET) == 'local' else ''} --only {project}"


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
