"""IAM's wildcards, against a matcher that is too simple to be wrong, and AWS's own examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.iam.wildcards import action_matches, arn_matches, resource_matches, text_matches

TEXT = st.text(alphabet="ab:/", max_size=8)
PATTERN = st.text(alphabet="ab:/*?", max_size=8)


def simply(pattern: str, text: str) -> bool:
    """Character by character, trying everything."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return simply(pattern[1:], text) or (text != "" and simply(pattern, text[1:]))
    return text != "" and pattern[0] in {"?", text[0]} and simply(pattern[1:], text[1:])


@given(PATTERN, TEXT)
def test_a_wildcard_stands_for_any_characters_of_a_text(pattern: str, text: str) -> None:
    assert text_matches(pattern, text) == simply(pattern, text)


@given(TEXT, TEXT)
def test_without_wildcards_a_pattern_matches_itself_alone(pattern: str, text: str) -> None:
    for matches in (text_matches, resource_matches):
        assert matches(pattern, text) == (pattern == text)


@given(PATTERN, TEXT)
def test_a_resource_is_matched_by_no_more_than_a_text(pattern: str, text: str) -> None:
    assert simply(pattern, text) or not resource_matches(pattern, text)


@given(PATTERN, st.text(alphabet="ab/", max_size=8))
def test_between_colons_a_resource_is_matched_as_a_text(pattern: str, text: str) -> None:
    assert resource_matches(pattern, text) == simply(pattern, text)


@given(TEXT, st.integers(min_value=0, max_value=8), st.integers(min_value=0, max_value=8))
def test_a_star_at_the_end_of_a_segment_stands_for_what_was_cut_out_there(text: str, start: int, end: int) -> None:
    before, after = text[: min(start, end)], text[max(start, end) :]
    if after[:1] in {"", ":"}:
        assert resource_matches(f"{before}*{after}", text[: len(before)] + text[len(before) : len(text) - len(after)] + after)


def test_an_arn_is_compared_component_by_component() -> None:
    """The example of the IAM user guide, "Amazon Resource Name (ARN) condition operators"."""
    pattern = "arn:aws:someservice:*:111122223333:finance/*"
    given_ = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
    assert text_matches(pattern, given_)
    assert not arn_matches(pattern, given_)
    assert arn_matches(pattern, "arn:aws:someservice:us-east-2:111122223333:finance/document.txt")
    assert not arn_matches("arn:aws:s3:::a", "a")


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("*", "s3:GetObject", True),
        ("s3:*", "s3:GetObject", True),
        ("s3:*", "s3express:GetObject", False),
        ("S3:GETOBJECT", "s3:GetObject", True),
        ("iam:*AccessKey*", "iam:CreateAccessKey", True),
        ("iam:*AccessKey*", "iam:CreateUser", False),
        ("s3:Get?bject", "s3:GetObject", True),
    ],
)
def test_actions_are_the_same_in_either_case(pattern: str, action: str, matches: bool) -> None:
    assert action_matches(pattern, action) == matches
