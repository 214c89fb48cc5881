"""No service of containers is begun on AWS before its image is there."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from localcloud.aws import credentials
from ops.image_first import Wanted, image_first, wanted
from ops.progress import Silent
from ops.report import Outcome, Report, Result
from ops.session import Session
from ops.state import State
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import Workspace, open_workspace
from shared.image import AWAITED, image_tag
from shared.page import ROOT, Page

_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": _TYPE, "config": {"digest": f"sha256:{0:064}"}, "layers": []})


class Engine:
    """Stands in for the operation: notes whether it was run, and whether the program was to wait for the image."""

    def __init__(self, outcome: Outcome = Outcome.SUCCEEDED) -> None:
        self.outcome = outcome
        self.ran: list[bool] = []

    def __call__(self, session: Session, project: str) -> Result:
        self.ran.append(AWAITED in session.target.variables)
        return Result(project=project, stack=session.workspace.stack, outcome=self.outcome, cause="" if self.outcome.good else "broke", changes={"create": 3})


class Opened(Session):
    """A session whose stack has the outputs that a test says."""

    outputs: dict[str, Any] | None = None

    def state(self, project: str) -> State | None:
        return None if Opened.outputs is None else State(digest="1", resources=1, outputs=Opened.outputs, pending=())


@pytest.fixture
def containers() -> Workspace:
    return open_workspace("containers-dev", target="local")


@pytest.fixture
def ecr(containers: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    environment = containers.environment
    with mock_aws():
        for name, value in credentials(environment.account, environment.region, None).items():
            monkeypatch.setenv(name, value)
        yield boto3.client("ecr", region_name=environment.region)


def deployed(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine, *, outputs: dict[str, Any] | None = None, project: str = "app"
) -> Result:
    monkeypatch.setattr(Opened, "outputs", outputs)
    cli = Cli(pulumi=folder / "pulumi", host="3", version="3", origin="here", path=())
    return image_first(engine)(Opened(workspace, Target("aws", {}, folder), cli, Silent()), project)


def image_of(workspace: Workspace) -> Wanted:
    found = wanted(workspace)
    assert found is not None
    return found


def pushed(ecr: Any, image: Wanted, tag: str) -> None:
    ecr.create_repository(repositoryName=image.repository)
    ecr.put_image(repositoryName=image.repository, imageManifest=MANIFEST, imageTag=tag)


def test_where_the_image_is_the_deployment_goes_on(containers: Workspace, ecr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed(ecr, image_of(containers), image_tag())
    engine = Engine()
    assert deployed(containers, tmp_path, monkeypatch, engine).outcome is Outcome.SUCCEEDED
    assert engine.ran == [False]


def test_the_first_deployment_makes_all_but_the_services_and_says_what_to_push(
    containers: Workspace, ecr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "app" / f"{containers.stack}.json"
    record.parent.mkdir()
    record.write_text("{}")
    engine, image = Engine(), image_of(containers)
    result = deployed(containers, tmp_path, monkeypatch, engine)
    assert (result.outcome, result.changes, engine.ran) == (Outcome.HELD, {"create": 3}, [True])
    registry = f"{containers.environment.account}.dkr.ecr.{containers.environment.region}.amazonaws.com"
    assert image.uri == f"{registry}/{containers.environment.names('service')}:{image_tag()}"
    assert image.uri in result.cause
    assert result.next == (
        f"aws ecr get-login-password --region {containers.environment.region} | docker login --username AWS --password-stdin {registry} && "
        f"docker buildx build --platform linux/arm64 --tag {image.uri} --push . && invoke deploy --env containers-dev"
    )
    # Or the next deployment would find nothing to do.
    assert not record.exists()


def test_what_failed_on_the_way_there_is_a_failure(containers: Workspace, ecr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deployed(containers, tmp_path, monkeypatch, Engine(Outcome.FAILED), outputs={"serviceNames": {}}).outcome is Outcome.FAILED


def test_services_that_run_are_not_touched_by_code_whose_image_is_not_there(
    containers: Workspace, ecr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(ecr, image_of(containers), "0123456789abcdef")
    engine = Engine()
    result = deployed(containers, tmp_path, monkeypatch, engine, outputs={"serviceNames": {"web": "web-dev"}})
    assert (result.outcome, engine.ran) == (Outcome.HELD, [])
    assert "Nothing of app was touched" in result.cause
    report: dict[str, Any] = {"command": "deploy", "environment": "containers-dev", "target": "aws", "seconds": 1.0}
    assert Report(results=(result,), started=datetime.now(UTC), **report).exit_code == 2


def test_a_registry_that_cannot_be_asked_is_no_registry_without_the_image(
    containers: Workspace, ecr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:9")
    engine = Engine()
    result = deployed(containers, tmp_path, monkeypatch, engine)
    assert (result.outcome, engine.ran) == (Outcome.FAILED, [])
    assert "cannot tell whether" in result.cause


def test_other_stacks_functions_and_images_of_the_pages_own_are_let_be(containers: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = containers.page
    own = Page(page.name, {**page.config, "app:containers": {**page.config["app:containers"], "image": "registry.example.com/payments:1"}})
    engine = Engine()
    for workspace, project in (
        (containers, "data"),
        (open_workspace("dev", target="local"), "app"),
        (open_workspace("containers-dev", target="local"), "networking"),
    ):
        assert deployed(workspace, tmp_path, monkeypatch, engine, project=project).outcome is Outcome.SUCCEEDED
    assert deployed(dataclasses.replace(containers, page=own), tmp_path, monkeypatch, engine).outcome is Outcome.SUCCEEDED
    assert engine.ran == [False] * 4


@pytest.mark.parametrize(("environment", "printed"), [("containers-dev", True), ("dev", False)])
def test_a_pipeline_is_told_what_pushes_the_image(environment: str, printed: bool) -> None:
    command = [sys.executable, "-m", "ops.image_first", environment]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    image = wanted(open_workspace(environment))
    assert told == (image.commands if image else "")
    assert bool(told) is printed


def test_a_pipeline_is_told_of_a_page_that_is_not_there() -> None:
    told = subprocess.run([sys.executable, "-m", "ops.image_first", "qa"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("error: environments/Pulumi.qa.yaml: (file): there is no such page")
