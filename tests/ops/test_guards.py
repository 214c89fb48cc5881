"""Before anything is touched: the right account, and somebody who means it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from moto import mock_aws

from localcloud.aws import credentials
from ops import guards
from ops.guards import GuardError
from ops.workspace import Workspace, open_workspace


@pytest.fixture(scope="module")
def prod() -> Workspace:
    return open_workspace("prod", target="local")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No credentials of anybody's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    empty = tmp_path_factory.mktemp("home")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(empty / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws(nobody: None) -> Iterator[None]:
    with mock_aws():
        yield


def log_in(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    for name, value in credentials(account, "us-east-1", None).items():
        monkeypatch.setenv(name, value)


def test_the_pages_account_gets_through(prod: Workspace, aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, "345678901234")
    guards.account(prod)


def test_another_account_is_refused_with_both_and_the_page(prod: Workspace, aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, "123456789012")
    with pytest.raises(GuardError) as caught:
        guards.account(prod)
    said = str(caught.value)
    assert said.startswith("these credentials are of account 123456789012 (arn:aws:sts::123456789012:assumed-role/localcloud")
    assert "environments/Pulumi.prod.yaml (aws:allowedAccountIds) is for account 345678901234. Nothing was touched" in said


def test_without_credentials_it_says_what_to_do(prod: Workspace, nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(GuardError, match=r"cannot tell which AWS account this is: .*credentials.*for account 345678901234: log in .*--target local"):
        guards.account(prod)


class Terminal:
    """A standard input that somebody can type at, or nobody."""

    def __init__(self, *, typing: bool) -> None:
        self.typing = typing

    def isatty(self) -> bool:
        return self.typing


def never(_: str) -> str:
    raise AssertionError("nobody was to be asked")


@pytest.mark.parametrize("name", ["dev", "staging"])
def test_an_environment_that_is_not_protected_asks_nobody(name: str) -> None:
    guards.confirmed(open_workspace(name), "destroy", "", never)


def test_the_name_by_flag_is_enough_and_asks_nobody(prod: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typing=True))
    guards.confirmed(prod, "deploy", "prod", never)


@pytest.mark.parametrize("typed", ["prod", " prod\n"])
def test_the_name_typed_is_enough(prod: Workspace, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typing=True))
    asked: list[str] = []
    guards.confirmed(prod, "destroy", "", lambda question: asked.append(question) or typed)
    assert asked == ["destroy prod: environments/Pulumi.prod.yaml is protected. Type the environment's name to go on: "]


@pytest.mark.parametrize("typed", ["", "y", "yes", "PROD", "staging", "prod-pr42"])
def test_another_word_is_refused(prod: Workspace, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typing=True))
    with pytest.raises(GuardError, match=f"destroy needs the name 'prod' of the protected environment, and was given '{typed}'; nothing was touched"):
        guards.confirmed(prod, "destroy", "", lambda _: typed)
    if typed:
        with pytest.raises(GuardError, match="nothing was touched"):
            guards.confirmed(prod, "destroy", typed, never)


def test_where_nobody_can_type_it_says_how_to_confirm(prod: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typing=False))
    with pytest.raises(GuardError, match=r"Pulumi\.prod\.yaml says platform:protected, and this is not a terminal: pass --confirm prod to deploy it"):
        guards.confirmed(prod, "deploy", "", never)


def test_a_copy_of_a_protected_environment_is_confirmed_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    copy = open_workspace("prod", "pr42", target="local")
    guards.confirmed(copy, "destroy", "prod-pr42", never)
    with pytest.raises(GuardError, match="'prod-pr42'"):
        guards.confirmed(copy, "destroy", "prod", never)
