"""The pipelines: what runs in them is pinned, may do little, and the deployment knows every environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared import page as pages
from shared.page import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EACH = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
CHOSEN = "${{ inputs.environment }}"


def content(path: Path) -> dict[str, Any]:
    # In YAML 1.1 a key `on` is true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text()).items()}


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in content(path)["jobs"].values() for step in job["steps"]]


@pytest.fixture
def deployment() -> dict[str, Any]:
    return content(ROOT / ".github" / "workflows" / "deploy.yml")


@EACH
def test_actions_are_pinned_by_digest_and_say_their_version(path: Path) -> None:
    used = re.findall(r"uses: *(.+)", path.read_text())
    assert len(used) == sum("uses" in step for step in steps(path)) > 0
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []


@EACH
def test_no_script_has_an_expression_put_into_it(path: Path) -> None:
    # Whoever chooses the value could write commands; as a variable it is only a value.
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


@EACH
def test_a_workflow_may_read_and_only_a_deployment_has_an_identity(path: Path) -> None:
    whole = content(path)
    granted = [whole["permissions"], *(job["permissions"] for job in whole["jobs"].values() if "permissions" in job)]
    wanted = [{}, {"contents": "read", "id-token": "write"}] if path.stem == "deploy" else [{"contents": "read"}]
    assert granted == wanted
    assert [step for step in steps(path) if "checkout" in step.get("uses", "") and step["with"]["persist-credentials"] is not False] == []


def test_every_environment_that_has_a_page_can_be_deployed(deployment: dict[str, Any]) -> None:
    asked = deployment["on"]["workflow_dispatch"]["inputs"]
    assert list(asked) == ["environment"]
    assert (asked["environment"]["type"], asked["environment"]["required"]) == ("choice", True)
    assert asked["environment"]["options"] == pages.names(), "the choices of .github/workflows/deploy.yml are the pages in environments/, sorted"


def test_an_environment_is_deployed_once_at_a_time_by_its_own_rules_with_a_passing_identity(deployment: dict[str, Any]) -> None:
    assert deployment["concurrency"] == {"group": f"deploy-{CHOSEN}", "cancel-in-progress": False}
    [job] = deployment["jobs"].values()
    assert (job["environment"], job["env"]["ENVIRONMENT"]) == (CHOSEN, CHOSEN)
    [identity] = [step["with"] for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]
    assert identity["role-duration-seconds"] == job["timeout-minutes"] * 60
    assert {key for key in identity if "key" in key} == set()


def test_the_deployment_is_the_task_confirmed_and_tried(deployment: dict[str, Any]) -> None:
    [script] = [step["run"] for job in deployment["jobs"].values() for step in job["steps"] if "invoke" in step.get("run", "")]
    assert '.venv/bin/invoke deploy --env "$ENVIRONMENT" --confirm "$ENVIRONMENT" --smoke' in script
    assert '.venv/bin/python -m ops.image_first "$ENVIRONMENT"' in script
