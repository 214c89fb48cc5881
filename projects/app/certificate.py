"""The certificate of a domain, and the zone in which it is proven and its host name leads somewhere."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from projects.app.domain_settings import DomainSettings
from shared.component import Component


@dataclass(frozen=True)
class Certified:
    """zone_id: of the hosted zone. arn: of the certificate; known once its name is proven."""

    zone_id: pulumi.Input[str]
    arn: pulumi.Output[str]


def certified(component: Component, name: str, settings: DomainSettings) -> Certified:
    """Makes, as the component's children, a certificate that is validated by DNS, and the hosted zone too, unless the page names one.

    A new zone only works once its parent domain delegates to it; until then AWS waits for the certificate's validation.
    """
    zone = settings.zone_id or aws.route53.Zone(name, name=settings.name, comment="Payments API", force_destroy=True, opts=component.child()).zone_id
    certificate = aws.acm.Certificate(name, domain_name=settings.name, validation_method="DNS", opts=component.child())
    wanted = certificate.domain_validation_options[0]
    proof = aws.route53.Record(
        f"{name}-validation",
        zone_id=zone,
        name=wanted.resource_record_name,
        type=wanted.resource_record_type,
        ttl=60,
        records=[wanted.resource_record_value],
        allow_overwrite=True,
        opts=component.child(),
    )
    validated = aws.acm.CertificateValidation(name, certificate_arn=certificate.arn, validation_record_fqdns=[proof.fqdn], opts=component.child())
    return Certified(zone, validated.certificate_arn)


def leads_to(
    component: Component, name: str, settings: DomainSettings, zone_id: pulumi.Input[str], *, host: pulumi.Input[str], host_zone: pulumi.Input[str]
) -> None:
    """The alias record by which the domain leads to a host of AWS's (whose zone is `host_zone`)."""
    aws.route53.Record(
        name,
        zone_id=zone_id,
        name=settings.name,
        type="A",
        aliases=[{"name": host, "zone_id": host_zone, "evaluate_target_health": False}],
        opts=component.child(),
    )
