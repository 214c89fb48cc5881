"""The API's own domain, as ACM, Route 53 and API Gateway have it."""

from __future__ import annotations

from typing import Any

from tests.projects.app.upstream import deployed, outputs
from tests.projects.harness import Cloud, empty_aws

HOST = "payments.example.com"


def records(cloud: Cloud, zone: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(record["Name"].rstrip("."), record["Type"]): record for record in found if record["Type"] not in {"NS", "SOA"}}


def check(cloud: Cloud, zone: str) -> None:
    """The certificate is proven in the zone, the domain has it and speaks TLS 1.2, and the host name leads to the stage."""
    acm, gateway = cloud.client("acm"), cloud.client("apigateway")
    [summary] = acm.list_certificates()["CertificateSummaryList"]
    certificate = acm.describe_certificate(CertificateArn=summary["CertificateArn"])["Certificate"]
    [proof] = certificate["DomainValidationOptions"]
    assert (certificate["DomainName"], certificate["Status"], proof["ValidationMethod"]) == (HOST, "ISSUED", "DNS")
    wanted = proof["ResourceRecord"]
    found = records(cloud, zone)
    assert found[wanted["Name"].rstrip("."), wanted["Type"]]["ResourceRecords"] == [{"Value": wanted["Value"]}]
    domain = gateway.get_domain_name(domainName=HOST)
    assert domain["regionalCertificateArn"] == certificate["CertificateArn"]
    assert (domain["securityPolicy"], domain["endpointConfiguration"]["types"]) == ("TLS_1_2", ["REGIONAL"])
    alias = found[HOST, "A"]["AliasTarget"]
    assert alias["DNSName"].rstrip(".") == domain["regionalDomainName"]
    assert alias["HostedZoneId"] == domain["regionalHostedZoneId"]
    [mapping] = gateway.get_base_path_mappings(domainName=HOST)["items"]
    [api] = gateway.get_rest_apis()["items"]
    assert (mapping["restApiId"], mapping["stage"]) == (api["id"], outputs(cloud)["apiStage"])
    assert outputs(cloud)["apiUrl"] == f"https://{HOST}"


def test_a_zone_is_made_for_the_domain_where_the_page_names_none() -> None:
    with deployed("prod") as cloud:
        [zone] = cloud.client("route53").list_hosted_zones()["HostedZones"]
        assert zone["Name"] == f"{HOST}."
        check(cloud, zone["Id"])


def test_the_pages_own_zone_is_used_where_it_names_one() -> None:
    with empty_aws("prod") as before:
        zone = before.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"].rsplit("/", 1)[-1]
        api = {**before.page.config["app:api"], "domain": {"name": HOST, "zoneId": zone}}
        with deployed("prod", **{"app:api": api}) as cloud:
            assert [found["Id"] for found in cloud.client("route53").list_hosted_zones()["HostedZones"]] == [f"/hostedzone/{zone}"]
            check(cloud, zone)


def test_a_copy_leaves_its_originals_domain_alone() -> None:
    with deployed("prod", **{"platform:environmentSuffix": "pr42", "platform:copyOf": "prod"}) as copy:
        assert copy.client("route53").list_hosted_zones()["HostedZones"] == []
        assert copy.client("acm").list_certificates()["CertificateSummaryList"] == []
        [api] = copy.client("apigateway").get_rest_apis()["items"]
        assert outputs(copy)["apiUrl"] == f"https://{api['id']}.execute-api.us-east-1.amazonaws.com/prod"
