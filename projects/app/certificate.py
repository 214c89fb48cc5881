"""The certificate of a domain, and the zone in which it is proven and its host name leads somewhere."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.app.domain_settings import DomainSettings
from shared.component import Component
from shared.environment import Environment


class Certificate(Component):
    """Produces a certificate that is validated by DNS, and the hosted zone too, unless the page names one.

    A new zone only works once its parent domain delegates to it; until then AWS waits for the certificate's validation.
    Outputs: `arn` (of the certificate; known once its name is proven), `zone_id`.
    """

    arn: pulumi.Output[str]
    zone_id: pulumi.Input[str]

    def __init__(self, name: str, environment: Environment, settings: DomainSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        # They were its parent's own once; a zone that is replaced has other name servers, to which nobody delegates.
        moved = {"aliases": [pulumi.Alias(parent=opts.parent)]} if opts and opts.parent else {}
        self.zone_id = settings.zone_id or self._zone(name, settings, moved).zone_id
        certificate = aws.acm.Certificate(name, domain_name=settings.name, validation_method="DNS", opts=self.child(**moved))
        wanted = certificate.domain_validation_options[0]
        proof = aws.route53.Record(
            f"{name}-validation",
            zone_id=self.zone_id,
            name=wanted.resource_record_name,
            type=wanted.resource_record_type,
            ttl=60,
            records=[wanted.resource_record_value],
            allow_overwrite=True,
            opts=self.child(**moved),
        )
        validated = aws.acm.CertificateValidation(name, certificate_arn=certificate.arn, validation_record_fqdns=[proof.fqdn], opts=self.child(**moved))
        self.arn = validated.certificate_arn
        self.register_outputs({"arn": self.arn})

    def _zone(self, name: str, settings: DomainSettings, moved: dict[str, list[pulumi.Alias]]) -> aws.route53.Zone:
        return aws.route53.Zone(name, name=settings.name, comment="Payments API", force_destroy=True, opts=self.child(**moved))
