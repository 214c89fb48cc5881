"""The store that a function's settings stand for."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module

from payments.functions import Variable
from payments.settings import DatabaseSettings, TableSettings
from payments.storage.store import Store


@cache
def store_from(place: DatabaseSettings | TableSettings) -> Store:
    """The process's store at that place. No client is made and no connection opened."""
    if isinstance(place, TableSettings):
        from payments.storage.dynamodb.store import DynamoStore

        return DynamoStore.at(place)
    from payments.storage.postgres.store import PostgresStore

    return PostgresStore.at(place)


def prepare(*parts: str) -> None:
    """Imports parts of the store ahead of the first call, by their modules' names: of the kind that the environment asks for, and of no other.

    Lambda gives a function more of a processor while it starts than afterwards, when callers wait.
    """
    kind = "dynamodb" if os.environ.get(Variable.PAYMENTS_TABLE) else "postgres"
    for part in ("store", *parts):
        import_module(f"payments.storage.{kind}.{part}")
