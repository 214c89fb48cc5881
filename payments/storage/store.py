"""What the service asks of wherever payments are kept, be it PostgreSQL or a DynamoDB table; the two are held to the same tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from payments.domain.audit import AuditBatch, AuditRecord
from payments.domain.ledger import Entry
from payments.domain.payment import Payment, PaymentRequest, Step

KEY_LIFETIME = 72 * 60 * 60
"""Seconds that an idempotency key is kept at least."""

CLAIM_TIMEOUT = 60
"""Seconds that claimed rows of the outbox may wait for being sent; then others may have them."""

Kind = Literal["work", "state"]
"""`work`: the worker is to be told of a payment. `state`: everyone is to be told of a payment's state."""

RowId = int | str
"""Names a row of the outbox. Only the store that made it can tell what it says."""


class DatabaseUnavailable(RuntimeError):  # noqa: N818 - says what is the case, not who is at fault
    """The database did not do it now; the same call may well succeed in a moment. What it had been asked for is done wholly or not at all."""


class Refused(Exception):  # noqa: N818 - what happens to the request; the service makes a problem of it
    """The request was not accepted, and nothing of it was kept."""


class KeyReused(Refused):
    """The idempotency key stands for another request."""


class KeyInProgress(Refused):
    """Another request with the key (or the reference) is being accepted right now and has not ended in time: repeat in a second."""


class ReferenceInUse(Refused):
    """Another payment of the merchant has the reference."""


@dataclass(frozen=True)
class Acceptance:
    """What became of a request.

    answer: the stored one, for repetitions too.
    first: whether this call took the payment in; False for a repetition.
    work: id in the outbox of the unit of work, which is to be sent to the worker at once; None for a repetition.
    """

    payment_id: str
    answer: str
    first: bool
    work: RowId | None


class RecoveryPoint(StrEnum):
    """How far the request behind a key came; from each point, the rest can be done without its caller."""

    PAYMENT_CREATED = "payment_created"
    """The payment is kept; the worker may not have been told."""
    WORK_QUEUED = "work_queued"
    """The worker was told."""
    COMPLETED = "completed"
    """The payment came to a final state: nothing is left to do."""


@dataclass(frozen=True)
class OutboxRow:
    """Something to be told.

    sequence: of the payment's change that it is about.
    body: what there is to tell, JSON-ready: of `work`, `payment_id` and `correlation_id`; of `state`, besides these, `merchant`, `sequence`,
    `state`, `amount`, `currency`, `reference`, `session_id`, `occurred_at` (RFC 3339, UTC), `reason`, `processor`, `processor_reference`.
    """

    id: RowId
    kind: Kind
    payment_id: str
    sequence: int
    body: dict[str, Any]


@dataclass
class Claim:
    """Rows that nobody else is given as long as they are held."""

    rows: tuple[OutboxRow, ...]
    _sent: set[RowId] = field(default_factory=set[RowId])

    def __iter__(self) -> Iterator[OutboxRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def sent(self, row: OutboxRow) -> None:
        """Notes that the row was told; threads may call it."""
        self._sent.add(row.id)

    def ids(self, *, sent: bool) -> list[Any]:
        """Ids of the rows that were told, or of the others."""
        return [row.id for row in self.rows if (row.id in self._sent) is sent]


class Payments(Protocol):
    """The payments of all merchants. Every method raises DatabaseUnavailable where the database is to blame."""

    def accept(self, request: PaymentRequest, *, merchant: str, key: str, correlation_id: str, answer: Callable[[str], str]) -> Acceptance:
        """Takes a payment in, or finds that the key has done so: key, payment, first change, outbox and answer are written together or not at all.

        Of several calls at the same instant with one key, one takes the payment in; the others wait for it and give its answer.

        answer: makes the answer that is kept, from the payment's id.
        Raises KeyReused, KeyInProgress or ReferenceInUse.
        """
        ...

    def find(self, merchant: str, *, payment_id: str | None = None, reference: str | None = None) -> Payment | None:
        """A merchant's payment, by exactly one of its two names; None where the merchant has no such payment."""
        ...

    def load(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        """The payments with these ids, of whatever merchant, by id; unknown ids are left out."""
        ...

    def advance(self, steps: Sequence[Step]) -> set[str]:
        """Moves payments, at most one step each, and writes with each step its change, ledger entries, outbox row and recovery point.

        A step is made only from its own `before`: where a payment stands elsewhere, nothing happens to it. The answer is the ids of those that moved.
        A step is made wholly or not at all. When an exception is raised, it is not known which were made.
        """
        ...


class Outbox(Protocol):
    """What was decided in a transaction and is to be told, of all payments. Every method raises DatabaseUnavailable where the database is to blame."""

    def pending(self, kind: Kind, *, payment_ids: Iterable[str] | None = None, older_than: float = 0.0, limit: int = 100) -> AbstractContextManager[Claim]:
        """Claims rows that were not told yet, oldest first; at the end of the block those that `sent` was called for count as told.

        The others have one more attempt counted and are claimed again later, after those that did not fail. Rows that someone else has claimed are
        left out. After an exception in the block rows may be claimed again at once, after a crash within CLAIM_TIMEOUT seconds, so that what was told
        may be told again: whoever is told has to stand that. The block may take CLAIM_TIMEOUT seconds.

        payment_ids: only rows of these payments. older_than: only rows that were written so many seconds ago or longer.
        """
        ...

    def mark_sent(self, ids: Iterable[Any]) -> None:
        """Marks rows as told, of the ids that this outbox gave out; for `work`, the payment's idempotency key is at `work_queued` from then on."""
        ...

    def reap(self, *, older_than: float, limit: int = 1000) -> int:
        """Removes rows that were told more than so many seconds ago and are still kept; how many."""
        ...


class IdempotencyKeys(Protocol):
    """The keys of all merchants, after the request: where each stands, and when it may go. They are written by Payments, together with the payment.

    Every method raises DatabaseUnavailable where the database is to blame.
    """

    def recovery_point(self, merchant: str, key: str) -> RecoveryPoint | None:
        """Where a key stands; None where there is none."""
        ...

    def recover(self, *, older_than: float = 60.0, limit: int = 1000) -> int:
        """Brings abandoned keys to the point that their payments are at; how many.

        Points are advanced in the transactions that they depend on. This is for keys whose outbox row went another way.

        older_than: only keys that were taken so many seconds ago or longer. limit: keys that are looked at, of those that are not completed;
        the next call goes on behind them, and begins anew after the last one.
        """
        ...

    def reap(self, *, limit: int = 1000) -> int:
        """Removes keys that were taken more than KEY_LIFETIME ago and are completed; how many. A request with such a key is a new one then."""
        ...


class AuditChain(Protocol):
    """The chain of audit records over all payments. Every method raises DatabaseUnavailable where the database is to blame."""

    def extend(self, limit: int = 500) -> list[AuditRecord]:
        """Takes the oldest changes that the chain does not have into it, `limit` at most, and maybe fewer; the new records, in order.

        The answer is empty where there are none, and where another caller is at it: nobody waits.
        """
        ...

    def unwritten(self, limit: int = 8) -> list[AuditBatch]:
        """The first batches of which `written` was not told, in order. Which records a batch has was decided when they came into the chain."""
        ...

    def written(self, batches: Sequence[AuditBatch]) -> None:
        """Notes that these batches are in the audit bucket."""
        ...

    def lag(self) -> float:
        """Seconds since the oldest change that is not in the audit bucket, as far as `written` was told; 0 where there is none."""
        ...


class Ledger(Protocol):
    """Reading the ledger; it is written together with the change of state that moves the money."""

    def entries(self, payment_id: str) -> list[Entry]:
        """A payment's entries, in the order in which the money moved."""
        ...

    def balances(self) -> dict[tuple[str, str], int]:
        """By account and currency, what the account holds, in minor units: what a merchant is owed is negative."""
        ...

    def totals(self) -> dict[str, int]:
        """By currency, the sum over all entries: zero, always."""
        ...


class Store(Protocol):
    """All of these over one database. No connection is made before it is needed; each part is imported when it is first asked for."""

    @property
    def payments(self) -> Payments:
        """The payments."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What is to be told of them."""
        ...

    @property
    def keys(self) -> IdempotencyKeys:
        """Their idempotency keys."""
        ...

    @property
    def chain(self) -> AuditChain:
        """Their audit records."""
        ...

    @property
    def ledger(self) -> Ledger:
        """The money that moved."""
        ...

    def is_ready(self) -> bool:
        """Whether it has all that this version of the code needs. Raises where it cannot be reached."""
        ...

    def close(self) -> None:
        """Closes connections; the next call makes new ones. No other thread may be in the middle of something."""
        ...
