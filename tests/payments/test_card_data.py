"""What looks like a card number is found however it is written, and what it is found in is never repeated."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.domain.card_data import REMOVED, findings, has_card_number, redacted
from payments.domain.payment import LARGEST_AMOUNT

# Brands' prefixes with a length of theirs; the numbers that are made from them pass for real ones.
BRANDS = [
    *(("4", 16), ("4", 13), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("36", 14), ("305", 14)),
    *(("6011", 16), ("65", 16), ("3528", 16), ("62", 16), ("62", 19), ("6304", 12), ("6759", 18), ("60", 16)),
]

SEPARATORS = st.sampled_from(["", "", " ", "-", ".", "/", "_", " - ", "\u00a0", "\u2009", "\u200b", "\u2011", "\u2013", "·", "\t", "\n", ", "])
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["N", "M", "Cf"]), max_size=12)


def with_check_digit(digits: str) -> str:
    """The digits and the one that makes them pass ISO/IEC 7812-1's check; written from its text, apart from the code under test."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        digit = int(character) * (2 if position % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return f"{digits}{-total % 10}"


def of_brand(brand: tuple[str, int]) -> st.SearchStrategy[str]:
    prefix, length = brand
    rest = length - len(prefix) - 1
    return st.text("0123456789", min_size=rest, max_size=rest).map(lambda digits: with_check_digit(prefix + digits))


branded = st.sampled_from(BRANDS).flatmap(of_brand)
of_any_issuer = st.integers(11, 18).flatmap(
    lambda length: st.text("0123456789", min_size=length, max_size=length).filter(lambda digits: digits[0] != "0").map(with_check_digit)
)


@st.composite
def written(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> tuple[str, str]:
    """A number, and the same with something between some of its digits."""
    number = draw(numbers)
    return number, "".join(digit + draw(SEPARATORS) for digit in number[:-1]) + number[-1]


@st.composite
def hidden(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value that holds the given one at some depth."""
    for _ in range(draw(st.integers(0, 4))):
        wrap = draw(st.sampled_from(["list", "dict"]))
        value = [draw(WORDS), value] if wrap == "list" else {"a": draw(WORDS), "b": value}
    return value


@given(written(branded | of_any_issuer))
def test_no_number_is_missed_whatever_separates_its_digits(case: tuple[str, str]) -> None:
    assert has_card_number(case[1])


@given(WORDS, written(branded), WORDS)
def test_no_number_is_missed_inside_a_text(before: str, case: tuple[str, str], after: str) -> None:
    assert has_card_number(before + case[1] + after)


@given(st.text("0123456789", max_size=6), branded, st.text("0123456789", max_size=6))
def test_no_brands_number_is_missed_inside_a_longer_row_of_digits(before: str, number: str, after: str) -> None:
    assert has_card_number(before + number + after)


@given(written(branded | of_any_issuer), st.sampled_from([" 12/30", " 123", ";12/30;999", " - 01.29"]))
def test_an_expiry_date_or_code_behind_the_number_hides_nothing(case: tuple[str, str], behind: str) -> None:
    assert has_card_number(case[0] + behind)


@given(branded, st.sampled_from([0x0660, 0x06F0, 0x0966, 0xFF10, 0x1D7CE]))
def test_digits_of_every_script_are_digits(number: str, zero: int) -> None:
    assert has_card_number("".join(chr(zero + int(digit)) for digit in number))


@given(st.data())
def test_no_finding_repeats_the_number(data: st.DataObject) -> None:
    number, text = data.draw(written(branded | of_any_issuer))
    payload = data.draw(hidden(text) | hidden(int(number)) | hidden({text: 1}))
    found = list(findings({"metadata": payload}))
    assert found
    for finding in found:
        assert number not in "".join(character for character in finding.field + finding.rule if character.isdecimal())


@given(st.text("123456789", min_size=12, max_size=12))
def test_twelve_digits_are_a_card_number_only_with_the_right_check_digit(digits: str) -> None:
    assert has_card_number(digits) == (with_check_digit(digits[:-1]) == digits)


@given(st.uuids(version=4).map(str).filter(lambda text: not text.replace("-", "").isdecimal()))
def test_a_uuid_is_no_card_number(text: str) -> None:
    assert not has_card_number(text)
    assert not has_card_number(f"order {text.upper()}, again")


@given(st.binary())
def test_a_digest_is_no_card_number(content: bytes) -> None:
    assert not has_card_number(hashlib.sha256(content).hexdigest())


@given(st.integers(-LARGEST_AMOUNT, LARGEST_AMOUNT) | st.floats(-1e9, 1e9).map(lambda number: round(number, 2)) | st.booleans() | st.none())
def test_amounts_and_other_small_values_are_no_card_numbers(value: object) -> None:
    assert list(findings({"value": value})) == []


@pytest.mark.parametrize(
    "text", ["2026-11-05 10:22:33.123456", "2026-11-05T10:22:33Z", "+49 30 1234567", "192.0.2.1:8080", "v1.2.3", "12345678901", "", "0" * 16]
)
def test_everyday_texts_are_let_in(text: str) -> None:
    assert not has_card_number(text)


def test_a_uuid_made_of_digits_alone_is_looked_into() -> None:
    assert has_card_number("42424242-4242-4242-8000-000000000000")


@given(WORDS, branded, WORDS)
def test_redaction_removes_the_number_and_nothing_else(before: str, number: str, after: str) -> None:
    assert redacted(f"{before}x{number}x{after}") == f"{before}x{REMOVED}x{after}"


@pytest.mark.parametrize("text", ["arn:aws:sns:us-east-1:123456789012:payment-events-dev", "2026-11-05 10:22:33,123", str(uuid.UUID(int=7))])
def test_redaction_leaves_what_logs_are_made_of(text: str) -> None:
    assert redacted(text) == text


# The first holds a Visa number of thirteen digits across a hyphen, the last one of sixteen.
@pytest.mark.parametrize("identifier", ["01a1ff46-eee7-752d-8460-2733778988cc", f"{'ab' * 8}4242424242424242"])
def test_redaction_leaves_identifiers_whole_beside_a_number_that_it_removes(identifier: str) -> None:
    assert redacted(f'{{"payment_id": "{identifier}", "note": "4242 4242 4242 4242"}}') == f'{{"payment_id": "{identifier}", "note": "{REMOVED}"}}'
