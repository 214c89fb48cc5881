"""The store in a DynamoDB table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payments.storage.dynamodb.table import Table

if TYPE_CHECKING:
    from payments.settings import TableSettings
    from payments.storage.dynamodb.audit_chain import DynamoAuditChain
    from payments.storage.dynamodb.idempotency import DynamoIdempotencyKeys
    from payments.storage.dynamodb.ledger import DynamoLedger
    from payments.storage.dynamodb.outbox import DynamoOutbox
    from payments.storage.dynamodb.payments import DynamoPayments


class DynamoStore:
    """See Store."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def at(cls, settings: TableSettings) -> DynamoStore:
        """In the table of these settings."""
        return cls(Table(settings.name))

    @property
    def payments(self) -> DynamoPayments:
        """See Store."""
        from payments.storage.dynamodb.payments import DynamoPayments

        return DynamoPayments(self._table)

    @property
    def outbox(self) -> DynamoOutbox:
        """See Store."""
        from payments.storage.dynamodb.outbox import DynamoOutbox

        return DynamoOutbox(self._table)

    @property
    def keys(self) -> DynamoIdempotencyKeys:
        """See Store."""
        from payments.storage.dynamodb.idempotency import DynamoIdempotencyKeys

        return DynamoIdempotencyKeys(self._table)

    @property
    def chain(self) -> DynamoAuditChain:
        """See Store."""
        from payments.storage.dynamodb.audit_chain import DynamoAuditChain

        return DynamoAuditChain(self._table)

    @property
    def ledger(self) -> DynamoLedger:
        """See Store."""
        from payments.storage.dynamodb.ledger import DynamoLedger

        return DynamoLedger(self._table)

    def is_ready(self) -> bool:
        """See Store: a table has no schema, so it is ready when it answers."""
        self._table.get(("audit", "head"))
        return True

    def close(self) -> None:
        """See Store. Connections are the client's, which all threads share; there is nothing to close."""
