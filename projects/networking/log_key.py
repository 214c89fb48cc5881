"""The key of all log groups; it is made here because flow logs are the first to write one."""

from __future__ import annotations

from shared.components.key import Key, KeyArgs, use_by_service
from shared.environment import Environment


def log_key(environment: Environment) -> Key:
    """The key that CloudWatch Logs encrypts the environment's log groups with."""
    groups = environment.arn("logs", "log-group:*")
    logs = use_by_service(environment, f"logs.{environment.region}.amazonaws.com", sid="CloudWatchLogs", context="aws:logs:arn", arn=groups)
    return Key("logs", environment, KeyArgs(description="Log groups", users=[logs]))
