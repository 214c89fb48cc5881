"""A run: which stacks are selected, which are held, and that a mistake of the caller's is a report and no traceback."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops import run as runs
from ops.fingerprint import Fingerprint, Record
from ops.guards import GuardError
from ops.progress import Silent
from ops.report import EXIT_FAILED, EXIT_GOOD, EXIT_REFUSED, Outcome, Result
from ops.run import Outcomes, Request, SelectionError, run, selected
from ops.session import Session
from ops.state import State
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace

ALL = ["networking", "data", "app", "observability"]
NOW = Fingerprint(code="1", page="1", upstream="1", engine="1", state="1")


@dataclasses.dataclass
class Somewhere(Session):
    """A session whose stacks are as a test says: `live` are deployed, `stale` have a changed page, `unrecorded` were deployed elsewhere."""

    live: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()
    unrecorded: frozenset[str] = frozenset()

    def state(self, project: str) -> State | None:
        return State("digest", 1, {"contractVersion": 1}, ()) if project in self.live else None

    def record(self, project: str) -> Record | None:
        return Record(NOW, "outputs", "2026-11-21T10:00:00+00:00") if project in self.live - self.unrecorded else None

    def fingerprint(self, project: str) -> Fingerprint:
        return dataclasses.replace(NOW, page="2") if project in self.stale else NOW


Going = Callable[..., tuple[Outcomes, list[str]]]


@pytest.fixture
def going(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Going:
    """Runs a request over stacks that are as it says; the outcomes, and the projects that were worked on."""

    def go(
        request: Request, *, failing: str = "", backwards: bool = False, apart: bool = False, packages: Any = None, **stacks: set[str]
    ) -> tuple[Outcomes, list[str]]:
        cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
        where = Target("local", {}, tmp_path)
        named = {name: frozenset(projects) for name, projects in stacks.items()}
        session = Somewhere(open_workspace("dev"), where, cli, Silent(), **named)  # type: ignore[arg-type]
        monkeypatch.setattr(runs, "prepare", lambda *_: session)
        worked: list[str] = []

        def operation(at: Session, project: str) -> Result:
            worked.append(project)
            outcome = Outcome.FAILED if project == failing else Outcome.SUCCEEDED
            return Result(project=project, stack=at.workspace.stack, outcome=outcome, cause="broke" if project == failing else "")

        return run(request, operation, backwards=backwards, apart=apart, packages=packages), worked

    return go


def asked(command: str = "deploy", **options: Any) -> Request:
    return Request(command=command, env="dev", target="local", json=True, **options)


def outcomes(done: Outcomes) -> dict[str, str]:
    return {result.project: str(result.outcome) for result in done.report.results}


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, ALL),
        ({"only": ("data",)}, ["data"]),
        ({"only": ("observability", "networking")}, ["networking", "observability"]),
        ({"start": "data"}, ["data", "app", "observability"]),
        ({"until": "data"}, ["networking", "data"]),
        ({"start": "data", "until": "app"}, ["data", "app"]),
        ({"only": ("data", "observability"), "start": "app"}, ["observability"]),
    ],
)
def test_only_from_and_until_narrow_what_is_selected(options: dict[str, Any], chosen: list[str]) -> None:
    assert [name for name in ALL if name in selected(asked(**options))] == chosen


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"only": ("data", "storage")}, "--only storage: no such project; there are networking, data, app, observability"),
        ({"start": "begin"}, "--from begin: no such project"),
        ({"until": "end"}, "--until end: no such project"),
        ({"start": "app", "until": "data"}, "--only, --from and --until together leave no project"),
        ({"only": ("data",), "start": "app"}, "--only, --from and --until together leave no project"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(options: dict[str, Any], told: str, going: Going) -> None:
    with pytest.raises(SelectionError, match=told):
        selected(asked(**options))
    done, worked = going(asked(**options))
    assert (worked, done.report.exit_code) == ([], EXIT_REFUSED)
    assert done.report.problems[0].startswith(told)


def test_everything_is_deployed_in_the_order_of_dependencies(going: Going) -> None:
    done, worked = going(asked())
    assert worked == ALL
    assert (set(outcomes(done).values()), done.report.exit_code) == ({"succeeded"}, EXIT_GOOD)


def test_a_failure_stops_its_dependents_alone_and_the_report_names_it(going: Going) -> None:
    done, worked = going(asked(), failing="data")
    assert worked == ["networking", "data"]
    assert outcomes(done) == {"networking": "succeeded", "data": "failed", "app": "early exit", "observability": "early exit"}
    assert done.report.exit_code == EXIT_FAILED
    assert all("data" in result.cause for result in done.report.results if result.outcome is Outcome.EARLY_EXIT)


def test_stacks_that_are_looked_at_apart_do_not_wait_for_one_another(going: Going) -> None:
    done, worked = going(asked("drift"), failing="networking", apart=True)
    assert sorted(worked) == sorted(ALL)
    assert outcomes(done) == {"networking": "failed", "data": "succeeded", "app": "succeeded", "observability": "succeeded"}


def test_the_report_keeps_the_selection_for_the_command_that_goes_on(going: Going) -> None:
    done, _ = going(asked("destroy", only=("app", "data"), start="data", until="app"), backwards=True, failing="app")
    assert done.report.again == "invoke destroy --env dev --target local --only app --only data --from data --until app"


@pytest.mark.parametrize(
    ("command", "written"), [("deploy", True), ("drift", True), ("local.env", True), ("status", False), ("outputs", False), ("smoke", False)]
)
def test_only_what_hands_the_page_to_the_engine_writes_its_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, written: bool) -> None:
    made: list[str] = []
    monkeypatch.setattr("ops.workspace.write_configuration", lambda opened: made.append(opened.stack))
    monkeypatch.setattr("ops.toolchain.find", lambda: Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=()))
    monkeypatch.setattr(runs, "_target", lambda *_: Target("local", {}, tmp_path))
    session = runs.prepare(asked(command, only=("data",)), Silent())
    assert (made, session.selection) == ((["dev"] if written else []), " --only data")


def test_what_is_not_selected_is_excluded_and_stands_in_nobodys_way(going: Going) -> None:
    done, worked = going(asked(only=("app",)), live={"networking", "data"})
    assert worked == ["app"]
    assert outcomes(done) == {"networking": "excluded", "data": "excluded", "app": "succeeded", "observability": "excluded"}


def test_a_stack_whose_upstream_was_never_deployed_is_held(going: Going) -> None:
    done, worked = going(asked(only=("app",)), live={"networking"})
    assert worked == []
    [held] = [result for result in done.report.results if result.outcome is Outcome.HELD]
    assert (held.project, held.cause, held.next) == ("app", "data was never deployed", "select data too")


def test_a_stack_whose_upstream_is_not_up_to_date_is_held_unless_forced(going: Going) -> None:
    done, worked = going(asked(only=("data",)), live={"networking"}, stale={"networking"})
    [held] = [result for result in done.report.results if result.outcome is Outcome.HELD]
    assert (worked, held.cause) == ([], "networking is not up to date (page changed); --force deploys against what is there")
    _, worked = going(asked(only=("data",), force=True), live={"networking"}, stale={"networking"})
    assert worked == ["data"]


def test_force_does_not_deploy_against_nothing(going: Going) -> None:
    done, worked = going(asked(only=("data",), force=True))
    assert (worked, outcomes(done)["data"]) == ([], "held")


def test_an_upstream_that_was_deployed_from_elsewhere_holds_nobody(going: Going) -> None:
    _, worked = going(asked(only=("data",)), live={"networking"}, stale={"networking"}, unrecorded={"networking"})
    assert worked == ["data"]


def test_an_upstream_that_is_selected_too_holds_nobody(going: Going) -> None:
    _, worked = going(asked(until="data"), live={"networking"}, stale={"networking"})
    assert worked == ["networking", "data"]


@pytest.mark.parametrize("command", ["preview", "refresh"])
def test_what_changes_nothing_is_never_held(going: Going, command: str) -> None:
    _, worked = going(asked(command, only=("app",)))
    assert worked == ["app"]


def test_destruction_goes_backwards(going: Going) -> None:
    done, worked = going(asked("destroy"), backwards=True, live=set(ALL))
    assert worked == list(reversed(ALL))
    assert [result.project for result in done.report.results] == list(reversed(ALL))


def test_nothing_is_destroyed_under_what_stands_on_it(going: Going) -> None:
    done, worked = going(asked("destroy", only=("networking",)), backwards=True, live={"networking", "data"})
    [held] = [result for result in done.report.results if result.outcome is Outcome.HELD]
    assert (worked, held.project) == ([], "networking")
    assert held.cause == "data would lose what it stands on"
    assert held.next == "select data too, or destroy it first"


def test_what_nothing_stands_on_any_more_can_be_destroyed_alone(going: Going) -> None:
    _, worked = going(asked("destroy", only=("networking",)), backwards=True, live={"networking"})
    assert worked == ["networking"]


def test_a_failed_destruction_keeps_what_it_stands_on(going: Going) -> None:
    done, worked = going(asked("destroy"), backwards=True, failing="app", live=set(ALL))
    assert worked == ["observability", "app"]
    assert outcomes(done)["networking"] == outcomes(done)["data"] == "early exit"


@pytest.mark.parametrize("error", [GuardError("not this account"), runs.PackagesError("no uv"), SelectionError("none")])
def test_what_speaks_against_a_run_is_in_the_report_and_nothing_is_worked_on(going: Going, error: Exception) -> None:
    def packages() -> Any:
        raise error

    done, worked = going(asked(), packages=packages)
    assert (worked, done.session, done.report.exit_code) == ([], None, EXIT_REFUSED)
    assert done.report.problems == (str(error),)


def test_a_page_that_is_wrong_is_refused_before_anything_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("nothing was to be looked for")

    monkeypatch.setattr("ops.toolchain.find", never)
    monkeypatch.setattr("localcloud.control.start", never)
    done = run(Request(command="deploy", env="qa", target="local", json=True), never)
    [problem] = done.report.problems
    assert problem.startswith("environments/Pulumi.qa.yaml: (file): there is no such page; environments are accounts-dev, ")
    assert done.report.exit_code == EXIT_REFUSED


def test_a_protected_environment_is_refused_before_anything_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("nothing was to be looked for")

    monkeypatch.setattr("ops.toolchain.find", never)
    done = run(Request(command="destroy", env="prod", target="local", confirm="staging", json=True), never)
    assert "needs the name 'prod'" in done.report.problems[0]


def test_on_aws_the_account_comes_before_the_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []

    def refuse(_: Any) -> None:
        asked_for.append("account")
        raise GuardError("another account")

    monkeypatch.setattr("ops.guards.account", refuse)
    monkeypatch.setattr("ops.guards.confirmed", lambda *_: asked_for.append("confirmation"))
    done = run(Request(command="deploy", env="staging", target="aws", json=True), lambda *_: pytest.fail("nothing was to be done"))
    assert (asked_for, done.report.problems) == (["account"], ("another account",))
