"""Reading the ledger. It is written together with the change of state that moves the money; see statements.ADVANCE."""

from __future__ import annotations

from typing import LiteralString

from payments.domain.ledger import Entry
from payments.domain.payment import State
from payments.storage.postgres.database import Database

_ENTRIES: LiteralString = """
SELECT movement, account, amount, currency FROM ledger_entries WHERE payment_id = %(payment_id)s ORDER BY entered_at, amount DESC
"""
_BALANCES: LiteralString = "SELECT account, currency, sum(amount)::bigint FROM ledger_entries GROUP BY account, currency"
_TOTALS: LiteralString = "SELECT currency, sum(amount)::bigint FROM ledger_entries GROUP BY currency"


class PostgresLedger:
    """See Ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, payment_id: str) -> list[Entry]:
        """See Ledger."""
        rows = self._database.run(_ENTRIES, {"payment_id": payment_id}, repeatable=True)
        return [Entry(payment_id, State(movement), account, amount, currency) for movement, account, amount, currency in rows]

    def balances(self) -> dict[tuple[str, str], int]:
        """See Ledger."""
        return {(account, currency): amount for account, currency, amount in self._database.run(_BALANCES, repeatable=True)}

    def totals(self) -> dict[str, int]:
        """See Ledger."""
        return dict(self._database.run(_TOTALS, repeatable=True))
