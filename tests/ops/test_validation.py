"""Bad configuration is refused before anything is touched: all of it at once, each with page, key, value and rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.validation import problems_of, validate
from ops.workspace import open_workspace
from shared import page as read_pages
from shared.page import PageError
from tests.ops.pages import Pages


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    return Pages(tmp_path, monkeypatch)


def told(*names: str) -> list[str]:
    return [str(found) for found in validate(list(names))]


def test_the_committed_pages_have_nothing_wrong() -> None:
    assert told(*read_pages.names()) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"app:functions.memmory": 512}, "app:functions.memmory = 512: unknown key"),
        ({"platform:ower": "me"}, 'platform:ower = "me": unknown key'),
        ({"app:functions.timeout": "soon"}, 'app:functions.timeout = "soon": Input should be a valid integer'),
        ({"data:buckets": "many"}, 'data:buckets = "many": Input should be a valid dictionary'),
        ({"networking:vpc.cidr": "10.0.0.0/8"}, 'networking:vpc.cidr = "10.0.0.0/8": must be a /16 to a /20'),
        ({"app:functions.memory": 100}, "app:functions.memory = 100: Input should be greater than or equal to 128"),
        ({"app:functions.memory": 10_241}, "app:functions.memory = 10241: Input should be less than or equal to 10240"),
        ({"platform:environmentSuffix": "a-very-long-suffix"}, 'platform:environmentSuffix = "a-very-long-suffix": is 4 characters too long'),
        ({"data:database.multiAz": False}, "data:database.multiAz = false: platform:highAvailability asks for a standby"),
        ({"networking:egress.perZone": False}, 'networking:egress = "nat-gateway": platform:highAvailability asks for a NAT gateway in each zone'),
        ({"billing:plan": "gold"}, "billing:: unknown namespace; a page has app, aws, data, networking, observability, platform"),
        ({"app:functions": None}, "app: wants app:functions and app:api (Lambda behind API Gateway), or else app:containers"),
        ({"aws:allowedAccountIds": None}, "aws:allowedAccountIds: is required and missing"),
    ],
)
def test_one_mistake_is_one_problem_with_page_key_value_and_rule(pages: Pages, changed: dict[str, Any], expected: str) -> None:
    pages.change("prod", changed)
    [found] = told("prod", "staging")
    assert found.startswith(f"environments/Pulumi.prod.yaml: {expected}")


def test_environments_of_one_family_have_ranges_of_their_own_and_the_pair_is_named(pages: Pages) -> None:
    pages.change("dev", {"networking:vpc.cidr": "10.1.0.0/16"})
    of_dev, of_staging = told("dev", "staging")
    assert "environments/Pulumi.dev.yaml: networking:vpc.cidr" in of_dev
    assert of_staging == (
        'environments/Pulumi.staging.yaml: networking:vpc.cidr = "10.1.0.0/16": overlaps 10.1.0.0/16 of environments/Pulumi.dev.yaml; '
        "each environment has a range of its own"
    )


def test_one_environment_of_an_account_and_region_sets_the_role_by_which_api_gateway_logs(pages: Pages) -> None:
    pages.change("dev", {"aws:allowedAccountIds": ["234567890123"]})
    of_dev, of_staging = told("dev", "staging")
    assert of_dev.startswith("environments/Pulumi.dev.yaml: app:api.accountLogging = true: environments/Pulumi.staging.yaml sets API Gateway's logging role ")
    assert "of account 234567890123 in us-east-1 too" in of_staging
    pages.change("dev", {"app:api.accountLogging": False})
    assert told("dev", "staging") == []


@pytest.mark.parametrize("changed", [{"aws:region": "us-east-2"}, {"aws:allowedAccountIds": ["456789012345"]}])
def test_elsewhere_each_environment_sets_that_role_for_itself(pages: Pages, changed: dict[str, Any]) -> None:
    pages.change("dev", {"aws:allowedAccountIds": ["234567890123"], **changed})
    assert told("dev", "staging") == []


def test_a_copy_sets_no_role_and_is_not_refused_for_its_originals(pages: Pages) -> None:
    pages.change("dev", {"aws:allowedAccountIds": ["234567890123"], "platform:copyOf": "dev"})
    assert told("dev") == []


def test_containers_have_no_such_role(pages: Pages) -> None:
    assert {read_pages.read(f"containers-{stage}").config["aws:allowedAccountIds"][0] for stage in ("dev", "staging", "prod")} == {"123456789012"}
    assert told(*(f"containers-{stage}" for stage in ("dev", "staging", "prod"))) == []


def test_an_overlap_is_refused_before_a_deployment(pages: Pages) -> None:
    pages.change("dev", {"networking:vpc.cidr": "10.1.0.0/16"})
    with pytest.raises(PageError, match=r"Pulumi.dev.yaml: networking:vpc.cidr = .* of environments/Pulumi.staging.yaml"):
        open_workspace("dev")


def test_a_page_that_is_not_there_is_told() -> None:
    [found] = told("nope")
    assert found.startswith("environments/Pulumi.nope.yaml: (file): there is no such page")


def test_a_range_inside_anothers_overlaps_too(pages: Pages) -> None:
    pages.change("prod", {"networking:vpc.cidr": "10.1.128.0/20"})
    [found] = told("staging")
    assert "overlaps 10.1.128.0/20 of environments/Pulumi.prod.yaml" in found


def test_another_family_may_use_the_same_addresses(pages: Pages) -> None:
    pages.write("aurora-prod", dict(read_pages.read("prod").config))
    assert told("aurora-prod", "prod") == []


def test_a_page_that_is_no_yaml_is_one_problem_and_hides_nothing_of_the_others(pages: Pages) -> None:
    pages.text("dev", "config: [")
    pages.change("prod", {"app:functions.memory": 1})
    first, second = told("dev", "prod")
    assert first.startswith("environments/Pulumi.dev.yaml: (file): is not YAML")
    assert second.startswith("environments/Pulumi.prod.yaml: app:functions.memory = 1")


def test_all_that_is_wrong_in_every_project_is_said_at_once(pages: Pages) -> None:
    changed = {
        "platform:logRetentionDays": 8,
        "networking:vpc.availabilityZones": 1,
        "data:database.backupRetentionDays": 0,
        "app:api.rateLimit": -1,
        "observability:alarms.databaseCpu": 101,
        "chaos:monkey": True,
    }
    pages.change("prod", changed)
    found = validate(["prod"])
    assert {problem.key for problem in found} == {*changed, "chaos:"} - {"chaos:monkey"}
    assert {problem.page for problem in found} == {"environments/Pulumi.prod.yaml"}


def test_rules_across_sections_wait_for_sections_that_can_be_read(pages: Pages) -> None:
    pages.change("prod", {"data:database.multiAz": False, "data:database.backupRetentionDays": 99})
    assert [found.key for found in problems_of(read_pages.read("prod"))] == ["data:database.backupRetentionDays"]


def test_pages_that_were_not_asked_about_are_not_reported(pages: Pages) -> None:
    pages.change("dev", {"app:functions.memory": 1})
    assert told("prod") == []
