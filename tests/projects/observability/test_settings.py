"""What a page may say about observability, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from projects.observability.settings import ObservabilitySettings, problems
from shared import page as pages
from shared.environment import environment_of
from shared.page import Page, PageError


def page(section: str, **changed: Any) -> Page:
    """The page of prod with some keys of a section changed."""
    of = pages.read("prod")
    key = f"observability:{section}"
    return of.with_values({key: {**of.config.get(key, {}), **changed}})


def refusals(of: Page) -> list[str]:
    try:
        settings = of.settings("observability", ObservabilitySettings)
    except PageError as error:
        return [str(problem).removeprefix(f"{of.file}: ") for problem in error.problems]
    return [f"observability:{key} = {value}: {rule}" for key, value, rule in problems(settings, environment_of(of))]


@pytest.mark.parametrize("environment", pages.names())
def test_every_page_is_accepted(environment: str) -> None:
    assert refusals(pages.read(environment)) == []


@pytest.mark.parametrize(
    ("section", "changed", "key", "rule"),
    [
        ("alarms", {"functionErrors": 0}, "observability:alarms.functionErrors = 0", "greater than or equal to 1"),
        ("alarms", {"functionErrors": "many"}, 'observability:alarms.functionErrors = "many"', "valid integer"),
        ("alarms", {"databaseCpu": 101}, "observability:alarms.databaseCpu = 101", "less than or equal to 100"),
        ("alarms", {"databaseCpu": 0}, "observability:alarms.databaseCpu = 0", "greater than 0"),
        ("alarms", {"databaseFreeStorage": -1}, "observability:alarms.databaseFreeStorage = -1", "greater than 0"),
        ("alarms", {"workAge": 59}, "observability:alarms.workAge = 59", "greater than or equal to 60"),
        ("alarms", {"workAge": 1_209_601}, "observability:alarms.workAge = 1209601", "less than or equal to 1209600"),
        ("alarms", {"apiServerErrors": 0}, "observability:alarms.apiServerErrors = 0", "greater than 0"),
        ("alarms", {"messagesFailed": 0}, "observability:alarms.messagesFailed = 0", "greater than or equal to 1"),
        ("alarms", {"processorUnavailable": 0}, "observability:alarms.processorUnavailable = 0", "greater than or equal to 1"),
        ("alarms", {"natt": True}, "observability:alarms.natt = true", "unknown key"),
        ("alarms", {"nat": False}, "observability:alarms.nat = false", "unknown key"),
        ("alarms", {"tableThrottles": 0}, "observability:alarms.tableThrottles = 0", "greater than or equal to 1"),
        ("alarms", {"databaseCapacity": 101}, "observability:alarms.databaseCapacity = 101", "less than or equal to 100"),
        ("alarms", {"apiLatency": 0}, "observability:alarms.apiLatency = 0", "greater than 0"),
        ("alarms", {"requestsBlocked": 0.5}, "observability:alarms.requestsBlocked = 0.5", "valid integer"),
        ("notifications", {"emails": ["nobody"]}, 'observability:notifications.emails[0] = "nobody"', "should match pattern"),
        ("notifications", {"emails": ["a@example.com", "A@example.com"]}, "observability:notifications.emails", "has a@example.com more than once"),
        ("notifications", {"paging": False}, "observability:notifications.paging = False", "platform:highAvailability"),
        ("trail", {"tableEvents": "sometimes"}, 'observability:trail.tableEvents = "sometimes"', "valid boolean"),
    ],
)
def test_a_page_that_makes_no_sense_is_refused_with_key_and_rule(section: str, changed: dict[str, Any], key: str, rule: str) -> None:
    [refused] = refusals(page(section, **changed))
    assert refused.startswith(key)
    assert rule in refused


def test_all_that_is_wrong_is_said_at_once() -> None:
    of = page("alarms", functionErrors=0, databaseCpu=101).with_values({"observability:notifications": {"emails": "all"}, "observability:pager": {}})
    assert [refused.split(":")[1].split(" ")[0] for refused in refusals(of)] == [
        "alarms.functionErrors",
        "alarms.databaseCpu",
        "notifications.paging",
        "notifications.emails",
        "pager",
    ]


def test_an_environment_that_need_not_survive_a_zone_need_not_page() -> None:
    assert refusals(page("notifications", paging=False).with_values({"platform:highAvailability": False})) == []


def test_what_must_survive_a_zone_must_have_alarms() -> None:
    config = {key: value for key, value in pages.read("prod").config.items() if key != "observability:alarms"}
    [refused] = refusals(Page("prod", config))
    assert refused.startswith("observability:alarms = None: platform:highAvailability")
    assert refusals(Page("prod", {**config, "platform:highAvailability": False})) == []
