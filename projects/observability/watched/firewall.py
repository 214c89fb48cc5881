"""The web ACL before the load balancer or the API."""

from __future__ import annotations

from projects.observability import metrics
from projects.observability.alarms import Alarm
from projects.observability.settings import AlarmSettings
from shared.contracts import AppOutputs
from shared.environment import Environment


def watched(settings: AlarmSettings, environment: Environment, app: AppOutputs) -> Alarm:
    """The alarm on blocked requests."""
    return Alarm(
        name="requests-blocked",
        says="The web ACL blocks many requests: an attack, or a client that asks too often; see the firewall's log",
        watches=metrics.of_web_acl(app, environment, "BlockedRequests"),
        threshold=settings.requests_blocked,
        # WAF has a value here only when it blocks.
        silence="notBreaching",
    )
