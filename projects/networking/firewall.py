"""Security groups: one per tier, with rules that name the other group."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from projects.networking.settings import EgressSettings
from projects.networking.vpc import Vpc
from shared.component import Component
from shared.environment import Environment

POSTGRES = 5432
HTTPS = 443


class Groups(Component):
    """Produces a security group per tier; without rules, so that what the rules name can be made in between.

    A tier's group exists also where the page has nothing in that tier, so that environments have the same shape.
    Outputs: `functions`, `database`, `endpoints`, `nat`: the groups' ids; `ids`: all of them, by tier.
    """

    functions: pulumi.Output[str]
    database: pulumi.Output[str]
    endpoints: pulumi.Output[str]
    nat: pulumi.Output[str]
    ids: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, environment: Environment, *, vpc: Vpc, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        self._vpc = vpc
        self.functions = self._group("functions", "Payment functions")
        self.database = self._group("database", "PostgreSQL")
        self.endpoints = self._group("endpoints", "Interface endpoints of AWS services")
        self.nat = self._group("nat", "NAT instance")
        self.ids = pulumi.Output.all(functions=self.functions, database=self.database, endpoints=self.endpoints, nat=self.nat)
        self.register_outputs({})

    def _group(self, tier: str, description: str) -> pulumi.Output[str]:
        name = self.environment.names(tier)
        group = aws.ec2.SecurityGroup(
            tier,
            name=name,
            description=description,
            vpc_id=self._vpc.id,
            revoke_rules_on_delete=True,
            tags={"Name": name, "Tier": tier},
            opts=self.child(),
        )
        return group.id


class Rules(Component):
    """Produces the rules between the tiers; no tier can be reached from outside the VPC."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: EgressSettings,
        *,
        groups: Groups,
        prefix_lists: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, environment, opts)
        self._between("functions", groups.functions, "database", groups.database, POSTGRES)
        self._between("functions", groups.functions, "endpoints", groups.endpoints, HTTPS)
        for service, prefix_list in prefix_lists.items():
            self._out("functions", groups.functions, service, f"{service} through its gateway endpoint", prefix_list_id=prefix_list)
        if settings.kind != "none":
            # Payment processors and AWS services without an endpoint have no group or prefix list of ours that a rule could name.
            self._out("functions", groups.functions, "internet", "HTTPS by the way out", cidr_ipv4="0.0.0.0/0")
        if settings.kind == "nat-instance":
            self._in_from("functions", groups.functions, "nat", groups.nat, HTTPS)
            self._out("nat", groups.nat, "internet", "HTTPS by the way out", cidr_ipv4="0.0.0.0/0")
        self.register_outputs({})

    def _between(self, source: str, from_group: pulumi.Output[str], target: str, to_group: pulumi.Output[str], port: int) -> None:
        aws.vpc.SecurityGroupEgressRule(
            f"{source}-to-{target}",
            security_group_id=from_group,
            referenced_security_group_id=to_group,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"to {target}",
            tags=self._named(f"{source}-to-{target}"),
            opts=self.child(),
        )
        self._in_from(source, from_group, target, to_group, port)

    def _in_from(self, source: str, from_group: pulumi.Output[str], target: str, to_group: pulumi.Output[str], port: int) -> None:
        aws.vpc.SecurityGroupIngressRule(
            f"{target}-from-{source}",
            security_group_id=to_group,
            referenced_security_group_id=from_group,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"from {source}",
            tags=self._named(f"{target}-from-{source}"),
            opts=self.child(),
        )

    def _out(self, tier: str, group: pulumi.Output[str], target: str, description: str, **destination: pulumi.Input[str]) -> None:
        aws.vpc.SecurityGroupEgressRule(
            f"{tier}-to-{target}",
            security_group_id=group,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description=description,
            tags=self._named(f"{tier}-to-{target}"),
            opts=self.child(),
            **destination,
        )

    def _named(self, word: str) -> dict[str, str]:
        return {"Name": self.environment.names(word)}
