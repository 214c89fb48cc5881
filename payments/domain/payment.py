"""What a payment is: money, the request for it, and the states that it goes through."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from payments.domain.currency import MINOR_DIGITS

LARGEST_AMOUNT = 99_999_999_999
"""Largest amount of one payment, in minor units: eleven digits, so that no amount can be taken for a card number."""


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
Reference = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_printable)]


class State(StrEnum):
    """Where a payment stands."""

    RECEIVED = "received"
    """Taken in; the processor has not been asked."""
    SUBMITTED = "submitted"
    """The processor is being asked, or was asked and did not answer: what became of it is not known yet."""
    AUTHORIZED = "authorized"
    """The processor holds the money for us."""
    CAPTURED = "captured"
    """The money was taken."""
    DECLINED = "declined"
    """The processor, or the bank behind it, said no."""
    FAILED = "failed"
    """The processor refused the call for a reason that no repetition mends; no money was taken."""
    REFUNDED = "refunded"
    """The money was given back."""


TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.RECEIVED: frozenset({State.SUBMITTED}),
        State.SUBMITTED: frozenset({State.AUTHORIZED, State.DECLINED, State.FAILED}),
        State.AUTHORIZED: frozenset({State.CAPTURED, State.FAILED}),
        State.CAPTURED: frozenset({State.REFUNDED}),
        State.DECLINED: frozenset(),
        State.FAILED: frozenset(),
        State.REFUNDED: frozenset(),
    }
)
"""Where a payment may go from each state. The database enforces the same from its table `allowed_transitions`."""

FINAL = frozenset({State.CAPTURED, State.DECLINED, State.FAILED, State.REFUNDED})
"""States that a payment leaves by itself no more: the worker has nothing left to do. Only a refund leads out of `captured`."""


class ForbiddenTransitionError(ValueError):
    """A step was asked for that TRANSITIONS does not have: the program is at fault, and nothing was written."""


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
    reference: Reference
    session_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")] | None = None
    metadata: Annotated[dict[str, JsonValue], Field(max_length=50)] = Field(default_factory=dict[str, JsonValue])

    def canonical(self) -> str:
        """The request as JSON that is the same for equal requests, however they were written."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def canonical_metadata(self) -> str:
        """The metadata alone, in the same form."""
        return json.dumps(self.metadata, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def digest(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    @classmethod
    def from_canonical(cls, text: str) -> Self:
        """The request that was kept in its canonical form."""
        return cls.model_validate_json(text)


@dataclass(frozen=True)
class Change:
    """A payment came to a state.

    sequence: 1 for `received`, then without gaps.
    occurred_at: by the database's clock, in UTC; later than that of the change before.
    reason: why the processor declined or refused, as its short code.
    """

    sequence: int
    state: State
    occurred_at: datetime
    correlation_id: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A payment as it was read at one moment.

    merchant: whose payment it is; keys, references and look-ups belong to one merchant.
    amount: in the currency's minor unit.
    processor, processor_reference: who was asked to authorize it, and the name that it has there; None until then.
    history: every change, the first one first; the last one's state is `state`.
    """

    payment_id: str
    merchant: str
    amount: int
    currency: str
    payment_token: str
    reference: str
    session_id: str | None
    metadata: Mapping[str, Any]
    state: State
    processor: str | None
    processor_reference: str | None
    history: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One payment's way from one state to the next; made only where TRANSITIONS has it.

    correlation_id: the request or message on whose behalf it is done.
    reason: the processor's short code, where it declined or refused.
    processor, processor_reference: as in Payment; None leaves what is known.
    """

    payment_id: str
    before: State
    after: State
    correlation_id: str
    reason: str | None = None
    processor: str | None = None
    processor_reference: str | None = None

    def __post_init__(self) -> None:
        if self.after not in TRANSITIONS[self.before]:
            allowed = ", ".join(sorted(TRANSITIONS[self.before])) or "nothing: it is where a payment ends"
            raise ForbiddenTransitionError(f"payment {self.payment_id}: {self.before} -> {self.after} is no transition; {self.before} leads to {allowed}")


def new_payment_id() -> str:
    """A UUID of version 7 (RFC 9562, section 5.7): neighbours in time are neighbours in the database's indexes."""
    milliseconds = time.time_ns() // 1_000_000
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)))


def event_id(payment: str, sequence: int) -> str:
    """The id of a state's announcement: the same each time it is sent, so that subscribers can tell repetitions."""
    return str(uuid5(UUID(payment), str(sequence)))
