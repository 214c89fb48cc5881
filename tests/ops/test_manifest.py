"""The manifest of what is deployed: all of it, as its schema says, with no secret in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from localcloud.control import Running
from ops import commands, looking, manifest, places
from ops import run as runs
from ops.deployed import NotDeployedError
from ops.fingerprint import Fingerprint, Record, save
from ops.progress import Silent
from ops.projects import projects
from ops.report import Outcome, Report, Result
from ops.run import Outcomes, Request
from ops.session import Session
from ops.state import SIGNATURE
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace
from shared.page import ROOT

Capture = pytest.CaptureFixture[str]
CODE = "c" * 64
QUEUE: dict[str, Any] = {
    "urn": "urn:pulumi:dev::app::payments:shared:Queue$aws:sqs/queue:Queue::work",
    "custom": True,
    "id": "https://sqs.us-east-1.amazonaws.com/123456789012/work",
    "type": "aws:sqs/queue:Queue",
    "inputs": {"name": "work", "tags": {"Team": "payments"}, "__defaults": []},
    "outputs": {"arn": "arn:aws:sqs:us-east-1:123456789012:work", "tags": {"Team": "payments"}},
}
POLICY: dict[str, Any] = {
    "urn": "urn:pulumi:dev::app::payments:shared:Topic$aws:sns/topicPolicy:TopicPolicy::events",
    "custom": True,
    "id": "arn:aws:sns:us-east-1:123456789012:events",
    "type": "aws:sns/topicPolicy:TopicPolicy",
    "inputs": {"arn": "arn:aws:sns:us-east-1:123456789012:events", "policy": "{}"},
    "outputs": {"arn": "arn:aws:sns:us-east-1:123456789012:events"},
}
FUNCTION: dict[str, Any] = {
    "urn": "urn:pulumi:dev::app::aws:lambda/function:Function::worker",
    "custom": True,
    "id": "worker",
    "type": "aws:lambda/function:Function",
    "inputs": {
        "code": {SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "hash": "d" * 64, "path": "/somewhere/worker.zip"},
        "environment": {"variables": {"TOKEN": {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:not to be seen"}}},
        "layers": [{SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:not to be seen"}],
    },
    "outputs": {"arn": "arn:aws:lambda:us-east-1:123456789012:function:worker"},
}


def state(project: str, *resources: dict[str, Any]) -> dict[str, Any]:
    """A stack's state as the engine writes it, with what is no resource of a provider."""
    own = [{"type": QUEUE["type"], "name": "work", "id": QUEUE["id"], "arn": QUEUE["outputs"]["arn"]}]
    outputs = {"inventory": [*own, {"type": POLICY["type"], "name": "events", "id": POLICY["id"]}]}
    stack = {"urn": f"urn:pulumi:dev::{project}::pulumi:pulumi:Stack::{project}-dev", "custom": False, "type": "pulumi:pulumi:Stack", "outputs": outputs}
    component = {"urn": f"urn:pulumi:dev::{project}::payments:shared:Queue::work", "custom": False, "type": "payments:shared:Queue"}
    reference = {"urn": f"urn:pulumi:dev::{project}::pulumi:pulumi:StackReference::x", "custom": True, "id": "x", "type": "pulumi:pulumi:StackReference"}
    replaced = {**QUEUE, "urn": QUEUE["urn"].replace("work", "old"), "delete": True}
    found = [stack, component, reference, replaced, *resources]
    return {"checkpoint": {"latest": {"manifest": {"time": "2026-01-02T03:04:05Z", "version": "v3.1"}, "resources": found}}}


Deploy = Callable[..., Session]


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Writes states of `dev` in a file backend; answers a session of it, which tasks get too."""

    def make(held: dict[str, list[dict[str, Any]]]) -> Session:
        for project, resources in held.items():
            folder = tmp_path / ".pulumi" / "stacks" / project
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "dev.json").write_text(json.dumps(state(project, *resources)))
        cloud = Running("identity", 41, "http://127.0.0.1:5000", 5001, 0.0, tmp_path)
        target = Target("local", {}, tmp_path / "records", cloud, tmp_path)
        cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
        session = Session(open_workspace("dev", target="local"), target, cli, Silent())
        monkeypatch.setattr(runs, "prepare", lambda *_: session)
        return session

    monkeypatch.setattr(places, "LOCAL", tmp_path / "kept")
    return make


@pytest.fixture
def whole(deploy: Deploy, tmp_path: Path) -> Session:
    session = deploy({name: [QUEUE] for name in projects()} | {"app": [QUEUE, POLICY, FUNCTION]})
    save(tmp_path / "records", projects()["app"], "dev", Record(Fingerprint(CODE, "", "", "", ""), "", "2026-01-02"))
    return session


def written(session: Session) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(manifest.manifest(session).to_json())
    return found


def schema() -> Draft202012Validator:
    content = json.loads((ROOT / "docs/schemas/manifest.schema.json").read_text())
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_it_is_as_its_schema_says(whole: Session) -> None:
    schema().validate(written(whole))


@pytest.mark.parametrize("part", ["environment", "account", "commit", "generated", "stacks", "resources"])
def test_the_schema_wants_every_part(whole: Session, part: str) -> None:
    found = written(whole)
    del found[part]
    assert not schema().is_valid(found)


def test_it_names_environment_account_region_code_and_time(whole: Session) -> None:
    found = written(whole)
    assert (found["environment"], found["stage"], found["account"], found["region"], found["target"]) == ("dev", "dev", "123456789012", "us-east-1", "local")
    assert [stack["project"] for stack in found["stacks"]] == list(projects())
    of_app = next(stack for stack in found["stacks"] if stack["project"] == "app")
    assert of_app == {"project": "app", "stack": "dev", "changed": "2026-01-02T03:04:05Z", "engine": "v3.1", "code": CODE, "resources": 4}
    assert [stack["code"] for stack in found["stacks"] if stack["project"] != "app"] == ["", "", ""]


def test_it_lists_what_providers_made_and_nothing_else(whole: Session) -> None:
    found = [(one["project"], one["type"], one["name"]) for one in written(whole)["resources"] if not one["replaced"]]
    queue = "aws:sqs/queue:Queue"
    assert found == [
        ("app", "aws:lambda/function:Function", "worker"),
        ("app", "aws:sns/topicPolicy:TopicPolicy", "events"),
        ("app", queue, "work"),
        ("data", queue, "work"),
        ("networking", queue, "work"),
        ("observability", queue, "work"),
    ]


def test_what_was_replaced_and_is_still_there_is_listed_as_that(whole: Session) -> None:
    found = [(one["project"], one["name"]) for one in written(whole)["resources"] if one["replaced"]]
    assert found == [(name, "old") for name in sorted(projects())]


def test_a_resource_has_id_arn_tags_and_configuration(whole: Session) -> None:
    found = next(one for one in written(whole)["resources"] if one["type"] == "aws:sqs/queue:Queue" and one["name"] == "work")
    assert found == {
        "project": "app",
        "type": "aws:sqs/queue:Queue",
        "name": "work",
        "urn": QUEUE["urn"],
        "id": QUEUE["id"],
        "arn": "arn:aws:sqs:us-east-1:123456789012:work",
        "replaced": False,
        "tags": {"Team": "payments"},
        "inputs": {"name": "work"},
    }


def test_the_arn_of_what_a_policy_belongs_to_is_not_its_own(whole: Session) -> None:
    found = next(one for one in written(whole)["resources"] if "topicPolicy" in one["type"])
    assert found["arn"] == ""
    assert found["inputs"]["arn"] == POLICY["id"]


def test_secrets_are_masked_and_files_are_told_by_their_digests(whole: Session) -> None:
    found = next(one for one in written(whole)["resources"] if "function" in one["type"])
    assert found["inputs"] == {"code": {"archive": "d" * 64}, "environment": {"variables": {"TOKEN": "[secret]"}}, "layers": ["[secret]"]}
    text = json.dumps(written(whole))
    assert "not to be seen" not in text
    assert "/somewhere" not in text


def test_the_same_state_makes_the_same_manifest_but_for_its_time(whole: Session) -> None:
    one, other = written(whole), written(whole)
    assert one | {"generated": ""} == other | {"generated": ""}


def test_what_was_not_deployed_whole_has_no_manifest(deploy: Deploy) -> None:
    session = deploy({"networking": [QUEUE], "data": [QUEUE]})
    with pytest.raises(NotDeployedError, match=r"never deployed: app, observability\. Next: invoke deploy --env dev --target local"):
        manifest.manifest(session)


def test_the_task_writes_to_standard_output_and_to_a_file(whole: Session, tmp_path: Path, capsys: Capture) -> None:
    request = Request(command="manifest", env="dev", target="local")
    assert looking.manifest(request, "") == 0
    printed = json.loads(capsys.readouterr().out)
    file = tmp_path / "made" / "dev.json"
    assert looking.manifest(request, str(file)) == 0
    assert json.loads(file.read_text())["resources"] == printed["resources"]
    assert [path.name for path in file.parent.iterdir()] == ["dev.json"]
    assert capsys.readouterr().out == f"{file}: 10 resources in 4 stacks\n"


def test_the_task_says_what_speaks_against_it(deploy: Deploy, tmp_path: Path, capsys: Capture) -> None:
    deploy({"networking": [QUEUE]})
    request = Request(command="manifest", env="dev", target="local")
    assert looking.manifest(request, "") == 1
    assert "never deployed: data, app, observability" in capsys.readouterr().err
    deploy({name: [QUEUE] for name in projects()})
    (tmp_path / "file").write_text("")
    assert looking.manifest(request, str(tmp_path / "file" / "dev.json")) == 2
    assert "--file" in capsys.readouterr().err
    assert looking.manifest(request, "/") == 2
    assert "error: --file /: Is a directory; name a file that can be written" in capsys.readouterr().err


def test_a_deployment_leaves_it_behind_and_names_it(whole: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    ended(monkeypatch, whole, Outcome.SUCCEEDED)
    assert commands.deploy(Request(command="deploy", env="dev", target="local", json=True)) == 0
    file = tmp_path / "kept" / "manifests" / "local" / "dev.json"
    assert json.loads(capsys.readouterr().out)["manifest"] == str(file)
    kept = json.loads(file.read_text())
    schema().validate(kept)
    assert kept["resources"] == written(whole)["resources"]
    ended(monkeypatch, whole, Outcome.SUCCEEDED)
    assert commands.destroy(Request(command="destroy", env="dev", target="local", json=True, only=("app",))) == 0
    assert file.exists()
    assert commands.destroy(Request(command="destroy", env="dev", target="local", json=True)) == 0
    assert not file.exists()


@pytest.mark.parametrize(("outcome", "held"), [(Outcome.FAILED, tuple(projects())), (Outcome.SUCCEEDED, ("networking",))], ids=["failed", "a part"])
def test_what_is_not_whole_leaves_none(deploy: Deploy, monkeypatch: pytest.MonkeyPatch, capsys: Capture, outcome: Outcome, held: tuple[str, ...]) -> None:
    ended(monkeypatch, deploy({name: [QUEUE] for name in held}), outcome)
    commands.deploy(Request(command="deploy", env="dev", target="local", json=True))
    assert json.loads(capsys.readouterr().out)["manifest"] is None
    assert not places.LOCAL.exists()


def test_a_manifest_that_cannot_be_written_is_told_and_the_deployment_stays_a_good_one(
    whole: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "kept").write_text("")
    ended(monkeypatch, whole, Outcome.SUCCEEDED)
    assert commands.deploy(Request(command="deploy", env="dev", target="local", json=True)) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["manifest"] is None
    assert "deployed, but its manifest could not be written" in said.err


def ended(monkeypatch: pytest.MonkeyPatch, session: Session, outcome: Outcome) -> None:
    """Makes the next runs end so, on a session."""
    result = Result(project="app", stack="dev", outcome=outcome, cause="" if outcome.good else "it broke")
    made = Report(command="deploy", environment="dev", target="local", started=datetime.now(UTC), seconds=1.0, results=(result,))
    monkeypatch.setattr(runs, "run", lambda *_, **__: Outcomes(made, session))
