"""The API's own domain: certificate, DNS, mapping."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.app.api import Api
from projects.app.certificate import Certificate
from projects.app.domain_settings import DomainSettings
from shared.component import Component
from shared.environment import Environment


class Domain(Component):
    """Produces a certificate that is validated by DNS, the domain, its mapping to the API's stage, and the DNS records.

    The hosted zone is made too, unless the page names one.
    Outputs: `url`.
    """

    url: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, settings: DomainSettings, *, api: Api, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        certificate = Certificate(name, environment, settings, self.child())
        domain = aws.apigateway.DomainName(
            name,
            domain_name=settings.name,
            regional_certificate_arn=certificate.arn,
            endpoint_configuration={"types": "REGIONAL"},
            # The API's own policy decides at the handshake (`Gateway`); with this one the name takes nothing older either.
            security_policy="TLS_1_2",
            opts=self.child(),
        )
        aws.apigateway.BasePathMapping(name, rest_api=api.api.id, stage_name=api.stage.stage_name, domain_name=domain.domain_name, opts=self.child())
        aws.route53.Record(
            name,
            zone_id=certificate.zone_id,
            name=settings.name,
            type="A",
            aliases=[{"name": domain.regional_domain_name, "zone_id": domain.regional_zone_id, "evaluate_target_health": False}],
            opts=self.child(),
        )
        self.url = domain.domain_name.apply(lambda host: f"https://{host}")
        self.register_outputs({"url": self.url})
