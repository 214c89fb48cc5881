"""The domain of the load balancer, as ACM, Route 53 and Elastic Load Balancing have it."""

from __future__ import annotations

from typing import Any

from projects.app.routes import ROUTES
from tests.projects.app.test_waf import acl
from tests.projects.app.test_web import balancer, listener
from tests.projects.app.upstream import deployed, outputs
from tests.projects.harness import Cloud, empty_aws

HOST = "payments.example.com"


def records(cloud: Cloud, zone: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(record["Name"].rstrip("."), record["Type"]): record for record in found if record["Type"] not in {"NS", "SOA"}}


def check(cloud: Cloud, zone: str, host: str) -> None:
    """The listener's certificate is proven in the zone, and the host name leads to the load balancer."""
    acm = cloud.client("acm")
    [summary] = acm.list_certificates()["CertificateSummaryList"]
    certificate = acm.describe_certificate(CertificateArn=summary["CertificateArn"])["Certificate"]
    assert (certificate["DomainName"], certificate["Status"]) == (host, "ISSUED")
    assert [one["CertificateArn"] for one in listener(cloud)["Certificates"]] == [certificate["CertificateArn"]]
    [proof] = certificate["DomainValidationOptions"]
    found, wanted = records(cloud, zone), proof["ResourceRecord"]
    assert found[wanted["Name"].rstrip("."), wanted["Type"]]["ResourceRecords"] == [{"Value": wanted["Value"]}]
    alias, there = found[host, "A"]["AliasTarget"], balancer(cloud)
    assert (alias["DNSName"].rstrip("."), alias["HostedZoneId"]) == (there["DNSName"], there["CanonicalHostedZoneId"])
    assert outputs(cloud)["apiUrl"] == f"https://{host}"
    assert outputs(cloud)["endpointUrls"] == {route.path: f"https://{host}/{route.path}" for route in ROUTES}


def test_a_zone_is_made_for_the_domain_where_the_page_names_none() -> None:
    with deployed("containers-prod") as cloud:
        [zone] = cloud.client("route53").list_hosted_zones()["HostedZones"]
        assert zone["Name"] == f"{HOST}."
        check(cloud, zone["Id"], HOST)


def test_the_pages_own_zone_and_limit_are_used_where_it_names_them() -> None:
    with empty_aws("containers-dev") as before:
        zone = before.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"].rsplit("/", 1)[-1]
        ours = {**before.page.config["app:containers"], "domain": {"name": HOST, "zoneId": zone}, "rateLimit": 10}
        with deployed("containers-dev", **{"app:containers": ours}) as cloud:
            assert [found["Id"] for found in cloud.client("route53").list_hosted_zones()["HostedZones"]] == [f"/hostedzone/{zone}"]
            check(cloud, zone, HOST)
            assert [rule["Statement"]["RateBasedStatement"]["Limit"] for rule in acl(cloud)["Rules"] if "RateBasedStatement" in rule["Statement"]] == [10]


def test_a_copys_domain_is_below_its_originals() -> None:
    with deployed("containers-dev", **{"platform:environmentSuffix": "pr42", "platform:copyOf": "containers-dev"}) as copy:
        [zone] = copy.client("route53").list_hosted_zones()["HostedZones"]
        check(copy, zone["Id"], f"pr42.dev.{HOST}")
