"""The instance classes that RDS has for PostgreSQL (RDS user guide, "DB instance classes": hardware specifications, supported engines)."""

from __future__ import annotations

_BURSTABLE = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
_UP_TO_16 = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
_UP_TO_24 = (*_UP_TO_16, "24xlarge")
_UP_TO_32 = (*_UP_TO_24, "32xlarge")
_UP_TO_48 = (*_UP_TO_24, "48xlarge")

_SIZES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("t3", "t4g"), _BURSTABLE),
    **dict.fromkeys(("m6g", "m6gd", "m7g", "r6g", "r6gd", "r7g", "x2g"), _UP_TO_16),
    **dict.fromkeys(("m5", "m5d", "r5", "r5b", "r5d"), _UP_TO_24),
    **dict.fromkeys(("m6i", "m6id", "m6idn", "m6in", "r6i", "r6id", "r6idn", "r6in"), _UP_TO_32),
    **dict.fromkeys(("m7i", "m8g", "r7i", "r8g"), _UP_TO_48),
    "x2idn": ("16xlarge", "24xlarge", "32xlarge"),
    "x2iedn": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "24xlarge", "32xlarge"),
}


def class_problem(instance_class: str) -> str | None:
    """Why PostgreSQL cannot run on this class, or None."""
    prefix, _, rest = instance_class.partition(".")
    family, _, size = rest.partition(".")
    if prefix != "db" or not family or not size:
        return "must be db.<family>.<size>, such as db.t4g.small"
    if family not in _SIZES:
        return f"RDS has no PostgreSQL on {family}; families are {', '.join(sorted(_SIZES))}"
    if size not in _SIZES[family]:
        return f"{family} has no size {size}; sizes are {', '.join(_SIZES[family])}"
    return None
