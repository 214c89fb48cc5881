"""Running a deployed task definition to its end, and reading what it said: by ECS on AWS, by what serves on this machine."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.report import plain

if TYPE_CHECKING:
    from ops.deployed import Deployed

_TASKS = "/_serve/tasks"

# Fargate takes a minute to place a task and pull its image; the rest is for the task's own work.
SECONDS = 900.0
_PAUSE = 3.0
_LAST_LINES = 5


class TaskError(RuntimeError):
    """A task could not be run, or ended badly; says which, with its last lines."""


@dataclass(frozen=True)
class Ran:
    """A task that has ended. lines: the last that it logged."""

    exit_code: int | None
    lines: tuple[str, ...]
    reason: str = ""

    def checked(self, name: str) -> Ran:
        """Itself, where the task did its job; raises TaskError."""
        if self.exit_code == 0:
            return self
        how = "did not start" if self.exit_code is None else f"ended with status {self.exit_code}"
        last = "".join(f"\n  {plain(line)}" for line in self.lines[-_LAST_LINES:])
        raise TaskError(f"task {name} {how}{f': {plain(self.reason)}' if self.reason else ''}{last}")


def served(endpoint: str, definition: str, *, seconds: float = SECONDS) -> Ran:
    """Has what serves on this machine run a task definition to its end. Raises TaskError."""
    body = json.dumps({"taskDefinition": definition}).encode()
    request = urllib.request.Request(f"{endpoint}{_TASKS}", body, {"Content-Type": "application/json"})  # noqa: S310 - loopback, by http
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            message = json.loads(error.read())["message"]
        except (ValueError, KeyError, TypeError):
            message = str(error)
        raise TaskError(f"task {_named(definition)} cannot be run: {message}") from None
    except (OSError, ValueError) as error:
        raise TaskError(f"task {_named(definition)}: what serves at {endpoint} does not answer: {error}") from None
    return Ran(said["exitCode"], tuple(said["lines"]))


def on_ecs(where: Deployed, definition: str, *, seconds: float = SECONDS, pause: Callable[[float], None] = time.sleep) -> Ran:
    """Has ECS run a task definition once, in the network of the environment's services, and waits for its end. Raises TaskError."""
    client, cluster = where.client("ecs"), where.output("app", "clusterName")
    try:
        started = client.run_task(
            cluster=cluster,
            taskDefinition=definition,
            count=1,
            launchType="FARGATE",
            startedBy="invoke",
            networkConfiguration=_network(client, cluster, where),
        )
        if not started["tasks"]:
            raise TaskError(f"task {_named(definition)} cannot be started: {_failures(started)}")
        task: dict[str, Any] = _ended(client, cluster, started["tasks"][0], time.monotonic() + seconds, pause)
        container = task["containers"][0]
        reason = " ".join(part for part in (task.get("stoppedReason"), container.get("reason")) if part)
        return Ran(container.get("exitCode"), _lines(where, definition, task), reason)
    except (ClientError, BotoCoreError) as error:
        raise TaskError(f"task {_named(definition)} cannot be run: {error}") from None


def _network(client: Any, cluster: str, where: Deployed) -> dict[str, Any]:
    """Subnets and security groups of a service: the task reaches what the services do."""
    names = sorted(where.services().values())
    found: list[dict[str, Any]] = client.describe_services(cluster=cluster, services=names[:1])["services"]
    if not found:
        raise TaskError(f"cluster {cluster} has no service {names[0] if names else ''}. Next: invoke deploy {where.options}")
    return dict(found[0]["networkConfiguration"])


def _ended(client: Any, cluster: str, task: dict[str, Any], deadline: float, pause: Callable[[float], None]) -> dict[str, Any]:
    arn = task["taskArn"]
    while task["lastStatus"] != "STOPPED":
        if time.monotonic() >= deadline:
            raise TaskError(f"task {arn} has not ended; it is {task['lastStatus']}. Look at it in the ECS console, and stop it there if it hangs")
        pause(_PAUSE)
        described = client.describe_tasks(cluster=cluster, tasks=[arn])
        if not described["tasks"]:
            raise TaskError(f"task {arn} is gone: {_failures(described)}")
        task = described["tasks"][0]
    return task


def _lines(where: Deployed, definition: str, task: dict[str, Any]) -> tuple[str, ...]:
    """The last lines of the task's own log stream; none where it never came to log anything."""
    container = where.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]["containerDefinitions"][0]
    options: dict[str, str] = (container.get("logConfiguration") or {}).get("options") or {}
    stream = f"{options.get('awslogs-stream-prefix', '')}/{container['name']}/{task['taskArn'].rpartition('/')[2]}"
    client = where.client("logs")
    try:
        found = client.get_log_events(logGroupName=options.get("awslogs-group", ""), logStreamName=stream, limit=200, startFromHead=False)
    except client.exceptions.ResourceNotFoundException:
        return ()
    return tuple(event["message"] for event in found["events"])


def _failures(answer: dict[str, Any]) -> str:
    said = [f"{failure.get('reason', '')} {failure.get('detail', '')}".strip() for failure in answer.get("failures") or []]
    return "; ".join(said) or "ECS gives no reason"


def _named(definition: str) -> str:
    return definition.rpartition("/")[2]
