"""The `data:` keys of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from projects.data.instances import class_problem
from projects.data.windows import DAY, Window, overlap
from shared.environment import Environment
from shared.page import Settings

# DynamoDB's default quota for one table; more is asked for at Service Quotas.
Capacity = Annotated[int, Field(ge=1, le=40_000)]
Days = Annotated[int, Field(ge=1)]

_CAPACITIES = ("readCapacity", "writeCapacity")
_MAXIMA = ("maxReadCapacity", "maxWriteCapacity")


class DatabaseSettings(Settings):
    """PostgreSQL.

    instance_class: `db.<family>.<size>`. multi_az: a standby in another zone. backup_retention_days: 1 to 35; 0 would switch backups off.
    engine_version: a major version, whose newest minor RDS takes and keeps current, or `<major>.<minor>` to start from.
    storage_gib, max_storage_gib: what it starts with, and how far RDS lets it grow by itself (gp3, GiB).
    backup_window: `hh:mm-hh:mm`, maintenance_window: `ddd:hh:mm-ddd:hh:mm`, both UTC, of 30 minutes or more, apart from one another.
    """

    instance_class: str
    multi_az: bool
    backup_retention_days: Annotated[int, Field(ge=1, le=35)]
    engine_version: str = "17"
    storage_gib: Annotated[int, Field(ge=20, le=65_536)] = 20
    max_storage_gib: Annotated[int, Field(ge=20, le=65_536)] = 100
    backup_window: str = "03:00-04:00"
    maintenance_window: str = "sun:05:00-sun:06:00"

    @property
    def major_version(self) -> int:
        """PostgreSQL's major version, which parameter groups are for."""
        return int(self.engine_version.split(".")[0])

    @field_validator("instance_class")
    @classmethod
    def _class(cls, value: str) -> str:
        if reason := class_problem(value):
            raise ValueError(reason)
        return value

    @field_validator("engine_version", mode="before")
    @classmethod
    def _version(cls, value: object) -> str:
        # 17 and 17.5 without quotes are numbers in YAML.
        if isinstance(value, bool) or not re.fullmatch(r"1[4-8](\.\d{1,2})?", str(value)):
            raise ValueError('must be a major version of PostgreSQL that RDS has, "14" to "18", or one with its minor, such as "17.5"')
        return str(value)

    @field_validator("backup_window")
    @classmethod
    def _backup(cls, value: str) -> str:
        Window.daily(value)
        return value

    @field_validator("maintenance_window")
    @classmethod
    def _maintenance(cls, value: str) -> str:
        window = Window.weekly(value)
        if window.minutes >= DAY:
            raise ValueError("must be shorter than a day (RDS, PreferredMaintenanceWindow)")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> DatabaseSettings:
        # RDS user guide, "Managing capacity automatically": a maximum below that is refused.
        if self.max_storage_gib * 10 < self.storage_gib * 11:
            raise ValueError(f"maxStorageGib must be at least 10 % more than storageGib; this page has {self.max_storage_gib} and {self.storage_gib}")
        if overlap(Window.daily(self.backup_window), Window.weekly(self.maintenance_window)):
            raise ValueError(f"backupWindow {self.backup_window} overlaps with maintenanceWindow {self.maintenance_window}; RDS wants them apart")
        return self


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
    """

    expire_days: Days
    intelligent_tiering_days: Days | None = None
    glacier_days: Days | None = None

    @model_validator(mode="after")
    def _ascending(self) -> BucketSettings:
        steps = {"intelligentTieringDays": self.intelligent_tiering_days, "glacierDays": self.glacier_days, "expireDays": self.expire_days}
        given = [(name, days) for name, days in steps.items() if days is not None]
        for (earlier, before), (later, after) in pairwise(given):
            if after <= before:
                raise ValueError(f"{later} must be more than {earlier}; this page has {after} and {before}")
        return self


class DataSettings(Settings):
    """All of `data:`."""

    database: DatabaseSettings
    tables: TableSettings
    buckets: BucketSettings


def problems(settings: DataSettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """Rules across the page, as (key, value, rule)."""
    if environment.platform.high_availability and not settings.database.multi_az:
        yield "database.multiAz", False, "platform:highAvailability asks for a standby in another zone (multiAz: true)"
