"""The VPC and its subnets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from projects.networking.settings import VpcSettings
from shared import naming
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.environment import Environment
from shared.iam import Statement

# A VPC is cut into 16 subnets: the lower half for public ones, the upper half for private ones, so that a zone can be added
# without moving another's addresses.
_SUBNETS = 16
_FIRST_PRIVATE = 8


class Vpc(Component):
    """Produces a VPC with DNS, an internet gateway, a public and a private subnet per zone with their route tables, and flow logs.

    Flow logs are of all traffic (PCI DSS 10.2.1). The default security group loses every rule (CIS AWS 5.4).
    Outputs: `id`, `cidr`, the ids of the subnets; for the other components the subnets, the private route tables (one per zone), and
    `internet`, the public subnets' way out, which must be there before anything gets a public address.
    """

    id: pulumi.Output[str]
    cidr: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[list[str]]
    private_subnet_ids: pulumi.Output[list[str]]
    public_subnets: Sequence[aws.ec2.Subnet]
    private_subnets: Sequence[aws.ec2.Subnet]
    private_route_tables: Sequence[aws.ec2.RouteTable]
    internet: aws.ec2.Route

    def __init__(
        self, name: str, environment: Environment, settings: VpcSettings, *, log_key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        vpc = aws.ec2.Vpc(name, cidr_block=str(settings.cidr), enable_dns_hostnames=True, enable_dns_support=True, tags=self._named("vpc"), opts=self.child())
        self.id, self.cidr = vpc.id, vpc.cidr_block
        aws.ec2.DefaultSecurityGroup(name, vpc_id=vpc.id, tags=self._named("closed"), opts=self.child())
        gateway = aws.ec2.InternetGateway(name, vpc_id=vpc.id, tags=self._named("internet"), opts=self.child())

        # Local zones, which an account may have opted in to, are zones as well; and Lambda has none of its own in use1-az3.
        zones = aws.get_availability_zones_output(
            state="available",
            filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
            exclude_zone_ids=["use1-az3"],
            opts=self.look_up(),
        ).names.apply(self._enough(settings.availability_zones))
        cidrs = list(settings.cidr.subnets(prefixlen_diff=(_SUBNETS - 1).bit_length()))
        indexes = range(settings.availability_zones)
        self.public_subnets = [self._subnet("public", i, zones[i], cidrs[i]) for i in indexes]
        self.private_subnets = [self._subnet("private", i, zones[i], cidrs[_FIRST_PRIVATE + i]) for i in indexes]

        self.public_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in self.public_subnets])
        self.private_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in self.private_subnets])

        public = self._route_table("public", self.public_subnets)
        self.internet = aws.ec2.Route("public-internet", route_table_id=public.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id, opts=self.child())
        self.private_route_tables = [self._route_table(f"private-{i}", [subnet]) for i, subnet in enumerate(self.private_subnets)]
        self._flow_log(log_key_arn)
        self.register_outputs({"id": self.id})

    def _enough(self, asked: int) -> Callable[[Sequence[str]], Sequence[str]]:
        """A region has as many zones as it has, and an account may see fewer; only AWS can tell."""

        def checked(zones: Sequence[str]) -> Sequence[str]:
            if len(zones) < asked:
                raise pulumi.RunError(
                    f"networking:vpc.availabilityZones is {asked}, and {self.environment.region} has {len(zones)} zones that Lambda works in "
                    f"({', '.join(zones)}): ask for at most {len(zones)} on the page"
                )
            return zones

        return checked

    def _subnet(self, tier: str, index: int, zone: pulumi.Output[str], cidr: IPv4Network) -> aws.ec2.Subnet:
        # No subnet gives out public addresses by itself: what needs one (NAT) is given one by name.
        return aws.ec2.Subnet(
            f"{tier}-{index}",
            vpc_id=self.id,
            availability_zone=zone,
            cidr_block=str(cidr),
            map_public_ip_on_launch=False,
            tags={**self._named(f"{tier}-{index}"), "Tier": tier},
            opts=self.child(),
        )

    def _route_table(self, name: str, subnets: Sequence[aws.ec2.Subnet]) -> aws.ec2.RouteTable:
        table = aws.ec2.RouteTable(name, vpc_id=self.id, tags=self._named(name), opts=self.child())
        for index, subnet in enumerate(subnets):
            child = f"{name}-{index}" if len(subnets) > 1 else name
            aws.ec2.RouteTableAssociation(child, route_table_id=table.id, subnet_id=subnet.id, opts=self.child())
        return table

    def _flow_log(self, key_arn: pulumi.Input[str]) -> None:
        name = f"/vpc/{self.environment.names('flow-logs', naming.LOG_GROUP)}"
        group = LogGroup("flow-logs", self.environment, LogGroupArgs(log_group=name, key_arn=key_arn), self.child())
        role = Role(
            "flow-logs",
            self.environment,
            RoleArgs(
                service="vpc-flow-logs.amazonaws.com",
                description="VPC flow logs write their log group",
                source_arn=self.environment.arn("ec2", "vpc-flow-log/*"),
                statements=[
                    Statement(
                        sid="Write",
                        actions=["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                        resources=[group.arn.apply(lambda arn: f"{arn}:*")],
                    ),
                    Statement(sid="List", actions=["logs:DescribeLogGroups"], resources=["*"], because="it lists; there is no one group to name"),
                ],
            ),
            self.child(),
        )
        aws.ec2.FlowLog(
            "flow-logs",
            vpc_id=self.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags=self._named("flow-logs"),
            opts=self.child(depends_on=[role.policy]),
        )

    def _named(self, word: str) -> dict[str, str]:
        return {"Name": self.environment.names(word)}
