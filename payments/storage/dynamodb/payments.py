"""Payments in the table: taken in, found, and moved from state to state. Each change with all that follows from it is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from payments.domain.ledger import MOVEMENTS, Holder, account
from payments.domain.payment import FINAL, Payment, PaymentRequest, State, Step, new_payment_id
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import Expressions, Item
from payments.storage.dynamodb.outbox import row_id
from payments.storage.dynamodb.table import Cancelled, Conflict, Table, change, each, micros, put, shard
from payments.storage.store import KEY_LIFETIME, Acceptance, KeyInProgress, KeyReused, RecoveryPoint, ReferenceInUse

# Places of actions in their transactions.
_KEY, _REFERENCE = 0, 1
_PAYMENT = 0


class DynamoPayments:
    """See Payments."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def accept(self, request: PaymentRequest, *, merchant: str, key: str, correlation_id: str, answer: Callable[[str], str]) -> Acceptance:
        """See Payments."""
        payment_id, now = new_payment_id(), self._table.now()
        about = items.change_item(1, State.RECEIVED, now, correlation_id)
        payment = items.keyed(
            items.payment_key(payment_id),
            payment_id=payment_id,
            merchant=merchant,
            idempotency_key=key,
            amount=request.amount,
            currency=request.currency,
            payment_token=request.payment_token,
            reference=request.reference,
            session_id=request.session_id,
            metadata=request.canonical_metadata(),
            state=State.RECEIVED.value,
            sequence=1,
            changed_at=now.isoformat(),
            history=[about],
        )
        work = items.work_item(payment, correlation_id)
        digest, answered = request.digest(), answer(payment_id)
        free = Expressions()
        actions = [
            # DynamoDB removes what has expired within days, not at once.
            put(
                items.keyed(
                    items.idempotency_key(merchant, key),
                    payment_id=payment_id,
                    digest=digest,
                    answer=answered,
                    recovery_point=RecoveryPoint.PAYMENT_CREATED.value,
                    due_shard=shard("key", payment_id),
                    due_at=micros(now),
                ),
                f"{free.absent('pk')} OR {free.at_most('expires_at', int(now.timestamp()))}",
                free,
                old=True,
            ),
            put(items.keyed(items.reference_key(merchant, request.reference), payment_id=payment_id)),
            *(put(item) for item in (payment, work, items.state_item(payment, about), items.audit_item(payment, about))),
        ]
        try:
            self._table.transact(actions)
        except Conflict as conflict:
            raise KeyInProgress from conflict
        except Cancelled as cancelled:
            if _KEY in cancelled.failed:
                return _repeated(cancelled.items[_KEY], payment_id, digest, row_id(work))
            if _REFERENCE in cancelled.failed:
                raise ReferenceInUse from cancelled
            raise
        return Acceptance(payment_id, answered, first=True, work=row_id(work))

    def find(self, merchant: str, *, payment_id: str | None = None, reference: str | None = None) -> Payment | None:
        """See Payments."""
        if (payment_id is None) == (reference is None):
            raise ValueError("a payment is found by its id or by its reference: name exactly one of them")
        if reference is not None:
            owner = self._table.get(items.reference_key(merchant, reference))
            payment_id = None if owner is None else str(owner["payment_id"])
        item = None if payment_id is None else self._table.get(items.payment_key(payment_id))
        return None if item is None or item["merchant"] != merchant else items.payment_of(item)

    def load(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        """See Payments."""
        return {name: items.payment_of(item) for name, item in self._items(payment_ids).items()}

    def advance(self, steps: Sequence[Step]) -> set[str]:
        """See Payments. Each step is a transaction of its own: where an exception is raised, the others may have been made."""
        if len({step.payment_id for step in steps}) < len(steps):
            raise ValueError("two steps of one payment cannot be made at once: the second depends on how the first one ends")
        found = self._items(step.payment_id for step in steps)
        moves = [(step, found[step.payment_id]) for step in steps if step.payment_id in found and found[step.payment_id]["state"] == step.before]
        moved = each(lambda move: self._moved(*move), moves)
        return {step.payment_id for (step, _), done in zip(moves, moved, strict=True) if done}

    def _items(self, payment_ids: Iterable[str]) -> dict[str, Item]:
        return {str(item["payment_id"]): item for item in self._table.get_all(map(items.payment_key, payment_ids))}

    def _moved(self, step: Step, payment: Item) -> bool:
        """Whether the payment was where it was read to be, and made the step."""
        moment = max(self._table.now(), datetime.fromisoformat(payment["changed_at"]) + timedelta(microseconds=1))
        about = items.change_item(int(payment["sequence"]) + 1, step.after, moment, step.correlation_id, step.reason)
        known = {name: getattr(step, name) or payment.get(name) for name in ("processor", "processor_reference")}
        after = {**payment, **known}
        told = {**about, **known}
        actions = [
            _step(step, payment, about, moment),
            put(items.state_item(after, told)),
            put(items.audit_item(after, told)),
            *(put(entry) for entry in _entries(after, step.after, moment)),
        ]
        completing = [_completed(payment, moment)] if step.after in FINAL and step.before not in FINAL else []
        try:
            self._table.transact([*actions, *completing])
        except Cancelled as cancelled:
            if completing and cancelled.failed == {len(actions)}:
                # The key is gone or another payment's, which holds up no money.
                return self._made(actions)
            if _PAYMENT in cancelled.failed:
                return False
            raise
        return True

    def _made(self, actions: list[dict[str, Any]]) -> bool:
        try:
            self._table.transact(actions)
        except Cancelled as cancelled:
            if _PAYMENT in cancelled.failed:
                return False
            raise
        return True


def _repeated(kept: Item, payment_id: str, digest: str, work: str) -> Acceptance:
    """What the key that is in the way stands for."""
    if kept["digest"] != digest:
        raise KeyReused
    # An answer that was lost on the way had the call repeated: then the key is this call's own.
    first = kept["payment_id"] == payment_id
    return Acceptance(kept["payment_id"], kept["answer"], first, work if first else None)


def _step(step: Step, payment: Item, about: Item, moment: datetime) -> dict[str, Any]:
    """The payment's own change; DynamoDB makes it from where the step begins and from nowhere else."""
    expressions = Expressions()
    values = {
        "state": step.after.value,
        "sequence": about["sequence"],
        "changed_at": moment.isoformat(),
        "processor": step.processor,
        "processor_reference": step.processor_reference,
    }
    history = expressions.name("history")
    update = f"SET {expressions.set(values)}, {history} = list_append({history}, {expressions.value([about])})"
    here = expressions.equal({"state": step.before.value, "sequence": payment["sequence"]})
    return change(items.payment_key(step.payment_id), update, here, expressions)


def _entries(payment: Item, state: State, moment: datetime) -> Iterable[Item]:
    """The entries of the ledger that the payment's coming to a state is; they sum to zero."""
    names = {Holder.PROCESSOR: payment.get("processor"), Holder.MERCHANT: payment["merchant"]}
    for leg in MOVEMENTS.get(state, ()):
        held = account(leg.holder, str(names[leg.holder]))
        amount = leg.sign * int(payment["amount"])
        about = {"payment_id": payment["payment_id"], "currency": payment["currency"], "entered_at": moment.isoformat()}
        yield items.keyed(items.ledger_key(payment["payment_id"], state.value, held), movement=state.value, account=held, amount=amount, **about)


def _completed(payment: Item, moment: datetime) -> dict[str, Any]:
    """The payment's key is done with; from its lifetime's end on it counts as gone, and DynamoDB removes it."""
    expressions = Expressions()
    update = completion(expressions, moment)
    own = expressions.equal({"payment_id": payment["payment_id"]})
    return change(items.idempotency_key(payment["merchant"], payment["idempotency_key"]), update, own, expressions)


def completion(expressions: Expressions, moment: datetime) -> str:
    """What brings a key to its end; it is kept for its whole lifetime from then on, however long its payment took."""
    values = {"recovery_point": RecoveryPoint.COMPLETED.value, "expires_at": int(moment.timestamp()) + KEY_LIFETIME}
    return f"SET {expressions.set(values)} REMOVE {expressions.name('due_shard')}, {expressions.name('due_at')}"
