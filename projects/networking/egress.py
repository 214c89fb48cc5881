"""The way out of the private subnets: NAT gateways, a NAT instance, or none."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.networking.firewall import Groups
from projects.networking.settings import EgressSettings
from projects.networking.vpc import Vpc
from shared.component import Component
from shared.environment import Environment

_AMI = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"

# AWS, "NAT instances": forward what comes from the private subnets and give it the instance's own address.
_USER_DATA = """#!/bin/bash
set -euo pipefail
echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-nat.conf
sysctl --system
# The instance's address is given to it after its start; until then there is no way to the packages.
until dnf install -y nftables; do sleep 5; done
interface=$(ip -o route show default | awk '{print $5; exit}')
cat > /etc/sysconfig/nftables.conf <<RULES
table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "$interface" masquerade
  }
}
RULES
systemctl enable --now nftables
"""


class Egress(Component):
    """Produces the default route of each private route table and what it leads to.

    Outputs: `nat_gateway_ids`, `nat_instance_ids`; both empty where there is no way out.
    """

    nat_gateway_ids: pulumi.Output[list[str]]
    nat_instance_ids: pulumi.Output[list[str]]

    def __init__(
        self, name: str, environment: Environment, settings: EgressSettings, *, vpc: Vpc, groups: Groups, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        gateways: list[aws.ec2.NatGateway] = []
        instances: list[aws.ec2.Instance] = []
        if settings.kind == "nat-gateway":
            gateways = [self._gateway(i, vpc) for i in range(len(vpc.public_subnets) if settings.per_zone else 1)]
        if settings.kind == "nat-instance":
            instances = [self._instance(settings, vpc, groups)]
        for index, table in enumerate(vpc.private_route_tables):
            way_out = self._way_out(gateways, instances, index)
            if way_out:
                aws.ec2.Route(f"private-{index}-out", route_table_id=table.id, destination_cidr_block="0.0.0.0/0", opts=self.child(), **way_out)
        self.nat_gateway_ids = pulumi.Output.all(*[gateway.id for gateway in gateways])
        self.nat_instance_ids = pulumi.Output.all(*[instance.id for instance in instances])
        self.register_outputs({"natGatewayIds": self.nat_gateway_ids, "natInstanceIds": self.nat_instance_ids})

    @staticmethod
    def _way_out(gateways: list[aws.ec2.NatGateway], instances: list[aws.ec2.Instance], zone: int) -> dict[str, pulumi.Output[str]]:
        if gateways:
            return {"nat_gateway_id": gateways[zone % len(gateways)].id}
        if instances:
            return {"network_interface_id": instances[0].primary_network_interface_id}
        return {}

    def _gateway(self, index: int, vpc: Vpc) -> aws.ec2.NatGateway:
        tags = {"Name": self.environment.names(f"nat-{index}")}
        address = aws.ec2.Eip(f"nat-{index}", domain="vpc", tags=tags, opts=self.child(depends_on=[vpc.internet]))
        return aws.ec2.NatGateway(f"nat-{index}", subnet_id=vpc.public_subnets[index].id, allocation_id=address.id, tags=tags, opts=self.child())

    def _instance(self, settings: EgressSettings, vpc: Vpc, groups: Groups) -> aws.ec2.Instance:
        tags = {"Name": self.environment.names("nat")}
        instance = aws.ec2.Instance(
            "nat",
            ami=aws.ssm.get_parameter_output(name=_AMI, opts=self.look_up()).value,
            instance_type=settings.instance_type,
            subnet_id=vpc.public_subnets[0].id,
            vpc_security_group_ids=[groups.of("nat")],
            source_dest_check=False,
            ebs_optimized=True,
            monitoring=True,
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            root_block_device={"encrypted": True, "volume_type": "gp3", "volume_size": 8},
            user_data=_USER_DATA,
            user_data_replace_on_change=True,
            tags=tags,
            # AWS renews the image every few weeks; a running NAT instance is replaced when somebody decides so, not by the calendar.
            opts=self.child(ignore_changes=["ami"]),
        )
        aws.ec2.Eip("nat", domain="vpc", instance=instance.id, tags=tags, opts=self.child(depends_on=[vpc.internet]))
        return instance
