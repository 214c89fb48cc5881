"""Secrets are masked wherever they stand, and nothing else is."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.masks import MASK, Masks

SECRET = 'kept from everybody/+"\\'

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.text(max_size=5).map(lambda text: f"{text}{SECRET}{text}"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.just(f"of {SECRET}"), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "value",
    [SECRET, f"rediss://:{SECRET}@cache:6379/0", f"rediss://:{quote(SECRET, safe='')}@cache:6379/0", json.dumps({"payments": SECRET}), json.dumps([[SECRET]])],
)
def test_a_text_with_a_secret_in_it_is_masked_however_it_is_spelled(value: str) -> None:
    assert Masks([SECRET])({"a": [value], "b": "plain"}) == {"a": [MASK], "b": "plain"}


@pytest.mark.parametrize("value", ["", 0, True, False, None, 1, "kept", "kept from", [], {}])
def test_what_is_no_secret_stays(value: Any) -> None:
    masked = Masks([SECRET, "", 0, True, None, [], 7])({"value": [value]})
    assert masked == {"value": [value]}
    assert type(masked["value"][0]) is type(value)


def test_numbers_and_short_texts_are_masked_where_they_are_all_there_is() -> None:
    masks = Masks([{"pin": 4711, "of": ["key", 1.5]}])
    assert masks([4711, 47110, "4711", "key", "keys", "a key", 1.5, 1, True]) == [MASK, 47110, "4711", MASK, "keys", "a key", MASK, 1, True]


def test_members_of_a_secret_object_are_secrets() -> None:
    assert Masks([{"password": SECRET, "hosts": ["database-of-nobody"]}])(["database-of-nobody:5432", "payments", SECRET]) == [MASK, "payments", MASK]


@given(documents)
def test_no_document_shows_a_secret(document: Any) -> None:
    assert SECRET not in repr(Masks([SECRET])(document)).replace("\\\\", "\\")
    assert json.dumps(SECRET)[1:-1] not in json.dumps(Masks([SECRET])(document))


@given(documents)
def test_without_secrets_nothing_changes(document: Any) -> None:
    assert Masks([])(document) == document
