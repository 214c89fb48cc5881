"""Every look-up of the table, through the provider's gRPC surface."""

from __future__ import annotations

import importlib
from typing import Any

import grpc
import pytest

from localcloud import catalogue
from tests.localcloud.engine import Engine
from tests.localcloud.sdk import misfits_of_answer

AMI_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"

# Arguments that are good for each look-up, and those that are refused, with the one that the refusal must name.
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]] = {
    "aws:ec2/getAmi:getAmi": (
        {"owners": ["amazon"], "mostRecent": True, "filters": [{"name": "architecture", "values": ["arm64"]}]},
        [
            ("owners[0]", {"owners": ["somebody"]}),
            ("filters[0].values", {"filters": [{"name": "architecture"}]}),
            ("latest", {"latest": True}),
        ],
    ),
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": (
        {"name": "com.amazonaws.us-east-1.dynamodb"},
        [("id", {"id": "dynamodb"}), ("filters[0].name", {"filters": [{"name": "name", "values": ["s3"]}]})],
    ),
    "aws:ec2/getPrefixList:getPrefixList": (
        {"name": "com.amazonaws.us-east-1.s3"},
        [("prefixListId", {"prefixListId": "s3"}), ("filters[0].name", {"filters": [{"name": "owner-id", "values": ["AWS"]}]})],
    ),
    "aws:index/getAvailabilityZones:getAvailabilityZones": (
        {"state": "available", "filters": [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]},
        [("state", {"state": "open"}), ("filters[0].name", {"filters": [{"name": "colour", "values": ["red"]}]}), ("zones", {"zones": 3})],
    ),
    "aws:index/getCallerIdentity:getCallerIdentity": ({}, [("account", {"account": "345678901234"})]),
    "aws:index/getPartition:getPartition": ({}, [("partition", {"partition": "aws"})]),
    "aws:index/getRegion:getRegion": ({}, [("endpoint", {"endpoint": "https://ec2.us-east-1.amazonaws.com"}), ("id", {"id": 1})]),
    "aws:route53/getZone:getZone": ({"name": "example.com"}, [("domain", {"domain": "example.com"})]),
    "aws:secretsmanager/getRandomPassword:getRandomPassword": (
        {"passwordLength": 64, "excludePunctuation": True},
        [("passwordLength", {"passwordLength": 4_097}), ("passwordLength", {"passwordLength": 3}), ("length", {"length": 64})],
    ),
    "aws:ssm/getParameter:getParameter": ({"name": AMI_PARAMETER}, [("name", {}), ("withDecryption", {"name": "a", "withDecryption": "no"})]),
}


@pytest.fixture(autouse=True)
def zone(engine: Engine) -> None:
    """A hosted zone for the look-up of one."""
    engine.clouds.get(engine.account, engine.region).client("route53").create_hosted_zone(Name="example.com", CallerReference="once")


def answer(engine: Engine, token: str, args: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a look-up finds; nothing may be refused."""
    found, refused = engine.invoke(token, CASES[token][0] if args is None else args)
    assert refused == []
    assert misfits_of_answer(token, found) == []
    return found


def failure(engine: Engine, token: str, args: dict[str, Any]) -> str:
    """Why a look-up fails."""
    with pytest.raises(grpc.RpcError) as caught:
        engine.invoke(token, args)
    return str(caught.value.details())


def test_every_look_up_has_a_case() -> None:
    modules = [importlib.import_module(f"localcloud.resources.{name}") for name in catalogue.services()]
    assert {function.type for module in modules for function in getattr(module, "FUNCTIONS", ())} - set(CASES) == set()


@pytest.mark.parametrize("token", sorted(CASES))
def test_refuses_arguments_that_aws_refuses(engine: Engine, token: str) -> None:
    for path, args in CASES[token][1]:
        _, refused = engine.invoke(token, args)
        assert path in [where for where, _ in refused]


@pytest.mark.parametrize("token", sorted(CASES))
def test_answers_with_an_id(engine: Engine, token: str) -> None:
    assert answer(engine, token)["id"]


def test_zones_are_those_of_the_region(engine: Engine) -> None:
    found = answer(engine, "aws:index/getAvailabilityZones:getAvailabilityZones")
    assert found["names"][:3] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert len(found["zoneIds"]) == len(found["names"])
    abroad = answer(engine, "aws:index/getAvailabilityZones:getAvailabilityZones", {"region": "eu-west-1"})
    assert abroad["names"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


def test_zones_can_be_left_out_and_filtered(engine: Engine) -> None:
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    assert "us-east-1a" not in answer(engine, token, {"excludeNames": ["us-east-1a"]})["names"]
    zones = answer(engine, token, {"filters": [{"name": "zone-name", "values": ["us-east-1b"]}]})
    assert zones["names"] == ["us-east-1b"]
    assert zones["zoneIds"][0] not in answer(engine, token, {"excludeZoneIds": zones["zoneIds"]})["zoneIds"]
    assert answer(engine, token, {"filters": [{"name": "opt-in-status", "values": ["opted-in"]}]})["names"] == []
    assert answer(engine, token, {"state": "impaired"})["names"] == []


def test_the_caller_is_the_account_that_was_configured(engine: Engine) -> None:
    found = answer(engine, "aws:index/getCallerIdentity:getCallerIdentity")
    assert found["accountId"] == engine.account
    assert f":{engine.account}:" in found["arn"]
    assert found["userId"]


def test_the_region_is_the_one_that_was_configured_or_asked_for(engine: Engine) -> None:
    token = "aws:index/getRegion:getRegion"
    here = answer(engine, token)
    assert (here["region"], here["description"], here["endpoint"]) == ("us-east-1", "US East (N. Virginia)", "ec2.us-east-1.amazonaws.com")
    assert answer(engine, token, {"region": "eu-central-1"})["name"] == "eu-central-1"
    assert answer(engine, token, {"name": "eu-west-1"})["region"] == "eu-west-1"
    assert answer(engine, token, {"endpoint": "ec2.eu-west-1.amazonaws.com"})["region"] == "eu-west-1"
    assert "'mars-1' is not a region" in failure(engine, token, {"name": "mars-1"})


def test_the_partition_has_its_dns_names(engine: Engine) -> None:
    found = answer(engine, "aws:index/getPartition:getPartition")
    assert found == {"partition": "aws", "id": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def test_the_published_image_is_the_image_that_is_found(engine: Engine) -> None:
    parameter = answer(engine, "aws:ssm/getParameter:getParameter")
    assert (parameter["type"], parameter["insecureValue"]) == ("String", parameter["value"])
    found = answer(engine, "aws:ec2/getAmi:getAmi", {"filters": [{"name": "image-id", "values": [parameter["value"]]}]})
    assert (found["id"], found["architecture"], found["rootDeviceName"]) == (parameter["value"], "arm64", "/dev/xvda")
    assert found["arn"] == f"arn:aws:ec2:us-east-1::image/{found['id']}"
    assert found["blockDeviceMappings"][0]["ebs"]["volume_size"].isdigit()


def test_the_latest_of_several_images_is_taken_only_when_asked_for(engine: Engine) -> None:
    args = {"owners": ["amazon"], "filters": [{"name": "name", "values": ["al2023-ami-2023*-arm64"]}]}
    assert "images match" in failure(engine, "aws:ec2/getAmi:getAmi", args)
    latest = answer(engine, "aws:ec2/getAmi:getAmi", {**args, "mostRecent": True})
    assert latest["name"].startswith("al2023-ami-2023")
    kernel = answer(engine, "aws:ec2/getAmi:getAmi", {**args, "mostRecent": True, "nameRegex": r"kernel-6\.1-"})
    assert "kernel-6.1-" in kernel["name"]
    assert "no image matches" in failure(engine, "aws:ec2/getAmi:getAmi", {**args, "nameRegex": "^solaris"})


def test_a_parameter_can_be_read_encrypted(engine: Engine) -> None:
    token = "aws:ssm/getParameter:getParameter"
    ssm = engine.clouds.get(engine.account, engine.region).client("ssm")
    ssm.put_parameter(Name="/payments/dev/token", Value="s3cret", Type="SecureString")
    assert answer(engine, token, {"name": "/payments/dev/token"})["value"] == "s3cret"
    assert answer(engine, token, {"name": "/payments/dev/token"})["insecureValue"] == ""
    assert answer(engine, token, {"name": "/payments/dev/token", "withDecryption": False})["value"] != "s3cret"
    assert "ParameterNotFound" in failure(engine, token, {"name": "/payments/prod/token"})


def test_a_hosted_zone_is_found_by_name(engine: Engine) -> None:
    found = answer(engine, "aws:route53/getZone:getZone")
    zones = engine.clouds.get(engine.account, engine.region).client("route53").list_hosted_zones()["HostedZones"]
    assert [zone["Id"].rpartition("/")[2] for zone in zones] == [found["zoneId"]]
    assert "example.org" in failure(engine, "aws:route53/getZone:getZone", {"name": "example.org"})


def test_prefix_lists_are_found_by_name_and_by_id(engine: Engine) -> None:
    by_name = answer(engine, "aws:ec2/getPrefixList:getPrefixList")
    assert by_name["cidrBlocks"]
    assert answer(engine, "aws:ec2/getPrefixList:getPrefixList", {"prefixListId": by_name["id"]}) == by_name
    assert "one prefix list must match" in failure(engine, "aws:ec2/getPrefixList:getPrefixList", {"name": "com.amazonaws.us-east-1.sqs"})
    managed = answer(engine, "aws:ec2/getManagedPrefixList:getManagedPrefixList", {"name": by_name["name"]})
    assert managed["id"] == by_name["id"]
    assert [entry["cidr"] for entry in managed["entries"]] == by_name["cidrBlocks"]


def test_a_random_password_is_as_it_was_asked_for_and_never_the_same(engine: Engine) -> None:
    token = "aws:secretsmanager/getRandomPassword:getRandomPassword"
    one, other = (answer(engine, token)["randomPassword"] for _ in range(2))
    assert one != other
    assert len(one) == 64
    assert one.isalnum()
    spelled = answer(engine, token, {"passwordLength": 200, "excludeCharacters": '/"@', "requireEachIncludedType": True})["randomPassword"]
    assert not set(spelled) & set('/"@')
    assert not spelled.isalnum()


def test_a_random_password_is_its_ids_secret(engine: Engine) -> None:
    found = answer(engine, "aws:secretsmanager/getRandomPassword:getRandomPassword")
    assert found["randomPassword"] not in found["id"]
