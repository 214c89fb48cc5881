"""An environment as the engine gets it: its page, or a copy's, and never the committed file itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ops.workspace import open_workspace, write_configuration
from shared import page as read_pages
from shared.page import PageError
from tests.ops.pages import Pages


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    return Pages(tmp_path, monkeypatch)


def test_an_environment_is_its_page(pages: Pages) -> None:
    workspace = open_workspace("staging")
    assert (workspace.stack, workspace.suffix, workspace.environment.account) == ("staging", "", "234567890123")
    assert workspace.page.config == read_pages.read("staging").config
    assert workspace.environment.platform.copy_of == ""


def test_a_copy_has_its_own_stacks_names_and_tags_from_the_same_page(pages: Pages) -> None:
    workspace = open_workspace("staging", "pr42")
    assert (workspace.name, workspace.stack, workspace.environment.account) == ("staging", "staging-pr42", "234567890123")
    assert workspace.environment.names("vpc") == "vpc-staging-pr42"
    assert workspace.environment.tags["Suffix"] == "pr42"
    assert workspace.environment.platform.copy_of == "staging"
    same = {key for key, value in read_pages.read("staging").config.items() if workspace.page.config[key] == value}
    assert set(workspace.page.config) - same == {"platform:environmentSuffix", "platform:copyOf"}


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_every_environment_can_be_copied(pages: Pages, name: str) -> None:
    assert open_workspace(name, "pr42", target="local").stack == f"{name}-pr42"


@pytest.mark.parametrize("suffix", ["PR42", "a--b", "-a", "a_b", "a b", "../x", "ä"])
def test_a_suffix_that_aws_would_not_take_is_refused(pages: Pages, suffix: str) -> None:
    with pytest.raises(PageError, match=r"--suffix: platform:environmentSuffix = .*lower-case letters and digits"):
        open_workspace("dev", suffix)


def test_a_suffix_that_breaks_a_name_limit_is_refused(pages: Pages) -> None:
    with pytest.raises(PageError, match=r"characters too long for the name of one load balancer or target group"):
        open_workspace("dev", "a" * 30)


def test_a_page_with_problems_is_refused_with_all_of_them(pages: Pages) -> None:
    pages.change("dev", {"app:functions.memory": 1, "data:buckets.expireDays": 0})
    with pytest.raises(PageError) as caught:
        open_workspace("dev")
    assert len(caught.value.problems) == 2


def test_an_environment_that_is_not_there_is_named_with_those_that_are(pages: Pages) -> None:
    with pytest.raises(PageError, match=r"there is no such page; environments are .*dev, .*prod, .*staging"):
        open_workspace("qa")


def test_the_engine_gets_a_copy_and_the_page_stays_as_it_is(pages: Pages, tmp_path: Path) -> None:
    before = (pages.folder / "Pulumi.dev.yaml").read_bytes()
    workspace = open_workspace("dev", "pr42")
    file = write_configuration(workspace)
    assert file == workspace.file == tmp_path / ".local" / "pages" / "aws" / "Pulumi.dev-pr42.yaml"
    assert yaml.safe_load(file.read_text())["config"] == dict(workspace.page.config)
    assert (pages.folder / "Pulumi.dev.yaml").read_bytes() == before
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_what_a_page_says_of_secrets_is_for_aws(pages: Pages) -> None:
    provider = {"secretsprovider": "awskms://alias/pulumi", "encryptedkey": "abc"}
    pages.write("dev", dict(read_pages.read("dev").config), **provider)
    on_aws = yaml.safe_load(write_configuration(open_workspace("dev", target="aws")).read_text())
    assert {key: on_aws[key] for key in provider} == provider
    here = yaml.safe_load(write_configuration(open_workspace("dev", target="local")).read_text())
    assert set(here) == {"config"}


def test_each_target_has_its_own_copy(pages: Pages, tmp_path: Path) -> None:
    files = {write_configuration(open_workspace("dev", target=target)) for target in ("aws", "local")}
    assert files == {tmp_path / ".local" / "pages" / target / "Pulumi.dev.yaml" for target in ("aws", "local")}


def test_the_local_backend_has_one_organization(pages: Pages) -> None:
    pages.change("dev", {"platform:organization": "acme"})
    assert open_workspace("dev", target="aws").environment.platform.organization == "acme"
    assert open_workspace("dev", target="local").environment.platform.organization == "organization"


def test_the_copy_can_be_written_elsewhere(pages: Pages, tmp_path: Path) -> None:
    file = write_configuration(open_workspace("dev"), tmp_path / "other")
    assert file == tmp_path / "other" / "Pulumi.dev.yaml"
