"""A page's text is changed where it is asked to be, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ops.page_text import PageTextError, with_title, with_value, without
from shared import page as pages

PAGE = """\
# The first line.

config:
  aws:region: us-east-1  # close to the customer
  aws:allowedAccountIds: ["123456789012"]

  # How it is told apart.
  platform:tags:
    Team: payments
    CostCenter: payments-dev

  # The way out.
  networking:egress:  # or there is none
    # Not yet.
    kind: none
  networking:endpoints:
    interface:
      - kms
      - logs  # for the functions
  data:tables: {billing: on-demand, pointInTimeRecovery: true}
  # The end.
"""

TEXTS = {name: (pages.ENVIRONMENTS / f"Pulumi.{name}.yaml").read_text() for name in pages.names()}

VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp"))),
    st.lists(st.integers(0, 9), max_size=3),
    st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.integers(0, 9), max_size=3),
)


def config(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["config"]
    return found


def keys(of: dict[str, Any]) -> Iterator[str]:
    """Every key of a page that can be set, members of sections too."""
    for key, value in of.items():
        yield key
        if isinstance(value, dict):
            yield from (f"{key}.{member}" for member in value)


def changed(of: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The configuration with a key set (None: taken away), by other means than the text."""
    section, _, member = key.partition(".")
    if member:
        rest = {name: entry for name, entry in of.get(section, {}).items() if name != member}
        return {**of, section: rest if value is None else {**of.get(section, {}), member: value}}
    rest = {name: entry for name, entry in of.items() if name != section}
    return rest if value is None else {**of, section: value}


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


@given(page=st.sampled_from(sorted(TEXTS)), value=VALUES, data=st.data())
def test_any_key_of_any_page_takes_any_value(page: str, value: Any, data: st.DataObject) -> None:
    before = TEXTS[page]
    key = data.draw(st.sampled_from([*keys(config(before)), "data:tables.billing", "platform:new", "app:new.member"]))
    after = with_value(before, key, value)
    assert config(after) == changed(config(before), key, value)


@given(page=st.sampled_from(sorted(TEXTS)), data=st.data())
def test_any_key_of_any_page_can_be_taken_away(page: str, data: st.DataObject) -> None:
    before = TEXTS[page]
    key = data.draw(st.sampled_from(list(keys(config(before)))))
    assert config(without(before, key)) == changed(config(before), key, None)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("aws:region", "us-east-2", "  aws:region: us-east-2  # close to the customer"),
        ("aws:allowedAccountIds", ["234567890123"], "  aws:allowedAccountIds: ['234567890123']"),
        ("platform:tags.CostCenter", "payments-prod", "    CostCenter: payments-prod"),
        ("platform:tags.Owner", "payments", "    Owner: payments"),
        ("platform:tags", {"Team": "fraud"}, "  platform:tags: {Team: fraud}"),
        ("networking:egress", {}, "  networking:egress: {}  # or there is none"),
        ("networking:endpoints.interface", ["kms"], "    interface: [kms]  # for the functions"),
        ("data:tables.billing", "provisioned", "  data:tables: {billing: provisioned, pointInTimeRecovery: true}"),
        ("data:tables.readCapacity", 5, "  data:tables: {billing: on-demand, pointInTimeRecovery: true, readCapacity: 5}"),
        ("observability:alarms.databaseCpu", 80, "  observability:alarms: {databaseCpu: 80}"),
    ],
)
def test_a_value_stands_where_its_key_did(key: str, value: Any, line: str) -> None:
    after = with_value(PAGE, key, value)
    assert line in after.splitlines()
    assert config(after) == changed(config(PAGE), key, value)
    assert comments(after) == comments(PAGE)


@pytest.mark.parametrize(
    "key", ["aws:allowedAccountIds", "platform:tags", "platform:tags.Team", "networking:egress.kind", "data:tables.billing", "data:tables"]
)
def test_what_is_taken_away_takes_no_comment_with_it(key: str) -> None:
    after = without(PAGE, key)
    assert config(after) == changed(config(PAGE), key, None)
    assert comments(after) == comments(PAGE)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("region", "a key is <namespace>:<section>"),
        ("aws:", "a key is <namespace>:<section>"),
        (":region", "a key is <namespace>:<section>"),
        ("aws:tags..Team", "a key is <namespace>:<section>"),
        ("aws:region.zone", "aws:region has no members; it is 'us-east-1'"),
    ],
)
def test_a_key_that_cannot_be_set_is_refused(key: str, told: str) -> None:
    with pytest.raises(PageTextError, match=told):
        with_value(PAGE, key, 1)


@pytest.mark.parametrize("key", ["aws:profile", "platform:tags.Owner", "aws:region.zone", "app:api.domain"])
def test_what_is_not_there_cannot_be_taken_away(key: str) -> None:
    with pytest.raises(PageTextError, match="none to take away"):
        without(PAGE, key)


@pytest.mark.parametrize("text", ["", "config: 1\n", "other:\n  a: 1\n"])
def test_a_page_without_a_configuration_is_refused(text: str) -> None:
    with pytest.raises(PageTextError, match="no `config:`"):
        with_value(text, "aws:region", "us-east-1")


def test_a_title_replaces_the_comments_before_the_first_key() -> None:
    after = with_title(PAGE, ["one", "two"])
    assert after.startswith("# one\n# two\nconfig:\n  aws:region")
    assert comments(after)[2:] == comments(PAGE)[1:]
