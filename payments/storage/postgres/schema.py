"""Which migrations this version of the code needs, and whether a database has them. Applying them is `migrating`'s, which needs more imports."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import LiteralString

from psycopg.errors import UndefinedTable

from payments.storage.postgres.database import Database

MIGRATIONS = Path(__file__).parents[2] / "migrations"
"""Folder of the migrations: `<number>.<name>.sql`, and what undoes it in `<number>.<name>.rollback.sql`."""

_APPLIED: LiteralString = "SELECT migration_id FROM _yoyo_migration ORDER BY migration_id"


@cache
def known() -> tuple[str, ...]:
    """The ids of all migrations that this version of the code has, in order."""
    return tuple(sorted(path.stem for path in MIGRATIONS.glob("*.sql") if not path.stem.endswith(".rollback")))


def head() -> str:
    """The id of the last one, which names the schema that this version of the code needs."""
    return known()[-1]


def applied(database: Database) -> tuple[str, ...]:
    """The ids of the migrations that the database has, in order; it may have more than this version knows. Raises DatabaseUnavailable."""
    try:
        return tuple(row[0] for row in database.run(_APPLIED, repeatable=True))
    except UndefinedTable:
        return ()


def is_at_head(database: Database) -> bool:
    """Whether the database has every migration that this version of the code needs. Raises DatabaseUnavailable."""
    return set(known()) <= set(applied(database))
