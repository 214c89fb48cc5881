"""Bringing the database's schema to what the deployed code needs: the deployed function or task does it, from inside the network."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops import tasks_of_ecs
from ops.deployed import Deployed, NotDeployedError, deployed
from ops.lambda_functions import FunctionError, invoke, wait_until_active
from ops.report import Outcome
from ops.tasks_of_ecs import TaskError

if TYPE_CHECKING:
    from ops.operations import Operation
    from ops.report import Result
    from ops.session import Session

FUNCTION = "migrate-database"
"""The function that does it, by its name in `payments.functions`."""

TASK = "migrate"
"""The container's command that does it."""

PROJECT = "app"
"""The project that deploys it."""


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


def migrating(operation: Operation, of: Callable[[Session], Deployed] = deployed) -> Operation:
    """A deployment that migrates the database once the functions or tasks are there; a stack whose database could not be migrated has failed.

    Also when the stack did not change: the run before may have ended between its deployment and its migration.
    """

    def deploy(session: Session, project: str) -> Result:
        result = operation(session, project)
        if project != PROJECT or not result.outcome.good:
            return result
        where = of(session)
        try:
            session.progress.note(project, str(migrate(where)))
        except (FunctionError, TaskError, NotDeployedError) as error:
            cause = f"the stack is deployed, but its database was not migrated: {error}"
            return dataclasses.replace(result, outcome=Outcome.FAILED, cause=cause, next=f"invoke migrate {where.options}")
        return result

    return deploy


def _is_answer(answer: Any) -> bool:
    return (
        isinstance(answer, dict)
        and isinstance(answer.get("version"), str)
        and isinstance(answer.get("applied"), list)
        and all(isinstance(name, str) for name in answer["applied"])
    )
