"""Containers as they are deployed, as far as they can be run here: read from the cloud by `deployed_containers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a container's image holds, for this machine.

    folder: with the program and all that it imports; nothing in it changes while anything runs from it. entry_point, command, environment: as the image
    declares them, without what depends on its file system.
    """

    folder: Path
    entry_point: tuple[str, ...]
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class HealthCommand:
    """A container's own health check: `CMD` and a program, or `CMD-SHELL` and a line. Times in seconds."""

    command: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 5.0
    retries: int = 3
    start_period: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LogPlace:
    """Where the `awslogs` driver writes: the stream is `<prefix>/<container>/<task>`."""

    group: str
    prefix: str


@dataclass(frozen=True, kw_only=True)
class Container:
    """The one container of a task definition.

    arn: the definition's. entry_point, command: in place of the image's, empty where the image's hold. secrets: by variable, what ECS reads its value
    from (`valueFrom`). stop_timeout: seconds between SIGTERM and SIGKILL. role: the task's, empty where it has none.
    """

    arn: str
    name: str
    image: str
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    port: int | None = None
    health: HealthCommand | None = None
    stop_timeout: float = 30.0
    role: str = ""
    logs: LogPlace | None = None

    @property
    def definition(self) -> str:
        """Family and revision, `payments-web:3`."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class EcsService:
    """A service: `desired` tasks of a container. groups: ARNs of the target groups that its tasks are registered with.

    grace: seconds for which a load balancer's health checks end no task after its start.
    """

    name: str
    cluster: str
    container: Container
    desired: int
    groups: tuple[str, ...] = ()
    grace: float = 0.0
