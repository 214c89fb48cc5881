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


Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(gt=0)]


class AlarmSettings(Settings):
    """When an alarm rings. A threshold is for what the environment has; one for what it has not changes nothing.

    function_errors: failed invocations of one function within 5 minutes, and as many requests that it answered with 5xx.
    api_server_errors: per cent of the requests. api_latency: seconds within which 95 of 100 requests to the containers are answered.
    service_cpu, service_memory: per cent of what a service's tasks have; autoscaling acts at less. load_balancer_errors: 5xx of the load balancer's own
    within 5 minutes, when no task answered. requests_blocked: requests that the web ACL blocks within 5 minutes.
    database_cpu: per cent of the instance, or of a cluster's writer or readers. database_capacity: per cent of a serverless cluster's maxCapacity.
    database_free_storage: GiB; at a tenth of what is allocated RDS begins to make the storage larger, so a threshold above that rings at each growth;
    a cluster's storage is Aurora's own business. database_free_memory: GiB of any instance of a cluster. database_lag: seconds that a cluster's reader
    is behind its writer.
    cache_cpu, cache_memory: per cent of a node's. cache_evictions: keys within 5 minutes that Redis dropped before their time, sessions among them.
    table_throttles: requests within 5 minutes that a DynamoDB table turned away, twice in a row.
    audit_lag: seconds that a change of a payment may wait for the audit bucket.
    work_age: seconds that the oldest message may have waited; a message that fails comes again after six times the functions' timeout.
    messages_failed: messages that the worker hands back within 5 minutes. processor_unavailable: calls of the payment processor that failed for good
    within 5 minutes, twice in a row.
    """

    function_errors: Count = 5
    api_server_errors: Percent = 5
    api_latency: Amount = 1
    service_cpu: Percent = 90
    service_memory: Percent = 90
    load_balancer_errors: Count = 5
    requests_blocked: Count = 1000
    database_cpu: Percent = 80
    database_capacity: Percent = 90
    database_free_storage: Amount = 2
    database_free_memory: Amount = 0.25
    database_lag: Amount = 1
    cache_cpu: Percent = 80
    cache_memory: Percent = 80
    cache_evictions: Count = 100
    table_throttles: Count = 1
    audit_lag: Annotated[int, Field(ge=60)] = 900
    work_age: Annotated[int, Field(ge=60, le=1_209_600)] = 900
    messages_failed: Count = 10
    processor_unavailable: Count = 5


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
    """All of `observability:`.

    alarms: left out, there are none; dashboard, trail and topic are there all the same.
    """

    alarms: AlarmSettings | None = None
    notifications: NotificationSettings
    trail: TrailSettings = TrailSettings()


def problems(settings: ObservabilitySettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """Rules across the page, as (key, value, rule)."""
    if not environment.platform.high_availability:
        return
    if settings.alarms is None:
        yield (
            "alarms",
            None,
            "platform:highAvailability survives the first failure; without alarms nobody hears of it before the second (alarms: {} has defaults)",
        )
    elif not settings.notifications.paging:
        yield "notifications.paging", False, "platform:highAvailability survives the first failure; somebody must hear of it before the second (paging: true)"
