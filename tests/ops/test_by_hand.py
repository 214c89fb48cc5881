"""The stand-in for `pulumi` in a shell that did `eval "$(invoke local.env)"`: which page's copy it hands to the engine."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ops import by_hand
from ops.workspace import open_workspace
from shared.page import ROOT
from tests.ops.pages import Pages


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    return Pages(tmp_path, monkeypatch)


@pytest.fixture
def engine(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine would be started with."""
    started: list[str] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: started.extend([path, *arguments]))
    return started


def copy_of(pages: Pages, stack: str) -> str:
    return str(pages.folder.parent / ".local" / "pages" / "local" / f"Pulumi.{stack}.yaml")


@pytest.mark.parametrize("command", ["up", "preview", "refresh", "destroy", "config"])
def test_a_command_that_reads_configuration_gets_the_copy_and_the_shells_stack(engine: list[str], pages: Pages, command: str) -> None:
    by_hand.main("dev", "-", "/bin/pulumi", command, "--yes")
    assert engine == ["/bin/pulumi", "pulumi", command, "--stack", "dev", "--config-file", copy_of(pages, "dev"), "--yes"]


@pytest.mark.parametrize("named", [["-s", "dev"], ["--stack", "dev"], ["--stack=dev"], ["-s", "organization/data/dev"]])
def test_a_stack_that_is_named_is_not_named_twice(engine: list[str], pages: Pages, named: list[str]) -> None:
    by_hand.main("dev", "-", "/bin/pulumi", "up", *named)
    assert engine == ["/bin/pulumi", "pulumi", "up", "--config-file", copy_of(pages, "dev"), *named]


def test_a_copys_shell_gets_the_copys_page(engine: list[str], pages: Pages) -> None:
    by_hand.main("dev", "pr42", "/bin/pulumi", "up")
    assert engine[2:] == ["up", "--stack", "dev-pr42", "--config-file", copy_of(pages, "dev-pr42")]
    assert yaml.safe_load(Path(engine[-1]).read_text())["config"]["platform:environmentSuffix"] == "pr42"


@pytest.mark.parametrize("arguments", [["stack", "ls"], ["version"], ["whoami"], [], ["stack", "output", "--stack", "prod"]])
def test_other_commands_pass_as_they_are(engine: list[str], arguments: list[str]) -> None:
    by_hand.main("dev", "-", "/bin/pulumi", *arguments)
    assert engine == ["/bin/pulumi", "pulumi", *arguments]


@pytest.mark.parametrize("word", ["rm", "remove"])
def test_a_stack_that_is_removed_keeps_its_page(engine: list[str], word: str) -> None:
    by_hand.main("dev", "-", "/bin/pulumi", "-C", "projects/data", "stack", "--color", "never", word, "--yes", "dev")
    assert engine[2:] == ["-C", "projects/data", "stack", "--color", "never", word, "--preserve-config", "--yes", "dev"]
    engine.clear()
    by_hand.main("dev", "-", "/bin/pulumi", "stack", word, "dev", "--preserve-config")
    assert engine[2:] == ["stack", word, "dev", "--preserve-config"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["destroy", "--yes", "--remove"], "--remove deletes the committed page"),
        (["-C", "projects/data", "down", "--remove"], "pulumi destroy, then pulumi stack rm"),
        (["stack", "init", "dev"], "pulumi stack init writes to the committed page"),
        (["stack", "new", "dev"], "`invoke local.env` made them"),
        (["stack", "rename", "other"], "pulumi stack rename writes"),
        (["stack", "change-secrets-provider", "passphrase"], "writes to the committed page"),
    ],
)
def test_what_would_delete_or_write_a_page_is_refused(engine: list[str], arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        by_hand.main("dev", "-", "/bin/pulumi", *arguments)
    assert (ended.value.code, engine) == (2, [])
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("own", [["--config-file", "mine.yaml"], ["--config-file=mine.yaml"]])
def test_a_configuration_of_the_callers_own_is_left_alone(engine: list[str], own: list[str]) -> None:
    by_hand.main("dev", "-", "/bin/pulumi", "up", *own)
    assert engine == ["/bin/pulumi", "pulumi", "up", *own]


def test_another_stack_is_refused_with_the_command_for_its_shell(engine: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        by_hand.main("dev", "-", "/bin/pulumi", "up", "-s", "prod")
    assert (ended.value.code, engine) == (2, [])
    assert 'this shell is set up for the stack dev, not prod. For that one: eval "$(invoke local.env --env prod)"' in capsys.readouterr().err


def test_a_copys_stack_is_refused_with_the_suffix_of_its_shell(engine: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        by_hand.main("dev", "-", "/bin/pulumi", "up", "--stack=staging-pr42")
    assert engine == []
    assert 'eval "$(invoke local.env --env staging --suffix pr42)"' in capsys.readouterr().err


def test_options_before_the_command_do_not_hide_it(engine: list[str]) -> None:
    by_hand.main("dev", "-", "/bin/pulumi", "-C", "projects/data", "--color", "never", "up", "--yes")
    assert engine[2:7] == ["-C", "projects/data", "--color", "never", "up"]
    assert "--config-file" in engine


def test_a_page_that_went_wrong_is_said_and_nothing_is_started(engine: list[str], pages: Pages, capsys: pytest.CaptureFixture[str]) -> None:
    pages.change("dev", {"app:functions.memory": 1})
    with pytest.raises(SystemExit) as ended:
        by_hand.main("dev", "-", "/bin/pulumi", "up")
    assert (ended.value.code, engine) == (2, [])
    assert capsys.readouterr().err.startswith("error: environments/Pulumi.dev.yaml: app:functions.memory = 1")


def test_the_committed_page_stays_as_it_is(engine: list[str], pages: Pages) -> None:
    before = (pages.folder / "Pulumi.dev.yaml").read_bytes()
    by_hand.main("dev", "-", "/bin/pulumi", "up")
    assert (pages.folder / "Pulumi.dev.yaml").read_bytes() == before


def test_what_is_installed_is_a_command_that_passes_everything_on(tmp_path: Path) -> None:
    pulumi = tmp_path / "the engine" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text('#!/bin/sh\nfor one in "$@"; do echo "[$one]"; done\n')
    pulumi.chmod(0o755)
    folder = by_hand.install(tmp_path / "stand in", open_workspace("dev"), pulumi)
    script = folder / "pulumi"
    assert shlex.quote(sys.executable) in script.read_text()
    done = subprocess.run(
        [str(script), "stack", "ls", "two words"], capture_output=True, text=True, check=True, cwd=ROOT / "projects" / "data", env={"PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.splitlines() == ["[stack]", "[ls]", "[two words]"]
