"""The load balancer: where clients of the containers call."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from projects.app.certificate import Certificate
from projects.app.domain_settings import DomainSettings
from projects.app.routes import ROUTES
from shared import naming
from shared.component import Component
from shared.components.bucket import LOAD_BALANCER_LOGS
from shared.contracts import NetworkingOutputs
from shared.environment import Environment

PORT = 8443
"""On which a container answers (`payments/container/settings.py`)."""

IDLE_SECONDS = 60
"""For which the load balancer keeps a connection without a request; tasks keep theirs longer (`payments/container/command.py`)."""

# TLS 1.3 and 1.2 with forward secrecy and AEAD ciphers only, and key exchange that quantum computers do not break for clients that have it:
# what AWS recommends ("Security policies for your Application Load Balancer").
_TLS = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

# The load balancer takes no application/problem+json here (API reference, FixedResponseActionConfig).
_ELSEWHERE = {"type": "urn:payments:problem:no-such-route", "title": "The API has no such route", "status": 404}

# A task that is to end has so long for the requests that it has begun.
_DRAINING_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class WebArgs:
    """network: where it stands. domain: whose certificate it shows. logs_bucket: keeps its access log; that bucket's policy lets it."""

    network: NetworkingOutputs
    domain: DomainSettings
    logs_bucket: pulumi.Input[str]


class Web(Component):
    """Produces an internet-facing Application Load Balancer that speaks HTTPS alone, its certificate and DNS names, and the target group of the tasks.

    The API's routes go to the tasks, by TLS again, whatever else is asked is answered 404. Nothing listens on port 80: a client that sends a payment
    without TLS is refused before it has sent anything (PCI DSS 4.2.1).
    Outputs: `balancer`, `targets`, `rules` (a service waits for these: ECS takes no target group without a load balancer).
    """

    balancer: aws.lb.LoadBalancer
    targets: aws.lb.TargetGroup
    rules: list[aws.lb.ListenerRule]

    def __init__(self, name: str, environment: Environment, args: WebArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        self.balancer = self._balancer(name, args)
        self.targets = self._targets(name, args.network)
        certificate = Certificate(name, environment, args.domain, self.child())
        listener = aws.lb.Listener(
            name,
            load_balancer_arn=self.balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=_TLS,
            certificate_arn=certificate.arn,
            default_actions=[
                {
                    "type": "fixed-response",
                    "fixed_response": {"content_type": "application/json", "message_body": json.dumps(_ELSEWHERE), "status_code": "404"},
                }
            ],
            opts=self.child(),
        )
        self.rules = [
            aws.lb.ListenerRule(
                route.path,
                listener_arn=listener.arn,
                priority=priority,
                conditions=[{"path_pattern": {"values": [f"/{route.path}"]}}, {"http_request_method": {"values": ["POST"]}}],
                actions=[{"type": "forward", "target_group_arn": self.targets.arn}],
                opts=self.child(),
            )
            for priority, route in enumerate(ROUTES, start=1)
        ]
        aws.route53.Record(
            name,
            zone_id=certificate.zone_id,
            name=args.domain.name,
            type="A",
            aliases=[{"name": self.balancer.dns_name, "zone_id": self.balancer.zone_id, "evaluate_target_health": False}],
            opts=self.child(),
        )
        self.register_outputs({"dnsName": self.balancer.dns_name})

    def _balancer(self, name: str, args: WebArgs) -> aws.lb.LoadBalancer:
        return aws.lb.LoadBalancer(
            name,
            name=self.environment.names(name, naming.LOAD_BALANCER),
            load_balancer_type="application",
            internal=False,
            ip_address_type="ipv4",
            subnets=args.network.public_subnet_ids,
            security_groups=[args.network.group("load-balancer")],
            # What two servers could read in two ways is not passed on (HTTP desync, request smuggling).
            desync_mitigation_mode="strictest",
            drop_invalid_header_fields=True,
            enable_deletion_protection=False,
            idle_timeout=IDLE_SECONDS,
            access_logs={"bucket": args.logs_bucket, "prefix": LOAD_BALANCER_LOGS, "enabled": True},
            opts=self.child(),
        )

    def _targets(self, name: str, network: NetworkingOutputs) -> aws.lb.TargetGroup:
        return aws.lb.TargetGroup(
            name,
            # Another port is another group, and AWS has two beside each other only under two names.
            name=self.environment.names(f"{name}-{PORT}", naming.LOAD_BALANCER),
            target_type="ip",
            port=PORT,
            # With the certificate that each task makes for itself (payments/container/tls.py): the load balancer does not ask who signed it.
            protocol="HTTPS",
            vpc_id=network.vpc_id,
            deregistration_delay=_DRAINING_SECONDS,
            health_check={
                # Not /ready, which asks the database: ECS replaces tasks that fail this, and another task would not mend a database.
                "path": "/health",
                "protocol": "HTTPS",
                "port": "traffic-port",
                "matcher": "200",
                "interval": 15,
                "timeout": 5,
                "healthy_threshold": 2,
                "unhealthy_threshold": 3,
            },
            opts=self.child(),
        )
