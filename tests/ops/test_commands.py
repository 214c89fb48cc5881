"""What the tasks do: what each prints, on which stream, and its exit code."""

from __future__ import annotations

import dataclasses
import inspect
import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud import control
from localcloud.control import LocalCloudError, Running
from ops import commands, manifest, package, package_container, rehearsal
from ops import doctor as doctors
from ops import recovery as recoveries
from ops import run as runs
from ops import status as statuses
from ops.engine import EngineError
from ops.guards import GuardError
from ops.progress import Silent
from ops.report import Outcome, Report, Result
from ops.run import Outcomes, Request, SelectionError
from ops.session import Session
from ops.state import State
from ops.status import Standing
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace
from shared.image import image_tag
from shared.page import ROOT, PageError, problem
from tests.ops.pages import Pages

ALL = ("networking", "data", "app", "observability")
SIGNATURE = "4dabf18193072939515e22adb298388d"
Capture = pytest.CaptureFixture[str]


@dataclasses.dataclass
class Stacks:
    """What stands in for the engine. live: outputs by project. made: stacks that were made. failing: an error of the engine's."""

    live: dict[str, dict[str, Any]]
    made: list[str] = dataclasses.field(default_factory=list[str])
    failing: str = ""

    def session(self, tmp_path: Path, *, local: bool = True) -> Session:
        stacks = self

        class Stand(Session):
            def state(self, project: str) -> State | None:
                return State("digest", 3, stacks.live[project], ()) if project in stacks.live else None

            def stack(self, project: str) -> Any:
                return SimpleNamespace(outputs=lambda show_secrets: stacks.outputs(project, clear=show_secrets), init=lambda: stacks.made.append(project))

        cloud = Running("identity", 41, "http://127.0.0.1:5000", 5001, 0.0, tmp_path / "cloud")
        (tmp_path / "cloud").mkdir(exist_ok=True)
        name = "local" if local else "aws"
        folder = tmp_path if local else None
        where = Target(name, {"PULUMI_HOME": "/a home"}, tmp_path, cloud if local else None, folder)
        return Stand(open_workspace("dev", target=name), where, Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=()), Silent())

    def outputs(self, project: str, *, clear: bool) -> dict[str, Any] | None:
        if self.failing:
            raise EngineError(self.failing)
        found = self.live.get(project)
        return {name: ("clear" if clear else "[secret]") if isinstance(value, dict) else value for name, value in found.items()} if found else None


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stacks:
    """An environment whose stacks app and data are deployed."""
    made = Stacks({"data": {"databaseName": "payments"}, "app": {"apiUrl": "https://api", "apiKey": {SIGNATURE: "1", "ciphertext": "x"}}})
    monkeypatch.setattr(runs, "prepare", lambda *_: made.session(tmp_path))
    return made


def asked(command: str = "deploy", **options: Any) -> Request:
    usual: dict[str, Any] = {"target": "local"}
    return Request(command=command, env="dev", **usual | options)


def outcomes(session: Session | None, outcome: Outcome = Outcome.SUCCEEDED, **fields: Any) -> Outcomes:
    result = Result(project="app", stack="dev", outcome=outcome, cause="" if outcome.good else "it broke")
    usual: dict[str, Any] = {"command": "deploy", "environment": "dev", "target": "local", "started": datetime.now(UTC), "seconds": 1.0, "results": (result,)}
    return Outcomes(Report(**usual | fields), session)


Ran = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, stacks: Stacks, tmp_path: Path) -> Ran:
    """Makes runs end as a test says; answers what was asked of them."""

    def arrange(outcome: Outcome = Outcome.SUCCEEDED, **fields: Any) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def run(request: Request, operation: Any, **options: Any) -> Outcomes:
            calls.append({"command": request.command, "operation": operation, **options})
            return outcomes(stacks.session(tmp_path), outcome, **fields)

        monkeypatch.setattr(runs, "run", run)
        monkeypatch.setattr(manifest, "keep", lambda _: None)
        return calls

    return arrange


def test_a_deployment_shows_report_outputs_without_secrets_and_what_to_try_next(ran: Ran, capsys: Capture) -> None:
    ran()
    assert commands.deploy(asked()) == 0
    said = capsys.readouterr().out
    assert "deploy dev on local: 1 succeeded" in said
    assert "https://api" in said
    assert "[secret]" in said
    assert "ciphertext" not in said
    assert "http://127.0.0.1:5000/moto-api/" in said
    assert "invoke smoke --env dev --target local" in said


def test_a_deployment_for_machines_prints_its_report_and_nothing_else(ran: Ran, capsys: Capture) -> None:
    ran()
    assert commands.deploy(asked(json=True)) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["outcome"] == "succeeded"


def test_a_streamed_deployment_prints_no_report(ran: Ran, capsys: Capture) -> None:
    ran()
    assert commands.deploy(asked(stream=True)) == 0
    assert capsys.readouterr().out == ""


def test_a_failed_deployment_shows_no_outputs(ran: Ran, capsys: Capture) -> None:
    ran(Outcome.FAILED)
    assert commands.deploy(asked()) == 1
    said = capsys.readouterr().out
    assert "it broke" in said
    assert "https://api" not in said


@pytest.mark.parametrize(
    ("command", "backwards", "packed"),
    [
        (commands.deploy, None, True),
        (commands.preview, None, True),
        (commands.refresh, None, False),
        (commands.drift, None, False),
        (commands.destroy, True, False),
    ],
)
def test_each_operation_runs_in_its_direction_with_what_it_needs(ran: Ran, command: Any, backwards: bool | None, packed: bool) -> None:
    [call] = [calls for calls in [ran()] if command(asked(json=True)) == 0]
    assert call[0].get("backwards") is backwards
    assert ("packages" in call[0]) is packed


@pytest.mark.parametrize(("target", "migrates"), [("aws", True), ("local", False)])
def test_on_aws_a_deployment_migrates_the_database(ran: Ran, target: str, migrates: bool) -> None:
    calls = ran()
    commands.deploy(asked(json=True, target=target))
    names, within = "", calls[0]["operation"]
    while within:
        names, within = f"{names} {within.__qualname__}", inspect.getclosurevars(within).nonlocals.get("operation")
    assert ("migrating" in names) is migrates


def test_packages_are_made_for_the_target_and_what_is_wrong_with_them_is_told(ran: Ran, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = ran()
    commands.deploy(asked(json=True, target="aws"))
    made: list[Any] = []
    monkeypatch.setattr(package, "ensure", lambda _, platform: made.append(platform) or {"process-payment": tmp_path})
    assert calls[0]["packages"]() == {"app": (tmp_path,)}
    assert made == [package.for_target("aws")]

    def fail(*_: Any, **__: Any) -> None:
        raise package.PackageError("no wheel")

    monkeypatch.setattr(package, "ensure", fail)
    with pytest.raises(runs.PackagesError, match="no wheel"):
        calls[0]["packages"]()


def test_outputs_of_what_is_selected(stacks: Stacks, capsys: Capture) -> None:
    assert commands.outputs(asked("outputs", json=True, only=("app",)), show_secrets=False) == 0
    assert json.loads(capsys.readouterr().out) == {"app": {"apiUrl": "https://api", "apiKey": "[secret]"}}


def test_secrets_are_shown_when_asked_for(stacks: Stacks, capsys: Capture) -> None:
    assert commands.outputs(asked("outputs", only=("app",)), show_secrets=True) == 0
    assert "clear" in capsys.readouterr().out


def test_an_inventory_is_counted_for_people_and_listed_for_programs(stacks: Stacks, capsys: Capture) -> None:
    made = [{"type": "aws:sqs/queue:Queue", "name": f"queue-{number}", "id": f"https://sqs/{number}"} for number in range(3)]
    stacks.live = {"app": {"apiUrl": "https://api", "cacheAddress": None, "inventory": made}}
    commands.outputs(asked("outputs", only=("app",)), show_secrets=False)
    told = capsys.readouterr().out
    assert "3 resources" in told
    assert "queue-1" not in told
    assert "cacheAddress" not in told
    commands.outputs(asked("outputs", only=("app",), json=True), show_secrets=False)
    assert json.loads(capsys.readouterr().out)["app"]["inventory"] == made


def test_outputs_of_what_was_never_deployed_fail_with_the_command(stacks: Stacks, capsys: Capture) -> None:
    assert commands.outputs(asked("outputs"), show_secrets=False) == 1
    said = capsys.readouterr()
    assert "never deployed: networking, observability. Next: invoke deploy --env dev --target local\n" in said.err
    assert "never deployed" not in said.out
    asking = asked("outputs", json=True, only=("app", "networking"), suffix="pr42")
    assert commands.outputs(asking, show_secrets=False) == 1
    said = capsys.readouterr()
    assert set(json.loads(said.out)) == {"app"}
    assert "invoke deploy --env dev --suffix pr42 --target local --only app --only networking\n" in said.err


@pytest.mark.parametrize(
    "error",
    [
        GuardError("wrong account"),
        LocalCloudError("silent"),
        SelectionError("no such project"),
        PageError([problem("environments/Pulumi.dev.yaml", "a:b", "is wrong"), problem("environments/Pulumi.dev.yaml", "c:d", "too")]),
    ],
)
def test_what_speaks_against_a_session_is_told_on_stderr_with_exit_code_2(monkeypatch: pytest.MonkeyPatch, capsys: Capture, error: Exception) -> None:
    def refuse(*_: Any) -> Session:
        raise error

    monkeypatch.setattr(runs, "prepare", refuse)
    for command in (commands.status, commands.unlock, commands.local_env):
        assert command(asked("status")) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == "".join(f"error: {line}\n" for line in str(error).splitlines())


def test_the_engines_own_refusal_is_told_too(stacks: Stacks, capsys: Capture) -> None:
    stacks.failing = "passphrase must be set"
    assert commands.outputs(asked("outputs"), show_secrets=True) == 2
    assert capsys.readouterr().err == "error: passphrase must be set\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_status_has_a_row_per_stack(stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: Capture, as_json: bool) -> None:
    monkeypatch.setattr(statuses, "standings", lambda _: [Standing("app", "dev", "up to date", "", 34, "2026-11-21")])
    assert commands.status(asked("status", json=as_json)) == 0
    said = capsys.readouterr().out
    if as_json:
        assert json.loads(said)[0]["resources"] == 34
    else:
        assert said.split()[-7:] == ["app", "dev", "up", "to", "date", "34", "2026-11-21"]


def test_a_backend_with_locks_of_its_own_is_named(stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> None:
    monkeypatch.setattr(runs, "prepare", lambda *_: stacks.session(tmp_path, local=False))
    monkeypatch.setattr(recoveries, "unlock", lambda *_: [])
    assert commands.unlock(asked("unlock")) == 0
    assert "pulumi cancel" in capsys.readouterr().out


def test_a_shell_gets_endpoint_account_and_engine_and_missing_stacks_are_made(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "a b", "AWS_SESSION_TOKEN": "t"}
    monkeypatch.setattr(Running, "credentials", lambda *_: keys)
    assert commands.local_env(asked("local.env")) == 0
    exported = dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert exported | keys | {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000", "AWS_REGION": "us-east-1", "PULUMI_HOME": "/a home"} == exported
    assert exported["PATH"].split(":")[0] == str(tmp_path / "cloud" / "bin" / "dev")
    assert stacks.made == ["networking", "observability"]


def test_a_shell_gets_nothing_where_there_is_no_local_cloud(stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> None:
    monkeypatch.setattr(runs, "prepare", lambda *_: stacks.session(tmp_path, local=False))
    assert (commands.local_env(asked("local.env")), capsys.readouterr().out) == (1, "")


@pytest.mark.parametrize(("file", "stream"), [("", "out"), ("-", "err")])
def test_a_rehearsal_tells_its_projects_and_keeps_standard_output_free_for_its_record(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, file: str, stream: str
) -> None:
    written: list[Path] = []

    def rehearse(_: Any, told: Callable[[Any], None]) -> str:
        told(SimpleNamespace(project="data", run=SimpleNamespace(resources=[1, 2]), seconds=0.5))
        return "done"

    monkeypatch.setattr(package, "ensure", lambda _: {})
    monkeypatch.setattr(rehearsal, "rehearse", rehearse)
    monkeypatch.setattr(rehearsal, "write", lambda _, path: written.append(path))
    assert commands.rehearse(["dev"], "", file) == 0
    assert getattr(capsys.readouterr(), stream) == "  data: 2 resources in 0.5 s\n"
    assert written == ([Path(file)] if file else [])


def test_a_rehearsal_of_no_page_is_refused_and_one_that_breaks_has_failed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert commands.rehearse(["qa"], "", "") == 2
    assert "there is no such page" in capsys.readouterr().err

    def fail(*_: Any) -> None:
        raise rehearsal.RehearsalError("data: no such type")

    monkeypatch.setattr(package, "ensure", lambda _: {})
    monkeypatch.setattr(rehearsal, "rehearse", fail)
    assert commands.rehearse(["dev"], "", "") == 1
    assert capsys.readouterr().err == "error: data: no such type\n"


def test_pages_that_are_right_are_said_to_be_and_those_that_are_not_are_refused(monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> None:
    assert commands.validate(["dev"], as_json=False) == 0
    assert capsys.readouterr().out == "dev: nothing wrong\n"
    Pages(tmp_path, monkeypatch).change("dev", {"data:database.multiAz": "perhaps"})
    assert commands.validate([], as_json=False) == 2
    assert 'environments/Pulumi.dev.yaml: data:database.multiAz = "perhaps"' in capsys.readouterr().err
    assert commands.validate(["dev"], as_json=True) == 2
    assert json.loads(capsys.readouterr().out)[0]["key"] == "data:database.multiAz"


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("missing", 1)])
@pytest.mark.parametrize("as_json", [True, False])
def test_the_doctor_fails_when_something_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: Capture, state: Any, code: int, as_json: bool) -> None:
    monkeypatch.setattr(control, "find", lambda _: None)
    monkeypatch.setattr(doctors, "checks", lambda cloud: [doctors.Check(name="Go", state=state, detail=f"cloud: {cloud()}")])
    assert commands.doctor(as_json=as_json) == code
    said = capsys.readouterr().out
    assert (json.loads(said)["healthy"] is (code == 0)) if as_json else "cloud: None" in said


RUNNING = Running("identity", 41, "http://127.0.0.1:5000", 5001, 0.0, Path("state"))


def test_the_local_cloud_is_started_and_says_where_and_what_became_of_the_former_one(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    asked_for: list[dict[str, Any]] = []
    monkeypatch.setattr(control, "start", lambda _, **options: asked_for.append(options) or (RUNNING, [Path("aside")]))
    assert commands.local_start(0, 0.0) == 0
    assert commands.local_start(5000, 60.0) == 0
    assert asked_for == [{"port": 0, "idle": None}, {"port": 5000, "idle": 60.0}]
    said = capsys.readouterr().out
    assert "the former cloud's state was set aside: aside" in said
    assert "local AWS on http://127.0.0.1:5000" in said


def test_the_local_cloud_is_stopped_and_trouble_with_it_is_told(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    for runs_now, told in ((True, "stopped; what was deployed on it is gone\n"), (False, "the local cloud does not run\n")):
        monkeypatch.setattr(control, "stop", lambda _, there=runs_now: there)
        assert commands.local_stop() == 0
        assert capsys.readouterr().out == told

    def fail(*_: Any, **__: Any) -> None:
        raise LocalCloudError("it does not stop")

    monkeypatch.setattr(control, "stop", fail)
    monkeypatch.setattr(control, "start", fail)
    assert (commands.local_stop(), commands.local_start(0, 0.0)) == (1, 1)
    assert capsys.readouterr().err == "error: it does not stop\n" * 2


@pytest.mark.parametrize("there", [RUNNING, None])
def test_the_local_clouds_status_has_where_it_is_and_its_gaps(monkeypatch: pytest.MonkeyPatch, capsys: Capture, there: Running | None) -> None:
    monkeypatch.setattr(control, "find", lambda _: there)
    assert commands.local_status(as_json=True) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["running"] == ({"identity": "identity", "pid": 41, "endpoint": "http://127.0.0.1:5000", "provider": 5001} if there else None)
    assert about["gaps"]
    assert commands.local_status(as_json=False) == 0
    said = capsys.readouterr().out
    assert ("local AWS identity on http://127.0.0.1:5000" if there else "the local cloud does not run") in said
    assert next(iter(about["gaps"])) in said


def test_packages_are_listed_with_their_sizes(monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> None:
    made = ROOT / "payments" / "functions.py"
    monkeypatch.setattr(package, "ensure", lambda *_, **__: {"process-payment": made})
    monkeypatch.setattr(package, "build", lambda *_, **__: {"built": made})
    packed = package_container.Packed(ROOT / "docs" / "schemas", "0123456789abcdef", ("python",), (), {})
    monkeypatch.setattr(package_container, "ensure", lambda *_, **__: packed)
    assert commands.package(force=False) == 0
    assert commands.package(force=True, target="aws") == 0
    assert capsys.readouterr().out.splitlines() == [
        "process-payment: payments/functions.py (0.0 MiB)",
        "container: docs/schemas (0.0 MiB, image tag 0123456789abcdef)",
        "built: payments/functions.py (0.0 MiB)",
        f"container: docker build --platform linux/arm64 --tag <repositoryUrl of app>:{image_tag()} .",
    ]

    def fail(*_: Any, **__: Any) -> None:
        raise package.PackageError("no wheel")

    monkeypatch.setattr(package, "ensure", fail)
    assert commands.package(force=False) == 1
    assert capsys.readouterr().err == "error: no wheel\n"
