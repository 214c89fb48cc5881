"""What RDS takes for an instance, from the RDS user guide; botocore's model has most of it as free strings and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from localcloud.fields import Refusal
from localcloud.kinds import Props

# "Supported DB engines for DB instance classes", RDS for PostgreSQL.
_UPTO_16 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_UPTO_24 = f"{_UPTO_16} 24xlarge"
_UPTO_32 = f"{_UPTO_24} 32xlarge"
_UPTO_48 = f"{_UPTO_24} 48xlarge"
_BURSTABLE = "micro small medium large xlarge 2xlarge"
_SIZES = {
    **dict.fromkeys(("t3", "t4g"), _BURSTABLE),
    **dict.fromkeys(("m6g", "m6gd", "m7g", "r6g", "r6gd", "r7g", "x2g"), _UPTO_16),
    **dict.fromkeys(("m5", "m5d", "r5", "r5b", "r5d"), _UPTO_24),
    **dict.fromkeys(("m6i", "m6id", "m6idn", "m6in", "r6i", "r6id", "r6idn", "r6in"), _UPTO_32),
    **dict.fromkeys(("m7i", "m8g", "m8gd", "r7i", "r8g", "r8gd"), _UPTO_48),
    "x2idn": "16xlarge 24xlarge 32xlarge",
    "x2iedn": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge",
}

# "DB instance storage", for PostgreSQL: GiB of each storage type, and IOPS and MiB/s of those where they are chosen.
_STORAGE = {"gp2": (20, 65_536), "gp3": (20, 65_536), "io1": (100, 65_536), "io2": (100, 65_536), "standard": (5, 3_072)}
_IOPS = {"gp3": (12_000, 64_000), "io1": (1_000, 256_000), "io2": (1_000, 256_000)}
_THROUGHPUT = {"gp3": (500, 4_000)}
# Below this, gp3 has 3,000 IOPS and 125 MiB/s, and RDS refuses any other.
_STRIPED = 400

# "Reserved words" of PostgreSQL's engine that RDS refuses as a master user.
_RESERVED_USERS = ("admin", "rdsadmin", "rdsrepladmin", "rds_superuser", "rdstopmgr")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = 7 * 24 * 60
_DAY = 24 * 60
_SHORTEST_WINDOW = 30
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
_DAILY = re.compile(f"{_TIME}-{_TIME}")
_WEEKLY = re.compile(f"({'|'.join(_DAYS)}):{_TIME}-({'|'.join(_DAYS)}):{_TIME}")


def instance_class(name: str) -> str | None:
    """What is wrong with the name of an instance class."""
    prefix, _, rest = name.partition(".")
    family, _, size = rest.partition(".")
    if prefix != "db" or family not in _SIZES:
        return f"{name!r} is no DB instance class; RDS has db.<family>.<size> of {', '.join(_SIZES)}"
    if size not in _SIZES[family].split():
        return f"{name!r} is no DB instance class; db.{family} comes in {', '.join(_SIZES[family].split())}"
    return None


def user(name: str) -> str | None:
    """What is wrong with the name of the master user."""
    return f"{name!r} is a word that RDS keeps for itself" if name.lower() in _RESERVED_USERS else None


def insights_days(days: int) -> str | None:
    """What is wrong with the days that Performance Insights keeps: a week, months of 31 days up to 23, or two years."""
    if days in (7, 731) or (days % 31 == 0 and 1 <= days // 31 <= 23):
        return None
    return f"{days} is none of 7, 731, and 31 times 1 to 23"


def password(value: str) -> str | None:
    """What is wrong with a master password; the answer does not repeat it."""
    if re.fullmatch(r"[!#-.0-?A-~]{8,128}", value):
        return None
    return "must have 8 to 128 printable ASCII characters without space, slash, double quote and at sign"


def backup_window(window: str, shortest: int = _SHORTEST_WINDOW) -> str | None:
    """What is wrong with a daily window that lasts at least `shortest` minutes."""
    if not _DAILY.fullmatch(window):
        return f"{window!r} is not hh:mm-hh:mm"
    start, end = (_minutes(part) for part in window.split("-"))
    return _too_short(window, (end - start) % _DAY, shortest)


def maintenance_window(window: str, shortest: int = _SHORTEST_WINDOW) -> str | None:
    """What is wrong with a weekly window that lasts at least `shortest` minutes; AWS answers it in lower case."""
    if not _WEEKLY.fullmatch(window):
        return f"{window!r} is not ddd:hh:mm-ddd:hh:mm with days {', '.join(_DAYS)}"
    start, end = (_weekly(part) for part in window.split("-"))
    return _too_short(window, (end - start) % _WEEK, shortest)


def _too_short(window: str, minutes: int, shortest: int) -> str | None:
    return f"{window} is {minutes} minutes; AWS takes at least {shortest}" if minutes < shortest else None


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _weekly(time: str) -> int:
    day, _, clock = time.partition(":")
    return _DAYS.index(day) * _DAY + _minutes(clock)


def refusals(inputs: Props) -> Iterator[Refusal]:
    """The checks across an instance's inputs."""
    yield from _size(inputs)
    yield from _speed(inputs)
    yield from passwords(inputs, "password")
    yield from monitoring(inputs)
    yield from windows(inputs, "backupWindow", "maintenanceWindow")
    if inputs.get("multiAz") is True and inputs.get("availabilityZone"):
        yield Refusal("availabilityZone", "it excludes multiAz: RDS chooses the zones of a Multi-AZ instance")
    yield from storage(inputs, "instance")


def storage(inputs: Props, what: str) -> Iterator[Refusal]:
    """What goes with encrypted storage, and with its end."""
    if inputs.get("kmsKeyId") and not inputs.get("storageEncrypted"):
        yield Refusal("kmsKeyId", "it is taken only with storageEncrypted")
    if not inputs.get("skipFinalSnapshot") and not inputs.get("finalSnapshotIdentifier"):
        yield Refusal("finalSnapshotIdentifier", f"it is required unless skipFinalSnapshot is true; without it the {what} could not be deleted")


def _storage_type(inputs: Props) -> str:
    return str(inputs.get("storageType") or ("io1" if inputs.get("iops") else "gp2"))


def _size(inputs: Props) -> Iterator[Refusal]:
    kind, size, most = _storage_type(inputs), inputs.get("allocatedStorage"), inputs.get("maxAllocatedStorage")
    if isinstance(size, int) and kind in _STORAGE:
        yield from _between("allocatedStorage", size, _STORAGE[kind], f"GiB of {kind}")
        if isinstance(most, int) and most and most * 10 < size * 11:
            yield Refusal("maxAllocatedStorage", f"it is {most}; it must be at least 10 % more than allocatedStorage, which is {size}")


def _speed(inputs: Props) -> Iterator[Refusal]:
    kind, size = _storage_type(inputs), inputs.get("allocatedStorage")
    iops, throughput = inputs.get("iops"), inputs.get("storageThroughput")
    if kind not in _STORAGE:
        return
    if iops is None and kind in ("io1", "io2"):
        yield Refusal("iops", f"it is required for {kind}")
    for name, value, limits in (("iops", iops, _IOPS.get(kind)), ("storageThroughput", throughput, _THROUGHPUT.get(kind))):
        if value is None:
            continue
        if limits is None:
            yield Refusal(name, f"it is not taken for {kind}")
        elif kind == "gp3" and isinstance(size, int) and size < _STRIPED:
            yield Refusal(name, f"it is not taken for gp3 below {_STRIPED} GiB; allocatedStorage is {size}")
        elif isinstance(value, int):
            yield from _between(name, value, limits, f"for {kind}")


def _between(name: str, value: int, limits: tuple[int, int], what: str) -> Iterator[Refusal]:
    least, most = limits
    if not least <= value <= most:
        yield Refusal(name, f"it is {value}; RDS takes {least} to {most} {what}")


def passwords(inputs: Props, own: str) -> Iterator[Refusal]:
    """Either RDS keeps the master password, or the input that is called `own` says it."""
    managed = inputs.get("manageMasterUserPassword")
    if managed is True and inputs.get(own):
        yield Refusal(own, "it excludes manageMasterUserPassword: RDS makes the password and keeps it in Secrets Manager")
    if not managed and not inputs.get(own):
        yield Refusal(own, "it is required, or manageMasterUserPassword set to true")
    if inputs.get("masterUserSecretKmsKeyId") and not managed:
        yield Refusal("masterUserSecretKmsKeyId", "it is taken only with manageMasterUserPassword")


def monitoring(inputs: Props) -> Iterator[Refusal]:
    """Enhanced Monitoring and its role, Performance Insights and what goes with it."""
    interval, role = inputs.get("monitoringInterval"), inputs.get("monitoringRoleArn")
    if isinstance(interval, int) and interval and not role:
        yield Refusal("monitoringRoleArn", f"it is required for a monitoringInterval of {interval}")
    if role and not interval:
        yield Refusal("monitoringInterval", "must not be 0 when monitoringRoleArn is set")
    for name in ("performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod"):
        if inputs.get(name) and not inputs.get("performanceInsightsEnabled"):
            yield Refusal(name, "it is taken only with performanceInsightsEnabled")


def windows(inputs: Props, daily_input: str, weekly_input: str) -> Iterator[Refusal]:
    """RDS and ElastiCache refuse a maintenance window that meets the backup window of any day."""
    backup, maintenance = str(inputs.get(daily_input) or ""), str(inputs.get(weekly_input) or "")
    if meets(backup, maintenance):
        yield Refusal(weekly_input, f"{maintenance} meets {daily_input} {backup}")


def meets(backup: str, maintenance: str) -> bool:
    """Whether the weekly window has a minute in common with that of some day; False where either is no window."""
    if not _DAILY.fullmatch(backup) or not _WEEKLY.fullmatch(maintenance):
        return False
    daily, weekly = [_minutes(part) for part in backup.split("-")], [_weekly(part) for part in maintenance.split("-")]
    length = (weekly[1] - weekly[0]) % _WEEK
    starts = (daily[0] - weekly[0]) % _DAY
    return starts < length or starts + (daily[1] - daily[0]) % _DAY > _DAY
