"""The routes of the API: which function answers, and what a request must look like before it is even called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payments.functions import PROCESS_PAYMENT, VERIFY_PAYMENT, Function

_DRAFT = "http://json-schema.org/draft-04/schema#"  # what API Gateway's models are written in


@dataclass(frozen=True, kw_only=True)
class Route:
    """One POST route.

    model: its name, letters and digits (API Gateway takes no others). schema: of the body. headers: that must be there.
    """

    function: Function
    model: str
    schema: Mapping[str, Any]
    headers: Sequence[str] = field(default_factory=tuple[str, ...])

    @property
    def path(self) -> str:
        """The path, without its slash."""
        return self.function.name


ROUTES = (
    Route(
        function=PROCESS_PAYMENT,
        model="ProcessPayment",
        headers=("Idempotency-Key",),
        schema={
            "$schema": _DRAFT,
            "title": "ProcessPayment",
            "type": "object",
            "required": ["amount", "currency", "payment_token", "reference"],
            "additionalProperties": False,
            "properties": {
                "amount": {"type": "integer", "minimum": 1, "description": "Minor units"},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217"},
                "payment_token": {"type": "string", "minLength": 1, "maxLength": 255},
                "reference": {"type": "string", "minLength": 1, "maxLength": 255},
                "session_id": {"type": "string", "minLength": 1, "maxLength": 255},
                "metadata": {"type": "object"},
            },
        },
    ),
    Route(
        function=VERIFY_PAYMENT,
        model="VerifyPayment",
        schema={
            "$schema": _DRAFT,
            "title": "VerifyPayment",
            "type": "object",
            "required": ["payment_id"],
            "additionalProperties": False,
            "properties": {"payment_id": {"type": "string", "minLength": 1, "maxLength": 64}},
        },
    ),
)
