"""What one payment asks of the DynamoDB tables, where these keep it, and whether a page's capacities carry what its API lets in.

The numbers are of one small payment from its request to its last audit record, reckoned by `tests/payments/test_capacity.py` from the items that the
service's calls read and write (65 writes of the largest table), and rounded up. A payment with much metadata, or one that is tried again, costs more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from projects.data.table_settings import TableSettings


@dataclass(frozen=True)
class Units:
    """Capacity units of DynamoDB."""

    read: int
    write: int


PAYMENT: Mapping[str, Units] = {"payments": Units(15, 72), "transaction-log": Units(0, 4), "sessions": Units(0, 1)}
"""By table, what one payment takes of it."""

INDEX = Units(1, 30)
"""What it takes of the index of `payments`, which has the table's capacity. 16 of the writes, of what is to be told of its states, are spread over four
partitions of the index, each of which carries 1,000 a second (`payments/storage/dynamodb/table.py`): 250 payments a second, whatever the capacity."""


def problems(settings: TableSettings, tables: Mapping[str, Units], rate: float) -> Iterator[tuple[str, object, str]]:
    """Capacities that cannot carry `rate` payments a second, as (key, value, rule); of autoscaled tables the maximum counts."""
    if settings.billing == "on-demand":
        return
    for table, units in tables.items():
        given, section = settings.of(table)
        for way, most, each in (("Read", given.most_read, units.read), ("Write", given.most_write, units.write)):
            needed = math.ceil(rate * each)
            if most is not None and most < needed:
                key = f"max{way}Capacity" if settings.billing == "autoscaled" else f"{way.lower()}Capacity"
                yield (
                    f"{section}.{key}",
                    most,
                    f"app:api.rateLimit lets {rate:g} payments a second in, and each takes {each} {way.lower()} units of the table {table}: "
                    f"{needed} or more, or a rateLimit of {most / each:.4g} or less",
                )
