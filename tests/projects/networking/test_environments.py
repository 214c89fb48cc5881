"""The network of each page, as EC2, CloudWatch Logs, KMS and IAM have it."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

from shared.contracts import NetworkingOutputs
from tests.projects.harness import Cloud
from tests.projects.networking.aws import endpoints, groups, in_vpc, name_of, route_tables, routes_out, rules, vpc_of

CIDR = {"dev": "10.2.0.0/16", "staging": "10.1.0.0/16", "prod": "10.0.0.0/16"}
GATEWAYS = {"dev": 0, "staging": 1, "prod": 3}
INTERFACES = {"secretsmanager", "kms", "sqs", "logs"}
RETENTION = {"dev": 7, "staging": 14, "prod": 30}


def subnets(cloud: Cloud, tier: str) -> list[dict[str, Any]]:
    filters = [*in_vpc(cloud), {"Name": "tag:Tier", "Values": [tier]}]
    return cloud.client("ec2").describe_subnets(Filters=filters)["Subnets"]


def test_the_contract_is_what_ec2_has(cloud: Cloud) -> None:
    outputs = cloud.runs["networking"].outputs
    assert NetworkingOutputs.problems(outputs) == []
    [vpc] = cloud.client("ec2").describe_vpcs(VpcIds=[outputs["vpcId"]])["Vpcs"]
    assert vpc["CidrBlock"] == outputs["vpcCidr"] == CIDR[cloud.page.name]
    assert {subnet["SubnetId"] for subnet in subnets(cloud, "public")} == set(outputs["publicSubnetIds"])
    assert {subnet["SubnetId"] for subnet in subnets(cloud, "private")} == set(outputs["privateSubnetIds"])
    tiers = groups(cloud)
    assert outputs["securityGroupIds"] == tiers


def test_names_resolve_in_the_vpc(cloud: Cloud) -> None:
    ec2, vpc = cloud.client("ec2"), vpc_of(cloud)
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]] == {"Value": True}


def test_a_public_and_a_private_subnet_in_each_of_three_zones_without_overlap(cloud: Cloud) -> None:
    found = {tier: subnets(cloud, tier) for tier in ("public", "private")}
    for those in found.values():
        assert len({subnet["AvailabilityZone"] for subnet in those}) == len(those) == 3
    ranges = [IPv4Network(subnet["CidrBlock"]) for those in found.values() for subnet in those]
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
    assert all(part.subnet_of(IPv4Network(CIDR[cloud.page.name])) for part in ranges)
    assert not any(subnet["MapPublicIpOnLaunch"] for those in found.values() for subnet in those)


def test_public_subnets_lead_to_the_internet_gateway_and_private_ones_never(cloud: Cloud) -> None:
    tables = route_tables(cloud)
    assert set(tables) == {"public", "private-0", "private-1", "private-2"}
    [gateway] = cloud.client("ec2").describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc_of(cloud)]}])["InternetGateways"]
    [way_out] = routes_out(tables["public"])
    assert way_out["GatewayId"] == gateway["InternetGatewayId"]
    public = {association["SubnetId"] for association in tables.pop("public")["Associations"]}
    private = [association["SubnetId"] for table in tables.values() for association in table["Associations"]]
    assert public == {subnet["SubnetId"] for subnet in subnets(cloud, "public")}
    assert sorted(private) == sorted(subnet["SubnetId"] for subnet in subnets(cloud, "private"))
    for table in tables.values():
        assert not any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"])


def test_nat_gateways_are_as_many_as_the_page_says_each_in_a_public_subnet_with_an_address(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    gateways = ec2.describe_nat_gateways(Filter=in_vpc(cloud))["NatGateways"]
    assert {gateway["NatGatewayId"] for gateway in gateways} == set(cloud.runs["networking"].outputs["natGatewayIds"])
    assert len(gateways) == GATEWAYS[cloud.page.name]
    public = {subnet["SubnetId"] for subnet in subnets(cloud, "public")}
    assert {gateway["SubnetId"] for gateway in gateways} <= public
    assert len({gateway["SubnetId"] for gateway in gateways}) == len(gateways)
    addresses = {address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]}
    assert {address["AllocationId"] for gateway in gateways for address in gateway["NatGatewayAddresses"]} <= addresses


def test_what_gets_a_public_address_waits_for_the_way_to_the_internet(cloud: Cloud) -> None:
    made = [resource for resource in cloud.runs["networking"].resources if resource.type.startswith("aws:")]
    positions = [position for position, resource in enumerate(made) if resource.type.endswith((":Eip", ":NatGateway"))]
    assert positions
    assert [resource.name for resource in made].index("public-internet") < min(positions)


def test_every_private_subnet_has_one_way_out_and_with_a_gateway_per_zone_its_own(cloud: Cloud) -> None:
    tables = {name: table for name, table in route_tables(cloud).items() if name != "public"}
    outputs = cloud.runs["networking"].outputs
    taken = [routes_out(table) for table in tables.values()]
    assert [len(routes) for routes in taken] == [1, 1, 1]
    if GATEWAYS[cloud.page.name]:
        assert {routes[0]["NatGatewayId"] for routes in taken} == set(outputs["natGatewayIds"])
        zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for tier in ("public", "private") for subnet in subnets(cloud, tier)}
        gateways = {gateway["NatGatewayId"]: gateway for gateway in cloud.client("ec2").describe_nat_gateways()["NatGateways"]}
        crossing = {
            name
            for name, table in tables.items()
            if zones[table["Associations"][0]["SubnetId"]] != zones[gateways[routes_out(table)[0]["NatGatewayId"]]["SubnetId"]]
        }
        assert crossing == (set() if GATEWAYS[cloud.page.name] == 3 else {"private-1", "private-2"})
    else:
        [instance] = outputs["natInstanceIds"]
        found = cloud.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        assert {routes[0]["NetworkInterfaceId"] for routes in taken} == {found["NetworkInterfaces"][0]["NetworkInterfaceId"]}


def test_the_nat_instance_forwards_is_hardened_and_has_an_address(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    reservations = ec2.describe_instances(Filters=in_vpc(cloud))["Reservations"]
    assert len(reservations) == (1 if cloud.page.name == "dev" else 0)
    for reservation in reservations:
        [instance] = reservation["Instances"]
        assert instance["SourceDestCheck"] is False
        assert instance["InstanceType"] == "t4g.micro"
        assert instance["SubnetId"] in {subnet["SubnetId"] for subnet in subnets(cloud, "public")}
        assert [group["GroupId"] for group in instance["SecurityGroups"]] == [groups(cloud)["nat"]]
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
        [address] = ec2.describe_addresses()["Addresses"]
        assert address["InstanceId"] == instance["InstanceId"]
        [volume] = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}])["Volumes"]
        assert volume["Encrypted"]
        assert cloud.environment.tags.items() <= {tag["Key"]: tag["Value"] for tag in volume["Tags"]}.items()


def test_endpoints_are_those_of_the_page_where_functions_can_use_them(cloud: Cloud) -> None:
    found = endpoints(cloud)
    assert set(found) == {"s3", "dynamodb"} | (set[str]() if cloud.page.name == "dev" else INTERFACES)
    private = [table["RouteTableId"] for name, table in route_tables(cloud).items() if name != "public"]
    for service, endpoint in found.items():
        assert endpoint["ServiceName"] == f"com.amazonaws.{cloud.environment.region}.{service}"
        if endpoint["VpcEndpointType"] == "Gateway":
            assert sorted(endpoint["RouteTableIds"]) == sorted(private)
        else:
            assert set(endpoint["SubnetIds"]) == {subnet["SubnetId"] for subnet in subnets(cloud, "private")}
            assert [group["GroupId"] for group in endpoint["Groups"]] == [groups(cloud)["endpoints"]]
            assert endpoint["PrivateDnsEnabled"]


def test_endpoints_let_only_the_own_accounts_callers_through_and_name_each_action(cloud: Cloud) -> None:
    for service, endpoint in endpoints(cloud).items():
        own, *refusals = json.loads(endpoint["PolicyDocument"])["Statement"]
        assert own["Condition"]["StringEquals"]["aws:PrincipalAccount"] == cloud.environment.account
        assert own["Condition"]["StringEquals"].get("aws:ResourceAccount", "none") == ("none" if service == "logs" else cloud.environment.account)
        actions = [own["Action"]] if isinstance(own["Action"], str) else own["Action"]
        assert actions, service
        assert all(action.startswith(f"{service}:") and "*" not in action for action in actions), service
        assert [(one["Effect"], one["Action"]) for one in refusals] == [("Deny", own["Action"])] * 2


def test_endpoints_refuse_the_roles_of_other_environments(cloud: Cloud) -> None:
    for endpoint in endpoints(cloud).values():
        found = {one["Sid"]: one for one in json.loads(endpoint["PolicyDocument"])["Statement"]}
        for tag, own in (("Environment", cloud.page.name), ("Suffix", "main")):
            assert found[f"OnlyThis{tag}"]["Principal"] == {"AWS": "*"}
            assert found[f"OnlyThis{tag}"]["Condition"] == {
                "Null": dict.fromkeys(("aws:PrincipalTag/Environment", "aws:PrincipalTag/Suffix"), "false"),
                "StringNotEquals": {f"aws:PrincipalTag/{tag}": own},
            }


def test_rules_name_the_other_tier_and_nothing_is_open_to_the_world(cloud: Cloud) -> None:
    # dev has a NAT instance, the others interface endpoints.
    instance = cloud.page.name == "dev"
    other = "nat" if instance else "endpoints"
    assert set(groups(cloud)) == {"functions", "database", other}
    assert rules(cloud, outward=False) == {("database", "functions", 5432, 5432, "tcp"), (other, "functions", 443, 443, "tcp")}
    outward = {
        ("functions", "database", 5432, 5432, "tcp"),
        ("functions", "s3", 443, 443, "tcp"),
        ("functions", "dynamodb", 443, 443, "tcp"),
        ("functions", "0.0.0.0/0", 443, 443, "tcp"),
    }
    assert rules(cloud, outward=True) == outward | {("nat", "0.0.0.0/0", 443, 443, "tcp") if instance else ("functions", "endpoints", 443, 443, "tcp")}


def test_the_default_security_group_lets_nothing_in_or_out(cloud: Cloud) -> None:
    filters = [*in_vpc(cloud), {"Name": "group-name", "Values": ["default"]}]
    [group] = cloud.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])
    assert name_of(group).startswith("closed-")


def test_all_traffic_is_logged_encrypted_and_kept_as_long_as_the_page_says(cloud: Cloud) -> None:
    [flow] = cloud.client("ec2").describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc_of(cloud)]}])["FlowLogs"]
    assert (flow["TrafficType"], flow["MaxAggregationInterval"]) == ("ALL", 60)
    [group] = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/vpc/")["logGroups"]
    assert flow["LogGroupName"] == group["logGroupName"] == f"/vpc/flow-logs-{cloud.page.name}-main"
    assert group["retentionInDays"] == RETENTION[cloud.page.name]
    assert group["kmsKeyId"] == cloud.runs["networking"].outputs["logKeyArn"]


def test_flow_logs_write_their_own_group_and_only_for_this_account(cloud: Cloud) -> None:
    iam, name = cloud.client("iam"), f"flow-logs-{cloud.page.name}-main"
    role = iam.get_role(RoleName=name)["Role"]
    [flow] = cloud.client("ec2").describe_flow_logs()["FlowLogs"]
    assert flow["DeliverLogsPermissionArn"] == role["Arn"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": cloud.environment.account},
        "ArnLike": {"aws:SourceArn": cloud.environment.arn("ec2", "vpc-flow-log/*")},
    }
    [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    statement, listing = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]
    assert (listing["Action"], listing["Resource"]) == ("logs:DescribeLogGroups", "*")
    assert statement["Resource"] == cloud.environment.arn("logs", f"log-group:/vpc/{name}:*")
    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}


def test_the_log_key_rotates_and_serves_this_accounts_log_groups_alone(cloud: Cloud) -> None:
    kms, key = cloud.client("kms"), cloud.runs["networking"].outputs["logKeyArn"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    [alias] = [alias for alias in kms.list_aliases()["Aliases"] if alias["AliasName"] == f"alias/logs-{cloud.page.name}-main"]
    assert key.endswith(alias["TargetKeyId"])
    account, *_, logs = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{cloud.environment.account}:root"}
    assert logs["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    assert logs["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": cloud.environment.arn("logs", "log-group:*")}}
