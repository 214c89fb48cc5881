"""Money, currencies, and what makes two requests the same."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from payments.domain.currency import MINOR_DIGITS
from payments.domain.payment import LARGEST_AMOUNT, Money, PaymentRequest, event_id
from tests.payments.service import REQUEST

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=12,
)
requests = st.builds(
    PaymentRequest,
    amount=st.integers(1, LARGEST_AMOUNT),
    currency=st.sampled_from(sorted(MINOR_DIGITS)),
    payment_token=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}", fullmatch=True),
    reference=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=128),
    metadata=st.dictionaries(st.text(st.characters(codec="utf-8")), json_values, max_size=5),
)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1050, "EUR", "10.50 EUR"), (5, "USD", "0.05 USD"), (1050, "JPY", "1050 JPY"), (1050, "KWD", "1.050 KWD")],
)
def test_money_is_written_in_its_currencys_way(amount: int, currency: str, text: str) -> None:
    assert str(Money(amount=amount, currency=currency)) == text


@given(st.integers(1, LARGEST_AMOUNT), st.sampled_from(sorted(MINOR_DIGITS)))
def test_no_minor_unit_is_lost_in_writing(amount: int, currency: str) -> None:
    number, code = str(Money(amount=amount, currency=currency)).split()
    assert (int(number.replace(".", "")), code) == (amount, currency)


def test_currencies_are_those_in_which_payments_are_made() -> None:
    assert len(MINOR_DIGITS) == 155
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in MINOR_DIGITS)
    # Withdrawn, precious metal, fund, for testing, none.
    assert not MINOR_DIGITS.keys() & {"HRK", "BGN", "XAU", "CHE", "XTS", "XXX"}


@given(requests)
def test_what_is_kept_of_a_request_is_the_request(request: PaymentRequest) -> None:
    kept = PaymentRequest.from_canonical(request.canonical())
    assert (kept, kept.digest()) == (request, request.digest())


@given(requests)
def test_the_digest_does_not_depend_on_how_the_request_was_written(request: PaymentRequest) -> None:
    rewritten = json.dumps(dict(reversed(request.model_dump(mode="json").items())), indent=2)
    assert PaymentRequest.model_validate_json(rewritten).digest() == request.digest()


@given(requests, requests)
def test_other_requests_have_other_digests(one: PaymentRequest, other: PaymentRequest) -> None:
    assert (one.digest() == other.digest()) == (one.canonical() == other.canonical())


def test_each_field_counts_in_the_digest() -> None:
    changes = {"amount": 1051, "currency": "USD", "payment_token": "tok_decline", "reference": "order 8", "session_id": "s", "metadata": {"a": 1}}
    digests = {PaymentRequest.model_validate(REQUEST | {name: value}).digest() for name, value in changes.items()}
    assert len(digests | {PaymentRequest.model_validate(REQUEST).digest()}) == len(changes) + 1
    assert set(changes) == set(PaymentRequest.model_fields)


def test_an_error_does_not_repeat_the_value() -> None:
    with pytest.raises(ValidationError) as refused:
        PaymentRequest.model_validate({**REQUEST, "payment_token": "what came in"})
    assert "what came in" not in str(refused.value)


def test_an_events_id_is_the_same_each_time_and_its_own() -> None:
    payment = "01a1fe37-1258-71a2-8b4d-0bdd3f8e2afa"
    assert event_id(payment, 2) == event_id(payment, 2) != event_id(payment, 3)
    assert uuid.UUID(event_id(payment, 2)).version == 5
