"""Payments whose states are told from a cache where it has them. What is written goes to the database, and outdates what is cached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from payments.domain.payment import TRANSITIONS, Payment, PaymentRequest, State, Step
from payments.storage.cache import Name, PaymentCache
from payments.storage.store import Acceptance, Payments

_REMEMBERED = 50_000
"""Payments of which a process remembers what it told; some 10 MB."""


class CachedPayments:
    """The same as the payments behind it; but what `find` gives back may be the cache's, without the payment's token, session, metadata and processor.

    What `find` tells of a payment is never older than what it told before:

    - Redis takes no state that is older than one that it had, or that it was told the end of (see PaymentCache).
    - Nothing is told before Redis has it.
    - Where Redis was gone in between and missed something, the process remembers what it told itself. Between two processes, of which only one
      reaches Redis, the one may tell what the other knows to be over, for as long as the cache keeps it.
    """

    def __init__(self, payments: Payments, cache: PaymentCache) -> None:
        self._payments = payments
        self._cache = cache
        self._told = _Told()

    def accept(self, request: PaymentRequest, *, merchant: str, key: str, correlation_id: str, answer: Callable[[str], str]) -> Acceptance:
        """See Payments."""
        return self._payments.accept(request, merchant=merchant, key=key, correlation_id=correlation_id, answer=answer)

    def load(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        """See Payments."""
        return self._payments.load(payment_ids)

    def find(self, merchant: str, *, payment_id: str | None = None, reference: str | None = None) -> Payment | None:
        """See Payments."""
        if (payment_id is None) != (reference is None):
            cached = self._cache.get(merchant, Name(payment_id, reference))
            if cached is not None and self._told.allows(cached):
                return cached
        payment = self._payments.find(merchant, payment_id=payment_id, reference=reference)
        if payment is not None and not self._cache.put(payment):
            # It was moved while it was read.
            payment = self._payments.find(merchant, payment_id=payment_id, reference=reference)
        if payment is not None:
            self._told.note(payment)
        return payment

    def advance(self, steps: Sequence[Step]) -> set[str]:
        """See Payments."""
        after = {step.payment_id: SEQUENCES[step.before] + 1 for step in steps}
        outdated: Mapping[str, int] = after
        try:
            advanced = self._payments.advance(steps)
            outdated = {payment_id: after[payment_id] for payment_id in advanced}
        finally:
            # After an error too: where the connection broke, it may have been done. Where it was not, the database is asked for a while.
            if outdated:
                self._cache.outdate(outdated)
        return advanced


class _Told:
    """The last sequence of each payment that was told, of those told last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sequences: OrderedDict[str, int] = OrderedDict()

    def allows(self, payment: Payment) -> bool:
        """Whether nothing newer was told; then this is noted as told."""
        with self._lock:
            known = self._sequences.get(payment.payment_id, 0)
        if payment.history[-1].sequence < known:
            return False
        self.note(payment)
        return True

    def note(self, payment: Payment) -> None:
        """Remembers that the payment was told as it is here."""
        with self._lock:
            known = self._sequences.pop(payment.payment_id, 0)
            self._sequences[payment.payment_id] = max(known, payment.history[-1].sequence)
            if len(self._sequences) > _REMEMBERED:
                self._sequences.popitem(last=False)


def _sequences() -> Mapping[State, int]:
    """Of every state that a payment leaves: the sequence of the change that led there. All ways to such a state are equally long."""
    found = {State.RECEIVED: 1}
    waiting = [State.RECEIVED]
    while waiting:
        state = waiting.pop()
        for after in TRANSITIONS[state]:
            if not TRANSITIONS[after]:
                continue
            if found.setdefault(after, found[state] + 1) != found[state] + 1:
                raise ValueError(f"there are a shorter and a longer way to {after}, so that its sequence cannot be told from the state alone")
            waiting.append(after)
    return MappingProxyType(found)


SEQUENCES = _sequences()
"""By state that a payment leaves: its change's sequence."""
