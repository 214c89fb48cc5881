"""The instance classes and node types that AWS has for the platform's engines, in the regions us-east-1 and us-east-2 alike.

Sources: RDS user guide, "Supported DB engines for DB instance classes"; Aurora user guide, the same; ElastiCache user guide, "Supported node types".
Previous generations are left out, and what wants more than its name: data tiering (cache.r6gd).
"""

from __future__ import annotations

_BURSTABLE = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
_UP_TO_16 = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
_UP_TO_24 = (*_UP_TO_16, "24xlarge")
_UP_TO_32 = (*_UP_TO_24, "32xlarge")
_UP_TO_48 = (*_UP_TO_24, "48xlarge")

_POSTGRESQL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("t3", "t4g"), _BURSTABLE),
    **dict.fromkeys(("m6g", "m6gd", "m7g", "r6g", "r6gd", "r7g", "x2g"), _UP_TO_16),
    **dict.fromkeys(("m5", "m5d", "r5", "r5b", "r5d"), _UP_TO_24),
    **dict.fromkeys(("m6i", "m6id", "m6idn", "m6in", "r6i", "r6id", "r6idn", "r6in"), _UP_TO_32),
    **dict.fromkeys(("m7i", "m8g", "m8gd", "r7i", "r8g", "r8gd"), _UP_TO_48),
}

# Aurora is for databases that stay in memory: it has no general-purpose classes, and of the burstable ones the larger.
_AURORA_POSTGRESQL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("t3", "t4g"), ("medium", "large")),
    **dict.fromkeys(("r6g", "r7g", "x2g"), _UP_TO_16),
    "r6gd": _UP_TO_16[1:],
    "r5": _UP_TO_24,
    "r6i": _UP_TO_32,
    "r6id": ("24xlarge", "32xlarge"),
    **dict.fromkeys(("r7i", "r8g"), _UP_TO_48),
    "r8gd": _UP_TO_48[1:],
}

_REDIS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("t3", "t4g"), ("micro", "small", "medium")),
    **dict.fromkeys(("m6g", "m7g", "r6g", "r7g", "c7gn"), _UP_TO_16),
    **dict.fromkeys(("m5", "r5"), ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge")),
}


def postgresql_problem(instance_class: str) -> str | None:
    """Why PostgreSQL on RDS cannot run on this class, or None."""
    return _problem(instance_class, "db", _POSTGRESQL, engine="RDS has no PostgreSQL on", example="db.t4g.small")


def aurora_problem(instance_class: str) -> str | None:
    """Why Aurora PostgreSQL cannot run on this class, or None."""
    if instance_class == "db.serverless":
        return "is for kind aurora-serverless, which has a capacity and no class"
    return _problem(instance_class, "db", _AURORA_POSTGRESQL, engine="Aurora has no PostgreSQL on", example="db.r7g.large")


def redis_problem(node_type: str) -> str | None:
    """Why Redis cannot run on this type of node, or None."""
    return _problem(node_type, "cache", _REDIS, engine="ElastiCache has no Redis on", example="cache.t4g.micro")


def _problem(name: str, first: str, sizes: dict[str, tuple[str, ...]], *, engine: str, example: str) -> str | None:
    prefix, _, rest = name.partition(".")
    family, _, size = rest.partition(".")
    if prefix != first or not family or not size:
        return f"must be {first}.<family>.<size>, such as {example}"
    if family not in sizes:
        return f"{engine} {family}; families are {', '.join(sorted(sizes))}"
    if size not in sizes[family]:
        return f"{engine} {family}.{size}; {family} has no size {size}, sizes are {', '.join(sizes[family])}"
    return None
