"""Receipts of captured payments, as documents."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Protocol

from payments.domain.payment import Money
from payments.storage.objects import put_once


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a merchant can show for a captured payment.

    amount: in the currency's minor unit.
    captured_at: RFC 3339, in UTC.
    source: base URL of the API that took the payment in, where the service was told of it.
    """

    payment_id: str
    merchant: str
    reference: str
    amount: int
    currency: str
    processor: str | None
    processor_reference: str | None
    captured_at: str
    source: str | None = None


class Receipts(Protocol):
    """What the service asks of the receipts."""

    def write(self, receipt: Receipt) -> None:
        """Keeps a receipt; one that is there stays as it is."""
        ...


class S3Receipts:
    """Receipts in a bucket: `receipts/<payment_id>.json`."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def write(self, receipt: Receipt) -> None:
        """See Receipts."""
        content = {**asdict(receipt), "total": str(Money(amount=receipt.amount, currency=receipt.currency))}
        put_once(self._bucket, f"receipts/{receipt.payment_id}.json", json.dumps(content, ensure_ascii=False))
