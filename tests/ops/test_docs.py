"""The documents state what the code does: generated parts are current, links lead somewhere, commands and options exist."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke.collection import Collection
from jsonschema import Draft202012Validator

import tasks
from localcloud.rehearsal import STACK_REFERENCE, Resource, Run
from ops import docs
from ops.projects import projects
from ops.rehearsal import Rehearsal, RehearsedStack
from shared.page import ROOT

DOCUMENTS = [*docs.DOCUMENTS, "docs/decisions.md", "docs/payments.md"]
TASKS = Collection.from_module(tasks)


@pytest.mark.parametrize("name", docs.DOCUMENTS)
def test_generated_parts_are_current(name: str) -> None:
    text = (ROOT / name).read_text()
    assert text == docs.generated(text, name), f"{name} is stale: python -m ops.docs"


def test_every_part_stands_in_a_document() -> None:
    placed = {part for name in docs.DOCUMENTS for part in re.findall(r"<!-- generated:([a-z-]+) -->", (ROOT / name).read_text())}
    assert placed == set(docs.PARTS)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The documents, with one part of one of them out of date."""
    for name in docs.DOCUMENTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    readme = tmp_path / "README.md"
    readme.write_text(re.sub(r"(<!-- generated:tasks -->\n).*?(<!-- /generated -->)", r"\1old\n\2", readme.read_text(), flags=re.DOTALL))
    return tmp_path


def test_a_stale_part_is_told_and_written(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = (copied / "README.md").read_text()
    assert docs.main(["--check"], copied) == 1
    assert "README.md" in capsys.readouterr().err
    assert (copied / "README.md").read_text() == stale, "--check writes nothing"
    assert docs.main([], copied) == 0
    assert (copied / "README.md").read_text() == (ROOT / "README.md").read_text()
    assert docs.main(["--check"], copied) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!-- generated:no-such-part -->\n<!-- /generated -->", "nobody generates no-such-part"),
        ("<!-- generated:tasks -->\nforgotten", "1 markers make 0 parts"),
        ("<!-- generated:tasks --><!-- /generated -->", "2 markers make 0 parts"),
        ("<!-- generated:tasks -->\n<!-- generated:gaps -->\n<!-- /generated -->", "3 markers make 1 parts"),
    ],
)
def test_a_marker_that_means_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(docs.DocsError, match=said):
        docs.generated(text)


def test_the_picture_has_an_arrow_for_each_dependency() -> None:
    for project in projects().values():
        taken = docs.taken(project)
        assert set(taken) == set(project.takes)
        assert all(taken.values()), f"{project.name} declares an upstream of which it reads nothing: {taken}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text()):
        assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_within_a_document_have_a_heading(name: str) -> None:
    text = (ROOT / name).read_text()
    headings = {re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_exist_with_their_options(name: str) -> None:
    text = (ROOT / name).read_text()
    for task, options in re.findall(r"\binvoke (?!--)([a-z][a-z.]*)((?: +--?[\w-]+(?: +[\w.…-]+)?)*)", text):
        if task not in TASKS.task_names:
            pytest.fail(f"{name}: there is no `invoke {task}`")
        known = {"--" + argument.name.strip("_").replace("_", "-") for argument in TASKS[task].get_arguments()}
        assert set(re.findall(r"(?<!\S)--[\w-]+", options)) <= known, f"{name}: invoke {task}{options}"
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^ +|`)make ([a-z]+)", text, re.MULTILINE)) <= targets


def rehearsal() -> dict[str, Any]:
    """A small rehearsal, as the code writes it."""
    stack, below = "urn:pulumi:dev::app::pulumi:pulumi:Stack::app-dev", "urn:pulumi:dev::app::payments:shared:Queue"
    made = [
        Resource(f"urn:pulumi:dev::app::{STACK_REFERENCE}::organization/data/dev", STACK_REFERENCE, "organization/data/dev", stack, "x", {}, {}),
        Resource(f"{below}::work", "payments:shared:Queue", "work", stack, "", {}, {"url": "u"}),
        Resource(f"{below}$aws:sqs/queue:Queue::work", "aws:sqs/queue:Queue", "work", f"{below}::work", "work-dev-main", {"name": "n"}, {"arn": "a"}),
    ]
    run = Run(made, {"contractVersion": 1, "apiKey": "not to be seen"}, {"apiKey"})
    return Rehearsal("dev", [RehearsedStack("app", "dev", ("data",), 0.5, run)]).as_json()


def schema() -> Draft202012Validator:
    content = json.loads((ROOT / "docs/schemas/rehearsal.schema.json").read_text())
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


def test_a_rehearsal_is_as_its_schema_says() -> None:
    written = rehearsal()
    schema().validate(written)
    assert "not to be seen" not in json.dumps(written)


def _without_id(stack: dict[str, Any]) -> None:
    stack["resources"][2]["id"] = ""


def _unversioned(stack: dict[str, Any]) -> None:
    del stack["outputs"]["contractVersion"]


@pytest.mark.parametrize(
    "spoil",
    [
        _without_id,
        _unversioned,
        lambda stack: stack.update(seconds=-1),
        lambda stack: stack.pop("depends_on"),
        lambda stack: stack.update(more=1),
        lambda stack: stack["resources"][1].update(urn="work"),
        lambda stack: stack["resources"][1].pop("parent"),
        lambda stack: stack["resources"][1].update(type="Queue"),
    ],
)
def test_its_schema_refuses_what_the_code_never_writes(spoil: Callable[[dict[str, Any]], object]) -> None:
    written = copy.deepcopy(rehearsal())
    spoil(written["stacks"][0])
    assert not schema().is_valid(written)
