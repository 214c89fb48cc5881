"""The three environments are built alike but for what is listed here, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from localcloud.rehearsal import Resource
from tests.architecture.rehearsed import ENVIRONMENTS, Rehearsed

# Resources that not every environment has, as a pattern of "<project> <types>::<name>".
RESOURCES = {
    r"networking payments:networking:Egress\$aws:ec2/(instance:Instance|eip:Eip)::nat": "dev's way out is one NAT instance",
    r"networking payments:networking:Egress\$aws:ec2/(natGateway:NatGateway|eip:Eip)::nat-0": "staging and prod have NAT gateways",
    r"networking payments:networking:Egress\$aws:ec2/(natGateway:NatGateway|eip:Eip)::nat-[12]": "prod has one in each zone",
    r"networking payments:networking:Rules\$.*::(nat-to-internet|nat-from-functions)": "the rules of the NAT instance; a NAT gateway has no security group",
    r"networking payments:networking:Endpoints\$aws:ec2/vpcEndpoint:VpcEndpoint::(kms|logs|secretsmanager|sqs)": "paid by the hour; dev has none",
    r"data payments:data:Tables\$aws:appautoscaling/(policy:Policy|target:Target)::.*": "prod's tables follow the load",
    r"app payments:app:Domain(\$aws:.*)?::domain(-validation)?": "prod has a domain of its own",
}

# Inputs that a resource has in one environment only, as a pattern of "<project> <types>::<name> <input>".
INPUTS = {
    r"app payments:app:Functions\$aws:lambda/function:Function::.* reservedConcurrentExecutions": "dev's functions share the account's concurrency",
    r"app payments:app:Functions\$aws:lambda/eventSourceMapping:EventSourceMapping::work scalingConfig": "the pollers are held to a reservation",
    r"data payments:data:Tables\$aws:dynamodb/table:Table::.* (read|write)Capacity": "dev's tables are paid by request",
    r"networking payments:networking:Egress\$aws:ec2/route:Route::.* (natGatewayId|networkInterfaceId)": "a NAT instance is reached by its interface",
}


def explained(differences: set[str], reasons: dict[str, str]) -> set[str]:
    return {one for one in differences if any(re.fullmatch(pattern, one) for pattern in reasons)}


def differing_resources(one: dict[str, Resource], other: dict[str, Resource]) -> set[str]:
    return set(one) ^ set(other)


def differing_inputs(one: dict[str, Resource], other: dict[str, Resource]) -> set[str]:
    return {f"{key} {name}" for key in set(one) & set(other) for name in set(one[key].inputs) ^ set(other[key].inputs)}


def test_environments_hold_the_same_but_for_what_is_listed(rehearse_once: Callable[[str], Rehearsed]) -> None:
    for one, other in pairwise(ENVIRONMENTS):
        resources = differing_resources(rehearse_once(one).shape(), rehearse_once(other).shape())
        assert resources - explained(resources, RESOURCES) == set(), f"{one} and {other} are not built alike"
        inputs = differing_inputs(rehearse_once(one).shape(), rehearse_once(other).shape())
        assert inputs - explained(inputs, INPUTS) == set(), f"{one} and {other} do not set the same"


def test_every_listed_difference_exists(rehearse_once: Callable[[str], Rehearsed]) -> None:
    shapes = [rehearse_once(name).shape() for name in ENVIRONMENTS]
    resources = set().union(*(differing_resources(one, other) for one, other in pairwise(shapes)))
    inputs = set().union(*(differing_inputs(one, other) for one, other in pairwise(shapes)))
    assert [pattern for pattern in RESOURCES if not any(re.fullmatch(pattern, one) for one in resources)] == []
    assert [pattern for pattern in INPUTS if not any(re.fullmatch(pattern, one) for one in inputs)] == []


def test_what_they_share_is_most_of_it(rehearse_once: Callable[[str], Rehearsed]) -> None:
    shapes = [set(rehearse_once(name).shape()) for name in ENVIRONMENTS]
    assert len(set.intersection(*shapes)) > 0.85 * max(map(len, shapes))
