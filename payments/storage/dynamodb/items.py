"""Where each item of a payment is, and what it holds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from payments.domain.audit import timestamp
from payments.domain.payment import Change, Payment, State
from payments.storage.dynamodb.expressions import Item
from payments.storage.dynamodb.table import Key, micros, shard
from payments.storage.store import Kind


def payment_key(payment_id: str) -> Key:
    """Of a payment."""
    return _partition(payment_id), "payment"


def outbox_key(payment_id: str, kind: Kind, sequence: int) -> Key:
    """Of something to be told."""
    return _partition(payment_id), f"outbox#{kind}#{sequence:04}"


def outbox_of(payment_id: str, kind: Kind) -> tuple[str, str]:
    """Partition and prefix of all of a kind that is to be told of a payment."""
    return _partition(payment_id), f"outbox#{kind}#"


def audit_key(payment_id: str, sequence: int) -> Key:
    """Of a change as the audit chain takes it."""
    return _partition(payment_id), f"audit#{sequence:04}"


def batch_key(position: int) -> Key:
    """Of the batch of audit records whose last one has that position in the chain."""
    return "audit", f"batch#{position:012}"


def ledger_key(payment_id: str, movement: str, account: str) -> Key:
    """Of an entry of the ledger."""
    return _partition(payment_id), f"ledger#{movement}#{account}"


def ledger_of(payment_id: str) -> tuple[str, str]:
    """Partition and prefix of a payment's entries."""
    return _partition(payment_id), LEDGER


LEDGER = "ledger#"
"""How the sort keys of the ledger's entries begin."""


def idempotency_key(merchant: str, key: str) -> Key:
    """Of an idempotency key. Each is a partition of its own, and no two of a merchant and a key can be taken for one another."""
    return f"key#{key}", merchant


def reference_key(merchant: str, reference: str) -> Key:
    """Of whose a reference is."""
    return f"reference#{reference}", merchant


def keyed(key: Key, **attributes: Any) -> Item:
    """An item at that key."""
    return {"pk": key[0], "sk": key[1], **attributes}


def work_item(payment: Item, correlation_id: str) -> Item:
    """The worker is to be told of the payment, which was just taken in."""
    payment_id, moment = payment["payment_id"], datetime.fromisoformat(payment["changed_at"])
    body = {"payment_id": payment_id, "correlation_id": correlation_id}
    return {**_told(payment_id, "work", 1, body, moment), "merchant": payment["merchant"], "idempotency_key": payment["idempotency_key"]}


def state_item(payment: Item, about: Item) -> Item:
    """Everyone is to be told of the payment's last change, which `about` is."""
    body = {
        "payment_id": payment["payment_id"],
        "merchant": payment["merchant"],
        "amount": int(payment["amount"]),
        "currency": payment["currency"],
        "reference": payment["reference"],
        "session_id": payment.get("session_id"),
        **_about(about),
    }
    return _told(payment["payment_id"], "state", int(about["sequence"]), body, datetime.fromisoformat(about["occurred_at"]))


def audit_item(payment: Item, about: Item) -> Item:
    """The audit chain is to take in the payment's last change."""
    payment_id, sequence = payment["payment_id"], int(about["sequence"])
    kept = {name: payment[name] for name in ("payment_id", "merchant", "reference", "currency")} | {"amount": int(payment["amount"]), **_about(about)}
    return keyed(
        audit_key(payment_id, sequence),
        change=json.dumps(kept, ensure_ascii=False),
        due_shard=shard("audit", payment_id),
        due_at=micros(datetime.fromisoformat(about["occurred_at"])),
    )


def change_item(sequence: int, state: State, moment: datetime, correlation_id: str, reason: str | None = None) -> Item:
    """A change as the history has it."""
    made = {"sequence": sequence, "state": state.value, "occurred_at": moment.isoformat(), "correlation_id": correlation_id, "reason": reason}
    return {name: value for name, value in made.items() if value is not None}


def payment_of(item: Item) -> Payment:
    """The payment that an item is."""
    return Payment(
        payment_id=item["payment_id"],
        merchant=item["merchant"],
        amount=int(item["amount"]),
        currency=item["currency"],
        payment_token=item["payment_token"],
        reference=item["reference"],
        session_id=item.get("session_id"),
        metadata=json.loads(item["metadata"]),
        state=State(item["state"]),
        processor=item.get("processor"),
        processor_reference=item.get("processor_reference"),
        history=tuple(
            Change(int(one["sequence"]), State(one["state"]), datetime.fromisoformat(one["occurred_at"]), one["correlation_id"], one.get("reason"))
            for one in item["history"]
        ),
    )


def _partition(payment_id: str) -> str:
    return f"payment#{payment_id}"


def _told(payment_id: str, kind: Kind, sequence: int, body: dict[str, Any], moment: datetime) -> Item:
    key = outbox_key(payment_id, kind, sequence)
    told = json.dumps(body, ensure_ascii=False)
    return keyed(key, kind=kind, payment_id=payment_id, sequence=sequence, body=told, attempts=0, due_shard=shard(kind, payment_id), due_at=micros(moment))


def _about(about: Item) -> dict[str, Any]:
    """A change as it is told and audited; with the processor as the payment had it after the change."""
    return {
        "sequence": int(about["sequence"]),
        "state": about["state"],
        "occurred_at": timestamp(datetime.fromisoformat(about["occurred_at"])),
        "correlation_id": about["correlation_id"],
        "reason": about.get("reason"),
        "processor": about.get("processor"),
        "processor_reference": about.get("processor_reference"),
    }
