"""The `observability:` keys of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from shared.environment import Environment
from shared.page import Settings

# SNS takes more; what it takes and what people mean by an address differ.
Email = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}$", max_length=254)]
Percent = Annotated[float, Field(gt=0, le=100)]


class AlarmSettings(Settings):
    """When an alarm rings.

    function_errors: failed invocations of one function within 5 minutes. database_cpu: per cent. database_free_storage: GiB; at a tenth of what is
    allocated RDS begins to make the storage larger, so a threshold above that rings at each growth. work_age: seconds that the oldest message may
    have waited; a message that fails comes again after six times the functions' timeout. api_server_errors: per cent of the requests.
    messages_failed: messages that the worker hands back within 5 minutes. processor_unavailable: calls of the payment processor that failed for good
    within 5 minutes, twice in a row.
    nat: watch the way out; a network without one (`networking:egress.kind: none`) has nothing to watch.
    """

    function_errors: Annotated[int, Field(ge=1)]
    database_cpu: Percent
    database_free_storage: Annotated[float, Field(gt=0)] = 2
    work_age: Annotated[int, Field(ge=60, le=1_209_600)] = 900
    api_server_errors: Percent = 5
    messages_failed: Annotated[int, Field(ge=1)] = 10
    processor_unavailable: Annotated[int, Field(ge=1)] = 5
    nat: bool = True


class NotificationSettings(Settings):
    """Who is told.

    paging: alarms send to the topic when they ring and when it is over; without it they only show on the dashboard.
    emails: addresses that get what the topic gets; each is asked by AWS to confirm first.
    """

    paging: bool
    emails: tuple[Email, ...] = ()

    @field_validator("emails")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        lower = [address.lower() for address in value]
        if repeated := sorted({address for address in lower if lower.count(address) > 1}):
            raise ValueError(f"has {', '.join(repeated)} more than once; each address is told once")
        return value


class TrailSettings(Settings):
    """table_events: the trail also records who read or wrote which item of the tables, at AWS's price for each of those calls."""

    table_events: bool = True


class ObservabilitySettings(Settings):
    """All of `observability:`."""

    alarms: AlarmSettings
    notifications: NotificationSettings
    trail: TrailSettings = TrailSettings()


def problems(settings: ObservabilitySettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """Rules across the page, as (key, value, rule)."""
    if environment.platform.high_availability and not settings.notifications.paging:
        yield "notifications.paging", False, "platform:highAvailability survives the first failure; somebody must hear of it before the second (paging: true)"
