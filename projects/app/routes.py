"""The routes of the API: which function answers, and what a request must look like before it is even called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from payments.domain.currency import MINOR_DIGITS
from payments.domain.payment import LARGEST_AMOUNT
from payments.functions import PROCESS_PAYMENT, VERIFY_PAYMENT, Function

_DRAFT = "http://json-schema.org/draft-04/schema#"  # what API Gateway's models are written in

# A reference is on one line, without space at either end: no control character anywhere, and single words between spaces.
_WORD = r"[^\s\u0000-\u001f\u007f-\u009f]"
_REFERENCE: Mapping[str, Any] = {"minLength": 1, "maxLength": 128, "pattern": f"^{_WORD}+( +{_WORD}+)*$"}


@dataclass(frozen=True, kw_only=True)
class Route:
    """One POST route.

    A schema refuses what the service refuses as far as draft 4 can say it, and nothing that the service takes; the service itself
    also looks for card data, invisible characters and a body that is too long.
    schema: of the body. headers: that must be there.
    """

    function: Function
    schema: Mapping[str, Any]
    headers: Sequence[str] = field(default_factory=tuple[str, ...])

    @property
    def path(self) -> str:
        """The path, without its slash."""
        return self.function.name


ROUTES = (
    Route(
        function=PROCESS_PAYMENT,
        headers=("Idempotency-Key",),
        schema={
            "$schema": _DRAFT,
            "title": "ProcessPayment",
            "type": "object",
            "required": ["amount", "currency", "payment_token", "reference"],
            "additionalProperties": False,
            "properties": {
                "amount": {"type": "integer", "minimum": 1, "maximum": LARGEST_AMOUNT, "description": "Minor units"},
                "currency": {"type": "string", "enum": sorted(MINOR_DIGITS), "description": "ISO 4217"},
                "payment_token": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}$"},
                "reference": {"type": "string", **_REFERENCE},
                "session_id": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9_-]{1,128}$"},
                "metadata": {"type": "object", "maxProperties": 50},
            },
        },
    ),
    Route(
        function=VERIFY_PAYMENT,
        schema={
            "$schema": _DRAFT,
            "title": "VerifyPayment",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "payment_id": {"type": ["string", "null"], "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
                "reference": {"type": ["string", "null"], **_REFERENCE},
            },
            # Exactly one of them; null is none.
            "oneOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("payment_id", "reference")],
        },
    ),
)


def endpoints(url: pulumi.Output[str]) -> pulumi.Output[dict[str, str]]:
    """Where each route is called, by its name."""
    return url.apply(lambda base: {route.path: f"{base}/{route.path}" for route in ROUTES})
