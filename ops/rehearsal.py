"""All programs of an environment in this process, on moto: what a deployment would make, in seconds, without an engine."""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud import rehearsal
from localcloud.aws import Clouds
from localcloud.catalogue import UnknownType
from localcloud.rehearsal import Failed, Program, Refused, Run
from ops.masks import MASK, Masks
from ops.projects import Project, projects
from ops.workspace import Workspace
from shared.files import write_whole
from shared.variables import TARGET

SCHEMA = 1


class RehearsalError(RuntimeError):
    """A program did not get through; says which, and why."""


@dataclass(frozen=True)
class RehearsedStack:
    """One stack: the project, what it depends on, how many seconds it took, and what it made."""

    project: str
    stack: str
    depends_on: tuple[str, ...]
    seconds: float
    run: Run

    def secrets(self) -> Iterator[Any]:
        """The values that are secret: of outputs, and of what the resources were given and answered."""
        yield from (value for name, value in self.run.outputs.items() if name in self.run.secrets)
        yield from (value for resource in self.run.resources for value in resource.secrets)

    def as_json(self, masks: Masks) -> dict[str, Any]:
        """The stack for a file."""
        outputs = {name: MASK if name in self.run.secrets else masks(value) for name, value in self.run.outputs.items()}
        resources = [masks(resource.as_json()) for resource in self.run.resources]
        return {
            "project": self.project,
            "stack": self.stack,
            "depends_on": list(self.depends_on),
            "seconds": round(self.seconds, 3),
            "outputs": outputs,
            "resources": resources,
        }


@dataclass
class Rehearsal:
    """All stacks of an environment, in the order of their dependencies."""

    environment: str
    stacks: list[RehearsedStack] = field(default_factory=list[RehearsedStack])

    def as_json(self) -> dict[str, Any]:
        """The rehearsal for a file (`docs/schemas/rehearsal.schema.json`); what is secret in one stack is masked in all."""
        masks = Masks(secret for stack in self.stacks for secret in stack.secrets())
        return {"schema": SCHEMA, "environment": self.environment, "stacks": [stack.as_json(masks) for stack in self.stacks]}


def rehearse(workspace: Workspace, on_stack: Callable[[RehearsedStack], None] = lambda _: None) -> Rehearsal:
    """Rehearses an environment from an empty AWS; raises RehearsalError."""
    rehearsal.collect_seldom()
    from moto import mock_aws  # half a second; nobody who only lists the tasks should wait for it

    from localcloud.moto_settings import as_a_control_plane

    as_a_control_plane()
    done = Rehearsal(workspace.stack)
    organization = workspace.environment.platform.organization
    references: dict[str, Run] = {}
    with _only_moto(), mock_aws():
        clouds = Clouds()
        for project in projects().values():
            started = time.monotonic()
            program = Program(
                main=_main(project),
                project=project.name,
                stack=workspace.stack,
                config=_strings(workspace.page.config),
                references=references,
                organization=organization,
            )
            run = _run(program, clouds)
            references[f"{organization}/{project.name}/{workspace.stack}"] = run
            stack = RehearsedStack(project.name, workspace.stack, project.takes, time.monotonic() - started, run)
            done.stacks.append(stack)
            on_stack(stack)
    return done


def write(done: Rehearsal, path: Path) -> None:
    """Writes the rehearsal as JSON, whole or not at all; `-` is standard output."""
    text = json.dumps(done.as_json(), indent=1) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
        return
    write_whole(path, text)


def _decides(variable: str) -> bool:
    return variable == TARGET or variable.startswith("AWS_")


def _main(project: Project) -> Callable[[], object]:
    return lambda: runpy.run_path(str(project.folder / "__main__.py"), run_name="__main__")


def _run(program: Program, clouds: Clouds) -> Run:
    import pulumi

    try:
        return rehearsal.run(program, clouds)
    except (Failed, Refused, UnknownType, pulumi.RunError) as error:
        raise RehearsalError(f"{program.project}: {error}") from None


def _strings(config: Any) -> dict[str, str]:
    """The configuration as the engine hands it to a program: strings, and JSON for the rest."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


@contextlib.contextmanager
def _only_moto() -> Generator[None]:
    """No profile, endpoint, credential or target of the caller's plays a part in a rehearsal."""
    before = {name: value for name, value in os.environ.items() if _decides(name)}
    for name in before:
        del os.environ[name]
    os.environ.update({TARGET: "local", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull})
    try:
        yield
    finally:
        for name in [name for name in os.environ if _decides(name)]:
            del os.environ[name]
        os.environ.update(before)
