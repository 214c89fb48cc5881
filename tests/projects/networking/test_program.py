"""What the pages do not use but may, tags, and that all of it goes away."""

from __future__ import annotations

import json
from typing import Any, get_args

import pulumi
import pytest

from localcloud import catalogue
from localcloud.rehearsal import Resource
from projects.networking.settings import InterfaceService
from shared import page as pages
from tests.projects.harness import Cloud, empty_aws
from tests.projects.networking.aws import endpoints, in_vpc, route_tables, routes_out, rules

# IAM's prefix of a service's actions, where it is not the endpoint's name (Service Authorization Reference).
PREFIXES = {"ecr.api": "ecr", "ecr.dkr": "ecr"}

PROCESSOR = "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d4e5f60718"


def deploy(cloud: Cloud) -> list[Resource]:
    return [resource for resource in cloud.deploy("networking").resources if resource.type.startswith("aws:")]


def test_without_a_way_out_nothing_leads_to_the_world() -> None:
    with empty_aws("prod", **{"networking:egress": {"kind": "none"}}) as cloud:
        deploy(cloud)
        assert [routes_out(table) for name, table in route_tables(cloud).items() if name != "public"] == [[], [], []]
        assert not any(other == "0.0.0.0/0" for _, other, *_ in rules(cloud, outward=True))
        assert cloud.runs["networking"].outputs["natGatewayIds"] == []
        assert cloud.runs["networking"].outputs["natInstanceIds"] == []
        assert cloud.client("ec2").describe_addresses()["Addresses"] == []


def test_every_service_that_a_page_may_name_has_an_endpoint_for_its_own_actions() -> None:
    services = get_args(InterfaceService)
    with empty_aws("dev", **{"networking:endpoints": {"gateway": [], "interface": list(services)}}) as cloud:
        deploy(cloud)
        found = endpoints(cloud)
        assert set(found) == set(services)
        for service, endpoint in found.items():
            statement, *_ = json.loads(endpoint["PolicyDocument"])["Statement"]
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            assert {action.split(":")[0] for action in actions} == {PREFIXES.get(service, service)}
        assert not any(other in {"s3", "dynamodb"} for _, other, *_ in rules(cloud, outward=True))


def test_the_processor_is_reached_by_an_endpoint_of_its_own_where_the_page_names_its_service() -> None:
    page = pages.read("containers-dev")
    known = page.config["networking:endpoints"]["interface"]
    with empty_aws("containers-dev", **{"networking:endpoints": {"interface": known, "processor": PROCESSOR}}) as cloud:
        deploy(cloud)
        found = endpoints(cloud)
        assert set(found) == {"s3", "dynamodb", *known, PROCESSOR}
        processor, of_aws = found[PROCESSOR], found["sqs"]
        assert (processor["VpcEndpointType"], processor["PrivateDnsEnabled"]) == ("Interface", True)
        assert (processor["SubnetIds"], processor["Groups"]) == (of_aws["SubnetIds"], of_aws["Groups"])
        tags = {tag["Key"]: tag["Value"] for tag in processor["Tags"]}
        assert {**cloud.environment.tags, "Name": cloud.environment.names("processor")}.items() <= tags.items()
        # Only AWS's own services take a policy.
        [made] = [resource for resource in cloud.runs["networking"].resources if resource.inputs.get("serviceName") == PROCESSOR]
        assert made.inputs.get("policy") is None


def test_the_processors_endpoint_alone_has_the_group_and_the_rules_of_endpoints() -> None:
    with empty_aws("dev", **{"networking:endpoints": {"gateway": [], "processor": PROCESSOR}}) as cloud:
        deploy(cloud)
        assert ("functions", "endpoints", 443, 443, "tcp") in rules(cloud, outward=True)
        assert ("endpoints", "functions", 443, 443, "tcp") in rules(cloud, outward=False)


def test_an_open_door_is_what_the_page_says_and_no_other() -> None:
    page = pages.read("containers-dev")
    containers = {**page.config["app:containers"], "allowedCidrs": ["203.0.113.0/24"]}
    with empty_aws("containers-dev", **{"app:containers": containers}) as cloud:
        cloud.deploy("networking")
        assert {rule for rule in rules(cloud, outward=False) if "/" in rule[1]} == {("load-balancer", "203.0.113.0/24", 443, 443, "tcp")}


@pytest.mark.parametrize(("cidr", "zones"), [("192.168.0.0/20", 2), ("172.31.0.0/16", 4)])
def test_the_range_and_the_number_of_zones_are_the_pages(cidr: str, zones: int) -> None:
    changed: dict[str, Any] = {"networking:vpc": {"cidr": cidr, "availabilityZones": zones}, "networking:egress": {"kind": "nat-gateway", "perZone": True}}
    with empty_aws("prod", **changed) as cloud:
        deploy(cloud)
        subnets = cloud.client("ec2").describe_subnets(Filters=in_vpc(cloud))["Subnets"]
        assert len(subnets) == len({subnet["CidrBlock"] for subnet in subnets}) == 2 * zones
        assert len({subnet["AvailabilityZone"] for subnet in subnets}) == zones
        assert len(cloud.client("ec2").describe_nat_gateways()["NatGateways"]) == zones


def test_a_region_with_fewer_zones_than_the_page_asks_for_is_named() -> None:
    page = pages.read("regions-staging").config["networking:vpc"]
    with (
        empty_aws("regions-staging", **{"networking:vpc": {**page, "availabilityZones": 4}}) as cloud,
        pytest.raises(pulumi.RunError, match=r"networking:vpc.availabilityZones is 4, and us-east-2 has 3 zones .*: ask for at most 3"),
    ):
        deploy(cloud)


@pytest.mark.parametrize("page", ["dev", "prod"])
def test_everything_bears_the_environments_tags_and_all_of_it_can_be_destroyed(page: str) -> None:
    with empty_aws(page) as cloud:
        resources = deploy(cloud)
        tagged = [resource for resource in resources if catalogue.kind(resource.type).tagged and not catalogue.kind(resource.type).is_gap("tags")]
        types = {resource.type.split(":")[-1] for resource in tagged}
        assert types >= {"Vpc", "Subnet", "RouteTable", "InternetGateway", "SecurityGroup", "VpcEndpoint", "FlowLog", "Eip", "Key", "LogGroup", "Role"}
        for resource in tagged:
            known = {name: value for name, value in resource.inputs.items() if name != "tags"}
            live: dict[str, Any] = catalogue.kind(resource.type).look(cloud.aws, resource.id, known) or {}
            assert cloud.environment.tags.items() <= live.get("tags", {}).items(), resource.urn
        for resource in reversed(resources):
            catalogue.kind(resource.type).destroy(cloud.aws, resource.id, {**resource.inputs, **resource.outputs})
        ec2 = cloud.client("ec2")
        assert ec2.describe_vpcs(Filters=in_vpc(cloud))["Vpcs"] == []
        assert ec2.describe_addresses()["Addresses"] == []
        assert ec2.describe_flow_logs()["FlowLogs"] == []
        assert cloud.client("logs").describe_log_groups()["logGroups"] == []
        assert cloud.client("iam").list_roles()["Roles"] == []
