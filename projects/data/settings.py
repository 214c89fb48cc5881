"""The `data:` keys of a page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from projects.data import throughput
from projects.data.cache_settings import CacheSettings
from projects.data.database_settings import AuroraServerlessSettings, AuroraSettings, DatabaseSettings, RdsSettings
from projects.data.table_settings import TableSettings
from shared.environment import Environment
from shared.page import Settings

Days = Annotated[int, Field(ge=1)]


class BucketSettings(Settings):
    """S3 buckets; ages in days.

    expire_days: when an object is deleted. intelligent_tiering_days, glacier_days: when it moves to a cheaper storage class; left out, it does not.
    Whatever its size, an object goes to Glacier, from which it has to be restored before it can be read; below 128 KiB none goes to Intelligent-Tiering,
    which would keep it in its dearest tier (S3 user guide, "How S3 Intelligent-Tiering works").
    audit_expire_days: the same of audit logs, that is of the buckets `audit` and `access-logs`; left out, as other objects. PCI DSS 10.5.1 wants
    twelve months.
    versioning: what is overwritten or deleted can be had back for as many days again; of logs for a day.
    """

    expire_days: Days
    audit_expire_days: Days | None = None
    intelligent_tiering_days: Days | None = None
    glacier_days: Days | None = None
    versioning: bool = True

    @property
    def audit_days(self) -> int:
        """When audit logs are deleted."""
        return self.expire_days if self.audit_expire_days is None else self.audit_expire_days

    @model_validator(mode="after")
    def _ascending(self) -> BucketSettings:
        moves = {"intelligentTieringDays": self.intelligent_tiering_days, "glacierDays": self.glacier_days}
        for end in ({"expireDays": self.expire_days}, {"auditExpireDays": self.audit_expire_days}):
            given = [(name, days) for name, days in {**moves, **end}.items() if days is not None]
            for (earlier, before), (later, after) in pairwise(given):
                if after <= before:
                    raise ValueError(f"{later} must be more than {earlier}; this page has {after} and {before}")
        return self


class DataSettings(Settings):
    """All of `data:`. cache: left out, there is none, and sessions are kept in a table."""

    database: DatabaseSettings
    tables: TableSettings
    buckets: BucketSettings
    cache: CacheSettings | None = None


def problems(settings: DataSettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """Rules across the page, as (key, value, rule)."""
    shape = environment.shape
    if settings.tables.payments and shape.relational:
        yield "tables.payments", "given", "is about the table payments, which is there with data:database.kind dynamodb alone: leave it out"
    if not shape.relational and shape.request_rate is not None:
        tables = {name: units for name, units in throughput.PAYMENT.items() if name != "sessions" or not shape.cache}
        yield from throughput.problems(settings.tables, tables, shape.request_rate)
    if not environment.platform.high_availability:
        return
    asks = "platform:highAvailability asks for"
    database, cache = settings.database, settings.cache
    if isinstance(database, RdsSettings) and not database.multi_az:
        yield "database.multiAz", False, f"{asks} a standby in another zone (multiAz: true)"
    if isinstance(database, AuroraSettings) and database.instances < 2:
        yield "database.instances", database.instances, f"{asks} an instance that takes over (instances: 2 or more)"
    if isinstance(database, AuroraServerlessSettings) and database.readers < 1:
        yield "database.readers", database.readers, f"{asks} a reader that takes over (readers: 1 or more)"
    if cache and cache.replicas < 1:
        yield "cache.replicas", cache.replicas, f"{asks} a replica in another zone (replicas: 1 or more)"
