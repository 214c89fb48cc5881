"""What every program knows of its environment: from the page, or refused with key, value and rule."""

from __future__ import annotations

from typing import Any

import pytest

from shared import naming
from shared import page as pages
from shared.environment import Environment, Shape, environment_of, shape_of
from shared.page import Page, PageError

ACCOUNTS = {"dev": "123456789012", "staging": "234567890123", "prod": "345678901234"}


def page(**changed: Any) -> Page:
    """The dev page with some keys of `platform:` changed; None takes a key away."""
    dev = pages.read("dev")
    keys = {**dev.config, **{f"platform:{key}": value for key, value in changed.items()}}
    return Page("dev", {key: value for key, value in keys.items() if value is not None})


def refusals(of: Page) -> list[str]:
    with pytest.raises(PageError) as caught:
        environment_of(of)
    return [str(found).removeprefix("environments/Pulumi.dev.yaml: ") for found in caught.value.problems]


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_stages_accounts_and_tags_are_the_pages(name: str) -> None:
    environment = environment_of(pages.read(name))
    assert (environment.account, environment.region, environment.platform.stage) == (ACCOUNTS[name], "us-east-1", name)
    assert environment.platform.protected == (name == "prod")
    assert environment.tags == {
        "Environment": name,
        "Project": "payments-platform",
        "Team": "payments",
        "CostCenter": f"payments-{name}",
        "DataClassification": "confidential",
        "Suffix": "main",
    }


def test_arns_are_of_the_environments_account_and_region_unless_told() -> None:
    environment: Environment = environment_of(pages.read("dev"))
    assert environment.arn("sqs", "work") == "arn:aws:sqs:us-east-1:123456789012:work"
    assert environment.arn("iam", "root", region="") == "arn:aws:iam::123456789012:root"
    assert environment.arn("s3", "bucket", region="", account="") == "arn:aws:s3:::bucket"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"stage": "production"}, "platform:stage = \"production\": Input should be 'dev', 'staging' or 'prod'"),
        ({"stage": None}, "platform:stage: is required and missing"),
        ({"environmentSuffix": "Main"}, 'platform:environmentSuffix = "Main": must be lower-case letters and digits'),
        ({"environmentSuffix": "a--b"}, 'platform:environmentSuffix = "a--b": must be lower-case'),
        ({"environmentSuffix": "-a"}, 'platform:environmentSuffix = "-a": must be lower-case'),
        ({"environmentSuffix": ""}, 'platform:environmentSuffix = "": must be lower-case'),
        ({"environmentSuffix": "a\n"}, 'platform:environmentSuffix = "a\\n": must be lower-case'),
        ({"naming": "{stage}"}, 'platform:naming = "{stage}": lacks {resource}, {suffix}'),
        ({"naming": "{resource"}, "platform:naming = \"{resource\": expected '}'"),
        ({"logRetentionDays": 8}, "platform:logRetentionDays = 8: CloudWatch Logs keeps for one of 1, 3, 5, 7"),
        ({"logRetentionDays": "a week"}, 'platform:logRetentionDays = "a week": Input should be a valid integer'),
        ({"protected": "sometimes"}, 'platform:protected = "sometimes": Input should be a valid boolean'),
        ({"owner": "me"}, 'platform:owner = "me": unknown key'),
        ({"tags": {"Project": "p", "Team": "t", "CostCenter": "c"}}, "platform:tags.DataClassification: is required and missing"),
        ({"tags": "none"}, 'platform:tags = "none": Input should be'),
    ],
)
def test_a_platform_that_cannot_be_is_refused_with_key_value_and_rule(changed: dict[str, Any], told: str) -> None:
    [found] = refusals(page(**changed))
    assert found.startswith(told)


@pytest.mark.parametrize("value", ["a" * 257, "tab\there", "semi;colon", "<b>"])
def test_tags_that_aws_would_refuse_are_refused(value: str) -> None:
    tags = {**pages.read("dev").config["platform:tags"], "Team": value}
    [found] = refusals(page(tags=tags))
    assert found.startswith("platform:tags.Team = ")


def test_names_of_tags_are_as_aws_shows_them_and_no_others() -> None:
    tags = {**pages.read("dev").config["platform:tags"], "team": "x", "Owner": "y"}
    assert [found.split(" = ")[0] for found in refusals(page(tags=tags))] == ["platform:tags.team", "platform:tags.Owner"]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("aws:region", "virginia", 'aws:region = "virginia": must be a region of the partition aws, such as us-east-1'),
        ("aws:region", "us-gov-west-1", 'aws:region = "us-gov-west-1": must be a region of the partition aws'),
        ("aws:region", "cn-north-1", 'aws:region = "cn-north-1": must be a region of the partition aws'),
        ("aws:allowedAccountIds", [], "aws:allowedAccountIds = []: List should have at least 1 item"),
        ("aws:allowedAccountIds", ["123456789012", "234567890123"], "aws:allowedAccountIds = "),
        ("aws:allowedAccountIds", ["12345"], 'aws:allowedAccountIds[0] = "12345": String should match pattern'),
        ("aws:profile", "mine", 'aws:profile = "mine": unknown key'),
    ],
)
def test_the_provider_is_bound_to_one_account_and_a_region(key: str, value: Any, told: str) -> None:
    [found] = refusals(page().with_values({key: value}))
    assert found.startswith(told)


def test_a_suffix_that_breaks_name_limits_says_which_and_by_how_much() -> None:
    found = refusals(page(environmentSuffix="a" * 40))
    assert [one.split("name of one ")[1].split(" (")[0] for one in found] == [
        "S3 bucket",
        "RDS identifier",
        "load balancer or target group",
        "ElastiCache replication group",
        "IAM role",
        "SQS queue",
        "Lambda function",
        "EventBridge rule",
    ]
    assert all(one.startswith(f'platform:environmentSuffix = "{"a" * 40}": is ') for one in found)


def test_all_that_is_wrong_with_platform_and_provider_is_said_at_once() -> None:
    of = page(stage="qa", logRetentionDays=0, tags=None).with_values({"aws:region": "", "aws:allowedAccountIds": "1"})
    assert [found.split(" = ")[0].split(": ")[0] for found in refusals(of)] == [
        "platform:stage",
        "platform:logRetentionDays",
        "platform:tags",
        "aws:region",
        "aws:allowedAccountIds",
    ]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("dev", Shape(way_out="nat-instance", request_rate=50)),
        ("pci-dev", Shape(firewall=True, alarms=False, request_rate=50)),
        ("accounts-prod", Shape(database="dynamodb", request_rate=100)),
        ("aurora-dev", Shape(database="aurora", way_out="nat-instance", alarms=False, request_rate=50)),
        ("regions-staging", Shape(database_key="aws", request_rate=500)),
        ("containers-prod", Shape(compute="containers", database="aurora-serverless", cache=True, way_out="none", firewall=True)),
    ],
)
def test_the_shape_is_what_the_sections_of_the_page_say(name: str, shape: Shape) -> None:
    assert environment_of(pages.read(name)).shape == shape
    assert shape.relational == (name != "accounts-prod")


@pytest.mark.parametrize("value", [None, "rds", {"kind": "oracle"}, {"kind": ["rds"]}])
def test_a_malformed_section_is_left_to_the_program_whose_it_is(value: object) -> None:
    assert shape_of(pages.read("dev").with_values({"data:database": value})).database == "rds"
    assert not shape_of(pages.read("pci-dev").with_values({"app:api": value})).firewall
    assert shape_of(pages.read("pci-dev").with_values({"app:api": {"rateLimit": value}})).request_rate is None


def test_buckets_may_have_a_naming_of_their_own() -> None:
    environment = environment_of(pages.read("aurora-prod"))
    assert environment.names("audit", naming.BUCKET) == "fintech-payments-prod-aurora-audit"
    assert environment.names("audit", naming.TABLE) == "audit-prod-aurora"
    assert refusals(page(bucketNaming="{resource}-{stage}")) == [
        'platform:bucketNaming = "{resource}-{stage}": lacks {suffix}; without it names of two copies collide',
    ]
