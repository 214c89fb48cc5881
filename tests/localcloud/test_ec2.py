"""What EC2's types do to one another, asserted on what moto holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from localcloud import catalogue
from localcloud.aws import Aws, Clouds
from localcloud.kinds import Kind, Props

AMI = "ami-03cf127a"


@dataclass
class Made:
    """A resource that was made through the table."""

    kind: Kind
    id: str
    inputs: Props
    state: Props


class Network:
    """A VPC with a subnet, and whatever a test makes in it; all of it can be deleted again."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.ec2 = aws.client("ec2")
        self._made: list[Made] = []
        self.vpc = self.make("aws:ec2/vpc:Vpc", cidrBlock="10.2.0.0/16", enableDnsHostnames=True).id
        self.subnet = self.make("aws:ec2/subnet:Subnet", vpcId=self.vpc, cidrBlock="10.2.0.0/20", availabilityZone="us-east-1a").id

    def make(self, type_: str, **inputs: Any) -> Made:
        """Makes a resource; its inputs must be good."""
        kind = catalogue.kind(type_)
        inputs = kind.with_defaults(inputs)
        assert kind.refusals(inputs) == []
        id_, state = kind.make(self.aws, inputs)
        self._made.append(Made(kind, id_, inputs, state))
        return self._made[-1]

    def group(self, name: str) -> str:
        """A security group."""
        return self.make("aws:ec2/securityGroup:SecurityGroup", name=name, vpcId=self.vpc).id

    def instance(self, **inputs: Any) -> Made:
        """An instance in the subnet."""
        return self.make("aws:ec2/instance:Instance", ami=AMI, instanceType="t4g.nano", subnetId=self.subnet, **inputs)

    def look(self, made: Made) -> Props:
        """The state as it is now; the resource must be there."""
        state = made.kind.look(self.aws, made.id, {**made.state, **made.inputs})
        assert state is not None
        return state

    def destroy(self) -> None:
        """Deletes everything, the last first."""
        while self._made:
            made = self._made.pop()
            made.kind.destroy(self.aws, made.id, made.state)


@pytest.fixture
def network() -> Iterator[Network]:
    with mock_aws():
        yield Network(Clouds().get("345678901234", "us-east-1"))


def test_a_new_security_group_lets_nothing_out(network: Network) -> None:
    live = network.ec2.describe_security_groups(GroupIds=[network.group("app")])["SecurityGroups"][0]
    assert (live["IpPermissions"], live["IpPermissionsEgress"]) == ([], [])


def test_the_default_group_is_stripped_and_rules_that_come_back_are_seen(network: Network) -> None:
    adopted = network.make("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=network.vpc)
    live = network.ec2.describe_security_groups(GroupIds=[adopted.id])["SecurityGroups"][0]
    assert (live["GroupName"], live["IpPermissions"], live["IpPermissionsEgress"]) == ("default", [], [])
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    network.ec2.authorize_security_group_ingress(GroupId=adopted.id, IpPermissions=[rule])
    [seen] = network.look(adopted)["ingress"]
    assert (seen["protocol"], seen["fromPort"], seen["cidrBlocks"], seen["self"]) == ("tcp", 22, ["0.0.0.0/0"], False)
    adopted.kind.alter(network.aws, adopted.id, adopted.inputs, adopted.state)
    assert network.ec2.describe_security_groups(GroupIds=[adopted.id])["SecurityGroups"][0]["IpPermissions"] == []


def test_an_elastic_address_changes_no_input_of_its_instance(network: Network) -> None:
    instance = network.instance(associatePublicIpAddress=False, vpcSecurityGroupIds=[network.group("nat")])
    address = network.make("aws:ec2/eip:Eip", domain="vpc", instance=instance.id)
    now = network.look(instance)
    assert instance.kind.change(instance.inputs, {name: now[name] for name in instance.inputs}).changed == ()
    assert now["publicIp"] == address.state["publicIp"]
    assert address.state["privateIp"] == now["privateIp"]


def test_a_nat_gateway_changes_no_input_of_its_address(network: Network) -> None:
    address = network.make("aws:ec2/eip:Eip", domain="vpc")
    gateway = network.make("aws:ec2/natGateway:NatGateway", allocationId=address.id, subnetId=network.subnet)
    now = network.look(address)
    assert gateway.state["publicIp"] == now["publicIp"]
    assert now["associationId"] == gateway.state["associationId"] != ""
    assert set(now) & {"instance", "networkInterface"} == set()


def test_an_interface_keeps_its_own_groups_when_it_is_attached(network: Network) -> None:
    instance = network.instance(vpcSecurityGroupIds=[network.group("instance")])
    own = network.group("interface")
    interface = network.make("aws:ec2/networkInterface:NetworkInterface", subnetId=network.subnet, securityGroups=[own])
    attachment = {"deviceIndex": 1, "instanceId": instance.id, "networkInterfaceId": interface.id}
    network.make("aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment", **attachment)
    assert network.look(interface)["securityGroups"] == [own]
    shown = network.ec2.describe_instances(InstanceIds=[instance.id])["Reservations"][0]["Instances"][0]["SecurityGroups"]
    assert [group["GroupName"] for group in shown] == ["instance"]


def test_a_gateway_endpoint_routes_in_exactly_its_tables(network: Network) -> None:
    tables = [network.make("aws:ec2/routeTable:RouteTable", vpcId=network.vpc).id for _ in range(3)]
    inputs = {"vpcId": network.vpc, "serviceName": "com.amazonaws.us-east-1.s3"}
    endpoint = network.make("aws:ec2/vpcEndpoint:VpcEndpoint", **inputs, routeTableIds=tables[:2])
    assert _routed(network, endpoint) == set(tables[:2])
    endpoint.kind.alter(network.aws, endpoint.id, {**endpoint.inputs, "routeTableIds": tables[1:]}, endpoint.inputs)
    assert _routed(network, endpoint) == set(tables[1:])


def _routed(network: Network, endpoint: Made) -> set[str]:
    tables = network.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["RouteTables"]
    there = {"GatewayId": endpoint.id, "DestinationPrefixListId": endpoint.state["prefixListId"]}
    return {table["RouteTableId"] for table in tables if any(there.items() <= route.items() for route in table["Routes"])}


def test_an_endpoint_without_a_policy_gets_full_access_back(network: Network) -> None:
    table = network.make("aws:ec2/routeTable:RouteTable", vpcId=network.vpc).id
    inputs = {"vpcId": network.vpc, "serviceName": "com.amazonaws.us-east-1.s3", "routeTableIds": [table]}
    endpoint = network.make("aws:ec2/vpcEndpoint:VpcEndpoint", **inputs, policy='{"Version": "2012-10-17", "Statement": []}')
    without = {name: value for name, value in endpoint.inputs.items() if name != "policy"}
    state = endpoint.kind.alter(network.aws, endpoint.id, without, endpoint.inputs)
    assert '"Action": "*"' in state["policy"]


def test_a_flow_log_delivers_to_a_log_group_that_is_there(network: Network) -> None:
    network.aws.client("logs").create_log_group(logGroupName="/vpc/flow/dev")
    log = network.make(
        "aws:ec2/flowLog:FlowLog",
        vpcId=network.vpc,
        trafficType="ALL",
        logDestination=network.aws.arn("logs", "log-group:/vpc/flow/dev"),
        iamRoleArn=network.aws.arn("iam", "role/flow-logs", region=""),
    )
    live = network.ec2.describe_flow_logs(FlowLogIds=[log.id])["FlowLogs"][0]
    assert (live["LogGroupName"], live["DeliverLogsStatus"]) == ("/vpc/flow/dev", "SUCCESS")


def test_a_flow_log_to_a_bucket_that_is_not_there_is_refused(network: Network) -> None:
    inputs = {"vpcId": network.vpc, "trafficType": "ALL", "logDestinationType": "s3", "logDestination": "arn:aws:s3:::nowhere"}
    with pytest.raises(LookupError, match=r"got no flow log to arn:aws:s3:::nowhere: .*does not exist"):
        network.make("aws:ec2/flowLog:FlowLog", **inputs)


def test_the_root_volume_replaces_the_instance_only_for_its_encryption(network: Network) -> None:
    instance = network.instance(rootBlockDevice={"volumeSize": 8, "volumeType": "gp3"})
    bigger = {**instance.inputs, "rootBlockDevice": {"volumeSize": 20, "volumeType": "gp3"}}
    assert instance.kind.change(instance.inputs, bigger).replaces == ()
    encrypted = {**instance.inputs, "rootBlockDevice": {"volumeSize": 8, "volumeType": "gp3", "encrypted": True}}
    assert instance.kind.change(instance.inputs, encrypted).replaces == ("rootBlockDevice",)


def test_a_rule_of_another_sort_is_another_rule(network: Network) -> None:
    rule = {"securityGroupId": network.group("app"), "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    made = network.make("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", **rule, cidrIpv4="10.2.0.0/16")
    assert made.kind.change(made.inputs, {**rule, "cidrIpv4": "10.0.0.0/8"}).replaces == ()
    assert made.kind.change(made.inputs, {**rule, "prefixListId": "pl-0123456789abcdef0"}).replaces == ("cidrIpv4", "prefixListId")


def test_nothing_is_left_of_a_network_that_was_destroyed(network: Network) -> None:
    group = network.group("nat")
    instance = network.instance(vpcSecurityGroupIds=[group], volumeTags={"Environment": "dev"})
    interface = network.make("aws:ec2/networkInterface:NetworkInterface", subnetId=network.subnet, securityGroups=[group])
    attachment = {"deviceIndex": 1, "instanceId": instance.id, "networkInterfaceId": interface.id}
    network.make("aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment", **attachment)
    network.make("aws:ec2/eip:Eip", domain="vpc", instance=instance.id)
    address = network.make("aws:ec2/eip:Eip", domain="vpc")
    network.make("aws:ec2/natGateway:NatGateway", allocationId=address.id, subnetId=network.subnet)
    gateway = network.make("aws:ec2/internetGateway:InternetGateway", vpcId=network.vpc)
    table = network.make("aws:ec2/routeTable:RouteTable", vpcId=network.vpc)
    network.make("aws:ec2/route:Route", routeTableId=table.id, destinationCidrBlock="0.0.0.0/0", gatewayId=gateway.id)
    network.make("aws:ec2/routeTableAssociation:RouteTableAssociation", routeTableId=table.id, subnetId=network.subnet)
    network.make("aws:ec2/vpcEndpoint:VpcEndpoint", vpcId=network.vpc, serviceName="com.amazonaws.us-east-1.s3", routeTableIds=[table.id])
    inputs = {"vpcEndpointType": "Interface", "subnetIds": [network.subnet]}
    network.make("aws:ec2/vpcEndpoint:VpcEndpoint", vpcId=network.vpc, serviceName="com.amazonaws.us-east-1.sqs", **inputs)
    network.make("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=network.vpc)
    network.destroy()
    ec2 = network.ec2
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_volumes()["Volumes"] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_internet_gateways()["InternetGateways"] == []
    assert network.vpc not in {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    here = [{"Name": "vpc-id", "Values": [network.vpc]}]
    assert ec2.describe_security_groups(Filters=here)["SecurityGroups"] == []
    assert ec2.describe_route_tables(Filters=here)["RouteTables"] == []
    assert {endpoint["State"] for endpoint in ec2.describe_vpc_endpoints()["VpcEndpoints"]} == {"deleted"}
