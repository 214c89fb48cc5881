"""Bringing the database's schema to what the code needs, before that code takes traffic: a function or task does it, from inside the network."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops import state, tasks_of_ecs
from ops.deployed import Deployed, NotDeployedError, deployed
from ops.lambda_functions import FunctionError, invoke, wait_until_active
from ops.operations import update_only
from ops.report import CHANGES, Outcome
from ops.tasks_of_ecs import TaskError

if TYPE_CHECKING:
    from ops.operations import First, Operation
    from ops.report import Result
    from ops.session import Session

FUNCTION = "migrate-database"
"""The function that does it, by its name in `payments.functions`."""

TASK = "migrate"
"""The container's command that does it."""

PROJECT = "app"
"""The project that deploys it."""

_UNTOUCHED = "nothing else of the stack was touched, and the version before goes on"


@dataclass(frozen=True)
class _Migrator:
    """What migrates: its type and logical name, its property that tells where it is, the output of `app` that has it by name; names: of all that it is."""

    type: str
    name: str
    place: str
    output: str
    names: tuple[str, ...]


_MIGRATORS = {
    "lambda": _Migrator("aws:lambda/function:Function", FUNCTION, "name", "functionNames", (FUNCTION,)),
    "containers": _Migrator("aws:ecs/taskDefinition:TaskDefinition", TASK, "arn", "taskDefinitionArns", (TASK, f"{TASK}-task")),
}


@dataclass(frozen=True)
class Migrated:
    """applied: the migrations that this call applied, oldest first. version: the newest one that the database has now; empty where there is no database."""

    applied: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        if not self.version:
            return "nothing to migrate: payments are kept in a DynamoDB table, which has no schema"
        what = f"applied {', '.join(self.applied)}" if self.applied else "nothing to apply"
        return f"database at {self.version}: {what}"


def migrate(where: Deployed, *, endpoint: str | None = None) -> Migrated:
    """Applies what is not applied yet; may be called at any time, by several at once.

    endpoint: where functions are called and tasks are run, when that is not AWS. Raises NotDeployedError, FunctionError or TaskError.
    """
    if not where.relational:
        return Migrated((), "")
    return _by_task(where, endpoint) if where.contained else _by_function(where, endpoint)


def _by_function(where: Deployed, endpoint: str | None) -> Migrated:
    name = where.function(FUNCTION)
    if endpoint is None:
        wait_until_active(where.client("lambda"), name)
    answer = invoke(where.client("lambda", endpoint), name, {})
    if not _is_answer(answer):
        raise FunctionError(f"function {name} answered {answer!r}; it is to answer {{'applied': [...], 'version': '...'}}. Is it of this version?")
    return Migrated(tuple(answer["applied"]), answer["version"])


def _by_task(where: Deployed, endpoint: str | None) -> Migrated:
    definition = where.definition(TASK)
    ran = tasks_of_ecs.served(endpoint, definition) if endpoint else tasks_of_ecs.on_ecs(where, definition)
    for line in reversed(ran.checked(TASK).lines):
        said = _decoded(line)
        if _is_answer(said):
            return Migrated(tuple(said["applied"]), said["version"])
    raise TaskError(f"task {TASK} ended well and logged nothing about the version of the database. Is it of this version?")


def _decoded(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def migrating(deploying: Callable[[First], Operation], of: Callable[[Session], Deployed] = deployed) -> Operation:
    """A deployment that migrates the database; a stack whose database could not be migrated has failed.

    What is deployed already takes traffic: there, what migrates is updated alone and does so, and only then all else follows. What is deployed for
    the first time is deployed first. An unchanged stack is migrated too: an earlier run may have ended between its deployment and its migration.
    deploying: makes the deployment that does something first.
    """
    done: dict[str, Mapping[str, int]] = {}

    def first(session: Session, project: str) -> Result | None:
        found = None if project != PROJECT else _migrator(session)
        if found is None or not _place(session, found):
            return None
        updated = update_only(session, project, *found.names)
        if not updated.outcome.good:
            return dataclasses.replace(updated, cause=f"what migrates the database could not be updated; {_UNTOUCHED}: {updated.cause}")
        done[project] = updated.changes
        where = of(session)
        here = dataclasses.replace(where, outputs=_with(where.outputs, found, _place(session, found)))
        return _migrated(session, here, updated, f"its database was not migrated; {_UNTOUCHED}", "deploy")

    operation = deploying(first)

    def deploy(session: Session, project: str) -> Result:
        result = operation(session, project)
        if project in done:
            return dataclasses.replace(result, changes=_together(done[project], result.changes)) if result.outcome.good else result
        if project != PROJECT or not result.outcome.good:
            return result
        return _migrated(session, of(session), result, "the stack is deployed, but its database was not migrated", "migrate") or result

    return deploy


def _migrated(session: Session, where: Deployed, so_far: Result, otherwise: str, task: str) -> Result | None:
    """Migrates; answers a failed result when that failed, with what to do next."""
    try:
        session.progress.note(so_far.project, str(migrate(where)))
    except (FunctionError, TaskError, NotDeployedError) as error:
        return dataclasses.replace(so_far, outcome=Outcome.FAILED, cause=f"{otherwise}: {error}", next=f"invoke {task} {where.options}")
    return None


def _together(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The changes of two updates, of which the second found as it was what the first had changed."""
    found = {kind: before.get(kind, 0) + after.get(kind, 0) for kind in CHANGES}
    found["same"] = after.get("same", 0) - sum(before.get(kind, 0) for kind in ("create", "update", "replace"))
    return found


def _migrator(session: Session) -> _Migrator | None:
    """What migrates the database of the page's environment; None where it has no schema."""
    shape = session.workspace.environment.shape
    return _MIGRATORS[shape.compute] if shape.relational else None


def _place(session: Session, migrator: _Migrator) -> str:
    """Where what migrates is deployed, from the resource itself: the stack's outputs may wait for others; empty when it is not."""
    found = state.deployment(session.stack(PROJECT), session.target.state) or {}
    live = (one for one in found.get("resources") or [] if not one.get("delete") and one["type"] == migrator.type)
    return next((one["outputs"][migrator.place] for one in live if one["urn"].endswith(f"::{migrator.name}")), "")


def _with(outputs: Callable[[str], Mapping[str, Any]], migrator: _Migrator, place: str) -> Callable[[str], Mapping[str, Any]]:
    return lambda project: {**outputs(project), **({migrator.output: {migrator.name: place}} if project == PROJECT else {})}


def _is_answer(answer: Any) -> bool:
    return (
        isinstance(answer, dict)
        and isinstance(answer.get("version"), str)
        and isinstance(answer.get("applied"), list)
        and all(isinstance(name, str) for name in answer["applied"])
    )
