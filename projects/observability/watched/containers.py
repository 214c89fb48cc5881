"""Containers, and the load balancer before them."""

from __future__ import annotations

from collections.abc import Iterator

from projects.observability import metrics
from projects.observability.alarms import MINUTE, Alarm
from projects.observability.settings import AlarmSettings
from shared.contracts import AppOutputs


def watched(settings: AlarmSettings, app: AppOutputs) -> Iterator[Alarm]:
    """The alarms of both services, and of the load balancer."""
    for service in metrics.SERVICES:
        yield from _service(settings, app, service)
    yield from _load_balancer(settings, app)


def _service(settings: AlarmSettings, app: AppOutputs, service: str) -> Iterator[Alarm]:
    for what, metric, threshold in (("cpu", "CPUUtilization", settings.service_cpu), ("memory", "MemoryUtilization", settings.service_memory)):
        yield Alarm(
            name=f"{service}-{what}",
            says=f"The tasks of {service} are short of {what}, although there are as many as its autoscaling may start: see maxTasks of app:containers",
            watches=metrics.of_service(app, service, metric, "Average"),
            threshold=threshold,
            # Autoscaling has begun after three minutes, and a new task takes one or two.
            periods=3,
            # Without tasks there is nothing to measure, and the next alarm rings.
            silence="notBreaching",
        )
    yield Alarm(
        name=f"{service}-tasks-missing",
        says=f"Fewer tasks of {service} run than are wanted: see the service's events, and the log of tasks that stopped",
        # At no moment of a period did as many run as were wanted all the time.
        watches=[metrics.of_tasks(app, service, "DesiredTaskCount", "Minimum"), metrics.of_tasks(app, service, "RunningTaskCount", "Maximum")],
        combined="difference",
        threshold=1,
        periods=2,
        # Container Insights reports every minute that the service is there.
        silence="breaching",
    )


def _load_balancer(settings: AlarmSettings, app: AppOutputs) -> Iterator[Alarm]:
    # The load balancer has no values where there are no requests, or no such answers.
    yield Alarm(
        name="api-server-errors",
        says="The containers answer 5xx: see the log of web",
        watches=[metrics.of_targets(app, name, "Sum") for name in ("HTTPCode_Target_5XX_Count", "RequestCount")],
        combined="share",
        threshold=settings.api_server_errors,
        period=MINUTE,
        # One failure in a quiet minute is a large part of few requests.
        periods=3,
        silence="notBreaching",
    )
    yield Alarm(
        name="load-balancer-errors",
        says="The load balancer itself answers 5xx: no task is healthy, or none answers in time",
        watches=metrics.of_load_balancer(app, "HTTPCode_ELB_5XX_Count", "Sum"),
        threshold=settings.load_balancer_errors,
        silence="notBreaching",
    )
    yield Alarm(
        name="unhealthy-hosts",
        says="Tasks fail the load balancer's health check: see the log of web, and what its /ready says of the database",
        watches=metrics.of_targets(app, "UnHealthyHostCount", "Maximum"),
        threshold=1,
        period=MINUTE,
        # ECS replaces a task that fails its checks; after so long it did not help.
        periods=5,
        silence="notBreaching",
    )
    yield Alarm(
        name="api-latency",
        says="The containers answer too slowly: see the database and the cache, and whether web has enough tasks",
        watches=metrics.of_targets(app, "TargetResponseTime", "p95"),
        threshold=settings.api_latency,
        period=MINUTE,
        periods=5,
        silence="notBreaching",
    )
