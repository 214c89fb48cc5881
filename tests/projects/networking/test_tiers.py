"""The tiers and flows as data: for every shape, exactly the groups that it has, and rules that fit one another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.networking.tiers import ANYWHERE, Firewall, Rule, firewall
from shared import page as pages
from shared.contracts import Tier
from shared.environment import DatabaseKind, Shape, WayOut, environment_of
from shared.page import ROOT

TAGS = {"Environment": "staging", "Suffix": "main", "CostCenter": "42"}

shapes = st.builds(
    Shape,
    compute=st.sampled_from(["lambda", "containers"]),
    database=st.sampled_from(get_args(DatabaseKind)),
    cache=st.booleans(),
    way_out=st.sampled_from(get_args(WayOut)),
)


interface_services = st.sampled_from([(), ("kms",), ("kms", "sqs")])


def made(shape: Shape, gateways: Sequence[str] = ("s3", "dynamodb"), interfaces: Sequence[str] = ("kms", "sqs")) -> Firewall:
    return firewall(shape, gateways=gateways, interfaces=interfaces, tags=TAGS)


def flows(rules: Sequence[Rule], direction: str) -> set[tuple[str, str, int]]:
    return {(rule.tier, rule.peer, rule.port) for rule in rules if rule.direction == direction}


@pytest.mark.parametrize(
    ("shape", "tiers"),
    [
        (Shape(), {"functions", "database", "endpoints"}),
        (Shape(way_out="nat-instance"), {"functions", "database", "endpoints", "nat"}),
        (Shape(database="dynamodb"), {"functions", "endpoints"}),
        (Shape(compute="containers", database="aurora-serverless", cache=True), {"containers", "load-balancer", "database", "cache", "endpoints"}),
    ],
)
def test_there_is_a_group_for_each_tier_that_the_shape_has(shape: Shape, tiers: set[str]) -> None:
    found = made(shape).groups
    assert {group.tier for group in found} == tiers
    for group in found:
        assert group.tags == {**TAGS, "Tier": group.tier}


def test_without_interface_endpoints_there_is_no_group_for_them_and_nothing_may_talk_to_it() -> None:
    found = made(Shape(), interfaces=())
    assert {group.tier for group in found.groups} == {"functions", "database"}
    assert not [rule.name for rule in found.rules if "endpoints" in {rule.tier, rule.peer}]
    assert {rule.why for rule in made(Shape(), interfaces=["processor"]).rules if rule.tier == "endpoints"} == {
        "staging: AWS services and the processor by their interface endpoints"
    }
    more = made(Shape(), interfaces=["kms"])
    assert {rule.name for rule in more.rules} - {rule.name for rule in found.rules} == {"functions-to-endpoints", "endpoints-from-functions"}


def test_containers_behind_a_load_balancer_without_a_way_out() -> None:
    rules = made(Shape(compute="containers", database="aurora", cache=True, way_out="none", clients=("203.0.113.0/24", "2001:db8::/32"))).rules
    assert flows(rules, "in") == {
        ("load-balancer", "203.0.113.0/24", 443),
        ("load-balancer", "2001:db8::/32", 443),
        ("containers", "load-balancer", 8443),
        ("database", "containers", 5432),
        ("cache", "containers", 6379),
        ("endpoints", "containers", 443),
    }
    assert flows(rules, "out") == {
        ("load-balancer", "containers", 8443),
        ("containers", "database", 5432),
        ("containers", "cache", 6379),
        ("containers", "endpoints", 443),
        ("containers", "s3", 443),
        ("containers", "dynamodb", 443),
    }


@given(shapes, st.lists(st.sampled_from(["s3", "dynamodb"]), unique=True), interface_services)
def test_every_rule_belongs_to_a_tier_and_names_one_that_exists(shape: Shape, gateways: list[str], interfaces: tuple[str, ...]) -> None:
    found = made(shape, gateways=gateways, interfaces=interfaces)
    tiers = {group.tier for group in found.groups}
    assert ("endpoints" in tiers) is bool(interfaces)
    assert tiers <= set(get_args(Tier))
    assert len({rule.name for rule in found.rules}) == len(found.rules)
    for rule in found.rules:
        assert rule.tier in tiers
        assert rule.kind == ("tier" if rule.peer in tiers else "service" if rule.peer in gateways else "range")
        assert rule.tags == {**TAGS, "Tier": rule.tier}
        assert rule.why.startswith("staging: ")


@given(shapes, interface_services)
def test_what_one_tier_may_send_the_other_takes_and_nothing_else(shape: Shape, interfaces: tuple[str, ...]) -> None:
    found = made(shape, interfaces=interfaces).rules
    between = [rule for rule in found if rule.kind == "tier" and "nat" not in {rule.tier, rule.peer}]
    assert flows(between, "out") == {(peer, tier, port) for tier, peer, port in flows(between, "in")}


@given(shapes)
def test_only_the_load_balancer_is_open_and_only_a_way_out_leads_to_the_internet(shape: Shape) -> None:
    found = made(shape).rules
    opened = {(rule.tier, rule.port) for rule in found if rule.direction == "in" and rule.kind == "range"}
    assert opened == ({("load-balancer", 443)} if shape.compute == "containers" else set())
    leading_out = {rule.tier for rule in found if rule.direction == "out" and rule.kind == "range"}
    service = "containers" if shape.compute == "containers" else "functions"
    assert leading_out == {"none": set[str](), "nat-gateway": {service}, "nat-instance": {service, "nat"}}[shape.way_out]


def test_the_environments_tag_decides_what_rules_are_called() -> None:
    prod = firewall(Shape(), gateways=["s3"], interfaces=["kms"], tags={**TAGS, "Environment": "prod"})
    assert {rule.why.split(":")[0] for rule in prod.rules} == {rule.tags["Environment"] for rule in prod.rules} == {"prod"}


@pytest.mark.parametrize(
    ("asked", "clients"),
    [(["198.51.100.0/24", "203.0.113.7/32"], ("198.51.100.0/24", "203.0.113.7/32")), (None, (ANYWHERE,))],
)
def test_the_page_says_who_the_public_door_is_open_to(asked: list[str] | None, clients: tuple[str, ...]) -> None:
    page = pages.read("containers-dev")
    containers: dict[str, Any] = {**page.config["app:containers"], **({"allowedCidrs": asked} if asked else {})}
    assert environment_of(page.with_values({"app:containers": containers})).shape.clients == clients


def test_the_table_can_be_read_without_pulumi() -> None:
    code = "import sys, projects.networking.tiers; assert not any(name.split('.')[0] in {'pulumi', 'pulumi_aws'} for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
