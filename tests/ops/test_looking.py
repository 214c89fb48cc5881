"""What the tasks tell about pages: all environments side by side, the stacks' graph, and the firewall."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops import docs, graph, looking
from ops.environments import described, everything, row
from ops.projects import projects
from shared import page as pages
from shared.contracts import CONTRACTS
from shared.environment import environment_of
from tests.ops.pages import Pages

Capture = pytest.CaptureFixture[str]


def test_every_page_is_listed_for_people_and_for_programs(capsys: Capture) -> None:
    assert looking.environments(as_json=False) == 0
    told = capsys.readouterr().out
    assert all(f" {name} " in told for name in pages.names())
    assert looking.environments(as_json=True) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found] == pages.names()
    assert {one["account"] for one in found} == {environment_of(pages.read(name)).account for name in pages.names()}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prod", {"blueprint": "", "compute": "lambda, 512 MiB", "database": "rds, db.m6g.large, two zones", "cache": "", "protected": True}),
        ("prod", {"domain": "payments.example.com", "way_out": "nat-gateway per zone", "range": "10.0.0.0/16", "zones": 3, "alarms": True}),
        ("accounts-dev", {"blueprint": "accounts", "database": "dynamodb, on-demand", "stage": "dev", "suffix": "accounts"}),
        ("aurora-prod", {"database": "aurora, 2 db.r5.xlarge", "compute": "lambda, 3008 MiB"}),
        ("aurora-dev", {"way_out": "nat-instance", "alarms": False}),
        ("regions-staging", {"region": "us-east-2", "database": "rds, db.t3.medium, two zones, keys of AWS"}),
        ("containers-prod", {"compute": "containers, 3 to 30 web, 2 to 20 worker", "cache": "redis, cache.m7g.large, 1 replicas", "way_out": "none"}),
        ("containers-prod", {"database": "aurora-serverless, 2 to 32 ACU, 2 readers", "domain": "payments.example.com"}),
    ],
)
def test_an_environment_is_told_with_what_sets_it_apart(name: str, said: dict[str, Any]) -> None:
    found = described(pages.read(name)).as_dict()
    assert {key: found[key] for key in said} == said


def test_no_two_environments_look_alike() -> None:
    shown = [row(one) for one in everything()]
    assert len({line[1:] for line in shown}) == len(shown)


def test_a_page_that_says_little_is_listed_with_what_it_says() -> None:
    of = pages.read("dev")
    little = pages.Page("dev", {key: value for key, value in of.config.items() if key.startswith(("aws:", "platform:"))})
    found = described(little)
    assert (found.range, found.zones, found.domain, found.way_out) == ("", 0, "", "nat-gateway")


def test_a_page_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    Pages(tmp_path, monkeypatch).text("new-dev", "config: 1")
    assert looking.environments(as_json=True) == 2
    assert "environments/Pulumi.new-dev.yaml: config: must hold the environment's keys" in capsys.readouterr().err


def test_the_graph_is_the_documents_picture(capsys: Capture) -> None:
    assert looking.graph("", security=False, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["stacks"] == [{"project": name} for name in projects()]
    picture = docs.stack_graph()
    for flow in found["flows"]:
        arrow = f'{flow["from"]} -->|"{"<br/>".join(flow["outputs"])}"| {flow["to"]}'
        assert arrow in picture
    assert picture.count("-->") == len(found["flows"])
    contracts = {contract.PROJECT: set(contract.outputs()) for contract in CONTRACTS}
    assert all(set(flow["outputs"]) <= contracts[flow["from"]] for flow in found["flows"])


def test_an_output_that_a_method_of_the_contract_reads_counts() -> None:
    [outputs] = [flow["outputs"] for flow in graph.flows() if (flow["from"], flow["to"]) == ("networking", "data")]
    assert "securityGroupIds" in outputs


def test_the_graph_of_an_environment_names_its_stacks(capsys: Capture) -> None:
    assert looking.graph("regions-staging", security=False, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    stack = {"project": "data", "stack": "organization/data/regions-staging", "account": "234567890123", "region": "us-east-2"}
    assert stack in found["stacks"]
    assert looking.graph("regions-staging", security=False, as_json=False) == 0
    told = capsys.readouterr().out
    assert "organization/observability/regions-staging" in told
    assert "privateSubnetIds" in told


def test_the_firewall_is_told_with_groups_rules_and_tags(capsys: Capture) -> None:
    assert looking.graph("containers-dev", security=True, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert [group["tier"] for group in found["groups"]] == ["containers", "load-balancer", "database", "cache", "endpoints"]
    assert {group["tags"]["Environment"] for group in found["groups"]} == {"dev"}
    assert next(group["name"] for group in found["groups"] if group["tier"] == "database") == "payment-database-dev"
    doors = [rule for rule in found["rules"] if rule["direction"] == "in" and rule["kind"] == "range"]
    assert [(rule["tier"], rule["peer"], rule["port"]) for rule in doors] == [("load-balancer", "0.0.0.0/0", 443)]
    assert looking.graph("containers-dev", security=True, as_json=False) == 0
    told = capsys.readouterr().out
    assert "payment-database-dev" in told
    assert "TCP 5432" in told
    assert "Environment=dev" in told


def test_an_environment_without_interface_endpoints_has_no_tier_for_them(capsys: Capture) -> None:
    assert looking.graph("pci-prod", security=True, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert [group["tier"] for group in found["groups"]] == ["functions", "database"]
    assert "functions-to-database" in {rule["name"] for rule in found["rules"]}
    assert not [rule["name"] for rule in found["rules"] if "endpoints" in rule["name"]]


def test_the_firewall_is_that_of_a_page(capsys: Capture) -> None:
    assert looking.graph("", security=True, as_json=False) == 2
    assert "--security: the tiers are those of an environment: --env" in capsys.readouterr().err
    assert looking.graph("qa", security=True, as_json=False) == 2
    assert looking.graph("qa", security=False, as_json=False) == 2
    assert capsys.readouterr().err.count("environments/Pulumi.qa.yaml: (file): there is no such page") == 2


def test_the_firewall_of_a_page_that_is_wrong_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    Pages(tmp_path, monkeypatch).change("dev", {"networking:egress.kind": "tunnel"})
    assert looking.graph("dev", security=True, as_json=False) == 2
    assert "environments/Pulumi.dev.yaml: networking:egress.kind" in capsys.readouterr().err


def test_a_new_environment_is_told_with_what_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    Pages(tmp_path, monkeypatch)
    assert looking.new_environment("acme-dev", "dev", ["app:functions.memory=1024"]) == 0
    told = capsys.readouterr().out
    for line in (
        "written: environments/Pulumi.acme-dev.yaml",
        "platform:environmentSuffix = acme",
        "app:functions.memory = 1024",
        "invoke rehearse --env acme-dev",
    ):
        assert line in told
    assert looking.new_environment("acme-dev", "dev", []) == 2
    assert "there is such a page already" in capsys.readouterr().err
