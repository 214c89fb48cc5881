"""The tasks: all of them explained, quick to start, and mistakes answered in words."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from shared import page as pages
from shared.page import ROOT

TASKS = {
    "deploy", "destroy", "dlq", "doctor", "drift", "logs", "migrate", "outputs", "package", "preview", "refresh", "rehearse", "serve", "smoke", "status",
    "unlock", "validate", "environments", "graph", "manifest", "new.environment", "audit.verify", "local.env", "local.start", "local.status", "local.stop",
}  # fmt: skip
HEAVY = {"pulumi", "pulumi_aws", "boto3", "botocore", "moto", "rich", "pydantic", "grpc", "httpx", "psycopg", "starlette"}


def invoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "invoke", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60)


def listed() -> dict[str, str]:
    """Each task with its explanation."""
    listing: dict[str, Any] = json.loads(invoke("--list", "--list-format=json").stdout)
    found = {task["name"]: task["help"] for task in listing["tasks"]}
    return found | {f"{group['name']}.{task['name']}": task["help"] for group in listing["collections"] for task in group["tasks"]}


def test_every_task_is_listed_with_a_sentence() -> None:
    found = listed()
    assert set(found) == TASKS
    assert all(text and text[0].isupper() for text in found.values())


def test_options_of_all_tasks_are_explained() -> None:
    import tasks

    for name in TASKS:
        described = tasks.namespace[name]
        for argument in described.get_arguments():
            assert argument.help, f"{name}: {argument.name}"


def test_listing_imports_nothing_that_is_slow() -> None:
    program = "import sys, tasks; print(*sorted(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["deploy", "--env", "dev", "--target", "mars"], "error: --target mars: must be aws or local"),
        (["deploy", "--env", "--help"], "error: --env --help: that is an option, not an environment. For help: invoke --help deploy"),
        (["deploy", "--env", "qa", "--target", "local"], "environments/Pulumi.qa.yaml: (file): there is no such page"),
        (["deploy", "--env", "dev", "--target", "local", "--only", "storage"], "--only storage: no such project"),
        (["deploy", "--env", "dev", "--target", "local", "--suffix", "PR_42"], "--suffix: platform:environmentSuffix"),
        (["deploy", "--env", "prod", "--target", "local"], "pass --confirm prod to deploy it"),
        (["destroy", "--env", "prod", "--target", "local", "--confirm", "dev"], "destroy needs the name 'prod'"),
        (["smoke", "--env", "qa", "--target", "local"], "environments/Pulumi.qa.yaml: (file): there is no such page"),
        (["drift", "--env", "qa", "--target", "local"], "environments/Pulumi.qa.yaml: (file): there is no such page"),
        (["logs", "--env", "dev", "--since", "ever"], "--since ever: a length of time is a number and a unit"),
        (["logs", "--env", "dev", "--since", "999999d"], "--since 999999d: at most 3653d"),
        (["serve", "--env", "dev", "--port", "99999"], "error: --port 99999: a number from 0 to 65535"),
        (["serve", "--env", "dev", "--port", "abc"], "error: --port abc: a number from 0 to 65535"),
        (["local.start", "--idle", "soon"], "error: --idle soon: a number from 0 to 86400"),
        (["audit.verify", "--env", "dev", "--day", "today"], "--day today: a day is written YYYY-MM-DD"),
        (["package", "--target", "mars"], "error: --target mars: must be aws or local"),
        (["new.environment", "acme", "--from", "dev"], "an environment is called [<blueprint>-]<stage>"),
        (["graph", "--security"], "error: --security: the tiers are those of an environment: --env"),
        (["manifest", "--env", "qa", "--target", "local"], "environments/Pulumi.qa.yaml: (file): there is no such page"),
        (["rehearse", "--env", "qa"], "environments/Pulumi.qa.yaml: (file): there is no such page"),
    ],
)
def test_a_mistake_is_answered_in_words_with_exit_code_2(arguments: list[str], told: str) -> None:
    done = invoke(*arguments)
    assert done.returncode == 2
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["deploy"], ["deploy", "--environment", "dev"], ["launch"]])
def test_what_invoke_itself_does_not_know_has_no_traceback(arguments: list[str]) -> None:
    done = invoke(*arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_validate_says_that_nothing_is_wrong_and_for_machines_an_empty_list() -> None:
    assert invoke("validate").stdout == f"{', '.join(pages.names())}: nothing wrong\n"
    assert json.loads(invoke("validate", "--json").stdout) == []


def test_a_refusal_for_machines_is_a_report() -> None:
    done = invoke("deploy", "--env", "qa", "--target", "local", "--json")
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 2
    assert "there is no such page" in json.dumps(report)
