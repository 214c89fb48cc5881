"""The `data:database` keys of a page: one model for each kind of database."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from projects.data import versions
from projects.data.instances import aurora_problem, postgresql_problem
from projects.data.windows import DAY, Window, overlap
from shared.page import Settings

# The least that Serverless v2 scales up to, whatever its version (CreateDBCluster, ServerlessV2ScalingConfiguration).
_LEAST_MAXIMUM = 1.0


class RelationalSettings(Settings):
    """What all kinds of PostgreSQL have.

    key: `customer` encrypts storage and password with a key of our own, `aws` with the keys that AWS manages (aws/rds, aws/secretsmanager).
    backup_retention_days: 1 to 35; 0 would switch backups off, and Aurora knows no 0.
    monitoring_seconds: how often Enhanced Monitoring measures the instances' operating systems; 0 is not at all. It writes to the log group
    RDSOSMetrics, which is the account's own and keeps for 30 days (RDS user guide, "Viewing OS metrics using CloudWatch Logs").
    engine_version: a major version, whose newest minor AWS takes and keeps current, or `<major>.<minor>` to start from.
    backup_window: `hh:mm-hh:mm`, maintenance_window: `ddd:hh:mm-ddd:hh:mm`, both UTC, of 30 minutes or more, apart from one another.
    """

    key: Literal["customer", "aws"] = "customer"
    backup_retention_days: Annotated[int, Field(ge=1, le=35)]
    monitoring_seconds: Literal[0, 1, 5, 10, 15, 30, 60] = 60
    engine_version: str = "17"
    backup_window: str = "03:00-04:00"
    maintenance_window: str = "sun:05:00-sun:06:00"

    @property
    def major_version(self) -> int:
        """PostgreSQL's major version, which parameter groups are for."""
        return versions.major(self.engine_version)

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
    def _apart(self) -> RelationalSettings:
        if overlap(Window.daily(self.backup_window), Window.weekly(self.maintenance_window)):
            raise ValueError(f"backupWindow {self.backup_window} overlaps with maintenanceWindow {self.maintenance_window}; RDS wants them apart")
        return self


class RdsSettings(RelationalSettings):
    """PostgreSQL on one RDS instance.

    instance_class: `db.<family>.<size>`. multi_az: a standby in another zone.
    storage_gib, max_storage_gib: what it starts with, and how far RDS lets it grow by itself (gp3, GiB).
    """

    kind: Literal["rds"] = "rds"
    instance_class: str
    multi_az: bool
    storage_gib: Annotated[int, Field(ge=20, le=65_536)] = 20
    max_storage_gib: Annotated[int, Field(ge=20, le=65_536)] = 100

    @field_validator("instance_class")
    @classmethod
    def _class(cls, value: str) -> str:
        if reason := postgresql_problem(value):
            raise ValueError(reason)
        return value

    @field_validator("engine_version", mode="before")
    @classmethod
    def _version(cls, value: object) -> str:
        return versions.postgresql(value)

    @model_validator(mode="after")
    def _room(self) -> RdsSettings:
        # RDS user guide, "Managing capacity automatically": a maximum below that is refused.
        if self.max_storage_gib * 10 < self.storage_gib * 11:
            raise ValueError(f"maxStorageGib must be at least 10 % more than storageGib; this page has {self.max_storage_gib} and {self.storage_gib}")
        return self


class ClusterSettings(RelationalSettings):
    """What both kinds of Aurora PostgreSQL have: a cluster, whose storage is in three zones and grows by itself."""

    @field_validator("engine_version", mode="before")
    @classmethod
    def _version(cls, value: object) -> str:
        return versions.aurora(value)


class AuroraSettings(ClusterSettings):
    """Aurora PostgreSQL on instances of one class.

    instances: 1 to 16; the first to be made writes, the others read, and one of them takes over when it fails.
    """

    kind: Literal["aurora"]
    instance_class: str
    instances: Annotated[int, Field(ge=1, le=16)]

    @field_validator("instance_class")
    @classmethod
    def _class(cls, value: str) -> str:
        if reason := aurora_problem(value):
            raise ValueError(reason)
        return value


class AuroraServerlessSettings(ClusterSettings):
    """Aurora PostgreSQL whose instances scale by themselves (Serverless v2).

    min_capacity, max_capacity: of each instance, in Aurora capacity units (ACU, about 2 GiB of memory), in steps of a half.
    readers: 0 to 15 beside the one that writes; with one or more, a reader takes over when the writer fails.
    """

    kind: Literal["aurora-serverless"]
    min_capacity: Annotated[float, Field(ge=0, le=256, multiple_of=0.5)]
    max_capacity: Annotated[float, Field(ge=_LEAST_MAXIMUM, le=256, multiple_of=0.5)]
    readers: Annotated[int, Field(ge=0, le=15)] = 0

    @model_validator(mode="after")
    def _offered(self) -> AuroraServerlessSettings:
        if self.max_capacity < self.min_capacity:
            raise ValueError(f"maxCapacity must be at least minCapacity; this page has {self.max_capacity:g} and {self.min_capacity:g}")
        offered = versions.capacity(self.engine_version)
        if self.min_capacity < offered.least or self.max_capacity > offered.most:
            raise ValueError(
                f"Aurora PostgreSQL {self.engine_version} has {offered.least:g} to {offered.most:g} ACU; "
                f"this page has minCapacity {self.min_capacity:g} and maxCapacity {self.max_capacity:g}"
            )
        return self


class DynamodbSettings(Settings):
    """No relational database: payments are kept in the table `payments`, whose capacity `data:tables` says."""

    kind: Literal["dynamodb"]


class _Kind(Settings):
    """The one key that tells which model is asked for."""

    kind: Literal["rds", "aurora", "aurora-serverless", "dynamodb"] = "rds"


_KINDS: dict[str, type[Settings]] = {
    "rds": RdsSettings,
    "aurora": AuroraSettings,
    "aurora-serverless": AuroraServerlessSettings,
    "dynamodb": DynamodbSettings,
}


def _by_kind(value: Any) -> Any:
    """The settings as the model of their kind, so that problems are about the keys of that kind and no other's."""
    if isinstance(value, Settings):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"must hold the database's keys: kind ({', '.join(_KINDS)}) and those of its kind")  # noqa: TRY004 - pydantic tells values, not types
    kind = _Kind.model_validate({"kind": value.get("kind", "rds")}).kind
    return _KINDS[kind].model_validate(value)


DatabaseSettings = Annotated[RdsSettings | AuroraSettings | AuroraServerlessSettings | DynamodbSettings, BeforeValidator(_by_kind)]
