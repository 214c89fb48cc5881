"""Outputs of what is deployed, and clients in its account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from localcloud.control import Running
from ops import deployed as module
from ops.deployed import UNKNOWN, NotDeployedError
from ops.progress import Silent
from ops.session import Session
from ops.state import State
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace
from tests.ops.somewhere import deployed

APP = {"apiUrl": "https://api", "apiKey": {"ciphertext": "..."}, "functionNames": {"migrate-database": "migrate-database-dev-main"}}


def test_outputs_and_functions_by_name() -> None:
    where = deployed({"app": APP})
    assert where.output("app", "apiUrl") == "https://api"
    assert where.function("migrate-database") == "migrate-database-dev-main"
    assert where.secret("app", "apiKey") == "clear apiKey"


def test_what_was_never_deployed_is_told_with_the_command() -> None:
    with pytest.raises(NotDeployedError, match=r"app was never deployed to dev on local\. Next: invoke deploy --env dev --target local"):
        deployed({}).output("app", "apiUrl")


def test_what_an_older_version_deployed_is_told_with_the_output() -> None:
    with pytest.raises(NotDeployedError, match=r"app of dev-pr42 has no output apiUrl: .*Next: invoke deploy --env dev --suffix pr42$"):
        deployed({"app": {"apiName": "payments"}}, suffix="pr42", stack="dev-pr42", target="aws").output("app", "apiUrl")


def test_an_output_that_a_deployment_did_not_get_to_is_none() -> None:
    where = deployed({"app": {"functionNames": UNKNOWN, "clusterName": UNKNOWN}})
    with pytest.raises(NotDeployedError, match=r"app of dev has no output functionNames: it was not deployed to its end\. Next: invoke deploy --env dev"):
        where.functions()
    assert where.optional("app", "clusterName") is None


def test_an_unknown_function_is_told_with_those_that_there_are() -> None:
    with pytest.raises(NotDeployedError, match=r"no function 'refund'; there are migrate-database"):
        deployed({"app": APP}).function("refund")


def session(target: Target, tmp_path: Path) -> Session:
    cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
    return Session(open_workspace("dev", target="local"), target, cli, Silent())


def test_a_session_is_asked_for_nothing_before_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def state(_: Session, project: str) -> State | None:
        asked.append(project)
        return State("digest", 1, APP, ()) if project == "app" else None

    monkeypatch.setattr(Session, "state", state)
    where = module.deployed(session(Target("aws", {}, tmp_path), tmp_path))
    assert asked == []
    assert where.output("app", "apiUrl") == "https://api"
    with pytest.raises(NotDeployedError, match="data was never deployed to dev on aws"):
        where.output("data", "auditBucketName")
    assert asked == ["app", "data"]


@mock_aws
def test_on_aws_clients_have_the_callers_credentials_and_the_pages_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDCALLER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    made: Any = module.deployed(session(Target("aws", {}, tmp_path), tmp_path)).client("lambda")
    assert made._request_signer._credentials.access_key == "AKIDCALLER"
    assert (made.meta.region_name, made.meta.endpoint_url) == ("us-east-1", "https://lambda.us-east-1.amazonaws.com")
    assert made.meta.config.retries["total_max_attempts"] == 1
    assert made.meta.config.read_timeout > 15 * 60


def test_on_the_local_cloud_clients_are_in_its_account_and_never_on_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDLOCAL", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local"}
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(Running, "credentials", lambda _, account, region: asked.append((account, region)) or keys)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDCALLER")
    cloud = Running("identity", 1, "http://127.0.0.1:5000", 2, 0.0, tmp_path)
    where = module.deployed(session(Target("local", {}, tmp_path, cloud), tmp_path))
    for endpoint, expected in ((None, "http://127.0.0.1:5000"), ("http://127.0.0.1:6000", "http://127.0.0.1:6000")):
        made: Any = where.client("sqs", endpoint)
        assert made.meta.endpoint_url == expected
        assert made._request_signer._credentials.access_key == "AKIDLOCAL"
    assert asked == [("123456789012", "us-east-1")] * 2
