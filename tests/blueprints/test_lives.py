"""Each customer's environments deploy, need no second deployment, do their job, and leave nothing behind."""

from __future__ import annotations

import pytest

from tests.blueprints.life import PROJECTS, Life
from tests.briefs.requirements import BRIEFS

# The first question about a customer waits for all of its environments' lives.
pytestmark = [pytest.mark.timeout(1800), pytest.mark.parametrize("brief", BRIEFS)]


def test_the_first_deployment_makes_all_four_stacks(lives: dict[str, Life]) -> None:
    for name, life in lives.items():
        assert life.ends["first"].code == 0, f"{name}: {life.ends['first'].out}{life.ends['first'].err}"
        assert life.ends["first"].outcomes == dict.fromkeys(PROJECTS, "succeeded"), name


def test_a_second_deployment_changes_nothing(lives: dict[str, Life]) -> None:
    for name, life in lives.items():
        assert life.ends["again"].code == 0, f"{name}: {life.ends['again'].err}"
        for result in life.ends["again"].report["results"]:
            changed = {kind: count for kind, count in result["changes"].items() if count and kind != "same"}
            assert changed == {}, f"{name}: {result['project']}"
            assert result["changes"]["same"] > 0


def test_a_payment_comes_through_the_deployed_service(lives: dict[str, Life]) -> None:
    for name, life in lives.items():
        report = life.smoke
        assert report["problems"] == [], f"{name}: {life.ends['smoke'].err}"
        assert {check["name"]: check["outcome"] for check in report["checks"] if check["outcome"] != "passed"} == {}, f"{name}: {report}"
        assert any("captured" in check["name"] + check["detail"] for check in report["checks"]), name


def test_resources_are_in_the_account_and_region_of_their_page(lives: dict[str, Life]) -> None:
    for name, life in lives.items():
        places = {tuple(arn.split(":")[3:5]) for arn in life.arns}
        environment = life.environment
        # IAM has no region; S3 and API Gateway have no account in their ARNs.
        assert {region for region, _ in places} <= {environment.region, ""}, name
        assert {account for _, account in places} <= {environment.account, ""}, name
        assert (environment.region, environment.account) in places, name
        assert life.holdings["deployed"], name


def test_nothing_is_left(lives: dict[str, Life]) -> None:
    for name, life in lives.items():
        assert life.ends["destroyed"].code == 0, f"{name}: {life.ends['destroyed'].err}"
        # Like AWS, moto keeps what services made for themselves: RDS the group of Enhanced Monitoring, API Gateway its first log group.
        assert life.holdings["destroyed"] == {}, name
