"""What the service asks of a payment processor, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Operation = Literal["authorize", "capture"]


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What is to be charged.

    amount: in the currency's minor unit. payment_token: the card, as a token of the processor's vault.
    since: when it may have been asked for first; None where that is now. Processors forget idempotency keys.
    """

    payment_id: str
    amount: int
    currency: str
    payment_token: str
    merchant: str
    reference: str
    since: datetime | None = None

    def idempotency_key(self, operation: Operation) -> str:
        """The key of an operation on this charge: the same however often it is asked for, so that the processor does it once."""
        return f"{self.payment_id}:{operation}"


@dataclass(frozen=True)
class Approved:
    """The processor did it. reference: its own name for the charge."""

    reference: str


@dataclass(frozen=True)
class Declined:
    """The processor answered no, for good. code: its short code for the reason."""

    code: str


Outcome = Approved | Declined


class ProcessorUnavailable(RuntimeError):  # noqa: N818 - says what is the case
    """There is no answer, so nobody knows whether the processor did it: ask again, with the same key. Never a reason to call a payment failed."""


class Undecided(ProcessorUnavailable):
    """There is no outcome, though not because the processor is silent: it answered, without saying how it ends, or could not even be asked.

    As every ProcessorUnavailable, but it says nothing of other payments' chances.
    """


class ProcessorRefused(RuntimeError):  # noqa: N818 - says what happened
    """The processor will not take this request however often it is asked. code: its short code for the reason, without anything of the request."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the processor refused the request: {code}")
        self.code = code


class Processor(Protocol):
    """A processor. Every operation bears the charge's idempotency key: asked twice, it is done once and answered alike.

    All raise ProcessorUnavailable and ProcessorRefused. Threads may share one.
    """

    @property
    def name(self) -> str:
        """As in `PROCESSOR`, in the ledger's accounts and in the payment's row."""
        ...

    def authorize(self, charge: Charge) -> Outcome:
        """Reserves the amount."""
        ...

    def capture(self, charge: Charge, processor_reference: str) -> Outcome:
        """Takes the reserved amount. processor_reference: of the authorization."""
        ...
