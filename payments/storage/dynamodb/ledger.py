"""Reading the ledger in the table."""

from __future__ import annotations

from collections import Counter

from payments.domain.ledger import Entry
from payments.domain.payment import State
from payments.storage.dynamodb import items
from payments.storage.dynamodb.expressions import Item
from payments.storage.dynamodb.table import Table


class DynamoLedger:
    """See Ledger. Sums read the whole table: they are for audits."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def entries(self, payment_id: str) -> list[Entry]:
        """See Ledger."""
        found = sorted(self._table.query(*items.ledger_of(payment_id)), key=lambda item: (item["entered_at"], -item["amount"]))
        return [_entry(item) for item in found]

    def balances(self) -> dict[tuple[str, str], int]:
        """See Ledger."""
        sums: Counter[tuple[str, str]] = Counter()
        for entry in map(_entry, self._table.scan(items.LEDGER)):
            sums[entry.account, entry.currency] += entry.amount
        return dict(sums)

    def totals(self) -> dict[str, int]:
        """See Ledger."""
        sums: Counter[str] = Counter()
        for (_, currency), amount in self.balances().items():
            sums[currency] += amount
        return dict(sums)


def _entry(item: Item) -> Entry:
    return Entry(item["payment_id"], State(item["movement"]), item["account"], int(item["amount"]), item["currency"])
