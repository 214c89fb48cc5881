"""The database's migrations, by hand and as a part of a deployment."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ops import tasks_of_ecs
from ops.deployed import Deployed, NotDeployedError
from ops.lambda_functions import FunctionError
from ops.migrate import FUNCTION, Migrated, migrate, migrating
from ops.progress import Silent
from ops.report import Outcome, Result
from ops.session import Session
from ops.target import Target
from ops.tasks_of_ecs import Ran, TaskError
from ops.toolchain import Cli
from ops.workspace import open_workspace
from payments.functions import MIGRATE_DATABASE
from tests.ops.somewhere import deployed
from tests.ops.test_lambda_functions import Lambda, answered

DATA = {"transactionLogTableName": "log", "databaseUrl": "postgresql://db:5432/payments?sslmode=verify-full"}
OUTPUTS = {"app": {"functionNames": {FUNCTION: "migrate-database-dev-main"}}, "data": DATA}
GOOD = {"applied": ["0003.ledger", "0004.audit-chain"], "version": "0004.audit-chain"}


def where(*answers: Any, endpoints: list[str | None] | None = None, **more: Any) -> tuple[Deployed, Lambda]:
    client = Lambda(*answers)

    def clients(service: str, endpoint: str | None = None) -> Lambda:
        assert service == "lambda"
        if endpoints is not None:
            endpoints.append(endpoint)
        return client

    return deployed(OUTPUTS, clients, **more), client


def payload(answer: Any, error: str = "") -> dict[str, Any]:
    return answered(json.dumps(answer).encode(), error)


def test_the_function_is_the_services() -> None:
    assert MIGRATE_DATABASE.name == FUNCTION


def test_the_function_is_called_once_it_is_ready() -> None:
    there, client = where({"State": "Active"}, payload(GOOD), target="aws")
    assert migrate(there) == Migrated(("0003.ledger", "0004.audit-chain"), "0004.audit-chain")
    assert [asked["FunctionName"] for asked in client.asked] == ["migrate-database-dev-main"] * 2


def test_where_functions_are_served_elsewhere_they_are_called_there() -> None:
    endpoints: list[str | None] = []
    there, client = where(payload({"applied": [], "version": "4"}), endpoints=endpoints)
    assert str(migrate(there, endpoint="http://127.0.0.1:9000")) == "database at 4: nothing to apply"
    assert endpoints == ["http://127.0.0.1:9000"]
    assert len(client.asked) == 1


@pytest.mark.parametrize("answer", [None, {}, {"applied": "0001", "version": "1"}, {"applied": [1], "version": "1"}, {"applied": [], "version": 1}, []])
def test_an_answer_of_another_shape_is_no_success(answer: Any) -> None:
    there, _ = where(payload(answer))
    with pytest.raises(FunctionError, match="Is it of this version"):
        migrate(there, endpoint="http://127.0.0.1:9000")


def test_without_the_function_it_says_so() -> None:
    with pytest.raises(NotDeployedError, match="never deployed"):
        migrate(deployed({}))


def test_payments_in_a_table_need_no_migration() -> None:
    there = deployed({"data": {"transactionLogTableName": "log", "paymentsTableName": "payments"}, "app": {"functionNames": {}}})
    assert str(migrate(there)) == "nothing to migrate: payments are kept in a DynamoDB table, which has no schema"


def contained(monkeypatch: pytest.MonkeyPatch, ran: Ran, **more: Any) -> tuple[Deployed, list[Any]]:
    """An environment with containers, whose task ends in that way; and with what it was asked to run."""
    asked: list[Any] = []
    definitions = {"migrate": "arn:aws:ecs:us-east-1:123456789012:task-definition/migrate:3"}
    there = deployed({"data": DATA, "app": {"functionNames": {}, "clusterName": "c", "taskDefinitionArns": definitions}}, **more)
    monkeypatch.setattr(tasks_of_ecs, "served", lambda *given: asked.append(given) or ran)
    monkeypatch.setattr(tasks_of_ecs, "on_ecs", lambda *given: asked.append(given) or ran)
    return there, asked


_SAID = ("starting", json.dumps({"level": "INFO", "message": "database migrated", **GOOD}), "bye")


def test_containers_migrate_by_their_task_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    there, asked = contained(monkeypatch, Ran(0, _SAID))
    assert migrate(there, endpoint="http://127.0.0.1:9000") == Migrated(("0003.ledger", "0004.audit-chain"), "0004.audit-chain")
    assert asked == [("http://127.0.0.1:9000", there.definition("migrate"))]
    there, asked = contained(monkeypatch, Ran(0, _SAID), target="aws")
    assert migrate(there).version == "0004.audit-chain"
    assert asked == [(there, there.definition("migrate"))]


def test_a_task_that_fails_or_says_nothing_of_the_version_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    there, _ = contained(monkeypatch, Ran(1, ("no route to the database",)))
    with pytest.raises(TaskError, match="task migrate ended with status 1\n  no route to the database"):
        migrate(there)
    there, _ = contained(monkeypatch, Ran(0, ("done", "[1]")))
    with pytest.raises(TaskError, match="Is it of this version"):
        migrate(there)


@dataclasses.dataclass
class Listening(Silent):
    notes: list[str] = dataclasses.field(default_factory=list[str])

    def note(self, project: str, message: str) -> None:
        self.notes.append(f"{project}: {message}")


def deploying(there: Deployed, project: str, tmp_path: Path, outcome: Outcome = Outcome.SUCCEEDED) -> tuple[Result, list[str]]:
    """What a deployment of one project ends with, and what was said meanwhile."""
    listening = Listening()
    cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
    session = Session(open_workspace("dev"), Target("aws", {}, tmp_path), cli, listening)
    before = Result(project=project, stack="dev", outcome=outcome, cause="" if outcome.good else "broke", changes={"create": 2}, seconds=3)
    return migrating(lambda *_: before, lambda _: there)(session, project), listening.notes


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.UNCHANGED])
def test_a_deployment_of_the_functions_migrates_also_when_nothing_changed(tmp_path: Path, outcome: Outcome) -> None:
    there, _ = where({"State": "Active"}, payload(GOOD), target="aws")
    result, notes = deploying(there, "app", tmp_path, outcome)
    assert result.outcome is outcome
    assert notes == ["app: database at 0004.audit-chain: applied 0003.ledger, 0004.audit-chain"]


@pytest.mark.parametrize(("project", "outcome"), [("data", Outcome.SUCCEEDED), ("app", Outcome.FAILED), ("app", Outcome.INTERRUPTED)])
def test_no_other_project_migrates_and_none_that_failed(tmp_path: Path, project: str, outcome: Outcome) -> None:
    there, client = where(payload(GOOD))
    result, notes = deploying(there, project, tmp_path, outcome)
    assert (result.outcome, notes, client.asked) == (outcome, [], [])


def test_a_database_that_was_not_migrated_fails_the_stack_with_the_command_that_mends_it(tmp_path: Path) -> None:
    there, _ = where({"State": "Active"}, payload({"errorType": "DatabaseUnavailable", "errorMessage": "no route"}, "Unhandled"), target="aws")
    result, notes = deploying(there, "app", tmp_path)
    assert result.outcome is Outcome.FAILED
    assert result.cause == (
        "the stack is deployed, but its database was not migrated: function migrate-database-dev-main failed: DatabaseUnavailable: no route"
    )
    assert (result.next, result.changes, notes) == ("invoke migrate --env dev", {"create": 2}, [])
