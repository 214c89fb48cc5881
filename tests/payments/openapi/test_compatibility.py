"""The check itself: what breaks callers is found, and what does not is let through."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from payments.openapi import document
from tests.payments.openapi.compatibility import breaks

PROCESS, VERIFY = "/process-payment", "/verify-payment"


def schema(of: dict[str, Any], name: str) -> dict[str, Any]:
    return of["components"]["schemas"][name]


def operation(of: dict[str, Any], path: str = PROCESS) -> dict[str, Any]:
    return of["paths"][path]["post"]


BREAKING: dict[str, Callable[[dict[str, Any]], Any]] = {
    "POST /verify-payment is gone": lambda new: new["paths"].pop(VERIFY),
    "POST /process-payment: status 202 is gone": lambda new: operation(new)["responses"].pop("202"),
    "POST /process-payment, 202: header X-Correlation-Id is no longer certain": lambda new: operation(new)["responses"]["202"].pop("headers"),
    "POST /process-payment, 202: application/json is gone": lambda new: operation(new)["responses"]["202"]["content"].clear(),
    "POST /process-payment: X-New is required now": lambda new: operation(new)["parameters"].append(
        {"in": "header", "name": "X-New", "required": True, "schema": {}}
    ),
    "POST /process-payment: Idempotency-Key: maxLength is 36 now": lambda new: operation(new)["parameters"][0]["schema"].update(maxLength=36),
    "POST /process-payment, request: session_id is required now": lambda new: schema(new, "PaymentRequest")["required"].append("session_id"),
    "POST /process-payment, request: metadata is no longer taken": lambda new: schema(new, "PaymentRequest")["properties"].pop("metadata"),
    "POST /process-payment, request.currency: EUR no longer taken": lambda new: schema(new, "PaymentRequest")["properties"]["currency"]["enum"].remove("EUR"),
    "POST /process-payment, request.amount: maximum is 10 now": lambda new: schema(new, "PaymentRequest")["properties"]["amount"].update(maximum=10),
    "POST /process-payment, request.amount: exclusiveMinimum is 5 now": lambda new: schema(new, "PaymentRequest")["properties"]["amount"].update(
        exclusiveMinimum=5
    ),
    "POST /process-payment, request.payment_token: has another pattern": lambda new: schema(new, "PaymentRequest")["properties"]["payment_token"].update(
        pattern="^tok_"
    ),
    "POST /process-payment, request.amount: was integer, has to be string": lambda new: schema(new, "PaymentRequest")["properties"]["amount"].update(
        type="string"
    ),
    "POST /process-payment, request.session_id: null is no longer taken": lambda new: schema(new, "PaymentRequest")["properties"]["session_id"]["anyOf"].pop(),
    "POST /verify-payment, 200: amount is gone": lambda new: schema(new, "PaymentStatus")["properties"].pop("amount"),
    "POST /verify-payment, 200: currency is no longer certain": lambda new: schema(new, "PaymentStatus")["required"].remove("currency"),
    "POST /verify-payment, 200.amount: was integer, is string": lambda new: schema(new, "PaymentStatus")["properties"]["amount"].update(type="string"),
    "POST /verify-payment, 200.history[]: occurred_at is gone": lambda new: schema(new, "HistoryEntry")["properties"].pop("occurred_at"),
    "POST /verify-payment, 200.state: may be lost now": lambda new: schema(new, "State")["enum"].append("lost"),
    "POST /verify-payment, 200.history[].reason: may be integer now": lambda new: schema(new, "HistoryEntry")["properties"]["reason"]["anyOf"].append(
        {"type": "integer"}
    ),
}
HARMLESS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another path": lambda new: new["paths"].update({"/refund-payment": {"post": operation(new)}}),
    "another optional field": lambda new: schema(new, "PaymentRequest")["properties"].update(note={"type": "string"}),
    "another field in an answer": lambda new: schema(new, "PaymentStatus")["properties"].update(note={"type": "string"}),
    "a longer reference": lambda new: schema(new, "PaymentRequest")["properties"]["reference"].update(maxLength=256),
    "another currency": lambda new: schema(new, "PaymentRequest")["properties"]["currency"]["enum"].append("XYZ"),
    "another optional header": lambda new: operation(new)["parameters"].append({"in": "header", "name": "X-New", "schema": {}}),
    "a field that is no longer required": lambda new: schema(new, "PaymentRequest")["required"].remove("reference"),
    "a pattern that is gone": lambda new: schema(new, "PaymentRequest")["properties"]["reference"].pop("pattern"),
    "another text": lambda new: new["info"].update(description="other"),
}


@pytest.mark.parametrize("broken", BREAKING)
def test_what_breaks_callers_is_found(broken: str) -> None:
    released, current = document(), copy.deepcopy(document())
    BREAKING[broken](current)
    assert broken in breaks(released, current)


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_breaks_nobody_is_let_through(harmless: str) -> None:
    released, current = document(), copy.deepcopy(document())
    HARMLESS[harmless](current)
    assert current != released
    assert breaks(released, current) == []
