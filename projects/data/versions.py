"""Versions of PostgreSQL that RDS and Aurora have, and of Redis that ElastiCache has.

A page names a major version, whose newest minor AWS takes and keeps current, or one with its minor. Minors appear every few months: what is
listed is therefore what Aurora left out, and where a capability begins, not what there is.
Sources: RDS user guide, "Supported PostgreSQL versions"; Aurora user guide, "Aurora PostgreSQL updates" and "Aurora Serverless v2, capacity
ranges"; for Aurora PostgreSQL 18 the engine versions that cfn-lint 1.58 has from AWS; ElastiCache user guide, "Supported engine versions".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_AURORA_FIRST = {14: 3, 15: 2, 16: 1, 17: 4, 18: 3}
_AURORA_LEFT_OUT = {14: {14, 16, 21}, 15: {9, 11, 16}, 16: {5, 7, 12}, 17: {8}, 18: {5}}

# From which minor on Serverless v2 can pause at 0 ACU, and go up to 256; before it, it has 0.5 to 128.
# 17 and 18 have both since their first minor: Aurora took them up after the minors that brought it to the others (pausing to 14.12, 15.7 and 16.3).
_PAUSES = {14: 12, 15: 7, 16: 3, 17: 4, 18: 3}
_LARGE = {14: 10, 15: 5, 16: 1, 17: 4, 18: 3}

_REDIS = ("7.0", "7.1")


@dataclass(frozen=True)
class CapacityRange:
    """What Serverless v2 offers to one version of PostgreSQL, in Aurora capacity units (ACU, about 2 GiB of memory each)."""

    least: float
    most: float


def postgresql(value: object) -> str:
    """A version of PostgreSQL on RDS; ValueError when it has no such. 17 and 17.5 without quotes are numbers in YAML."""
    if isinstance(value, bool) or not re.fullmatch(r"1[4-8](\.\d{1,2})?", str(value)):
        raise ValueError('must be a major version of PostgreSQL that RDS has, "14" to "18", or one with its minor, such as "17.5"')
    return str(value)


def aurora(value: object) -> str:
    """A version of Aurora PostgreSQL; ValueError when there is none."""
    if isinstance(value, bool) or not re.fullmatch(r"1[4-8](\.\d{1,2})?", str(value)):
        raise ValueError('must be a major version of PostgreSQL that Aurora has, "14" to "18", or one with its minor, such as "17.5"')
    major, minor = _parts(str(value))
    if minor is not None and (minor < _AURORA_FIRST[major] or minor in _AURORA_LEFT_OUT[major]):
        left_out = ", ".join(f"{major}.{one}" for one in sorted(_AURORA_LEFT_OUT[major]))
        raise ValueError(f"Aurora has no PostgreSQL {value}: its minors of {major} begin with {major}.{_AURORA_FIRST[major]} and leave out {left_out}")
    return str(value)


def redis(value: object) -> str:
    """A version of Redis OSS on ElastiCache; ValueError when it is none of 7.x."""
    if str(value) not in _REDIS or isinstance(value, bool):
        raise ValueError(f'must be a version of Redis OSS 7 that ElastiCache has: "{_REDIS[0]}" or "{_REDIS[1]}"')
    return str(value)


def major(version: str) -> int:
    """The major version, which parameter groups are for."""
    return _parts(version)[0]


def capacity(version: str) -> CapacityRange:
    """What Serverless v2 offers to this version; a major alone is its newest minor."""
    number, minor = _parts(version)
    pauses = minor is None or minor >= _PAUSES[number]
    large = minor is None or minor >= _LARGE[number]
    return CapacityRange(0.0 if pauses else 0.5, 256.0 if large else 128.0)


def _parts(version: str) -> tuple[int, int | None]:
    number, _, minor = version.partition(".")
    return int(number), int(minor) if minor else None
