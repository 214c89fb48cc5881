"""Card data comes in nowhere, and so is found nowhere: not in an answer, a log, a table, a queue or an event."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from payments.storage.transaction_log import DynamoTransactionLog
from tests.payments.service import REQUEST, Service

# Test numbers that the brands' and processors' documentation names.
NUMBERS = (
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3566002020360505",
    "30569309025904",
    "6200000000000005",
)


def with_number(number: str) -> dict[str, Any]:
    """By what is tried: requests that hold the number somewhere."""
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return {
        "reference": {**REQUEST, "reference": f"card {spaced}"},
        "payment_token": {**REQUEST, "payment_token": number},
        "unknown field": {**REQUEST, "card": number},
        "key": {**REQUEST, f"n{number}": 1},
        "metadata key": {**REQUEST, "metadata": {"a": {spaced: "x"}}},
        "nested": {**REQUEST, "metadata": {"a": [{"b": ["x", f"n:{spaced};12/30"]}]}},
        "number": {**REQUEST, "metadata": {"a": int(number)}},
        "float": {**REQUEST, "metadata": {"a": float(number)}},
        "amount": {**REQUEST, "amount": int(number)},
        "dashes": {**REQUEST, "session_id": spaced.replace(" ", "-")},
    }


@pytest.mark.parametrize("number", NUMBERS)
def test_card_numbers_are_refused_and_leave_no_trace(service: Service, logged: Callable[[], str], caplog: pytest.LogCaptureFixture, number: str) -> None:
    caplog.set_level(logging.INFO)
    answers = [service.process(body, f"key-{tried}")[2] for tried, body in with_number(number).items()]
    answers += [service.verify({"payment_id": number})[2], service.process(REQUEST, number)[2]]
    service.work(number, json.dumps({"payment_id": number, "correlation_id": "c"}), json.dumps({number: number}))
    assert {json.loads(answer["body"])["type"] for answer in answers} == {"urn:payments:problem:card-data-refused"}
    kept = [service.items(), service.items(service.sessions_table), service.taken(), service.events()]
    everything = json.dumps([answers, kept]) + logged() + caplog.text
    digits = "".join(character for character in everything if character.isdigit())
    assert number not in digits
    assert service.items() == service.items(service.sessions_table) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cvv": "123"}, "cvv"),
        ({"metadata": {"CVC2": 987}}, "metadata.CVC2"),
        ({"metadata": {"a": [{"cardCvv": None}]}}, "metadata.a[0].cardCvv"),
        ({"metadata": {"security_code": "987"}}, "metadata.security_code"),
        ({"metadata": {"Card-Number": "tok"}}, "metadata.Card-Number"),
    ],
)
def test_fields_named_after_card_data_are_refused_whatever_they_hold(service: Service, change: dict[str, Any], field: str) -> None:
    status, problem, answer = service.process({**REQUEST, **change})
    assert (status, problem["type"]) == (400, "urn:payments:problem:card-data-refused")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert "987" not in answer["body"]
    assert service.items() == []


def test_the_field_is_named_and_the_value_is_not(service: Service) -> None:
    _, problem, answer = service.process({**REQUEST, "metadata": {"order": {"note": "pay with 4242-4242-4242-4242"}, "4242 4242 4242 4242": 1}})
    assert [error["field"] for error in problem["errors"]] == ["metadata.order.note", "metadata.(a key)"]
    assert "4242" not in answer["body"]


def test_refused_card_data_is_counted(service: Service, logged: Callable[[], str]) -> None:
    service.process({**REQUEST, "cvv": "1"})
    assert '"CardDataRefused"' in logged()


def test_should_a_library_name_a_number_in_an_error_the_log_has_it_removed(
    service: Service, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(*_: Any) -> None:
        raise RuntimeError("cannot store 4242 4242 4242 4242")

    monkeypatch.setattr(DynamoTransactionLog, "open", careless)
    assert service.process(REQUEST)[0] == 500
    text = logged()
    assert "4242" not in text
    assert "cannot store [card number removed]" in text
