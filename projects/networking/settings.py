"""The `networking:` keys of a page."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from shared.environment import Environment, Shape
from shared.page import Settings

# Interface endpoints that functions and containers in private subnets can use instead of the way out: of services that their roles have actions of.
InterfaceService = Literal["secretsmanager", "kms", "sqs", "sns", "logs", "xray", "ecr.api", "ecr.dkr"]

# What AWS calls a service that somebody else offers through PrivateLink (AWS PrivateLink, "Create a service powered by AWS PrivateLink").
ProcessorService = Annotated[str, StringConstraints(pattern=r"^com\.amazonaws\.vpce\.[a-z0-9-]+\.vpce-svc-([0-9a-f]{8}|[0-9a-f]{17})$")]

# Private ranges; Python's `is_private` also counts loopback, link-local and documentation addresses.
_RFC_1918 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


class VpcSettings(Settings):
    """cidr: the VPC's range, /16 to /20 so that the subnets have room. availability_zones: how many are used, 2 to 5.

    No region has more than five that Lambda works in: us-east-1 has six, and Lambda is not in use1-az3. Most have three, which the deployment finds out.
    """

    cidr: IPv4Network
    availability_zones: Annotated[int, Field(ge=2, le=5)]

    @field_validator("cidr")
    @classmethod
    def _room(cls, value: IPv4Network) -> IPv4Network:
        if not 16 <= value.prefixlen <= 20:
            raise ValueError("must be a /16 to a /20: AWS takes no larger VPC, and each zone needs two subnets of at least /24")
        if not any(value.subnet_of(private) for private in _RFC_1918):
            raise ValueError("must be a private range: within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)")
        return value


class EgressSettings(Settings):
    """The way out of the private subnets.

    kind: NAT gateways, one NAT instance, or none (VPC endpoints only). per_zone: a NAT gateway in each zone, so that the loss
    of a zone takes no other zone's way out. instance_type: of the NAT instance, arm64; a nano has too little memory for Amazon Linux 2023 to install packages.
    """

    kind: Literal["nat-gateway", "nat-instance", "none"]
    per_zone: bool = False
    instance_type: Annotated[str, Field(pattern=r"^t4g\.(micro|small|medium|large)$")] = "t4g.micro"

    @model_validator(mode="after")
    def _consistent(self) -> EgressSettings:
        if self.per_zone and self.kind != "nat-gateway":
            raise ValueError(f"perZone is for NAT gateways; this page has kind {self.kind}")
        return self


class EndpointSettings(Settings):
    """gateway: endpoints in the route tables (free). interface: endpoints with an address in each private subnet (paid by the hour).

    processor: the PrivateLink service by which the payment processor is reached without the internet, in the environment's region. Whoever offers it must
    have let this account in, accept connections without being asked for each, and have a private DNS name for it that is verified: the name that
    `app:processor.endpoint` has (AWS PrivateLink, "Manage DNS names for VPC endpoint services").
    """

    gateway: tuple[Literal["s3", "dynamodb"], ...] = ("s3", "dynamodb")
    interface: tuple[InterfaceService, ...] = ()
    processor: ProcessorService | None = None

    @property
    def with_addresses(self) -> tuple[str, ...]:
        """All that have an address in the private subnets, and so a security group."""
        return (*self.interface, *(["processor"] if self.processor else []))


class NetworkingSettings(Settings):
    """All of `networking:`."""

    vpc: VpcSettings
    egress: EgressSettings
    endpoints: EndpointSettings = EndpointSettings()


def needed_endpoints(shape: Shape) -> tuple[set[str], set[str]]:
    """The gateway and the interface endpoints without which the service cannot work where there is no way out.

    Both computes use queues and topics, and Secrets Manager where something has a password. Lambda writes logs and traces from its own network, and
    takes its code there; Fargate pulls images and writes logs through the task's interface (Amazon ECR, "Considerations for Amazon ECR VPC endpoints").
    """
    interface = {"sqs", "sns"}
    if shape.relational or shape.cache:
        interface.add("secretsmanager")
    if shape.compute == "containers":
        interface |= {"ecr.api", "ecr.dkr", "logs"}
    return {"s3", "dynamodb"}, interface


def problems(settings: NetworkingSettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """Rules across the page, as (key, value, rule)."""
    egress = settings.egress
    if environment.platform.high_availability and egress.kind != "none" and not egress.per_zone:
        yield "egress", egress.kind, "platform:highAvailability asks for a NAT gateway in each zone (perZone: true), or no way out at all"
    processor = settings.endpoints.processor
    if processor and processor.split(".")[3] != environment.region:
        yield "endpoints.processor", processor, f"must be in the environment's region, {environment.region}"
    if egress.kind == "none":
        gateway, interface = needed_endpoints(environment.shape)
        for key, given, needed in (("gateway", settings.endpoints.gateway, gateway), ("interface", settings.endpoints.interface, interface)):
            if missing := sorted(needed.difference(given)):
                rule = f"without a way out (egress.kind: none) the service reaches AWS through endpoints alone; add {', '.join(missing)}"
                yield f"endpoints.{key}", list(given), rule
