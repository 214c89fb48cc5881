"""POST /verify-payment: the state, the amount and the history of a payment."""

from __future__ import annotations

import pytest

from tests.payments.service import REQUEST, Service


def test_a_payment_is_told_from_its_log(service: Service) -> None:
    made = service.process({**REQUEST, "metadata": {"table": 4}})[1]["payment_id"]
    status, body, _ = service.verify({"payment_id": made})
    assert status == 200
    [step] = body.pop("history")
    assert body == {"payment_id": made, "state": "received", "amount": 1050, "currency": "EUR", "reference": "order 7"}
    assert (step["sequence"], step["state"]) == (1, "received")
    assert step["occurred_at"].endswith("Z")


def test_the_history_grows_and_keeps_its_order(service: Service) -> None:
    made = service.process(REQUEST)[1]["payment_id"]
    before = service.verify({"payment_id": made})[1]["history"]
    service.work(*service.taken())
    body = service.verify({"payment_id": made})[1]
    assert body["state"] == "submitted"
    assert [step["state"] for step in body["history"]] == ["received", "submitted"]
    assert body["history"][:1] == before


def test_the_token_and_the_metadata_are_not_told(service: Service) -> None:
    made = service.process({**REQUEST, "metadata": {"note": "between us"}})[1]["payment_id"]
    answer = service.verify({"payment_id": made})[2]
    assert "tok_approve" not in answer["body"]
    assert "between us" not in answer["body"]


def test_an_id_in_capitals_is_the_same_id(service: Service) -> None:
    made = service.process(REQUEST)[1]["payment_id"]
    assert service.verify({"payment_id": made.upper()})[1]["payment_id"] == made


def test_an_unknown_payment_is_not_found(service: Service) -> None:
    status, problem, answer = service.verify({"payment_id": "2b0a1f0e-7f5e-5c9b-9d0a-000000000000"})
    assert (status, problem["type"]) == (404, "urn:payments:problem:payment-not-found")
    assert answer["headers"]["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [{}, {"payment_id": "7"}, {"payment_id": 7}, {"payment_id": None}, {"payment_id": "2b0a1f0e-7f5e-5c9b-9d0a-00000000000é"}])
def test_what_is_no_id_is_refused(service: Service, body: dict[str, object]) -> None:
    status, problem, _ = service.verify(body)
    assert (status, problem["errors"][0]["field"]) == (400, "payment_id")
