"""Questions to EC2 about the one VPC of a test's environment, and about nothing that AWS made by itself."""

from __future__ import annotations

from typing import Any

from tests.projects.harness import Cloud

NAT_KINDS = {"natGatewayIds": "nat-gateway", "natInstanceIds": "nat-instance"}


def vpc_of(cloud: Cloud) -> str:
    vpc: str = cloud.runs["networking"].outputs["vpcId"]
    return vpc


def in_vpc(cloud: Cloud) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [vpc_of(cloud)]}]


def name_of(thing: dict[str, Any]) -> str:
    return next((tag["Value"] for tag in thing.get("Tags", []) if tag["Key"] == "Name"), "")


def route_tables(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """The route tables that the program made, by their names without the environment's part."""
    words = {cloud.environment.names(word): word for word in ("public", *(f"private-{zone}" for zone in range(6)))}
    tables = cloud.client("ec2").describe_route_tables(Filters=in_vpc(cloud))["RouteTables"]
    return {words[name_of(table)]: table for table in tables if name_of(table)}


def routes_out(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]


def endpoints(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """The VPC endpoints by their service's short name."""
    found = cloud.client("ec2").describe_vpc_endpoints(Filters=in_vpc(cloud))["VpcEndpoints"]
    return {endpoint["ServiceName"].removeprefix(f"com.amazonaws.{cloud.environment.region}."): endpoint for endpoint in found}


def groups(cloud: Cloud) -> dict[str, str]:
    """The ids of the tiers' security groups, by tier."""
    found = cloud.client("ec2").describe_security_groups(Filters=in_vpc(cloud))["SecurityGroups"]
    return {tag["Value"]: group["GroupId"] for group in found for tag in group.get("Tags", []) if tag["Key"] == "Tier"}


def rules(cloud: Cloud, *, outward: bool) -> set[tuple[str, str, int, int, str]]:
    """The rules between tiers: (tier, the other tier or where to, from port, to port, protocol)."""
    tiers = {group: tier for tier, group in groups(cloud).items()}
    lists = {endpoint["PrefixListId"]: service for service, endpoint in _prefix_lists(cloud).items()}
    found = cloud.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": list(tiers)}])["SecurityGroupRules"]
    return {
        (tiers[rule["GroupId"]], _other(rule, tiers, lists), rule["FromPort"], rule["ToPort"], rule["IpProtocol"])
        for rule in found
        if rule["IsEgress"] is outward
    }


def _other(rule: dict[str, Any], tiers: dict[str, str], lists: dict[str, str]) -> str:
    if reference := rule.get("ReferencedGroupInfo"):
        return tiers[reference["GroupId"]]
    if prefix_list := rule.get("PrefixListId"):
        return lists[prefix_list]
    return str(rule.get("CidrIpv4") or rule["CidrIpv6"])


def _prefix_lists(cloud: Cloud) -> dict[str, dict[str, Any]]:
    found = cloud.client("ec2").describe_managed_prefix_lists()["PrefixLists"]
    return {entry["PrefixListName"].rsplit(".", 1)[-1]: entry for entry in found}
