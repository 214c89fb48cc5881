"""The `app:containers` keys of a page: the service as tasks on Fargate, behind a load balancer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from projects.app.domain_settings import DomainSettings, copied
from shared.environment import Environment
from shared.page import Settings

# MiB by CPU units (ECS Developer Guide, "Task CPU and memory").
_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16_384 + 1, 1024)),
    4096: tuple(range(8192, 30_720 + 1, 1024)),
    8192: tuple(range(16_384, 61_440 + 1, 4096)),
    16_384: tuple(range(32_768, 122_880 + 1, 8192)),
}

AddressRate = Annotated[int, Field(ge=10, le=2_000_000_000)]
"""Requests of one client address in five minutes (AWS WAF API, RateBasedStatement)."""

_Count = Annotated[int, Field(ge=1, le=5_000)]  # Tasks per service, "Amazon ECS service quotas"
_Messages = Annotated[int, Field(ge=1, le=10_000)]
_PerCent = Annotated[int, Field(ge=10, le=90)]

# Host and port of the registry, path, and what of it: "Working with Docker image names" as ECS takes them (RegisterTaskDefinition, "image").
_IMAGE = re.compile(
    r"(?P<registry>[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?)(?P<path>(/[a-z0-9]+([._-]+[a-z0-9]+)*)+)(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})|@sha256:[0-9a-f]{64})"
)
_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")


class TaskSettings(Settings):
    """One service's tasks.

    cpu: units, 1,024 of which are a processor. memory: MiB; Fargate has certain sizes for each number of units.
    min_tasks, max_tasks: between which the service scales.
    """

    cpu: Literal[256, 512, 1024, 2048, 4096, 8192, 16_384]
    memory: int
    min_tasks: _Count
    max_tasks: _Count

    @model_validator(mode="after")
    def _sized(self) -> TaskSettings:
        if self.memory not in (sizes := _MEMORY[self.cpu]):
            known = ", ".join(map(str, sizes)) if len(sizes) < 8 else f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"
            raise ValueError(f"memory {self.memory} does not go with cpu {self.cpu}: Fargate has {known} MiB for it (ECS, Task CPU and memory)")
        if self.min_tasks > self.max_tasks:
            raise ValueError(f"minTasks {self.min_tasks} is more than maxTasks {self.max_tasks}")
        return self


class ContainerSettings(Settings):
    """The payment service in containers.

    image: URI with a tag or a digest; left out, the environment has an ECR repository of its own, and runs from it the image of this checkout.
    web: answers the API's routes. worker: takes from the queue, and runs the relay.
    cpu_target, memory_target: per cent that the scaling of both services aims at; room is left for what comes before new tasks are there.
    backlog_target: messages that wait, for each task of the worker, which its scaling aims at; a task of two consumers works 100 off in a minute or so.
    domain: HTTPS needs a certificate, and that a name. rate_limit: requests of one client address in five minutes; any more are answered 429.
    allowed_cidrs: who may reach the load balancer at all.
    api_key_generation: which API key callers have; raised by one, a new key is made, and the one before it is good until the next time.
    """

    image: str | None = None
    web: TaskSettings
    worker: TaskSettings
    cpu_target: _PerCent = 60
    memory_target: _PerCent = 70
    backlog_target: _Messages = 100
    domain: DomainSettings
    rate_limit: AddressRate
    allowed_cidrs: tuple[IPv4Network, ...] = (IPv4Network("0.0.0.0/0"),)

    api_key_generation: Annotated[int, Field(ge=1, le=9_999)] = 1

    @field_validator("allowed_cidrs")
    @classmethod
    def _somebody(cls, value: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        if not value:
            raise ValueError("must have a range, or nobody reaches the API; left out, it is open to all")
        return value

    @field_validator("image")
    @classmethod
    def _pinned(cls, value: str | None) -> str | None:
        if value is None:
            return None
        found = _IMAGE.fullmatch(value)
        if not found:
            raise ValueError("must be an image's URI with its tag or digest, such as registry/path:tag")
        if found["tag"] == "latest":
            raise ValueError("must not be tagged latest: tasks that start later would be of another version than those that run")
        return value


def repository_of(image: str, environment: Environment) -> str | None:
    """The ARN of the ECR repository that an image is in; None for another registry's."""
    found = _IMAGE.fullmatch(image)
    registry = _ECR.fullmatch(found["registry"]) if found else None
    if not found or not registry:
        return None
    return environment.arn("ecr", f"repository{found['path']}", region=registry["region"], account=registry["account"])


def problems(settings: ContainerSettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """Rules across the page, as (key, value, rule)."""
    if environment.platform.high_availability and settings.web.min_tasks < 2:
        yield "containers.web.minTasks", settings.web.min_tasks, "platform:highAvailability asks for two tasks at least, in two zones"
    if settings.image and environment.shape.way_out == "none":
        repository = repository_of(settings.image, environment)
        if repository is None or repository.split(":")[3] != environment.region:
            yield (
                "containers.image",
                settings.image,
                f"must be in ECR in {environment.region}: networking:egress is none, and ECR's endpoints are the region's own",
            )
    if len(name := copied(settings.domain, environment).name) > 64:
        yield "containers.domain.name", settings.domain.name, f"a copy's is {name}, and ACM has no more than 64 characters for a certificate's name"
