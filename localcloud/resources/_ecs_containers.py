"""The container definitions of a task, a JSON text: what Amazon ECS checks in them for Fargate, and the form in which two of them are the same.

Names and types of the members are held to the API's own model. The rules are those of the ECS developer guide, "Task definition parameters for
Fargate" and "Task definition differences for Fargate".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from botocore.validate import ParamValidator

from localcloud.fields import shape_of
from localcloud.kinds import Props
from localcloud.resources._known import entries, members

_MOST_CONTAINERS = 10
_NOT_ON_FARGATE = ("disableNetworking", "dnsSearchDomains", "dnsServers", "dockerSecurityOptions", "extraHosts", "links", "privileged", "resourceRequirements")
_NOT_IN_LINUX_ON_FARGATE = ("devices", "maxSwap", "sharedMemorySize", "swappiness", "tmpfs")
_LOG_DRIVERS = ("awslogs", "awsfirelens", "splunk")
_AWSLOGS = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LEAST_MEMORY = 6
_LONGEST_STOP = 120
# Seconds and attempts of a container's health check.
_HEALTH = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}

# What ECS fills in, so that its absence and its presence mean the same.
_FILLED_IN: Props = {"cpu": 0, "essential": True}


def rule(document: str) -> str | None:
    """What ECS would refuse about the definitions; None when it takes them, or when the text is no JSON, which the field itself refuses."""
    try:
        containers = json.loads(document)
    except ValueError:
        return None
    report = ParamValidator().validate(containers, shape_of("ecs", "RegisterTaskDefinition.containerDefinitions"))
    if report.has_errors():
        return f"ECS does not take it: {'; '.join(report.generate_report().splitlines())}"
    found = list(_problems(cast("list[Props]", containers)))
    return f"ECS does not take it: {'; '.join(found)}" if found else None


def _problems(containers: list[Props]) -> Iterator[str]:
    if not 1 <= len(containers) <= _MOST_CONTAINERS:
        yield f"a task has 1 to {_MOST_CONTAINERS} containers, not {len(containers)}"
    names = [container.get("name") for container in containers]
    if repeated := sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"container {', '.join(repeated)} is defined more than once"
    if containers and not any(container.get("essential", True) for container in containers):
        yield "at least one container must be essential"
    for container in containers:
        for problem in _container_problems(container, containers):
            yield f"container {container.get('name')}: {problem}"


def _container_problems(container: Props, containers: list[Props]) -> Iterator[str]:
    if not container.get("image"):
        yield "image is required and missing"
    if not _NAME.fullmatch(container.get("name") or ""):
        yield "name must have 1 to 255 letters, digits, hyphens and underscores"
    if unsupported := [name for name in _NOT_ON_FARGATE if container.get(name)]:
        yield f"Fargate does not support {', '.join(unsupported)}"
    linux = members(container.get("linuxParameters"))
    if unsupported := [name for name in _NOT_IN_LINUX_ON_FARGATE if linux.get(name)]:
        yield f"Fargate does not support linuxParameters.{', '.join(unsupported)}"
    if added := sorted(set(members(linux.get("capabilities")).get("add") or ()) - {"SYS_PTRACE"}):
        yield f"Fargate lets a container add SYS_PTRACE only, not {', '.join(added)}"
    memory, soft = container.get("memory"), container.get("memoryReservation")
    if any(size is not None and size < _LEAST_MEMORY for size in (memory, soft)):
        yield f"memory and memoryReservation are at least {_LEAST_MEMORY} MiB"
    if memory is not None and soft is not None and soft >= memory:
        yield f"memoryReservation is {soft} MiB, and must be less than memory, which is {memory}"
    if container.get("stopTimeout", 0) > _LONGEST_STOP:
        yield f"stopTimeout is {container['stopTimeout']} seconds; Fargate waits for at most {_LONGEST_STOP}"
    yield from _port_problems(container)
    yield from _variable_problems(container)
    yield from _log_problems(members(container.get("logConfiguration")))
    yield from _health_problems(members(container.get("healthCheck")))
    yield from _order_problems(container, containers)


def _port_problems(container: Props) -> Iterator[str]:
    for mapping in entries(container.get("portMappings")):
        inside, outside = mapping.get("containerPort"), mapping.get("hostPort")
        if inside is not None and not 1 <= inside <= 65_535:
            yield f"containerPort {inside} is no port from 1 to 65535"
        if outside not in (None, inside):
            yield f"hostPort {outside} must be the containerPort {inside} with network mode awsvpc"


def _variable_problems(container: Props) -> Iterator[str]:
    names = [each.get("name") for each in (*entries(container.get("environment")), *entries(container.get("secrets")))]
    if repeated := sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"the variable {', '.join(repeated)} is set more than once in environment and secrets"
    if "" in names or None in names:
        yield "a variable without a name"


def _log_problems(logs: Props) -> Iterator[str]:
    driver, options = logs.get("logDriver"), logs.get("options") or {}
    if driver is not None and driver not in _LOG_DRIVERS:
        yield f"logDriver is {driver}; Fargate has {', '.join(_LOG_DRIVERS)}"
    if driver == "awslogs" and (missing := [name for name in _AWSLOGS if not options.get(name)]):
        yield f"logDriver awslogs needs the option {', '.join(missing)} on Fargate"


def _health_problems(check: Props) -> Iterator[str]:
    command = check.get("command") or []
    if check and (not command or command[0] not in ("CMD", "CMD-SHELL", "NONE")):
        yield "healthCheck.command must begin with CMD, CMD-SHELL or NONE"
    for name, (least, most) in _HEALTH.items():
        value = check.get(name)
        if value is not None and not least <= value <= most:
            yield f"healthCheck.{name} is {value}; it must be from {least} to {most}"


def _order_problems(container: Props, containers: list[Props]) -> Iterator[str]:
    named = {other.get("name"): other for other in containers}
    for after in entries(container.get("dependsOn")):
        other, condition = named.get(after.get("containerName")), after.get("condition")
        if other is None or other is container:
            yield f"dependsOn names {after.get('containerName')}, which is no other container of the task"
        elif condition == "HEALTHY" and not other.get("healthCheck"):
            yield f"dependsOn waits until {other['name']} is HEALTHY, and that has no healthCheck"
        elif condition in ("SUCCESS", "COMPLETE") and other.get("essential", True):
            yield f"dependsOn waits for the end of {other['name']}, which is essential: its end is the task's"


def parsed(document: Any) -> list[Props]:
    """The definitions; none where they are not known yet, or no JSON."""
    try:
        return entries(json.loads(document)) if isinstance(document, str) else []
    except ValueError:
        return []


def normal(containers: list[Props]) -> list[Props]:
    """The definitions with what ECS fills in, and with lists whose order means nothing in one order: equal when ECS would say the same of them."""
    return [_normal(container) for container in containers]


def _normal(container: Props) -> Props:
    full = {**_FILLED_IN, **{name: value for name, value in container.items() if value not in (None, [], {})}}
    for name in ("environment", "secrets"):
        if name in full:
            full[name] = sorted(full[name], key=lambda each: str(each.get("name")))
    if "portMappings" in full:
        # With network mode awsvpc a container's port is the task's.
        full["portMappings"] = [{"hostPort": mapping.get("containerPort"), "protocol": "tcp", **mapping} for mapping in full["portMappings"]]
    return full
