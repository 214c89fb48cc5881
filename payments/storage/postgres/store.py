"""The store in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payments.storage.postgres.database import from_settings

if TYPE_CHECKING:
    from payments.settings import DatabaseSettings
    from payments.storage.postgres.audit_chain import PostgresAuditChain
    from payments.storage.postgres.database import Database
    from payments.storage.postgres.idempotency import PostgresIdempotencyKeys
    from payments.storage.postgres.ledger import PostgresLedger
    from payments.storage.postgres.outbox import PostgresOutbox
    from payments.storage.postgres.payments import PostgresPayments


class PostgresStore:
    """See Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def at(cls, settings: DatabaseSettings) -> PostgresStore:
        """In the process's database of these settings."""
        return cls(from_settings(settings))

    @property
    def payments(self) -> PostgresPayments:
        """See Store."""
        from payments.storage.postgres.payments import PostgresPayments

        return PostgresPayments(self._database)

    @property
    def outbox(self) -> PostgresOutbox:
        """See Store."""
        from payments.storage.postgres.outbox import PostgresOutbox

        return PostgresOutbox(self._database)

    @property
    def keys(self) -> PostgresIdempotencyKeys:
        """See Store."""
        from payments.storage.postgres.idempotency import PostgresIdempotencyKeys

        return PostgresIdempotencyKeys(self._database)

    @property
    def chain(self) -> PostgresAuditChain:
        """See Store."""
        from payments.storage.postgres.audit_chain import PostgresAuditChain

        return PostgresAuditChain(self._database)

    @property
    def ledger(self) -> PostgresLedger:
        """See Store."""
        from payments.storage.postgres.ledger import PostgresLedger

        return PostgresLedger(self._database)

    def is_ready(self) -> bool:
        """See Store: whether the schema has every migration that this version of the code needs."""
        from payments.storage.postgres.schema import is_at_head

        return is_at_head(self._database)

    def close(self) -> None:
        """See Store."""
        self._database.close()
