"""Environments of a family cannot drift apart: what their pages may not differ in is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops import families
from ops.families import FILE, drift, family_of, said
from ops.validation import validate
from ops.workspace import open_workspace
from shared import page as read_pages
from shared.page import PageError
from tests.ops.pages import Pages


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    return Pages(tmp_path, monkeypatch)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of families of the test's own."""
    monkeypatch.setattr(families, "FILE", str(tmp_path / "families.yaml"))
    monkeypatch.setattr(families, "families", families.families.__wrapped__)
    return tmp_path / "families.yaml"


@pytest.mark.parametrize(
    ("key", "value", "shown", "elsewhere"),
    [
        ("app:functions.memory", 512, "512", "1024"),
        ("app:functions.timeout", 25, "25", "28"),
        ("app:api.logBodies", False, "false", "true"),
        ("data:buckets.versioning", False, "false", "true"),
        ("networking:vpc.availabilityZones", 3, "3", "2"),
        ("platform:logRetentionDays", 7, "7", "30"),
        ("observability:alarms", None, None, "null"),
    ],
)
def test_what_nobody_decided_is_named_with_the_other_pages_values(pages: Pages, key: str, value: Any, shown: str | None, elsewhere: str) -> None:
    before = {name: said(read_pages.read(name)) or {} for name in ("regions-dev", "regions-prod", "regions-staging")}
    pages.change("regions-dev", {key: value})
    problems = [str(problem) for problem in validate(["regions-dev"])]
    assert problems
    assert all(f"allow it in {FILE}" in problem for problem in problems)
    if shown is not None:
        other = str(before["regions-prod"][key]).lower()
        assert problems == [
            f"environments/Pulumi.regions-dev.yaml: {key} = {shown}: is {other} in regions-prod, {other} in regions-staging, and the environments of "
            f"regions do not differ in it: make it the same on all their pages, or allow it in {FILE} with the reason"
        ]


def test_nothing_of_a_family_is_deployed_while_one_of_its_pages_has_drifted(pages: Pages) -> None:
    pages.change("accounts-dev", {"app:functions.timeout": 25})
    for name in ("accounts-dev", "accounts-staging", "accounts-prod"):
        with pytest.raises(PageError, match=r"app:functions\.timeout"):
            open_workspace(name, target="local")


@pytest.mark.parametrize(
    "changed",
    [
        {"data:database.instanceClass": "db.t3.large"},
        {"platform:tags.CostCenter": "elsewhere"},
        {"networking:vpc.cidr": "10.9.0.0/16"},
        {"platform:logRetentionDays": "30"},
    ],
)
def test_what_the_family_allows_what_an_environment_is_and_how_a_value_is_written_may_differ(pages: Pages, changed: dict[str, Any]) -> None:
    pages.change("regions-dev", changed)
    assert validate(["regions-dev"]) == []


def test_a_short_lived_copy_is_no_drift() -> None:
    assert open_workspace("regions-dev", "pr42", target="local").stack == "regions-dev-pr42"


def test_a_family_that_is_not_named_may_differ_in_anything(pages: Pages) -> None:
    pages.change("aurora-dev", {"app:functions.timeout": 25})
    assert validate(["aurora-dev"]) == []


def test_every_allowance_is_needed() -> None:
    for family, allowed in families.families().items():
        values = [said(read_pages.read(name)) or {} for name in read_pages.names() if family_of(name) == family]
        assert len(values) > 1
        keys = {key for value in values for key in value if any(value.get(key) != other.get(key) for other in values)}
        assert {may for may in allowed if not any(key == may or key.startswith(f"{may}.") for key in keys)} == set()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("regions: [", "(file)"),
        ("- regions", "(file)"),
        ("regions: all", "regions"),
        ("regions: {app:functions: }", "regions.app:functions"),
        ("regions: {memory: it is ours}", "regions.memory"),
    ],
)
def test_a_file_of_families_that_says_nothing_is_refused_and_not_taken_as_leave(file: Path, text: str, where: str) -> None:
    file.write_text(text)
    assert [problem.key for problem in drift(read_pages.read("regions-dev"))] == [where]
