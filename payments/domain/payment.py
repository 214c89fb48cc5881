"""What a payment is: money, the request for it, and the states that it goes through."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from payments.domain.currency import MINOR_DIGITS

LARGEST_AMOUNT = 99_999_999_999
"""Largest amount of one payment, in minor units: eleven digits, so that no amount can be taken for a card number."""

# Names the space of payment ids (RFC 9562, section 5.5). Changing it would turn every repeated request into a second payment.
_PAYMENT_IDS = UUID("7a0b6d0e-6c0f-5a3e-9d0a-3f1f5a1c2b47")


def _iso_4217(code: str) -> str:
    if code not in MINOR_DIGITS:
        raise PydanticCustomError("currency", "Input should be the code of a currency in ISO 4217, in capitals")
    return code


def _printable(text: str) -> str:
    # Not a pattern: with a Unicode class and a repetition it takes longer to compile than all other models together.
    if not text.isprintable() or text != text.strip():
        raise PydanticCustomError("printable", "Input should be printable characters on one line, without space at either end")
    return text


Currency = Annotated[str, AfterValidator(_iso_4217)]
Amount = Annotated[int, Field(gt=0, le=LARGEST_AMOUNT)]


class State(StrEnum):
    """Where a payment stands."""

    RECEIVED = "received"
    SUBMITTED = "submitted"


class Model(BaseModel):
    """Payloads are taken as they are sent: no conversion, no unknown field, and no value repeated in an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Money(Model):
    """An amount in the currency's minor unit, never a fraction: 1050 EUR is 10.50 euros, 1050 JPY is 1050 yen."""

    amount: Amount
    currency: Currency

    def __str__(self) -> str:
        digits = MINOR_DIGITS[self.currency]
        whole, part = divmod(self.amount, 10**digits)
        return f"{whole}.{part:0{digits}d} {self.currency}" if digits else f"{whole} {self.currency}"


class PaymentRequest(Money):
    """What a caller asks for.

    payment_token: the card, as a token of the processor's vault.
    reference: the caller's own name for the payment; printable characters.
    session_id: the session in which the payment is made.
    metadata: what the caller wants to have kept with it.
    """

    payment_token: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}$")]
    reference: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_printable)]
    session_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")] | None = None
    metadata: Annotated[dict[str, JsonValue], Field(max_length=50)] = Field(default_factory=dict[str, JsonValue])

    def canonical(self) -> str:
        """The request as JSON that is the same for equal requests, however they were written."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def digest(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    @classmethod
    def from_canonical(cls, text: str) -> Self:
        """The request that was kept in its canonical form."""
        return cls.model_validate_json(text)


def payment_id(idempotency_key: str) -> str:
    """The id of the payment that the key stands for: always the same for the same key (UUID version 5)."""
    return str(uuid5(_PAYMENT_IDS, idempotency_key))


def event_id(payment: str, sequence: int) -> str:
    """The id of a state's announcement: the same each time it is sent, so that subscribers can tell repetitions."""
    return str(uuid5(UUID(payment), str(sequence)))
