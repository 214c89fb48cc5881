"""A page may have any capability of any other: pages that cross them are refused by nothing, and deployed as they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings

from ops.validation import problems_of
from shared.page import Page
from tests.pages.crossing import CAPABILITIES, Cross, covering, crosses, drawn_pages, goes, page_of, pairs, wanted
from tests.pages.deployed import deployed, differences

T = TypeVar("T")

COVERING = covering()


# What is told apart by sizes or by where messages go, and not by what there is.
_LOOK_ALIKE = ({"alone", "replicated"}, {"silent", "paging"})


def first(options: Sequence[T]) -> T:
    """The first of several."""
    return options[0]


def shown(cross: Cross) -> str:
    """A name for a test: the capabilities that tell crosses apart at a glance."""
    return "-".join(cross[name].replace(" ", "-") for name in ("compute", "database", "way out", "cache", "tables", "availability"))


@given(drawn_pages())
@settings(max_examples=100)
def test_no_cross_is_refused(page: Page) -> None:
    assert [str(problem) for problem in problems_of(page)] == []


@pytest.mark.parametrize("number", range(len(COVERING)), ids=map(shown, COVERING))
def test_every_two_capabilities_live_together(number: int, tmp_path: Path) -> None:
    page = page_of(COVERING[number], Random(number).choice)  # noqa: S311 - no secret
    with deployed(page, tmp_path) as made:
        assert differences(made, page) == []


@given(cross=crosses())
@settings(max_examples=1, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_page_is_deployed_as_it_says_and_not_as_another(cross: Cross, tmp_path: Path) -> None:
    with deployed(page_of(cross, first), tmp_path) as made:
        assert differences(made, page_of(cross, first)) == []
        for name in ("compute", "database", "way out", "cache", "alarms"):
            for option in CAPABILITIES[name]:
                if option != cross[name] and {option, cross[name]} not in _LOOK_ALIKE:
                    assert differences(made, page_of({**cross, name: option}, first)) != [], f"{name} is not told: {option}"


def test_the_crosses_have_every_wanted_pair() -> None:
    assert set().union(*map(pairs, COVERING)) >= wanted()
    assert all(goes(cross) and set(cross) == set(CAPABILITIES) for cross in COVERING)
    together = {tuple(option for _, option in pair) for pair in wanted()}
    # Who asks for Fargate and who asked for plain RDS and NAT gateways were different customers.
    assert {("containers", "rds"), ("containers", "nat-gateway"), ("functions", "replicated"), ("dynamodb", "replicated")} <= together
