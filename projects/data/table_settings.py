"""The `data:tables` keys of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.page import Settings

# DynamoDB's default quota for one table; more is asked for at Service Quotas.
Capacity = Annotated[int, Field(ge=1, le=40_000)]

_CAPACITIES = ("readCapacity", "writeCapacity")
_MAXIMA = ("maxReadCapacity", "maxWriteCapacity")


class CapacitySettings(Settings):
    """Capacity of a table, and of each of its indexes, in units per second: fixed, or what it begins with, and the most that it grows to."""

    read_capacity: Capacity | None = None
    write_capacity: Capacity | None = None
    max_read_capacity: Capacity | None = None
    max_write_capacity: Capacity | None = None

    @property
    def most_read(self) -> int | None:
        """The most that it reads per second; None where it is paid by request."""
        return self.max_read_capacity or self.read_capacity

    @property
    def most_write(self) -> int | None:
        """The most that it writes per second; None where it is paid by request."""
        return self.max_write_capacity or self.write_capacity

    def given(self) -> dict[str, int | None]:
        """The capacities by the names that a page has for them."""
        return {
            "readCapacity": self.read_capacity,
            "writeCapacity": self.write_capacity,
            "maxReadCapacity": self.max_read_capacity,
            "maxWriteCapacity": self.max_write_capacity,
        }


class TableSettings(CapacitySettings):
    """DynamoDB tables.

    billing: by request, by a fixed capacity, or by one that follows the load between `*_capacity` and `max_*_capacity` (units per second).
    payments: the capacity of the table `payments` and its index, which a payment asks much more of than of the others; left out, as theirs.
    point_in_time_recovery: any second of the last 35 days can be restored.
    """

    billing: Literal["on-demand", "provisioned", "autoscaled"]
    payments: CapacitySettings | None = None
    point_in_time_recovery: bool = False

    def of(self, table: str) -> tuple[CapacitySettings, str]:
        """The capacity of a table, and the section of the page that says it."""
        return (self.payments, "tables.payments") if table == "payments" and self.payments else (self, "tables")

    @model_validator(mode="after")
    def _consistent(self) -> TableSettings:
        for where, capacity in (("", self), ("payments: ", self.payments)):
            if capacity is not None and (rule := _rule(self.billing, capacity.given())):
                raise ValueError(f"{where}{rule}")
        return self


def _rule(billing: str, given: Mapping[str, int | None]) -> str:
    """What is wrong with a table's capacities; empty when nothing is."""
    wanted = {"on-demand": (), "provisioned": _CAPACITIES, "autoscaled": (*_CAPACITIES, *_MAXIMA)}[billing]
    missing = [name for name in wanted if given[name] is None]
    excess = [name for name, value in given.items() if value is not None and name not in wanted]
    rules = [f"needs {', '.join(missing)}"] if missing else []
    rules += [f"has no {', '.join(excess)}"] if excess else []
    if rules:
        return f"billing {billing} {' and '.join(rules)}"
    for least, most in zip(_CAPACITIES, _MAXIMA, strict=True):
        low, high = given[least], given[most]
        if low is not None and high is not None and high <= low:
            return f"{most} must be more than {least}; this page has {high} and {low}"
    return ""
