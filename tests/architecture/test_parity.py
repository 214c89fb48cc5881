"""The environments of a family are built alike but for what is listed here, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import pytest

from localcloud.rehearsal import Resource
from tests.architecture.rehearsed import FAMILIES, Rehearsed

Reasons = Mapping[str, str]


class Differences(NamedTuple):
    """What a family's environments may differ in.

    resources: that not every environment has, as a pattern of "<project> <types>::<name>". inputs: that a resource has in one environment only, as a
    pattern of "<project> <types>::<name> <input>". Behind each is the reason.
    """

    resources: Reasons
    inputs: Reasons


EGRESS = r"networking payments:networking:Egress\$aws:ec2/"
INSTANCE: Reasons = {
    EGRESS + r"(instance:Instance|eip:Eip)::nat": "dev's way out is one NAT instance",
    r"networking payments:networking:Groups\$.*::nat": "the NAT instance's security group; a NAT gateway has none",
    r"networking payments:networking:Rules\$.*::(nat-to-internet|nat-from-functions)": "the rules of the NAT instance",
}
GATEWAYS = EGRESS + r"(natGateway:NatGateway|eip:Eip)::nat-"
INSTEAD_OF_GATEWAY: Reasons = {
    r"networking payments:networking:Egress\$aws:ec2/route:Route::.* (natGatewayId|networkInterfaceId)": "a NAT instance is reached by its interface",
}
SCALED = r"data payments:data:Tables\$aws:appautoscaling/(policy:Policy|target:Target)::.*"
CAPACITY: Reasons = {r"data payments:data:Tables\$aws:dynamodb/table:Table::.* (read|write)Capacity": "a table that is paid by request has no capacity"}
RESERVED: Reasons = {
    r"app payments:app:Functions\$aws:lambda/function:Function::.* reservedConcurrentExecutions": "dev's functions share the account's concurrency",
    r"app payments:app:Functions\$aws:lambda/eventSourceMapping:EventSourceMapping::work scalingConfig": "the pollers are held to a reservation",
}
DOMAIN = r"app payments:app:Domain(\$.*)?::domain(-validation)?"
ALARMS = r"observability payments:observability:Alarms\$aws:cloudwatch/metricAlarm:MetricAlarm::.*"
MONITORING = r"data payments:data:Postgres\$payments:shared:Role(\$aws:iam/(role:Role|rolePolicy:RolePolicy))?::database-monitoring"
READERS = r"data payments:data:Aurora\$aws:rds/clusterInstance:ClusterInstance::database-"

ALLOWED: Mapping[str, Differences] = {
    "": Differences(
        {
            **INSTANCE,
            GATEWAYS + "0": "staging and prod have NAT gateways",
            GATEWAYS + "[12]": "prod has one in each zone",
            r"networking payments:networking:Endpoints\$aws:ec2/vpcEndpoint:VpcEndpoint::(kms|logs|secretsmanager|sqs)": "paid by the hour; dev has none",
            r"networking payments:networking:Groups\$.*::endpoints": "the group of interface endpoints",
            r"networking payments:networking:Rules\$.*::(functions-to-endpoints|endpoints-from-functions)": "the rules of interface endpoints",
            SCALED: "prod's tables follow the load",
            DOMAIN: "prod has a domain of its own",
        },
        {**RESERVED, **CAPACITY, **INSTEAD_OF_GATEWAY},
    ),
    "pci": Differences(
        {
            DOMAIN: "the customer wants a domain in production only",
            GATEWAYS + "1": "production survives the loss of a zone, development saves the second gateway",
            ALARMS: "the customer wants alarms in production only",
            MONITORING: "development's log groups keep for 7 days, and the one that Enhanced Monitoring writes to for 30",
        },
        {
            **RESERVED,
            **CAPACITY,
            r"data payments:data:Postgres\$aws:rds/instance:Instance::database monitoringRoleArn": "as its role",
        },
    ),
    "accounts": Differences({SCALED: "the customer wants dev's tables on demand, which needs no scaling, and provisioned ones elsewhere"}, CAPACITY),
    "aurora": Differences(
        {
            **INSTANCE,
            GATEWAYS + "[012]": "the customer wants NAT gateways in production and staging, and a NAT instance in development",
            READERS + "1": "production has two instances, the others one",
            SCALED: "production's tables follow the load",
            ALARMS: "the customer wants no alarms in development",
        },
        {**CAPACITY, **INSTEAD_OF_GATEWAY},
    ),
    "regions": Differences({}, {}),
    "containers": Differences({READERS + "[12]": "read replicas are production's"}, {}),
}


def explained(differences: Iterable[str], reasons: Reasons) -> set[str]:
    return {one for one in differences if any(re.fullmatch(pattern, one) for pattern in reasons)}


def differing_resources(one: dict[str, Resource], other: dict[str, Resource]) -> set[str]:
    return set(one) ^ set(other)


def differing_inputs(one: dict[str, Resource], other: dict[str, Resource]) -> set[str]:
    return {f"{key} {name}" for key in set(one) & set(other) for name in set(one[key].inputs) ^ set(other[key].inputs)}


Rehearse = Callable[[str], Rehearsed]


def shapes(family: str, rehearse_once: Rehearse) -> list[tuple[str, dict[str, Resource]]]:
    return [(name, rehearse_once(name).shape()) for name in FAMILIES[family]]


def test_every_family_is_looked_at() -> None:
    assert set(ALLOWED) == set(FAMILIES)
    assert all(len(names) > 1 for names in FAMILIES.values())


@pytest.mark.parametrize("family", ALLOWED)
def test_environments_hold_the_same_but_for_what_is_listed(family: str, rehearse_once: Rehearse) -> None:
    for (name, one), (other_name, other) in combinations(shapes(family, rehearse_once), 2):
        resources, inputs = differing_resources(one, other), differing_inputs(one, other)
        assert sorted(resources - explained(resources, ALLOWED[family].resources)) == [], f"{name} and {other_name} are not built alike"
        assert sorted(inputs - explained(inputs, ALLOWED[family].inputs)) == [], f"{name} and {other_name} do not set the same"


@pytest.mark.parametrize("family", ALLOWED)
def test_every_listed_difference_exists(family: str, rehearse_once: Rehearse) -> None:
    pairs = [(one, other) for (_, one), (_, other) in combinations(shapes(family, rehearse_once), 2)]
    resources = set[str]().union(*(differing_resources(one, other) for one, other in pairs))
    inputs = set[str]().union(*(differing_inputs(one, other) for one, other in pairs))
    assert [pattern for pattern in ALLOWED[family].resources if not explained(resources, {pattern: ""})] == []
    assert [pattern for pattern in ALLOWED[family].inputs if not explained(inputs, {pattern: ""})] == []


@pytest.mark.parametrize("family", ALLOWED)
def test_what_they_share_is_most_of_it(family: str, rehearse_once: Rehearse) -> None:
    found = [set(shape) for _, shape in shapes(family, rehearse_once)]
    assert len(set.intersection(*found)) > 0.8 * max(map(len, found))
