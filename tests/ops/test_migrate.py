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
from ops.operations import First, Operation
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


CHANGES = {"create": 2, "same": 90}
_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"


def state_of(folder: Path, stack: str, *resources: tuple[str, str, dict[str, str]]) -> None:
    """A file backend where `app` holds these: type, name, outputs."""
    content = [{"urn": f"urn:pulumi:{stack}::app::a$b::{name}", "type": type_, "outputs": outputs} for type_, name, outputs in resources]
    file = folder / ".pulumi" / "stacks" / "app" / f"{stack}.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": content}}}))


@dataclasses.dataclass
class Deploying:
    """A deployment by an engine that does as a test says, and what was done in its order."""

    there: Deployed
    client: Lambda
    folder: Path
    env: str = "dev"
    updated: Outcome = Outcome.SUCCEEDED
    listening: Listening = dataclasses.field(default_factory=Listening)
    done: list[str] = dataclasses.field(default_factory=list[str])

    def __call__(self, project: str = "app", outcome: Outcome = Outcome.SUCCEEDED) -> Result:
        cli = Cli(pulumi=self.folder / "pulumi", host="3", version="3", origin="here", path=())
        session = Session(open_workspace(self.env), Target("aws", {}, self.folder, state=self.folder), cli, self.listening)

        def deploying(first: First) -> Operation:
            def deploy(session: Session, project: str) -> Result:
                if outcome is not Outcome.UNCHANGED and (ended := first(session, project)):
                    return ended
                self.done.append(f"deploy with {len(self.client.asked)} calls")
                return Result(project=project, stack="dev", outcome=outcome, cause="" if outcome.good else "broke", changes=CHANGES, seconds=3)

            return deploy

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("ops.migrate.update_only", self._update)
            return migrating(deploying, lambda _: self.there)(session, project)

    def _update(self, _: Session, project: str, *names: str) -> Result:
        self.done.append(f"update {', '.join(names)} of {project}")
        cause = "" if self.updated.good else "the engine said no"
        return Result(project=project, stack="dev", outcome=self.updated, cause=cause, changes={"update": 1, "same": 91})


def deploying(there: Deployed, project: str, tmp_path: Path, outcome: Outcome = Outcome.SUCCEEDED) -> tuple[Result, list[str]]:
    """What a first deployment of one project ends with, and what was said meanwhile."""
    made = Deploying(there, Lambda(), tmp_path)
    return made(project, outcome), made.listening.notes


LIVE = ("aws:lambda/function:Function", FUNCTION, {"name": "migrate-database-dev-now"})
BROKEN = {"errorType": "DatabaseUnavailable", "errorMessage": "no route"}


def test_where_functions_take_traffic_the_database_is_migrated_before_their_code_changes(tmp_path: Path) -> None:
    there, client = where({"State": "Active"}, payload(GOOD), target="aws")
    state_of(tmp_path, "dev", ("aws:iam/role:Role", FUNCTION, {"name": "role"}), LIVE)
    made = Deploying(there, client, tmp_path)
    result = made()
    # One call to look at the function and one of it, and none after the deployment.
    assert made.done == ["update migrate-database of app", "deploy with 2 calls"]
    assert [asked["FunctionName"] for asked in client.asked] == ["migrate-database-dev-now"] * 2
    assert made.listening.notes == ["app: database at 0004.audit-chain: applied 0003.ledger, 0004.audit-chain"]
    assert (result.outcome, result.changes) == (Outcome.SUCCEEDED, {"create": 2, "update": 1, "replace": 0, "delete": 0, "same": 89})


def test_where_tasks_take_traffic_the_new_definition_migrates_before_the_services_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there, asked = contained(monkeypatch, Ran(0, _SAID), target="aws")
    definition = "arn:aws:ecs:us-east-1:123456789012:task-definition/migrate:4"
    state_of(tmp_path, "containers-dev", (_DEFINITION, "web", {"arn": "no"}), (_DEFINITION, "migrate", {"arn": definition}))
    made = Deploying(there, Lambda(), tmp_path, env="containers-dev")
    assert made().outcome is Outcome.SUCCEEDED
    assert made.done == ["update migrate, migrate-task of app", "deploy with 0 calls"]
    assert [given[1] for given in asked] == [definition]


def test_a_migration_that_fails_leaves_the_version_before_as_it_is(tmp_path: Path) -> None:
    there, client = where({"State": "Active"}, payload(BROKEN, "Unhandled"), target="aws")
    state_of(tmp_path, "dev", LIVE)
    made = Deploying(there, client, tmp_path)
    result = made()
    assert made.done == ["update migrate-database of app"]
    assert (result.outcome, result.next, result.changes) == (Outcome.FAILED, "invoke deploy --env dev", {"update": 1, "same": 91})
    assert result.cause == (
        "its database was not migrated; nothing else of the stack was touched, and the version before goes on: "
        "function migrate-database-dev-now failed: DatabaseUnavailable: no route"
    )


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.INTERRUPTED])
def test_what_migrates_and_cannot_be_updated_keeps_everything_else_as_it_is(tmp_path: Path, outcome: Outcome) -> None:
    there, client = where(payload(GOOD), target="aws")
    state_of(tmp_path, "dev", LIVE)
    made = Deploying(there, client, tmp_path, updated=outcome)
    result = made()
    assert (made.done, client.asked, result.outcome) == (["update migrate-database of app"], [], outcome)
    assert result.cause.startswith("what migrates the database could not be updated; nothing else of the stack was touched")
    assert result.cause.endswith(": the engine said no")


@pytest.mark.parametrize(
    ("env", "live"),
    [("dev", ("aws:lambda/function:Function", "process-payment", {"name": "other"})), ("containers-dev", LIVE), ("accounts-dev", LIVE)],
)
def test_without_what_migrates_in_it_a_stack_is_deployed_at_once(tmp_path: Path, env: str, live: tuple[str, str, dict[str, str]]) -> None:
    there, client = where({"State": "Active"}, payload(GOOD), target="aws")
    state_of(tmp_path, env, live)
    made = Deploying(there, client, tmp_path, env=env)
    assert made().outcome is Outcome.SUCCEEDED
    assert made.done == ["deploy with 0 calls"]


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
    there, _ = where({"State": "Active"}, payload(BROKEN, "Unhandled"), target="aws")
    result, notes = deploying(there, "app", tmp_path)
    assert result.outcome is Outcome.FAILED
    assert result.cause == (
        "the stack is deployed, but its database was not migrated: function migrate-database-dev-main failed: DatabaseUnavailable: no route"
    )
    assert (result.next, result.changes, notes) == ("invoke migrate --env dev", CHANGES, [])
