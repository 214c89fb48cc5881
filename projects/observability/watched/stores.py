"""PostgreSQL, on an instance or in a cluster, Redis, and DynamoDB's tables."""

from __future__ import annotations

from collections.abc import Iterator

from projects.observability import metrics
from projects.observability.alarms import Alarm
from projects.observability.settings import AlarmSettings
from shared.contracts import DataOutputs
from shared.environment import Environment

_GIB = 1024**3
_MILLISECONDS = 1000


def instance(settings: AlarmSettings, data: DataOutputs) -> Iterator[Alarm]:
    """The alarms of an RDS instance."""
    yield Alarm(
        name="database-cpu",
        says="PostgreSQL is short of CPU, or does not report: see Performance Insights, and the instance's events",
        watches=metrics.of_database(data, "CPUUtilization", "Average"),
        threshold=settings.database_cpu,
        # Longer than a failover or a checkpoint.
        periods=2,
        # RDS reports every minute that the instance is there; silence is an instance that is not.
        silence="breaching",
    )
    yield Alarm(
        name="database-storage",
        says="PostgreSQL's storage is nearly full and did not grow: see maxStorageGib of data:database, and what fills it",
        watches=metrics.of_database(data, "FreeStorageSpace", "Minimum"),
        threshold=settings.database_free_storage * _GIB,
        below=True,
        # Time for RDS to make the storage larger.
        periods=3,
        # A full instance stops and falls silent, which must not end the alarm; one that was never full is what database-cpu rings for.
        silence="ignore",
    )


def cluster(settings: AlarmSettings, data: DataOutputs) -> Iterator[Alarm]:
    """The alarms of an Aurora cluster."""
    yield Alarm(
        name="database-cpu",
        says="The cluster's writer is short of CPU, or does not report: see Performance Insights, and the cluster's events",
        watches=metrics.of_writer(data, "CPUUtilization", "Average"),
        threshold=settings.database_cpu,
        # Longer than a failover.
        periods=2,
        # There is a writer all the time, and Aurora reports of it every minute.
        silence="breaching",
    )
    yield Alarm(
        name="database-reader-cpu",
        says="The cluster's readers are short of CPU: see Performance Insights; one that takes over as the writer brings its load along",
        watches=metrics.of_reader(data, "CPUUtilization", "Average"),
        threshold=settings.database_cpu,
        periods=2,
        # A cluster without readers has no values, nor one whose reader has just become the writer.
        silence="notBreaching",
    )
    yield Alarm(
        name="database-memory",
        says="An instance of the cluster is short of memory: see its connections, and whether its class or maxCapacity is too small",
        watches=metrics.of_cluster(data, "FreeableMemory", "Minimum"),
        threshold=settings.database_free_memory * _GIB,
        below=True,
        periods=2,
        # Whether it is there is what database-cpu tells.
        silence="ignore",
    )
    yield Alarm(
        name="database-lag",
        says="A reader of the cluster is behind its writer: payments that were just made are not found there",
        watches=metrics.of_cluster(data, "AuroraReplicaLagMaximum", "Maximum"),
        threshold=settings.database_lag * _MILLISECONDS,
        periods=2,
        # A cluster without readers has no lag.
        silence="notBreaching",
    )


def capacity(settings: AlarmSettings, data: DataOutputs) -> Alarm:
    """The alarm of a serverless cluster that cannot grow any more."""
    return Alarm(
        name="database-capacity",
        says="An instance of the cluster is near the most that it may grow to: see maxCapacity of data:database, and what asks so much of it",
        watches=metrics.of_cluster(data, "ACUUtilization", "Maximum"),
        threshold=settings.database_capacity,
        periods=3,
        # Whether it is there is what database-cpu tells.
        silence="notBreaching",
    )


def cache(settings: AlarmSettings, data: DataOutputs) -> Iterator[Alarm]:
    """The alarms of Redis; each is over all nodes, the one that is worst counts."""
    yield Alarm(
        name="cache-cpu",
        says="Redis is short of CPU, or does not report: see its slow log, and the group's events",
        watches=metrics.of_cache(data, "EngineCPUUtilization", "Average"),
        combined="largest",
        threshold=settings.cache_cpu,
        # Longer than a failover.
        periods=2,
        # Each node reports every minute; when none does, there is none.
        silence="breaching",
    )
    yield Alarm(
        name="cache-memory",
        says="Redis is nearly full, and begins to drop sessions: see nodeType of data:cache",
        watches=metrics.of_cache(data, "DatabaseMemoryUsagePercentage", "Maximum"),
        combined="largest",
        threshold=settings.cache_memory,
        periods=2,
        silence="notBreaching",
    )
    yield Alarm(
        name="cache-evictions",
        says="Redis is full, and drops keys before their time, sessions among them: see nodeType of data:cache",
        watches=metrics.of_cache(data, "Evictions", "Sum"),
        threshold=settings.cache_evictions,
        silence="notBreaching",
    )


def tables(settings: AlarmSettings, environment: Environment, data: DataOutputs) -> Iterator[Alarm]:
    """An alarm for each of the tables that the environment has."""
    for word, table in metrics.tables(environment, data).items():
        yield Alarm(
            name=f"{word}-throttles",
            says=f"DynamoDB turns away reads or writes of the table {word}: its capacity, or one hot key",
            watches=[
                metrics.of_table(table, name, "Sum", index=index)
                for index in ("", *metrics.INDEXES.get(word, ()))
                for name in ("ReadThrottleEvents", "WriteThrottleEvents")
            ],
            threshold=settings.table_throttles,
            # A burst ends within a few minutes, by retries or by autoscaling; what goes on after that does not end by itself.
            periods=2,
            # DynamoDB has a value here only when it throttles.
            silence="notBreaching",
        )
