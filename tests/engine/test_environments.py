"""Guards, previews, failures, contracts and copies: what environments do to one another, and must not."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import Any

import pytest

from localcloud.aws import Aws
from shared.contracts import NetworkingOutputs
from tests.engine.census import Census, beyond, census, known
from tests.engine.checkout import DEV_ACCOUNT, SHARED, Checkout, Ended

pytestmark = pytest.mark.timeout(600)

PROJECTS = ("networking", "data", "app", "observability")
TAKEN = f"documents-dev-main-{DEV_ACCOUNT}"
COPY = ("--suffix", "pr7")


@dataclass
class Seen:
    """What was seen, by name."""

    ends: dict[str, Ended] = field(default_factory=dict[str, Ended])
    holdings: dict[str, Census] = field(default_factory=dict[str, Census])
    recorded: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@pytest.fixture(scope="module")
def seen(checkout: Checkout) -> Seen:
    """One after another, in one checkout."""
    found = Seen()
    _refusals(checkout, found)
    found.ends["preview"] = checkout.invoke("preview", "--env", "prod", "--target", "local", "--json")
    found.facts["previewed"] = {project: checkout.deployment(project, "prod") for project in PROJECTS}
    aws = checkout.aws()
    aws.client("ec2").describe_vpcs()  # moto makes the default VPC when EC2 is first asked
    empty = census(aws)
    _failure(checkout, found, aws, empty)
    _contracts(checkout, found)
    _copies(checkout, found, aws, empty)
    return found


def _refusals(checkout: Checkout, seen: Seen) -> None:
    """Deploying and destroying prod, which is protected, without a terminal."""
    for name, arguments in (("deploy", ()), ("destroy", ()), ("misnamed", ("--confirm", "dev"))):
        command = "deploy" if name == "misnamed" else name
        seen.ends[f"refused {name}"] = checkout.invoke(command, "--env", "prod", "--target", "local", "--json", *arguments)
    seen.facts["touched"] = [checkout.calls(), [path.name for path in checkout.local.iterdir() if path.name not in SHARED]]


def _failure(checkout: Checkout, seen: Seen, aws: Aws, empty: Census) -> None:
    """Somebody else's bucket has the name; then it is free."""
    other = checkout.aws("999999999999").client("s3")
    other.create_bucket(Bucket=TAKEN)
    seen.ends["failed"] = checkout.on_dev("deploy")
    seen.recorded["failed"] = checkout.managed("data")
    seen.facts["failed status"] = _statuses(checkout)
    other.delete_bucket(Bucket=TAKEN)
    seen.ends["resumed"] = checkout.on_dev("deploy", "--until", "data")
    seen.recorded["resumed"] = checkout.managed("data")
    seen.recorded["networking"] = checkout.managed("networking")
    seen.holdings["resumed"] = beyond(census(aws), empty)


def _contracts(checkout: Checkout, seen: Seen) -> None:
    """Outputs of networking as no deployment of this code leaves them."""
    pages, shell = checkout.pages(), checkout.invoke("local.env", "--env", "dev").out
    _edit_outputs(checkout, shell, {"vpcCidr": "10.9.0.0/16"})
    seen.facts["status of other outputs"] = _statuses(checkout)
    seen.ends["held"] = checkout.on_dev("deploy", "--only", "data")
    _edit_outputs(checkout, shell, {"vpcId": _MISSING, "vpcCidr": None})
    seen.ends["broken"] = checkout.on_dev("deploy", "--only", "data", "--force")
    _edit_outputs(checkout, shell, {"contractVersion": 0})
    seen.ends["old"] = checkout.on_dev("deploy", "--only", "data", "--force")
    seen.facts["pages"] = (pages, checkout.pages())
    seen.ends["mended"] = checkout.invoke(*_command_of(seen.ends["broken"]), "--json")
    seen.ends["after mending"] = checkout.on_dev("deploy", "--until", "data")


_MISSING = object()


def _edit_outputs(checkout: Checkout, environment: str, changed: dict[str, Any]) -> None:
    """Changes outputs of the networking stack, with the engine's own export and import."""
    folder, file = checkout.root / "projects" / "networking", checkout.root / "deployment.json"
    exported = checkout.shell(f"{environment}\npulumi stack export --stack dev > {shlex.quote(str(file))}", folder)
    assert exported.code == 0, exported.err
    state = json.loads(file.read_text())
    outputs = next(entry["outputs"] for entry in state["deployment"]["resources"] if entry["type"] == "pulumi:pulumi:Stack")
    for name, value in changed.items():
        if value is _MISSING:
            del outputs[name]
        else:
            outputs[name] = value
    file.write_text(json.dumps(state))
    imported = checkout.shell(f"{environment}\npulumi stack import --stack dev --file {shlex.quote(str(file))}", folder)
    assert imported.code == 0, imported.err


def _command_of(ended: Ended) -> list[str]:
    """The command that an error says mends it, without `invoke`."""
    message = ended.result("data")["errors"][0]["message"]
    return shlex.split(message.rsplit("Deploy it first: ", 1)[1].splitlines()[0])[1:]


def _statuses(checkout: Checkout) -> dict[str, str]:
    answer = json.loads(checkout.on_dev("status").out)
    return {standing["project"]: standing["status"] for standing in answer}


def _copies(checkout: Checkout, seen: Seen, aws: Aws, empty: Census) -> None:
    """A copy of dev beside dev, and its end."""
    seen.holdings["before the copy"] = beyond(census(aws), empty)
    seen.ends["copied"] = checkout.on_dev("deploy", "--until", "data", *COPY)
    seen.recorded["copy"] = [*checkout.managed("networking", "dev-pr7"), *checkout.managed("data", "dev-pr7")]
    seen.holdings["with the copy"] = beyond(census(aws), empty)
    seen.ends["copy destroyed"] = checkout.on_dev("destroy", *COPY)
    seen.holdings["after the copy"] = beyond(census(aws), empty)
    seen.ends["left"] = checkout.on_dev("deploy", "--until", "data")


# --- protected -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_a_protected_environment_wants_its_name_where_nobody_can_type(seen: Seen, command: str) -> None:
    ended = seen.ends[f"refused {command}"]
    assert ended.code == 2
    told = f"environments/Pulumi.prod.yaml says platform:protected, and this is not a terminal: pass --confirm prod to {command} it"
    assert ended.report["problems"] == [told]
    assert ended.report["results"] == []


def test_another_environment_s_name_does_not_confirm(seen: Seen) -> None:
    assert seen.ends["refused misnamed"].code == 2
    assert "needs the name 'prod'" in seen.ends["refused misnamed"].report["problems"][0]


def test_a_refusal_touches_nothing(seen: Seen) -> None:
    assert seen.facts["touched"] == [[], []]


# --- previewed -------------------------------------------------------------------------------------------------------


def test_all_projects_of_an_environment_that_was_never_deployed_can_be_previewed(seen: Seen) -> None:
    ended = seen.ends["preview"]
    assert ended.code == 0, ended.out
    assert ended.outcomes == dict.fromkeys(PROJECTS, "succeeded")
    assert all(result["changes"]["create"] > 25 for result in ended.report["results"])


def test_a_preview_leaves_no_stack_behind(seen: Seen) -> None:
    assert seen.facts["previewed"] == {project: {} for project in PROJECTS}


# --- failed, and resumed ---------------------------------------------------------------------------------------------


def test_a_failure_stops_what_depends_on_it_and_says_why(seen: Seen) -> None:
    ended = seen.ends["failed"]
    assert ended.code == 1
    assert ended.outcomes == {"networking": "succeeded", "data": "failed", "app": "early exit", "observability": "early exit"}
    assert {ended.result(project)["because_of"] for project in ("app", "observability")} == {"data"}
    (error,) = ended.result("data")["errors"]
    assert (error["type"], error["name"]) == ("aws:s3/bucket:Bucket", "documents")
    assert TAKEN in error["message"]
    assert "exists already" in error["message"]
    assert seen.facts["failed status"] == {
        "networking": "up to date",
        "data": "incomplete",
        "app": "never deployed",
        "observability": "never deployed",
    }


def test_the_next_deployment_goes_on_and_makes_nothing_twice(seen: Seen) -> None:
    ended = seen.ends["resumed"]
    assert ended.code == 0, ended.out
    assert ended.outcomes == {"networking": "unchanged", "data": "succeeded", "app": "excluded", "observability": "excluded"}
    before, after = ({entry["urn"]: entry["id"] for entry in seen.recorded[name]} for name in ("failed", "resumed"))
    assert before.items() < after.items()
    expected = known([*seen.recorded["networking"], *seen.recorded["resumed"]])
    assert {call: seen.holdings["resumed"].get(call) for call in expected} == expected


# --- contracts -------------------------------------------------------------------------------------------------------


def test_status_tells_that_an_upstream_s_outputs_changed(seen: Seen) -> None:
    statuses = seen.facts["status of other outputs"]
    assert (statuses["networking"], statuses["data"]) == ("state changed since", "upstream outputs changed since")


def test_a_stack_is_held_while_its_upstream_is_not_up_to_date(seen: Seen) -> None:
    ended = seen.ends["held"]
    assert ended.code == 2
    assert ended.outcomes == {"networking": "excluded", "data": "held", "app": "excluded", "observability": "excluded"}
    assert ended.result("data")["cause"] == "networking is not up to date (state changed); --force deploys against what is there"


def test_missing_and_null_outputs_are_named_with_producer_consumer_and_command(seen: Seen) -> None:
    ended = seen.ends["broken"]
    assert ended.code == 1
    # The SDK drops an output that is null on its way to the program, where it is missing then.
    assert [error["message"] for error in ended.result("data")["errors"]] == [
        "data/dev takes NetworkingOutputs from organization/networking/dev, but of that stack output vpcId is missing; output vpcCidr is missing. "
        "Deploy it first: invoke deploy --env dev --target local --only networking"
    ]


def test_an_older_contract_is_named_too(seen: Seen) -> None:
    assert seen.ends["old"].code == 1
    message = seen.ends["old"].result("data")["errors"][0]["message"]
    assert f"of that stack contractVersion is 0, this code reads {NetworkingOutputs.VERSION}. Deploy it first:" in message


def test_the_command_that_the_error_names_mends_it(seen: Seen) -> None:
    assert seen.ends["mended"].code == 0, seen.ends["mended"].out
    assert seen.ends["after mending"].outcomes == {"networking": "unchanged", "data": "succeeded", "app": "excluded", "observability": "excluded"}
    changes = seen.ends["after mending"].result("data")["changes"]
    assert {kind for kind, count in changes.items() if count} == {"same"}


def test_editing_a_state_by_hand_writes_to_no_page(seen: Seen) -> None:
    before, after = seen.facts["pages"]
    assert before == after


# --- copies ----------------------------------------------------------------------------------------------------------


def test_a_copy_stands_beside_its_original(seen: Seen) -> None:
    assert seen.ends["copied"].code == 0, seen.ends["copied"].out
    original = [*seen.recorded["networking"], *seen.recorded["resumed"]]
    physical = {(entry["type"], entry["id"]) for entry in original} & {(entry["type"], entry["id"]) for entry in seen.recorded["copy"]}
    assert physical == set()
    assert len(seen.recorded["copy"]) == len(original)
    more = beyond(seen.holdings["with the copy"], seen.holdings["before the copy"])
    assert {call: len(ids) for call, ids in more.items()} == {call: len(ids) for call, ids in seen.holdings["before the copy"].items()}


def test_destroying_the_copy_leaves_the_original(seen: Seen) -> None:
    assert seen.ends["copy destroyed"].code == 0
    assert seen.holdings["after the copy"] == seen.holdings["before the copy"]
    assert {seen.ends["left"].outcomes[project] for project in ("networking", "data")} == {"unchanged"}
