"""A processor that does what a test says, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from payments.assembly import working
from payments.processors.base import Approved, Charge, Operation, Outcome

Answer = Callable[[Charge], Outcome]


@dataclass
class Scripted:
    """Approves everything that `answers` says nothing about. asked: the idempotency keys of all calls."""

    name: str = "sandbox"
    answers: dict[Operation, Answer] = field(default_factory=dict[Operation, Answer])
    asked: list[str] = field(default_factory=list[str])
    references: list[str] = field(default_factory=list[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def authorize(self, charge: Charge) -> Outcome:
        return self._answer("authorize", charge)

    def capture(self, charge: Charge, processor_reference: str) -> Outcome:
        with self._lock:
            self.references.append(processor_reference)
        return self._answer("capture", charge)

    def install(self, patched: pytest.MonkeyPatch) -> None:
        """Makes it the worker's processor."""
        patched.setattr(working, "processor_from", lambda _: self)

    def _answer(self, operation: Operation, charge: Charge) -> Outcome:
        with self._lock:
            self.asked.append(charge.idempotency_key(operation))
        answer = self.answers.get(operation)
        return answer(charge) if answer else Approved(f"reference of {charge.payment_id}")


def raising(error: Exception) -> Answer:
    """An answer that is none."""

    def answer(_: Charge) -> Outcome:
        raise error

    return answer
