"""Who may talk to whom: an environment's tiers, and the security-group rules between them, as plain data.

All of the firewall is decided here, from the environment's shape and tags; `firewall.py` makes exactly this in AWS, and
`invoke graph --security` prints it. Nothing here needs Pulumi.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shared.environment import Shape

if TYPE_CHECKING:
    from shared.contracts import Tier

HTTPS = 443
POSTGRES = 5432
REDIS = 6379
# What the containers listen on; only the load balancer speaks to it.
SERVICE = 8443

ANYWHERE = "0.0.0.0/0"

_PURPOSE: dict[Tier, str] = {
    "functions": "Payment functions",
    "containers": "Payment containers",
    "load-balancer": "Public door of the payment API",
    "database": "PostgreSQL",
    "cache": "Redis",
    "endpoints": "Interface endpoints of AWS services",
    "nat": "NAT instance",
}


@dataclass(frozen=True)
class Flow:
    """Traffic that the platform needs: TCP from a tier, or from client addresses, to a tier, a service behind a gateway endpoint, or addresses."""

    source: str
    target: str
    port: int
    why: str


@dataclass(frozen=True)
class Group:
    """A tier's security group: what it is for, and the environment's tags with the tier's."""

    tier: Tier
    purpose: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """A rule of one tier's group. peer: a tier, a service with a gateway endpoint (`s3`), or an address range; `kind` tells which."""

    tier: Tier
    direction: Literal["in", "out"]
    peer: str
    kind: Literal["tier", "service", "range"]
    port: int
    why: str
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        """What tells it from the others, such as `functions-to-database`."""
        named = {ANYWHERE: "internet"}.get(self.peer, self.peer.replace("/", "-")) if self.direction == "out" else self.peer.replace("/", "-")
        return f"{self.tier}-to-{named}" if self.direction == "out" else f"{self.tier}-from-{named}"


@dataclass(frozen=True)
class Firewall:
    """The groups of an environment, and all of their rules."""

    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]


def firewall(shape: Shape, *, gateways: Collection[str], interfaces: Collection[str], tags: Mapping[str, str]) -> Firewall:
    """The security groups and rules of an environment.

    gateways: the services with a gateway endpoint. interfaces: those with an interface endpoint, and `processor`; without any there is no tier
    `endpoints`, as a group that nothing bears and a rule that nothing needs are what PCI DSS 1.2.5 and 1.2.7 have taken away. tags: the
    environment's; every group and rule bears them, and a rule's description begins with `Environment`.
    """
    tiers = tuple(_tiers(shape, interfaces))
    groups = tuple(Group(tier, _PURPOSE[tier], {**tags, "Tier": tier}) for tier in tiers)
    known = {group.tier: group for group in groups}
    rules: list[Rule] = []
    for flow in _flows(shape, gateways, interfaces):
        why = f"{tags['Environment']}: {flow.why}"
        # What passes through the NAT instance is addressed to the internet: the group that it leaves needs no rule that names the instance.
        if flow.source in known and flow.target != "nat":
            group = known[flow.source]
            rules.append(Rule(group.tier, "out", flow.target, _kind(flow.target, known, gateways), flow.port, why, group.tags))
        if flow.target in known:
            group = known[flow.target]
            rules.append(Rule(group.tier, "in", flow.source, _kind(flow.source, known, gateways), flow.port, why, group.tags))
    return Firewall(groups, tuple(rules))


def _tiers(shape: Shape, interfaces: Collection[str]) -> Iterator[Tier]:
    if shape.compute == "containers":
        yield from ("containers", "load-balancer")
    else:
        yield "functions"
    if shape.relational:
        yield "database"
    if shape.cache:
        yield "cache"
    if interfaces:
        yield "endpoints"
    if shape.way_out == "nat-instance":
        yield "nat"


def _flows(shape: Shape, gateways: Collection[str], interfaces: Collection[str]) -> Iterator[Flow]:
    service = "containers" if shape.compute == "containers" else "functions"
    if shape.compute == "containers":
        for clients_range in shape.clients:
            # HTTPS only: there is no listener on port 80, and so nothing that a client could send in clear (PCI DSS 4.2.1).
            yield Flow(clients_range, "load-balancer", HTTPS, "clients of the payment API")
        yield Flow("load-balancer", "containers", SERVICE, "requests and health checks, by TLS")
    if shape.relational:
        yield Flow(service, "database", POSTGRES, "payments and ledger")
    if shape.cache:
        yield Flow(service, "cache", REDIS, "sessions")
    if interfaces:
        served = "AWS services and the processor" if "processor" in interfaces else "AWS services"
        yield Flow(service, "endpoints", HTTPS, f"{served} by their interface endpoints")
    for gateway in gateways:
        yield Flow(service, gateway, HTTPS, f"{gateway} through its gateway endpoint")
    if shape.way_out != "none":
        # Payment processors and AWS services without an endpoint have no group or prefix list of ours that a rule could name.
        yield Flow(service, ANYWHERE, HTTPS, "HTTPS by the way out")
    if shape.way_out == "nat-instance":
        yield Flow(service, "nat", HTTPS, "HTTPS on its way out")
        yield Flow("nat", ANYWHERE, HTTPS, "HTTPS by the way out")


def _kind(peer: str, tiers: Collection[str], gateways: Collection[str]) -> Literal["tier", "service", "range"]:
    return "tier" if peer in tiers else "service" if peer in gateways else "range"
