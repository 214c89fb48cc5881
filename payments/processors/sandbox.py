"""A processor that moves no money: what it answers is written in the payment token.

    tok_approve   approved
    tok_decline   declined, with the code `card_declined`
    tok_invalid   refused: the token is known and unusable
    tok_timeout   never answers
    tok_flake     does not answer the first time that a process asks for an operation on a payment, then approves
    tok_slow      approves after two seconds

Any other token is refused with the code `unknown_token`.
"""

from __future__ import annotations

import threading
import time
from uuid import UUID, uuid5

from payments.processors.base import Approved, Charge, Declined, Operation, Outcome, ProcessorRefused, ProcessorUnavailable

SLOW = 2.0
"""Seconds that `tok_slow` takes."""

# Names the space of references (RFC 9562, section 5.5), so that one operation has one reference whoever asks for it.
_REFERENCES = UUID("0f1c5b0e-5d5a-5c58-8f0f-6a5d1e7f3c11")


class Sandbox:
    """See the module."""

    name = "sandbox"

    def __init__(self, slow: float = SLOW) -> None:
        self._slow = slow
        self._lock = threading.Lock()
        self._flaked: set[str] = set()

    def authorize(self, charge: Charge) -> Outcome:
        """See Processor."""
        return self._answer(charge, "authorize")

    def capture(self, charge: Charge, processor_reference: str) -> Outcome:  # noqa: ARG002 - Processor's; the token says it all
        """See Processor."""
        return self._answer(charge, "capture")

    def _answer(self, charge: Charge, operation: Operation) -> Outcome:
        key = charge.idempotency_key(operation)
        match charge.payment_token:
            case "tok_approve":
                pass
            case "tok_decline":
                return Declined("card_declined")
            case "tok_invalid":
                raise ProcessorRefused("invalid_token")
            case "tok_timeout":
                raise ProcessorUnavailable("the sandbox does not answer for tok_timeout")
            case "tok_flake":
                self._flake(key)
            case "tok_slow":
                time.sleep(self._slow)
            case _:
                raise ProcessorRefused("unknown_token")
        return Approved(f"sandbox_{uuid5(_REFERENCES, key).hex}")

    def _flake(self, key: str) -> None:
        with self._lock:
            if key in self._flaked:
                return
            self._flaked.add(key)
        raise ProcessorUnavailable("the sandbox does not answer the first time for tok_flake")
