"""What ElastiCache takes for a replication group, from its user guide; botocore's model has most of it as free text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from localcloud.fields import Refusal
from localcloud.kinds import Props
from localcloud.resources import _rds_rules
from localcloud.resources._known import entries

# "Supported node types", the same in us-east-1 and us-east-2 (DescribeReservedCacheNodesOfferings); r6gd needs data tiering, which the table does not have.
_UPTO_16 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_BURSTABLE = "micro small medium"
_SIZES = {
    **dict.fromkeys(("t2", "t3", "t4g"), _BURSTABLE),
    **dict.fromkeys(("m6g", "m7g", "m8g", "r6g", "r7g", "r8g", "c7gn", "c8gn"), _UPTO_16),
    **dict.fromkeys(("m5", "r5"), "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
    "m4": "large xlarge 2xlarge 4xlarge 10xlarge",
    "r4": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
}

# DescribeCacheEngineVersions; `6.x` is the AWS provider's word for the newest of 6.
_VERSIONS = {
    "redis": ("5.0.6", "6.0", "6.2", "6.x", "7.0", "7.1"),
    "valkey": ("7.2", "8.0", "8.1", "8.2", "9.0", "9.1"),
}
_FAMILIES = {"redis": {"5": "redis5.0", "6": "redis6.x", "7": "redis7"}, "valkey": {"7": "valkey7", "8": "valkey8", "9": "valkey9"}}
FAMILIES = tuple(family for families in _FAMILIES.values() for family in families.values())

# "Log delivery": the slow log from Redis OSS 6.0 on, the engine log from 6.2.
_LOGS_FROM = {"slow-log": (6, 0), "engine-log": (6, 2)}

# "Managing maintenance" and "Scheduling automatic backups": both windows are at least an hour long.
_SHORTEST_WINDOW = 60


def node_type(name: str) -> str | None:
    """What is wrong with the type of a node."""
    prefix, _, rest = name.partition(".")
    family, _, size = rest.partition(".")
    if prefix != "cache" or family not in _SIZES:
        return f"{name!r} is no node type; ElastiCache has cache.<family>.<size> of {', '.join(_SIZES)}"
    if size not in _SIZES[family].split():
        return f"{name!r} is no node type; cache.{family} comes in {', '.join(_SIZES[family].split())}"
    return None


def auth_token(value: str) -> str | None:
    """What is wrong with an AUTH token (CreateReplicationGroup, "AuthToken"); the answer does not repeat it."""
    if re.fullmatch(r"[A-Za-z0-9!&#$^<>-]{16,128}", value):
        return None
    return "must have 16 to 128 letters, digits and the characters ! & # $ ^ < > -"


def snapshot_window(window: str) -> str | None:
    """What is wrong with the daily window of backups."""
    return _rds_rules.backup_window(window, _SHORTEST_WINDOW)


def maintenance_window(window: str) -> str | None:
    """What is wrong with the weekly window of maintenance."""
    return _rds_rules.maintenance_window(window, _SHORTEST_WINDOW)


def family(engine: str, version: str) -> str | None:
    """The family that the parameter groups of this version have; None for a version that there is not."""
    return _FAMILIES.get(engine, {}).get(version.partition(".")[0])


def refusals(inputs: Props) -> Iterator[Refusal]:
    """The checks across a replication group's inputs."""
    yield from _engine(inputs)
    yield from _failover(inputs)
    yield from _encryption(inputs)
    yield from _logs(inputs)
    yield from _rds_rules.windows(inputs, "snapshotWindow", "maintenanceWindow")
    if inputs.get("snapshotWindow") and inputs.get("snapshotRetentionLimit") == 0:
        yield Refusal("snapshotWindow", "it is taken only with a snapshotRetentionLimit of a day or more")


def _engine(inputs: Props) -> Iterator[Refusal]:
    engine, version = inputs["engine"], inputs.get("engineVersion")
    if engine in _VERSIONS and isinstance(version, str) and re.fullmatch(r"[\d.x]+", version) and version not in _VERSIONS[engine]:
        yield Refusal("engineVersion", f"{version} is no version of {engine}; ElastiCache has {', '.join(_VERSIONS[engine])}")


def _failover(inputs: Props) -> Iterator[Refusal]:
    nodes, failover, zones = inputs.get("numCacheClusters"), inputs.get("automaticFailoverEnabled"), inputs.get("multiAzEnabled")
    if failover is True and (nodes is None or (isinstance(nodes, int) and nodes < 2)):
        yield Refusal("automaticFailoverEnabled", f"it asks for numCacheClusters of 2 or more, and there is {nodes or 1}: a replica takes the primary's place")
    if zones is True and not failover:
        yield Refusal("multiAzEnabled", "it is taken only with automaticFailoverEnabled")


def _encryption(inputs: Props) -> Iterator[Refusal]:
    transit = inputs.get("transitEncryptionEnabled")
    if inputs.get("kmsKeyId") and not inputs.get("atRestEncryptionEnabled"):
        yield Refusal("kmsKeyId", "it is taken only with atRestEncryptionEnabled")
    if inputs["engine"] == "valkey" and transit is None:
        yield Refusal("transitEncryptionEnabled", "it must be said for engine valkey")
    for name in ("authToken", "transitEncryptionMode"):
        if inputs.get(name) and not transit:
            yield Refusal(name, "it is taken only with transitEncryptionEnabled")
    if transit and not inputs.get("subnetGroupName"):
        yield Refusal("subnetGroupName", "it is required with transitEncryptionEnabled")
    if inputs.get("authTokenUpdateStrategy") and not inputs.get("authToken"):
        yield Refusal("authTokenUpdateStrategy", "it is taken only with an authToken")


def _logs(inputs: Props) -> Iterator[Refusal]:
    version, seen = str(inputs.get("engineVersion") or ""), list[str]()
    numbers = [int(part) for part in version.split(".")] if re.fullmatch(r"\d+(\.\d+)+", version) else []
    for position, each in enumerate(entries(inputs.get("logDeliveryConfigurations"))):
        kind = str(each.get("logType"))
        if kind in seen:
            yield Refusal(f"logDeliveryConfigurations[{position}].logType", f"{kind} is delivered twice")
        seen.append(kind)
        if inputs["engine"] == "redis" and numbers and kind in _LOGS_FROM and tuple(numbers[:2]) < _LOGS_FROM[kind]:
            least = ".".join(map(str, _LOGS_FROM[kind]))
            yield Refusal(f"logDeliveryConfigurations[{position}].logType", f"{kind} is delivered from version {least} on; engineVersion is {version}")
