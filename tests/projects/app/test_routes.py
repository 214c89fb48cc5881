"""API Gateway's models against the service's own: what the gateway refuses the service would refuse, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, validators
from pydantic import BaseModel, ValidationError

from payments.domain.currency import MINOR_DIGITS
from payments.domain.payment import LARGEST_AMOUNT, PaymentRequest
from payments.functions import PROCESS_PAYMENT, VERIFY_PAYMENT
from payments.service.verifying import VerifyRequest
from projects.app.routes import ROUTES

UUID = "7a0b6d0e-6c0f-5a3e-9d0a-3f1f5a1c2b47"
PAYMENT: dict[str, Any] = {"amount": 1050, "currency": "EUR", "payment_token": "tok_approve", "reference": "order 7"}


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    """API Gateway reads patterns as ECMA 262 does, where `$` is the very end; Python's also matches before a last line break."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator: Any = validators.extend(Draft4Validator, {"pattern": _pattern})
SCHEMAS = {route.function: Validator(route.schema) for route in ROUTES}


def gateway_takes(payload: Any, function: Any = PROCESS_PAYMENT) -> bool:
    taken: bool = SCHEMAS[function].is_valid(payload)
    return taken


def service_takes(payload: Any, model: type[BaseModel] = PaymentRequest) -> bool:
    try:
        model.model_validate(payload)
    except ValidationError:
        return False
    return True


def invisible(text: str) -> bool:
    """Characters that the service refuses and draft 4 has no words for: format, private-use and unassigned ones."""
    return any(not character.isprintable() and not re.match(r"[\s\x00-\x1f\x7f-\x9f]", character) for character in text)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=5)
tokens = st.from_regex(r"[A-Za-z0-9_.:-]{0,260}", fullmatch=True)
references = st.text(max_size=140) | st.text(alphabet=" ab\n\t\u00e9\u00a0\u0085", max_size=140)
near = st.fixed_dictionaries(
    {
        "amount": st.integers(-2, 3) | st.integers(LARGEST_AMOUNT - 2, LARGEST_AMOUNT + 2) | st.just(1.0) | anything,
        "currency": st.sampled_from([*MINOR_DIGITS, "eur", "XXX", "EURO", ""]) | anything,
        "payment_token": tokens | anything,
        "reference": references | anything,
    },
    optional={
        "session_id": st.from_regex(r"[A-Za-z0-9_ -]{0,130}", fullmatch=True) | anything,
        "metadata": st.dictionaries(st.text(max_size=3), anything, max_size=52) | anything,
        "note": anything,
    },
)


@given(near)
def test_both_decide_alike_about_whole_payments(payload: dict[str, Any]) -> None:
    if not invisible(str(payload.get("reference", ""))):
        assert gateway_takes(payload) == service_takes(payload)


@pytest.mark.parametrize("field", [*PAYMENT, "session_id", "metadata"])
@given(st.data())
def test_both_decide_alike_about_one_field(field: str, data: st.DataObject) -> None:
    drawn = data.draw(near)
    payload = {**PAYMENT, field: drawn[field]} if field in drawn else PAYMENT
    if not invisible(str(payload["reference"])):
        assert gateway_takes(payload) == service_takes(payload)


@given(st.text(min_size=1, max_size=128))
def test_the_gateway_refuses_no_reference_that_the_service_takes(reference: str) -> None:
    payload = {**PAYMENT, "reference": reference}
    assert gateway_takes(payload) or not service_takes(payload)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 0},
        {"amount": LARGEST_AMOUNT + 1},
        {"amount": "1050"},
        {"amount": 10.5},
        {"amount": True},
        {"currency": "XXX"},
        {"currency": "eur"},
        {"payment_token": ""},
        {"payment_token": "-tok"},
        {"payment_token": "tok\n"},
        {"payment_token": "a" * 256},
        {"reference": ""},
        {"reference": " order"},
        {"reference": "order "},
        {"reference": "order\n7"},
        {"reference": "a" * 129},
        {"session_id": ""},
        {"session_id": "a b"},
        {"session_id": "a" * 129},
        {"metadata": None},
        {"metadata": []},
        {"metadata": {str(number): number for number in range(51)}},
        {"card": "1"},
    ],
)
def test_both_refuse(changed: dict[str, Any]) -> None:
    assert not gateway_takes({**PAYMENT, **changed})
    assert not service_takes({**PAYMENT, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"amount": 1},
        {"amount": LARGEST_AMOUNT},
        {"currency": "JPY"},
        {"payment_token": "a" * 255},
        {"reference": "a" * 128},
        {"reference": "Bestellung  №7, für Ömer 😀"},
        {"session_id": None},
        {"session_id": "_-" * 64},
        {"metadata": {}},
        {"metadata": {"order": {"lines": [1, None, "x"]}}},
    ],
)
def test_both_take(changed: dict[str, Any]) -> None:
    assert gateway_takes({**PAYMENT, **changed})
    assert service_takes({**PAYMENT, **changed})


@pytest.mark.parametrize("missing", list(PAYMENT))
def test_both_want_every_required_field(missing: str) -> None:
    payload = {name: value for name, value in PAYMENT.items() if name != missing}
    assert not gateway_takes(payload)
    assert not service_takes(payload)


ids = st.just(UUID) | st.just(UUID.upper()) | st.text("0a-F\n", max_size=40)
questions = st.fixed_dictionaries({}, optional={"payment_id": st.none() | ids | anything, "reference": st.none() | references | anything, "x": scalars})


@given(questions)
def test_both_decide_alike_about_questions(payload: dict[str, Any]) -> None:
    if not invisible(str(payload.get("reference", ""))):
        assert gateway_takes(payload, VERIFY_PAYMENT) == service_takes(payload, VerifyRequest)


@pytest.mark.parametrize(
    ("question", "taken"),
    [
        ({"payment_id": UUID}, True),
        ({"reference": "order 7"}, True),
        ({"payment_id": UUID, "reference": None}, True),
        ({"payment_id": None, "reference": "order 7"}, True),
        ({"payment_id": UUID, "reference": "order 7"}, False),
        ({"payment_id": None, "reference": None}, False),
        ({"payment_id": None}, False),
        ({}, False),
    ],
)
def test_a_question_names_a_payment_in_one_way(question: dict[str, Any], taken: bool) -> None:
    assert gateway_takes(question, VERIFY_PAYMENT) is taken
    assert service_takes(question, VerifyRequest) is taken


def test_schemas_are_draft_4_as_api_gateway_reads_them() -> None:
    for route in ROUTES:
        Draft4Validator.check_schema(route.schema)
        assert route.schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert [route.function for route in ROUTES] == [PROCESS_PAYMENT, VERIFY_PAYMENT]
