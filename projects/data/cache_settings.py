"""The `data:cache` keys of a page."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from projects.data import versions
from projects.data.instances import redis_problem
from projects.data.windows import ELASTICACHE_MINUTES, Window, overlap
from shared.page import Settings


class CacheSettings(Settings):
    """Redis on ElastiCache.

    node_type: `cache.<family>.<size>`. replicas: 0 to 5; with one or more, one of them in another zone takes over when the primary fails.
    engine_version: of Redis OSS 7. backup_retention_days: 1 to 35 days that daily backups are kept, 0 for none.
    backup_window: `hh:mm-hh:mm`, maintenance_window: `ddd:hh:mm-ddd:hh:mm`, both UTC, of 60 minutes or more, apart from one another.
    """

    node_type: str
    replicas: Annotated[int, Field(ge=0, le=5)]
    engine_version: str = "7.1"
    backup_retention_days: Annotated[int, Field(ge=0, le=35)] = 1
    backup_window: str = "03:00-04:00"
    maintenance_window: str = "sun:05:00-sun:06:00"

    @field_validator("node_type")
    @classmethod
    def _node(cls, value: str) -> str:
        if reason := redis_problem(value):
            raise ValueError(reason)
        return value

    @field_validator("engine_version", mode="before")
    @classmethod
    def _version(cls, value: object) -> str:
        return versions.redis(value)

    @field_validator("backup_window")
    @classmethod
    def _backup(cls, value: str) -> str:
        Window.daily(value, ELASTICACHE_MINUTES)
        return value

    @field_validator("maintenance_window")
    @classmethod
    def _maintenance(cls, value: str) -> str:
        Window.weekly(value, ELASTICACHE_MINUTES)
        return value

    @model_validator(mode="after")
    def _apart(self) -> CacheSettings:
        if overlap(Window.daily(self.backup_window), Window.weekly(self.maintenance_window)):
            raise ValueError(f"backupWindow {self.backup_window} overlaps with maintenanceWindow {self.maintenance_window}; ElastiCache wants them apart")
        return self
