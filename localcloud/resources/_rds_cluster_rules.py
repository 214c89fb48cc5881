"""What Amazon Aurora PostgreSQL takes for a cluster and its instances, from the Aurora user guide; botocore's model has most of it as free text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from localcloud.fields import Refusal
from localcloud.kinds import Props
from localcloud.resources import _rds_rules
from localcloud.resources._known import members

# "Supported DB engines for DB instance classes", Aurora PostgreSQL; the same in us-east-1 and us-east-2 (DescribeOrderableDBInstanceOptions).
_UPTO_16 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_UPTO_24 = f"{_UPTO_16} 24xlarge"
_SIZES = {
    **dict.fromkeys(("t3", "t4g"), "medium large"),
    **dict.fromkeys(("r6g", "r7g", "x2g"), _UPTO_16),
    "r5": _UPTO_24,
    "r6gd": _UPTO_16.removeprefix("large "),
    "r6i": f"{_UPTO_24} 32xlarge",
    "r6id": "24xlarge 32xlarge",
    **dict.fromkeys(("r7i", "r8g"), f"{_UPTO_24} 48xlarge"),
    "r8gd": f"{_UPTO_24.removeprefix('large ')} 48xlarge",
}
SERVERLESS = "db.serverless"

# "Amazon Aurora PostgreSQL updates" (DescribeDBEngineVersions): the minor versions of each major one that is still to be had.
_MINORS = {
    13: (9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 21, 22, 23),
    14: (6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 18, 19, 20, 22, 23),
    15: (2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 17, 18),
    16: (1, 2, 3, 4, 6, 8, 9, 10, 11, 13, 14),
    17: (4, 5, 6, 7, 9, 10),
    18: (3, 4),
}

# "Aurora Serverless v2 capacity": in Aurora capacity units (ACU), and from which minor version it may come down to nothing.
MIN_ACU, MAX_ACU = (0, 256), (1, 256)
_PAUSES_FROM = {13: 15, 14: 12, 15: 7, 16: 3}

# How long Performance Insights keeps what Database Insights shows in advanced mode, in days.
_ADVANCED_DAYS = 465


def instance_class(name: str) -> str | None:
    """What is wrong with the class of an instance of Aurora PostgreSQL."""
    if name == SERVERLESS:
        return None
    prefix, _, rest = name.partition(".")
    family, _, size = rest.partition(".")
    if prefix != "db" or family not in _SIZES:
        return f"{name!r} is no class of Aurora PostgreSQL; it has {SERVERLESS}, and db.<family>.<size> of {', '.join(_SIZES)}"
    if size not in _SIZES[family].split():
        return f"{name!r} is no class of Aurora PostgreSQL; there, db.{family} comes in {', '.join(_SIZES[family].split())}"
    return None


def engine_version(version: str) -> str | None:
    """What is wrong with a version of Aurora PostgreSQL: `16` (RDS chooses the minor version) or `16.6`."""
    major, minor = _version(version)
    if major not in _MINORS:
        return f"{version!r} is no version of Aurora PostgreSQL; its major versions are {', '.join(map(str, _MINORS))}"
    if minor is not None and minor not in _MINORS[major]:
        return f"{version!r} is no version of Aurora PostgreSQL; of {major} there are {', '.join(f'{major}.{each}' for each in _MINORS[major])}"
    return None


def _version(version: str) -> tuple[int, int | None]:
    if not re.fullmatch(r"\d+(\.\d+)?", version):
        return 0, None
    major, _, minor = version.partition(".")
    return int(major), int(minor) if minor else None


def family(version: str) -> str:
    """The family that the parameter groups of this version have."""
    return f"aurora-postgresql{version.partition('.')[0]}"


def half_steps(capacity: float) -> str | None:
    """What is wrong with a capacity of Aurora Serverless v2."""
    if capacity * 2 != int(capacity * 2):
        return f"{capacity} is not in steps of 0.5 ACU"
    return None


def refusals(inputs: Props) -> Iterator[Refusal]:
    """The checks across a cluster's inputs."""
    yield from _rds_rules.passwords(inputs, "masterPassword")
    yield from _rds_rules.monitoring(inputs)
    yield from _rds_rules.windows(inputs, "preferredBackupWindow", "preferredMaintenanceWindow")
    yield from _rds_rules.storage(inputs, "cluster")
    yield from _capacity(inputs)
    yield from _insights(inputs)


def _capacity(inputs: Props) -> Iterator[Refusal]:
    wanted, at = members(inputs.get("serverlessv2ScalingConfiguration")), "serverlessv2ScalingConfiguration"
    least, most, pause = wanted.get("minCapacity"), wanted.get("maxCapacity"), wanted.get("secondsUntilAutoPause")
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        yield Refusal(f"{at}.minCapacity", f"it is {least:g}, more than maxCapacity, which is {most:g}")
    if pause is not None and isinstance(least, int | float) and least > 0:
        yield Refusal(f"{at}.secondsUntilAutoPause", f"it is taken only with a minCapacity of 0, and that is {least:g}")
    major, minor = _version(str(inputs.get("engineVersion") or ""))
    if least == 0 and major in _PAUSES_FROM and minor is not None and minor < _PAUSES_FROM[major]:
        yield Refusal(f"{at}.minCapacity", f"it is 0, which Aurora PostgreSQL {major} takes from {major}.{_PAUSES_FROM[major]} on; before that, 0.5")


def _insights(inputs: Props) -> Iterator[Refusal]:
    """RDS API reference, CreateDBCluster, "DatabaseInsightsMode"."""
    days = inputs.get("performanceInsightsRetentionPeriod")
    if inputs.get("databaseInsightsMode") == "advanced":
        if not inputs.get("performanceInsightsEnabled"):
            yield Refusal("databaseInsightsMode", "advanced is taken only with performanceInsightsEnabled")
        if days is None or (isinstance(days, int) and days < _ADVANCED_DAYS):
            yield Refusal("databaseInsightsMode", f"advanced keeps {_ADVANCED_DAYS} days; performanceInsightsRetentionPeriod must be as long")
