"""What the tests of storage stand on."""

from __future__ import annotations

from tests.payments.postgres import database, empty_database, postgres_server, test_database

__all__ = ["database", "empty_database", "postgres_server", "test_database"]
