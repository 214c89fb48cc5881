"""POST /verify-payment: the state, the amount and the history of a payment."""

from __future__ import annotations

import itertools

import pytest

from payments.functions import VERIFY_PAYMENT
from tests.payments.service import REQUEST, Service, answered, api_event, invoke


def test_a_payment_is_told_from_the_database(service: Service) -> None:
    made = service.process({**REQUEST, "metadata": {"table": 4}})[1]["payment_id"]
    status, body, _ = service.verify({"payment_id": made})
    assert status == 200
    [step] = body.pop("history")
    assert body == {"payment_id": made, "state": "received", "amount": 1050, "currency": "EUR", "reference": "order 7"}
    assert (step["state"], step["reason"]) == ("received", None)
    assert step["occurred_at"].endswith("Z")


def test_a_payment_is_found_by_its_reference(service: Service) -> None:
    made = service.process(REQUEST)[1]["payment_id"]
    assert service.verify({"reference": "order 7"})[1] == service.verify({"payment_id": made})[1]


def test_the_history_grows_and_keeps_its_order(service: Service) -> None:
    made = service.process(REQUEST)[1]["payment_id"]
    before = service.verify({"payment_id": made})[1]["history"]
    service.work(*service.taken())
    history = service.verify({"payment_id": made})[1]["history"]
    assert [step["state"] for step in history] == ["received", "submitted", "authorized", "captured"]
    assert history[:1] == before
    assert all(earlier["occurred_at"] < later["occurred_at"] for earlier, later in itertools.pairwise(history))


def test_a_declined_payment_says_why(service: Service) -> None:
    [made] = service.accepted("a", payment_token="tok_decline")
    service.work(*service.taken())
    assert service.verify({"payment_id": made})[1]["history"][-1]["reason"] == "card_declined"


def test_the_token_and_the_metadata_are_not_told(service: Service) -> None:
    made = service.process({**REQUEST, "metadata": {"note": "between us"}})[1]["payment_id"]
    answer = service.verify({"payment_id": made})[2]
    assert "tok_approve" not in answer["body"]
    assert "between us" not in answer["body"]


def test_an_id_in_capitals_is_the_same_id(service: Service) -> None:
    made = service.process(REQUEST)[1]["payment_id"]
    assert service.verify({"payment_id": made.upper()})[1]["payment_id"] == made


@pytest.mark.parametrize("name", [{"payment_id": "2b0a1f0e-7f5e-5c9b-9d0a-000000000000"}, {"reference": "order 8"}])
def test_an_unknown_payment_is_not_found(service: Service, name: dict[str, str]) -> None:
    service.process(REQUEST)
    status, problem, answer = service.verify(name)
    assert (status, problem["type"]) == (404, "urn:payments:problem:payment-not-found")
    assert answer["headers"]["Content-Type"] == "application/problem+json"


def test_another_merchants_payment_is_not_found(service: Service) -> None:
    made = service.process(REQUEST)[1]["payment_id"]
    for name in ({"payment_id": made}, {"reference": "order 7"}):
        event = api_event("/verify-payment", name)
        event["requestContext"]["identity"]["apiKeyId"] = "another"
        assert answered(invoke(VERIFY_PAYMENT, event))[0] == 404


def test_without_the_database_the_caller_is_asked_to_come_again(walled: Service) -> None:
    assert walled.verify({"reference": "order 7"})[0] == 503
