"""What somebody changes behind the platform's back is said by `drift`, which touches neither the state nor the cloud."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import pytest

from shared.page import ROOT
from tests.engine.checkout import Checkout, Ended

pytestmark = pytest.mark.timeout(600)

NETWORKING = ("--only", "networking")


@dataclass
class Looks:
    """How each look for drift ended, by what had been done before it, and what was seen beside."""

    ends: dict[str, Ended] = field(default_factory=dict[str, Ended])
    seen: dict[str, Any] = field(default_factory=dict[str, Any])

    def found(self, name: str) -> dict[str, tuple[str, list[str]]]:
        """What had drifted, by the resource's name: how, and in which properties."""
        return {one["name"]: (one["change"], one["properties"]) for one in self.ends[name].result("networking")["drift"]}


@pytest.fixture(scope="module")
def looks(checkout: Checkout) -> Looks:
    """One stack, changed by hand, put back, and changed so that something is gone."""
    made = Looks()
    aws = checkout.aws()
    logs, iam, ec2 = aws.client("logs"), aws.client("iam"), aws.client("ec2")
    stack = checkout.cloud.state / "state" / ".pulumi" / "stacks" / "networking"
    assert checkout.on_dev("deploy", *NETWORKING).code == 0
    state = {path.name: path.read_bytes() for path in stack.iterdir()}
    managed = {(entry["type"], entry["urn"].rsplit("::", 1)[-1]): entry for entry in checkout.managed("networking")}
    group = managed["aws:cloudwatch/logGroup:LogGroup", "flow-logs"]["outputs"]
    vpc = managed["aws:ec2/vpc:Vpc", "vpc"]

    def look(name: str) -> None:
        before = len(checkout.calls())
        made.ends[name] = checkout.on_dev("drift", *NETWORKING)
        made.seen[f"calls {name}"] = [call for call in checkout.calls()[before:] if call[0] == "refresh"]

    look("deployed")
    logs.put_retention_policy(logGroupName=group["name"], retentionInDays=1)
    ec2.create_tags(Resources=[vpc["id"]], Tags=[{"Key": "Team", "Value": "another"}])
    look("changed")
    made.seen["retention"] = logs.describe_log_groups(logGroupNamePrefix=group["name"])["logGroups"][0]["retentionInDays"]
    made.seen["for people"] = checkout.invoke("drift", "--env", "dev", "--target", "local", *NETWORKING)
    made.seen["status"] = {one["project"]: one["status"] for one in json.loads(checkout.on_dev("status").out)}
    logs.put_retention_policy(logGroupName=group["name"], retentionInDays=group["retentionInDays"])
    ec2.create_tags(Resources=[vpc["id"]], Tags=[{"Key": "Team", "Value": "payments"}])
    look("put back")
    iam.delete_role_policy(
        RoleName=managed["aws:iam/role:Role", "flow-logs"]["id"], PolicyName=managed["aws:iam/rolePolicy:RolePolicy", "flow-logs"]["outputs"]["name"]
    )
    look("deleted")
    _held(checkout, look)
    made.ends["never deployed"] = checkout.on_dev("drift", "--only", "data")
    made.seen["state"] = (state, {path.name: path.read_bytes() for path in stack.iterdir()})
    made.ends["refreshed"] = checkout.on_dev("refresh", *NETWORKING)
    look("known")
    return made


def _held(checkout: Checkout, look: Any) -> None:
    """A look while a living process holds the stack."""
    folder = checkout.cloud.state / "state" / ".pulumi" / "locks" / "organization" / "networking" / "dev"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "somebody.json"
    lock.write_text(json.dumps({"pid": os.getpid(), "username": "", "hostname": socket.gethostname(), "timestamp": "2026-01-01T00:00:00Z"}))
    try:
        look("held")
    finally:
        lock.unlink()


def test_where_nothing_was_changed_there_is_none(looks: Looks) -> None:
    for name in ("deployed", "put back"):
        assert (looks.ends[name].code, looks.ends[name].outcomes["networking"], looks.found(name)) == (0, "succeeded", {}), name


def test_what_was_changed_is_named_with_its_properties(looks: Looks) -> None:
    assert looks.ends["changed"].code == 1
    assert looks.ends["changed"].outcomes["networking"] == "drifted"
    assert looks.found("changed") == {"flow-logs": ("changed", ["retentionInDays"]), "vpc": ("changed", ["tags"])}
    assert looks.ends["changed"].result("networking")["changes"]["update"] == 2
    said = looks.seen["for people"]
    assert said.code == 1
    assert "aws:cloudwatch/logGroup:LogGroup flow-logs: retentionInDays" in said.out
    assert "Next: `invoke refresh --env dev --target local --only networking` and then `invoke deploy" in said.out


def test_what_was_deleted_is_gone(looks: Looks) -> None:
    assert looks.ends["deleted"].code == 1
    assert looks.found("deleted") == {"flow-logs": ("gone", [])}


def test_neither_the_state_nor_the_cloud_is_touched(looks: Looks) -> None:
    before, after = looks.seen["state"]
    assert before == after
    assert looks.seen["retention"] == 1
    assert all("--preview-only" in call for name in ("deployed", "changed", "deleted") for call in looks.seen[f"calls {name}"])
    assert [len(looks.seen[f"calls {name}"]) for name in ("deployed", "changed", "deleted")] == [1, 1, 1]


def test_status_reads_the_state_alone_and_cannot_know(looks: Looks) -> None:
    assert looks.seen["status"]["networking"] == "up to date"


def test_what_another_process_is_changing_is_no_drift(looks: Looks) -> None:
    assert looks.ends["held"].code == 2
    assert looks.ends["held"].outcomes["networking"] == "held"
    assert looks.seen["calls held"] == []


def test_a_stack_that_was_never_deployed_cannot_drift(looks: Looks) -> None:
    assert looks.ends["never deployed"].code == 0
    assert looks.ends["never deployed"].result("data")["cause"] == "never deployed: nothing to compare"


def test_a_refresh_says_what_it_took_into_the_state_and_then_there_is_no_drift(looks: Looks) -> None:
    assert looks.ends["refreshed"].code == 0
    assert looks.found("refreshed") == {"flow-logs": ("gone", [])}
    assert (looks.ends["known"].code, looks.found("known")) == (0, {})


def test_every_report_is_what_its_schema_says(looks: Looks) -> None:
    schema = json.loads((ROOT / "docs" / "schemas" / "report.schema.json").read_text())
    for ended in looks.ends.values():
        jsonschema.validate(ended.report, schema, format_checker=jsonschema.FormatChecker())
