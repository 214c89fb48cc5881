"""The security groups and rules of `tiers.firewall`, in AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from projects.networking.tiers import Group, Rule
from projects.networking.vpc import Vpc
from shared.component import Component
from shared.contracts import Tier
from shared.environment import Environment


class Groups(Component):
    """Produces a security group per tier; without rules, so that what the rules name can be made in between.

    Outputs: `ids`, by tier.
    """

    ids: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, environment: Environment, groups: Sequence[Group], *, vpc: Vpc, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        self._made = {group.tier: self._group(group, vpc).id for group in groups}
        self.ids = pulumi.Output.all(**self._made)
        self.register_outputs({"ids": self.ids})

    def of(self, tier: Tier) -> pulumi.Output[str]:
        """The id of a tier's group; ValueError where the environment has no such tier."""
        if tier not in self._made:
            raise ValueError(f"there is no tier {tier}: the environment's shape has {', '.join(self._made)} (tiers.firewall)")
        return self._made[tier]

    def _group(self, group: Group, vpc: Vpc) -> aws.ec2.SecurityGroup:
        name = self.environment.names(group.tier)
        return aws.ec2.SecurityGroup(
            group.tier,
            name=name,
            description=group.purpose,
            vpc_id=vpc.id,
            revoke_rules_on_delete=True,
            tags={**group.tags, "Name": name},
            opts=self.child(),
        )


class Rules(Component):
    """Produces the rules between the tiers; only what `tiers.firewall` names as the public door can be reached from outside the VPC."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        rules: Sequence[Rule],
        *,
        groups: Groups,
        prefix_lists: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, environment, opts)
        self._groups, self._prefix_lists = groups, prefix_lists
        for rule in rules:
            self._rule(rule)
        self.register_outputs({})

    def _rule(self, rule: Rule) -> None:
        group, tags = self._groups.of(rule.tier), {**rule.tags, "Name": self.environment.names(rule.name)}
        said: dict[str, Any] = {"ip_protocol": "tcp", "from_port": rule.port, "to_port": rule.port, "description": rule.why, "tags": tags, **self._peer(rule)}
        if rule.direction == "in":
            aws.vpc.SecurityGroupIngressRule(rule.name, security_group_id=group, opts=self.child(), **said)
        else:
            aws.vpc.SecurityGroupEgressRule(rule.name, security_group_id=group, opts=self.child(), **said)

    def _peer(self, rule: Rule) -> dict[str, pulumi.Input[str]]:
        if rule.kind == "range":
            return {"cidr_ipv6" if ":" in rule.peer else "cidr_ipv4": rule.peer}
        if rule.kind == "service":
            return {"prefix_list_id": self._prefix_lists[rule.peer]}
        return {"referenced_security_group_id": self._groups.ids[rule.peer]}
