"""The networks of environments that are made of something else: containers, tables instead of a database, no way out, another region."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from projects.networking.tiers import firewall
from tests.projects.harness import Cloud, empty_aws
from tests.projects.networking.aws import endpoints, groups, in_vpc, route_tables, routes_out, rules


@pytest.fixture(scope="module", params=["accounts-prod", "aurora-dev", "containers-prod", "pci-dev", "regions-staging"])
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    name: str = request.param
    with empty_aws(name) as cloud:
        cloud.deploy("networking")
        yield cloud


def test_ec2_has_exactly_the_groups_and_rules_of_the_table(cloud: Cloud) -> None:
    environment = cloud.environment
    found = endpoints(cloud)
    gateways = [service for service, endpoint in found.items() if endpoint["VpcEndpointType"] == "Gateway"]
    interfaces = sorted(set(found) - set(gateways))
    asked = firewall(environment.shape, gateways=gateways, interfaces=interfaces, tags=environment.tags)
    assert set(groups(cloud)) == {group.tier for group in asked.groups} == set(cloud.runs["networking"].outputs["securityGroupIds"])
    for outward in (False, True):
        wanted = {(rule.tier, rule.peer, rule.port, rule.port, "tcp") for rule in asked.rules if (rule.direction == "out") is outward}
        assert rules(cloud, outward=outward) == wanted


def test_the_group_for_interface_endpoints_is_there_where_endpoints_bear_it(cloud: Cloud) -> None:
    borne = {group["GroupId"] for endpoint in endpoints(cloud).values() for group in endpoint.get("Groups", [])}
    assert borne == {group for tier, group in groups(cloud).items() if tier == "endpoints"}
    assert bool(borne) is (cloud.page.name == "containers-prod")


def test_groups_and_rules_are_named_and_tagged_as_the_environments(cloud: Cloud) -> None:
    ec2, environment = cloud.client("ec2"), cloud.environment
    ids = groups(cloud)
    for group in ec2.describe_security_groups(GroupIds=list(ids.values()))["SecurityGroups"]:
        tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
        assert environment.tags.items() <= tags.items()
        assert group["GroupName"] == tags["Name"] == environment.names(tags["Tier"])
    for rule in ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": list(ids.values())}])["SecurityGroupRules"]:
        tags = {tag["Key"]: tag["Value"] for tag in rule["Tags"]}
        assert environment.tags.items() <= tags.items()
        assert ids[tags["Tier"]] == rule["GroupId"]
        assert rule["Description"].startswith(f"{environment.tags['Environment']}: ")


def test_zones_are_as_many_as_the_page_says_in_the_pages_region(cloud: Cloud) -> None:
    subnets = cloud.client("ec2").describe_subnets(Filters=in_vpc(cloud))["Subnets"]
    zones = {subnet["AvailabilityZone"] for subnet in subnets}
    assert len(zones) == cloud.page.config["networking:vpc"]["availabilityZones"]
    assert len(subnets) == 2 * len(zones)
    assert all(zone.startswith(cloud.environment.region) for zone in zones)


def test_a_way_out_is_there_exactly_where_the_page_has_one(cloud: Cloud) -> None:
    ways = [routes_out(table) for name, table in route_tables(cloud).items() if name != "public"]
    assert {len(routes) for routes in ways} == ({0} if cloud.environment.shape.way_out == "none" else {1})


def test_image_layers_come_through_where_containers_pull_them(cloud: Cloud) -> None:
    found = {one["Sid"]: one for one in json.loads(endpoints(cloud)["s3"]["PolicyDocument"])["Statement"]}
    containers = cloud.environment.shape.compute == "containers"
    assert ("ImageLayers" in found) is containers
    if containers:
        layers = found["ImageLayers"]
        assert (layers["Effect"], layers["Principal"], layers["Action"]) == ("Allow", "*", "s3:GetObject")
        assert layers["Resource"] == f"arn:aws:s3:::prod-{cloud.environment.region}-starport-layer-bucket/*"
