"""What the table's examples cannot show of Route 53 and ACM: records that are there already, zones that are not empty, missing proofs."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from tests.localcloud.engine import Engine

ZONE, RECORD, FIND = "aws:route53/zone:Zone", "aws:route53/record:Record", "aws:route53/getZone:getZone"
CERTIFICATE, VALIDATION = "aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation"


@pytest.fixture
def zone(engine: Engine) -> tuple[str, dict[str, Any]]:
    """The zone of example.com: its id and its state."""
    return engine.create(ZONE, {"name": "example.com"})


def record(zone: str, name: str = "pay") -> dict[str, Any]:
    return {"zoneId": zone, "name": name, "type": "CNAME", "ttl": 60, "records": ["gateway.example.com"]}


def test_a_record_that_is_there_is_not_taken_over_unless_asked(engine: Engine, zone: tuple[str, dict[str, Any]]) -> None:
    engine.create(RECORD, record(zone[0], "other"))
    id_, state = engine.create(RECORD, record(zone[0]))
    assert (id_, state["fqdn"]) == (f"{zone[0]}_pay_CNAME", "pay.example.com")
    with pytest.raises(grpc.RpcError, match="already exists"):
        engine.create(RECORD, record(zone[0]))
    _, taken = engine.create(RECORD, {**record(zone[0]), "ttl": 300, "allowOverwrite": True})
    assert taken["ttl"] == 300
    engine.delete(RECORD, id_, state)
    assert engine.create(RECORD, record(zone[0]))[0] == id_


def test_a_zone_with_records_is_deleted_by_force_only(engine: Engine, zone: tuple[str, dict[str, Any]]) -> None:
    id_, state = zone
    engine.create(RECORD, record(id_))
    with pytest.raises(grpc.RpcError, match="HostedZoneNotEmpty"):
        engine.delete(ZONE, id_, state)
    engine.delete(ZONE, id_, {**state, "forceDestroy": True})
    assert engine.read(ZONE, id_, state, {"name": "example.com"}) is None


def test_the_zone_that_is_looked_up_must_be_the_only_one(engine: Engine, zone: tuple[str, dict[str, Any]]) -> None:
    found, _ = engine.invoke(FIND, {"name": "example.com."})
    assert (found["zoneId"], found["nameServers"]) == (zone[0], zone[1]["nameServers"])
    for args in ({"name": "example.org"}, {"name": "example.com", "privateZone": True}):
        with pytest.raises(grpc.RpcError, match=r"no .*zone"):
            engine.invoke(FIND, args)
    engine.create(ZONE, {"name": "example.com"})
    with pytest.raises(grpc.RpcError, match="2 "):
        engine.invoke(FIND, {"name": "example.com"})


def test_a_certificate_is_not_validated_while_a_record_is_missing(engine: Engine) -> None:
    arn, certificate = engine.create(CERTIFICATE, {"domainName": "pay.example.com", "validationMethod": "DNS"})
    wanted = certificate["domainValidationOptions"][0]["resourceRecordName"]
    with pytest.raises(grpc.RpcError, match=rf"validationRecordFqdns lacks the record {wanted.rstrip('.').lower()} \(for pay\.example\.com\)"):
        engine.create(VALIDATION, {"certificateArn": arn, "validationRecordFqdns": []})
    assert engine.create(VALIDATION, {"certificateArn": arn, "validationRecordFqdns": [wanted]})[1]["certificateArn"] == arn
