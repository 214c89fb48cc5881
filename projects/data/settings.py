"""The `data:` keys of a page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from projects.data.cache_settings import CacheSettings
from projects.data.database_settings import AuroraServerlessSettings, AuroraSettings, DatabaseSettings, RdsSettings
from shared.environment import Environment
from shared.page import Settings

# DynamoDB's default quota for one table; more is asked for at Service Quotas.
Capacity = Annotated[int, Field(ge=1, le=40_000)]
Days = Annotated[int, Field(ge=1)]

_CAPACITIES = ("readCapacity", "writeCapacity")
_MAXIMA = ("maxReadCapacity", "maxWriteCapacity")


class TableSettings(Settings):
    """DynamoDB tables.

    billing: by request, by a fixed capacity, or by one that follows the load between `*_capacity` and `max_*_capacity` (units per second).
    point_in_time_recovery: any second of the last 35 days can be restored.
    """

    billing: Literal["on-demand", "provisioned", "autoscaled"]
    read_capacity: Capacity | None = None
    write_capacity: Capacity | None = None
    max_read_capacity: Capacity | None = None
    max_write_capacity: Capacity | None = None
    point_in_time_recovery: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> TableSettings:
        given = {
            "readCapacity": self.read_capacity,
            "writeCapacity": self.write_capacity,
            "maxReadCapacity": self.max_read_capacity,
            "maxWriteCapacity": self.max_write_capacity,
        }
        wanted = {"on-demand": (), "provisioned": _CAPACITIES, "autoscaled": (*_CAPACITIES, *_MAXIMA)}[self.billing]
        missing = [name for name in wanted if given[name] is None]
        excess = [name for name, value in given.items() if value is not None and name not in wanted]
        rules = [f"needs {', '.join(missing)}"] if missing else []
        rules += [f"has no {', '.join(excess)}"] if excess else []
        if rules:
            raise ValueError(f"billing {self.billing} {' and '.join(rules)}")
        for least, most in zip(_CAPACITIES, _MAXIMA, strict=True):
            low, high = given[least], given[most]
            if low is not None and high is not None and high <= low:
                raise ValueError(f"{most} must be more than {least}; this page has {high} and {low}")
        return self


class BucketSettings(Settings):
    """S3 buckets; ages in days.

    expire_days: when an object is deleted. intelligent_tiering_days, glacier_days: when it moves to a cheaper storage class; left out, it does not.
    audit_expire_days: the same of audit logs, that is of the buckets `audit` and `access-logs`; left out, as other objects. PCI DSS 10.5.1 wants
    twelve months.
    versioning: what is overwritten or deleted can be had back until it is as old as that.
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
