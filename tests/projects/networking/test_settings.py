"""The `networking:` keys: what the pages may say, and what is refused with which key and rule."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.networking.settings import NetworkingSettings, problems
from shared import page as pages
from shared.environment import environment_of
from shared.page import Page, PageError

SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d4e5f60718"

PRIVATE = [IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def page(section: str, of: str = "prod", **changed: Any) -> Page:
    """A page with some keys of one section changed; None takes a key away."""
    original = pages.read(of)
    keys = {**original.config.get(f"networking:{section}", {}), **changed}
    return original.with_values({f"networking:{section}": {key: value for key, value in keys.items() if value is not None}})


def refusals(of: Page) -> list[str]:
    try:
        settings = of.settings("networking", NetworkingSettings)
    except PageError as error:
        return [f"{found.key}: {found.rule}" for found in error.problems]
    return [f"networking:{key}: {rule}" for key, _, rule in problems(settings, environment_of(of))]


@pytest.mark.parametrize("name", pages.names())
def test_every_page_is_accepted(name: str) -> None:
    assert refusals(pages.read(name)) == []


@pytest.mark.parametrize(
    ("section", "changed", "key", "rule"),
    [
        ("vpc", {"cidr": "10.0.0.0/15"}, "networking:vpc.cidr", "must be a /16 to a /20"),
        ("vpc", {"cidr": "10.0.0.0/21"}, "networking:vpc.cidr", "must be a /16 to a /20"),
        ("vpc", {"cidr": "8.8.0.0/16"}, "networking:vpc.cidr", "RFC 1918"),
        ("vpc", {"cidr": "127.0.0.0/16"}, "networking:vpc.cidr", "RFC 1918"),
        ("vpc", {"cidr": "169.254.0.0/16"}, "networking:vpc.cidr", "RFC 1918"),
        ("vpc", {"cidr": "10.0.0.1/16"}, "networking:vpc.cidr", "valid IPv4 network"),
        ("vpc", {"cidr": "ten"}, "networking:vpc.cidr", "valid IPv4 network"),
        ("vpc", {"cidr": None}, "networking:vpc.cidr", "is required and missing"),
        ("vpc", {"availabilityZones": 1}, "networking:vpc.availabilityZones", "greater than or equal to 2"),
        ("vpc", {"availabilityZones": 6}, "networking:vpc.availabilityZones", "less than or equal to 5"),
        ("vpc", {"availabilityZones": "three"}, "networking:vpc.availabilityZones", "valid integer"),
        ("vpc", {"name": "mine"}, "networking:vpc.name", "unknown key"),
        ("egress", {"kind": "proxy"}, "networking:egress.kind", "'nat-gateway', 'nat-instance' or 'none'"),
        ("egress", {"kind": "nat-instance"}, "networking:egress", "perZone is for NAT gateways; this page has kind nat-instance"),
        ("egress", {"instanceType": "m5.large"}, "networking:egress.instanceType", "should match pattern"),
        ("egress", {"perZone": False}, "networking:egress", "asks for a NAT gateway in each zone"),
        ("endpoints", {"gateway": ["sqs"]}, "networking:endpoints.gateway[0]", "'s3' or 'dynamodb'"),
        ("endpoints", {"interface": ["ecr"]}, "networking:endpoints.interface[0]", "'ecr.api' or 'ecr.dkr'"),
        ("endpoints", {"interface": ["kms", "rds"]}, "networking:endpoints.interface[1]", "'secretsmanager'"),
        ("endpoints", {"interface": ["sts"]}, "networking:endpoints.interface[0]", "'secretsmanager'"),
        ("endpoints", {"processor": "api.stripe.com"}, "networking:endpoints.processor", "should match pattern"),
        ("endpoints", {"processor": "com.amazonaws.us-east-1.sqs"}, "networking:endpoints.processor", "should match pattern"),
        ("endpoints", {"processor": f"{SERVICE}1"}, "networking:endpoints.processor", "should match pattern"),
        (
            "endpoints",
            {"processor": SERVICE.replace("us-east-1", "eu-west-1")},
            "networking:endpoints.processor",
            "must be in the environment's region, us-east-1",
        ),
    ],
)
def test_a_page_that_aws_would_refuse_is_refused_with_key_and_rule(section: str, changed: dict[str, Any], key: str, rule: str) -> None:
    [refused] = refusals(page(section, **changed))
    assert refused.startswith(f"{key}: ")
    assert rule in refused


def test_all_that_is_wrong_is_said_at_once() -> None:
    of = page("vpc", cidr="8.8.8.0/24", availabilityZones=9).with_values({"networking:egress": {}, "networking:peering": {}})
    assert [refused.split(": ")[0] for refused in refusals(of)] == [
        "networking:vpc.cidr",
        "networking:vpc.availabilityZones",
        "networking:egress.kind",
        "networking:peering",
    ]


ALL_THAT_FUNCTIONS_NEED = {"gateway": ["s3", "dynamodb"], "interface": ["secretsmanager", "sqs", "sns"]}


def without_a_way_out(of: str, **endpoints: Any) -> Page:
    return pages.read(of).with_values({"networking:egress": {"kind": "none"}, "networking:endpoints": endpoints})


def test_high_availability_may_do_without_a_way_out() -> None:
    assert refusals(without_a_way_out("prod", **ALL_THAT_FUNCTIONS_NEED)) == []


@pytest.mark.parametrize(
    ("of", "missing"),
    [
        ("prod", "secretsmanager, sns, sqs"),
        ("accounts-prod", "sns, sqs"),
        ("containers-dev", "ecr.api, ecr.dkr, logs, secretsmanager, sns, sqs"),
    ],
)
def test_without_a_way_out_the_endpoints_that_the_shape_needs_must_be_there(of: str, missing: str) -> None:
    gateway, interface = refusals(without_a_way_out(of, gateway=["s3"], interface=["kms"]))
    assert gateway.startswith("networking:endpoints.gateway: without a way out (egress.kind: none)")
    assert gateway.endswith("add dynamodb")
    assert interface.startswith("networking:endpoints.interface: without a way out (egress.kind: none)")
    assert interface.endswith(f"add {missing}")


@pytest.mark.parametrize("service", [SERVICE, "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d"])
def test_the_processors_service_may_be_named(service: str) -> None:
    of = page("endpoints", processor=service)
    assert refusals(of) == []
    assert environment_of(of).shape.private_processor
    assert not environment_of(page("endpoints")).shape.private_processor


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_range_is_taken_when_it_is_private_and_has_room(address: int, prefix: int) -> None:
    cidr = IPv4Network((address, prefix), strict=False)
    taken = refusals(page("vpc", cidr=str(cidr))) == []
    assert taken == (16 <= prefix <= 20 and any(cidr.subnet_of(private) for private in PRIVATE))


@given(st.sampled_from(PRIVATE), st.data())
def test_every_private_range_with_room_is_taken(within: IPv4Network, data: st.DataObject) -> None:
    prefix = data.draw(st.integers(16, 20))
    offset = data.draw(st.integers(0, 2 ** (prefix - within.prefixlen) - 1))
    cidr = IPv4Network((int(within.network_address) + (offset << (32 - prefix)), prefix))
    assert refusals(page("vpc", cidr=str(cidr))) == []
