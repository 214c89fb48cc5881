"""What POST /process-payment refuses, decided before the database is even asked: here it cannot be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from payments.http import LAYERS
from tests.payments.service import CORRELATION_ID, REQUEST, Service


@pytest.mark.parametrize("key", [None, "", "x" * 256, "two words", "naïve", "line\nbreak", "end\n"])
def test_without_a_usable_idempotency_key_nothing_is_taken(walled: Service, key: str | None) -> None:
    status, problem, _ = walled.process(REQUEST, key)
    assert (status, problem["type"]) == (400, "urn:payments:problem:idempotency-key-invalid")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 10.5}, "amount"),
        ({"amount": "1050"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 100_000_000_000}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": None}, "currency"),
        ({"payment_token": "a token"}, "payment_token"),
        ({"payment_token": ""}, "payment_token"),
        ({"reference": ""}, "reference"),
        ({"reference": "a\u0000b"}, "reference"),
        ({"reference": "two\nlines"}, "reference"),
        ({"reference": " "}, "reference"),
        ({"reference": "x" * 129}, "reference"),
        ({"session_id": "a/b"}, "session_id"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {f"key{number}": 1 for number in range(51)}}, "metadata"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named_with_its_rule_and_without_its_value(walled: Service, change: dict[str, Any], field: str) -> None:
    status, problem, _ = walled.process({**REQUEST, **change})
    assert (status, problem["type"], problem["status"]) == (400, "urn:payments:problem:invalid-request", 400)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert all(error["rule"] for error in problem["errors"])


def test_all_wrong_fields_are_named_at_once(walled: Service) -> None:
    problem = walled.process({"amount": 0, "payment_token": "tok", "colour": 1})[1]
    assert {error["field"] for error in problem["errors"]} == {"amount", "currency", "reference", "colour"}
    assert problem["correlation_id"] == CORRELATION_ID


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        '"text"',
        "12",
        "[" * 20_000,
        '{"amount": NaN}',
        '{"metadata": {"n": 1e999}}',
        '{"metadata": {"n": [-1e999]}}',
        '{"amount": 1, "amount": 2}',
        '{"reference": "\\ud800"}',
        '{"amount": ' + "9" * 5000 + "}",
        "\ud800",
    ],
)
def test_what_is_not_a_json_object_is_refused(walled: Service, body: str | None) -> None:
    status, problem, _ = walled.process(body)
    assert (status, problem["type"]) == (400, "urn:payments:problem:malformed-body")


@pytest.mark.parametrize("layers", [LAYERS + 1, 600, 5000])
@pytest.mark.parametrize(("opening", "closing"), [('{"x":', "}"), ('{"x":[', "]}")])
def test_a_body_of_many_layers_is_refused_and_fills_no_log(walled: Service, logged: Callable[[], str], layers: int, opening: str, closing: str) -> None:
    each = opening.count("{") + opening.count("[")
    inner = f"{opening * (layers // each)}1{closing * (layers // each)}"
    status, problem, _ = walled.process(json.dumps({**REQUEST, "metadata": None}).replace("null", inner))
    assert (status, problem["type"]) == (400, "urn:payments:problem:malformed-body")
    assert len(logged()) < 5_000


def test_a_body_of_as_many_layers_as_may_be_is_looked_through(walled: Service) -> None:
    """What it holds within is found; and without fault it goes as far as the database, which cannot be reached here."""
    for innermost, expected in (("4242 4242 4242 4242", "card-data-refused"), ("order", "temporarily-unavailable")):
        inner: Any = innermost
        for _ in range(LAYERS - 2):
            inner = [inner]
        _, problem, _ = walled.process({**REQUEST, "metadata": {"x": inner}})
        assert problem["type"] == f"urn:payments:problem:{expected}"


@pytest.mark.parametrize("body", ["=", "gA=="])
def test_base64_that_is_not_text_is_refused(walled: Service, body: str) -> None:
    assert walled.process(body, isBase64Encoded=True)[1]["type"] == "urn:payments:problem:malformed-body"


def test_a_refusal_is_counted_for_its_stage_even_as_the_first_thing_that_happens(walled: Service, logged: Callable[[], str]) -> None:
    walled.process("{")
    [entry] = [json.loads(line) for line in logged().splitlines() if '"_aws"' in line]
    assert (entry["RequestRefused"], entry["stage"]) == ([1.0], "dev")
    assert sorted(entry["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["service", "stage"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"payment_id": None}, "body"),
        ({"payment_id": "01a1fe37-1258-71a2-8b4d-0bdd3f8e2afa", "reference": "order 7"}, "body"),
        ({"payment_id": "7"}, "payment_id"),
        ({"payment_id": 7}, "payment_id"),
        ({"payment_id": "2b0a1f0e-7f5e-5c9b-9d0a-00000000000é"}, "payment_id"),
        ({"reference": "two\nlines"}, "reference"),
        ({"id": "x"}, "id"),
    ],
)
def test_what_names_no_payment_is_refused(walled: Service, body: dict[str, object], field: str) -> None:
    status, problem, _ = walled.verify(body)
    assert (status, problem["errors"][0]["field"]) == (400, field)
