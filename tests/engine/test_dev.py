"""The life of the dev environment on the local target, lived once: each step is taken down, and the tests ask about it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import jsonschema
import pytest

from localcloud.aws import Aws
from localcloud.catalogue import services
from shared.contracts import CONTRACTS
from shared.page import ROOT
from tests.engine.agreement import named
from tests.engine.census import CLIENTS, LISTINGS, Census, beyond, census, known
from tests.engine.checkout import DEV_ACCOUNT, Checkout, Ended

pytestmark = pytest.mark.timeout(600)

PROJECTS = ("networking", "data", "app", "observability")
TAGS = {"Environment", "Project", "Team", "CostCenter", "DataClassification", "Suffix"}
CHANGED_PAGE: dict[str, Any] = {"data:buckets": {"expireDays": 31}, "observability:alarms": {"functionErrors": 12, "databaseCpu": 90}}
CHANGED_FUNCTIONS: dict[str, Any] = {"app:functions": {"memory": 640, "timeout": 28}, "app:queue": {"maxReceives": 6}}
DRIFTING = "/aws/rds/instance/database-dev-main/upgrade"
ROUTES = ("process-payment", "verify-payment")
# The number of whose errors is the page's; of migrate-database's, one is too many.
OFTEN = (*ROUTES, "payment-worker", "outbox-relay")
FUNCTIONS = (*OFTEN, "migrate-database")

# What the engine does that changes nothing.
_NOTHING = {"same", "read", "refresh"}


@dataclass
class Step:
    """One command of the life: how it ended, the engine's calls that it made, and the changes that the engine made, by project."""

    ended: Ended
    calls: list[list[str]]
    changes: dict[str, Counter[tuple[str, str]]]


@dataclass
class Life:
    """What was seen on the way, by the name of the step after which it was seen."""

    checkout: Checkout
    aws: Aws
    empty: Census
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    statuses: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    holdings: dict[str, Census] = field(default_factory=dict[str, Census])
    states: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict[str, dict[str, list[dict[str, Any]]]])
    pages: list[dict[str, bytes]] = field(default_factory=list[dict[str, bytes]])
    whole: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    seen: dict[str, Any] = field(default_factory=dict[str, Any])

    def command(self, name: str, *arguments: str) -> Ended:
        """A step that is a command on dev."""
        before = len(self.checkout.calls())
        ended = self.checkout.on_dev(*arguments)
        command = "up" if arguments[0] == "deploy" else arguments[0]
        changes = {project: _changes(self.checkout.events(project, command)) for project in PROJECTS}
        self.steps[name] = Step(ended, self.checkout.calls()[before:], changes)
        self.pages.append(self.checkout.pages())
        return ended

    def stand(self, name: str) -> None:
        """Takes down what `status` says of each stack."""
        answer = json.loads(self.checkout.on_dev("status").out)
        self.statuses[name] = {standing["project"]: standing["status"] for standing in answer}

    def look(self, name: str) -> None:
        """Takes down what the account holds beyond what AWS itself made, and what the states say."""
        self.holdings[name] = beyond(census(self.aws), self.empty)
        self.states[name] = {project: self.checkout.managed(project) for project in PROJECTS}


def _changes(events: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """The steps that changed something, as (operation, name), of what AWS holds."""
    done = [event["resOutputsEvent"]["metadata"] for event in events if "resOutputsEvent" in event]
    return Counter((entry["op"], entry["urn"].rsplit("::", 1)[-1]) for entry in done if entry["op"] not in _NOTHING and entry["type"].startswith("aws:"))


@pytest.fixture(scope="module")
def life(checkout: Checkout) -> Life:
    """Deployed from nothing, again, with a changed page, drifted and mended, by hand, destroyed."""
    aws = checkout.aws()
    aws.client("ec2").describe_vpcs()  # moto makes the default VPC when EC2 is first asked
    lived = Life(checkout, aws, census(aws))
    lived.pages.append(checkout.pages())
    lived.stand("nothing")

    lived.command("first", "deploy")
    lived.look("first")
    lived.stand("first")
    _look_for_secrets(lived)
    _ask_for_tags(lived)
    lived.whole = {project: checkout.resources(project) for project in PROJECTS}
    checkout.invoke("rehearse", "--env", "dev", "--json", str(checkout.root / "rehearsed.json"))
    lived.seen["rehearsed"] = json.loads((checkout.root / "rehearsed.json").read_text())

    lived.command("again", "deploy")
    lived.command("forced", "deploy", "--force")
    lived.look("forced")

    with checkout.changed_page(**CHANGED_PAGE):
        lived.stand("changed")
        lived.command("changed", "deploy")
        lived.seen["lifecycle"] = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=f"documents-dev-main-{DEV_ACCOUNT}")["Rules"]
        lived.seen["thresholds"] = {alarm["AlarmName"]: alarm["Threshold"] for alarm in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]}
        lived.stand("deployed the change")
        lived.pages.pop()  # this one the test changed

        aws.client("logs").put_retention_policy(logGroupName=DRIFTING, retentionInDays=1)
        aws.client("cloudwatch").delete_alarms(AlarmNames=["database-cpu-dev-main"])
        lived.command("refreshed", "refresh")
        lived.stand("refreshed")
        lived.command("mended", "deploy")
        lived.pages.pop()
        lived.pages.pop()
        lived.seen["retention"] = aws.client("logs").describe_log_groups(logGroupNamePrefix=DRIFTING)["logGroups"][0]
        lived.look("mended")
        _by_hand(lived)
        lived.look("by hand")

    with checkout.changed_page(**CHANGED_FUNCTIONS):
        _only_what_migrates(lived)

    lived.command("destroyed", "destroy")
    lived.look("destroyed")
    lived.stand("destroyed")
    return lived


def _look_for_secrets(life: Life) -> None:
    """The API key, and the files of the checkout's `.local` in which it stands in clear text."""
    checkout = life.checkout
    shown = json.loads(checkout.on_dev("outputs", "--show-secrets").out)
    life.seen["shown"], life.seen["masked"] = shown, json.loads(checkout.on_dev("outputs").out)
    files = [path for path in checkout.local.rglob("*") if path.is_file() and not path.is_symlink()]
    life.seen["searched"] = [path.relative_to(checkout.local).parts[0] for path in files]
    life.seen["leaks"] = [str(path.relative_to(checkout.local)) for path in files if shown["app"]["apiKey"].encode() in path.read_bytes()]


def _ask_for_tags(life: Life) -> None:
    """The tags of everything that AWS's tagging service lists, by ARN."""
    pages = life.aws.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate()
    listed = [entry for page in pages for entry in page["ResourceTagMappingList"]]
    life.seen["tags"] = {entry["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in entry["Tags"]} for entry in listed}


def _by_hand(life: Life) -> None:
    """`pulumi up` in one project's folder, in a shell that is set up for it."""
    checkout = life.checkout
    pages = checkout.pages()
    exports = checkout.invoke("local.env", "--env", "dev")
    script = f"{exports.out}\npulumi up --stack dev --yes --skip-preview --color never\npulumi stack output --stack dev dashboardName\n"
    life.seen["by hand"] = checkout.shell(script, checkout.root / "projects" / "observability")
    life.seen["pages by hand"] = (pages, checkout.pages())
    wrong = f"{exports.out}\npulumi up --stack prod --yes --skip-preview\n"
    life.seen["wrong stack"] = checkout.shell(wrong, checkout.root / "projects" / "observability")


_UPDATE = """
from ops.migrate import FUNCTION
from ops.operations import update_only
from ops.progress import Silent
from ops.run import Request, prepare

result = update_only(prepare(Request(command="deploy", env="dev", target="local"), Silent()), "app", FUNCTION)
print(result.outcome, {kind: count for kind, count in result.changes.items() if count and kind != "same"}, result.cause)
"""


def _only_what_migrates(life: Life) -> None:
    """A page that changes all functions, and the function alone that migrates brought up to date."""
    life.seen["updated"] = life.checkout.shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(_UPDATE)}", life.checkout.root)
    functions = life.aws.client("lambda").list_functions()["Functions"]
    life.seen["memory"] = {function["FunctionName"].removesuffix("-dev-main"): function["MemorySize"] for function in functions}


# --- from nothing ----------------------------------------------------------------------------------------------------


def test_every_stack_is_deployed_from_nothing(life: Life) -> None:
    ended = life.steps["first"].ended
    assert ended.code == 0, ended.err
    assert ended.outcomes == dict.fromkeys(PROJECTS, "succeeded")
    assert set(life.statuses["nothing"].values()) == {"never deployed"}
    assert set(life.statuses["first"].values()) == {"up to date"}


def test_every_report_is_what_its_schema_says(life: Life) -> None:
    schema = json.loads((ROOT / "docs" / "schemas" / "report.schema.json").read_text())
    for step in life.steps.values():
        jsonschema.validate(step.ended.report, schema, format_checker=jsonschema.FormatChecker())


def test_each_contract_is_published(life: Life) -> None:
    for contract in CONTRACTS:
        published = life.seen["shown"][contract.PROJECT]
        assert contract.problems(published) == []
        # The engine leaves out what is null: what this environment does not have.
        assert set(contract.outputs()) - contract.optional() <= set(published) - {"contractVersion", "inventory"} <= set(contract.outputs())


def test_the_account_holds_what_the_states_say_and_nothing_else(life: Life) -> None:
    resources = [entry for state in life.states["first"].values() for entry in state]
    expected = known(resources)
    assert len(expected) == 18
    assert {call: life.holdings["first"].get(call) for call in expected} == expected


def test_everything_that_takes_tags_bears_the_environment_s(life: Life) -> None:
    tags = {arn: found for arn, found in life.seen["tags"].items() if ":secret:rds!" not in arn}  # made by RDS, tagged by RDS
    assert len(tags) > 40
    assert {arn: sorted(TAGS - set(found)) for arn, found in tags.items() if not set(found) >= TAGS} == {}
    assert {(found["Environment"], found["Suffix"], found["CostCenter"]) for found in tags.values()} == {("dev", "main", "payments-dev")}
    states = [entry for state in life.states["first"].values() for entry in state if "tagsAll" in entry["outputs"]]
    assert [entry["urn"] for entry in states if not set(entry["outputs"]["tagsAll"]) >= TAGS] == []


def test_every_resource_is_in_the_page_s_account(life: Life) -> None:
    arns = [entry["outputs"]["arn"] for state in life.states["first"].values() for entry in state if "arn" in entry["outputs"]]
    accounts = {arn.split(":")[4] for arn in arns}
    assert len(arns) > 60
    assert accounts == {DEV_ACCOUNT, ""}  # S3 and API Gateway leave it out


def test_no_secret_stands_in_clear_text_in_state_logs_or_reports(life: Life) -> None:
    assert len(life.seen["shown"]["app"]["apiKey"]) >= 20
    assert life.seen["masked"]["app"]["apiKey"] == "[secret]"
    assert {"cloud", "logs", "pages"} <= set(life.seen["searched"])
    assert life.seen["leaks"] == []
    secret = life.seen["shown"]["app"]["apiKey"]
    assert [name for name, step in life.steps.items() if secret in step.ended.out + step.ended.err] == []


def test_no_page_is_ever_written_to(life: Life) -> None:
    assert all(before == after for before, after in pairwise(life.pages))


# --- again -----------------------------------------------------------------------------------------------------------


def test_a_second_deployment_starts_no_engine(life: Life) -> None:
    step = life.steps["again"]
    assert step.ended.outcomes == dict.fromkeys(PROJECTS, "unchanged")
    assert step.calls == []


def test_a_forced_deployment_finds_nothing_to_change(life: Life) -> None:
    step = life.steps["forced"]
    assert step.ended.outcomes == dict.fromkeys(PROJECTS, "succeeded")
    assert len(step.calls) == 4
    for result in step.ended.report["results"]:
        assert {kind: count for kind, count in result["changes"].items() if count} == {"same": result["changes"]["same"]}, result["project"]
    assert life.holdings["forced"] == life.holdings["first"]


# --- a changed page --------------------------------------------------------------------------------------------------


def test_status_says_which_stacks_read_the_changed_keys(life: Life) -> None:
    changed = {"networking": "up to date", "data": "page or code changed", "app": "up to date", "observability": "page or code changed"}
    assert life.statuses["changed"] == changed
    assert set(life.statuses["deployed the change"].values()) == {"up to date"}


def test_only_what_the_changed_keys_describe_is_updated(life: Life) -> None:
    step = life.steps["changed"]
    assert step.ended.outcomes == {"networking": "unchanged", "data": "succeeded", "app": "unchanged", "observability": "succeeded"}
    assert step.changes["data"] == Counter({("update", "documents"): 1, ("update", "audit"): 1, ("update", "access-logs"): 1})
    alarms = [*(f"{function}-errors" for function in OFTEN), *(f"{function}-failed-requests" for function in ROUTES)]
    assert step.changes["observability"] == Counter({("update", alarm): 1 for alarm in alarms})
    assert [call[0] for call in step.calls] == ["up", "up"]


def test_the_change_is_in_the_cloud(life: Life) -> None:
    assert {rule["Expiration"]["Days"] for rule in life.seen["lifecycle"] if "Expiration" in rule and "Days" in rule["Expiration"]} == {31}
    assert {life.seen["thresholds"][f"{function}-errors-dev-main"] for function in OFTEN} == {12.0}


# --- drift -----------------------------------------------------------------------------------------------------------


def test_refresh_sees_what_was_changed_and_what_was_deleted_behind_the_engine_s_back(life: Life) -> None:
    step = life.steps["refreshed"]
    assert step.ended.code == 0
    changes = {result["project"]: (result["changes"]["update"], result["changes"]["delete"]) for result in step.ended.report["results"]}
    assert changes == {"networking": (0, 0), "data": (1, 0), "app": (0, 0), "observability": (0, 1)}
    assert step.changes["data"] == Counter({("update", "upgrade"): 1})
    assert step.changes["observability"] == Counter({("delete", "database-cpu"): 1})


def test_status_tells_of_a_state_that_no_deployment_left(life: Life) -> None:
    expected = {"networking": "up to date", "data": "state changed since", "app": "up to date", "observability": "state changed since"}
    assert life.statuses["refreshed"] == expected


def test_the_next_deployment_mends_the_drift_and_nothing_else(life: Life) -> None:
    step = life.steps["mended"]
    assert step.ended.outcomes == {"networking": "unchanged", "data": "succeeded", "app": "unchanged", "observability": "succeeded"}
    assert step.changes["data"] == Counter({("update", "upgrade"): 1})
    assert step.changes["observability"] == Counter({("create", "database-cpu"): 1})
    assert life.seen["retention"]["retentionInDays"] == 7
    assert life.holdings["mended"] == life.holdings["first"]


# --- the database first ----------------------------------------------------------------------------------------------


def test_what_migrates_is_updated_without_what_takes_traffic(life: Life) -> None:
    ended = life.seen["updated"]
    assert (ended.code, ended.out.strip()) == (0, "succeeded {'update': 1}"), ended.err
    assert life.seen["memory"] == {**dict.fromkeys(FUNCTIONS, 512), "migrate-database": 640}


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_pulumi_by_hand_in_one_project_s_folder_finds_the_same_stack(life: Life) -> None:
    ended = life.seen["by hand"]
    assert ended.code == 0, ended.err + ended.out
    assert re.search(r"^ +43 unchanged$", ended.out, re.MULTILINE), ended.out
    assert ended.out.splitlines()[-1] == "payments-dev-main"
    assert life.holdings["by hand"] == life.holdings["mended"]


def test_pulumi_by_hand_leaves_the_pages_alone(life: Life) -> None:
    before, after = life.seen["pages by hand"]
    assert before == after


def test_pulumi_by_hand_is_for_the_environment_that_the_shell_was_set_up_for(life: Life) -> None:
    ended = life.seen["wrong stack"]
    assert ended.code == 2
    assert 'eval "$(invoke local.env --env prod)"' in ended.err


# --- rehearsed -------------------------------------------------------------------------------------------------------


def test_rehearsal_makes_the_engine_s_resources(life: Life) -> None:
    rehearsed = {stack["project"]: {entry["urn"] for entry in stack["resources"]} for stack in life.seen["rehearsed"]["stacks"]}
    deployed = {project: {entry["urn"] for entry in state if not _of_the_engine(entry)} for project, state in life.whole.items()}
    assert {project: urns ^ deployed[project] for project, urns in rehearsed.items()} == {project: set() for project in PROJECTS}


def test_rehearsal_and_the_engine_agree_on_every_input(life: Life) -> None:
    rehearsed = [entry for stack in life.seen["rehearsed"]["stacks"] for entry in stack["resources"]]
    deployed = [entry for state in life.whole.values() for entry in state]
    one, other = named(rehearsed, deployed), named(deployed, rehearsed)
    assert len(one) > 180
    assert {urn: (made, other[urn]) for urn, made in one.items() if made != other[urn]} == {}


def _of_the_engine(entry: dict[str, Any]) -> bool:
    """The stack itself, and a provider of each kind, which the engine makes unasked."""
    return entry["type"] == "pulumi:pulumi:Stack" or entry["type"].startswith("pulumi:providers:")


# --- destroyed -------------------------------------------------------------------------------------------------------


def test_destroying_leaves_nothing_in_the_account(life: Life) -> None:
    ended = life.steps["destroyed"].ended
    assert ended.code == 0, ended.err
    assert ended.outcomes == dict.fromkeys(PROJECTS, "succeeded")
    assert life.holdings["destroyed"] == {}
    assert life.states["destroyed"] == {project: [] for project in PROJECTS}
    assert set(life.statuses["destroyed"].values()) == {"never deployed"}


def test_dependents_are_destroyed_first(life: Life) -> None:
    destroyed = [call for call in life.steps["destroyed"].calls if call[0] == "destroy"]
    logs = [next(argument for argument in call if argument.endswith(".events")) for call in destroyed]
    assert [log.rsplit("dev-", 1)[1].removesuffix("-destroy.events") for log in logs] == list(reversed(PROJECTS))


def test_the_census_asks_every_service_of_the_table() -> None:
    asked = {service: CLIENTS.get(service, (service,)) for service in services()}
    assert {service: clients for service, clients in asked.items() if not set(clients) <= set(LISTINGS)} == {}
