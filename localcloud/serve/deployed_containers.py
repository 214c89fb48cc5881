"""Reads from the cloud the services of an ECS cluster, and task definitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.serve.containers import Container, EcsService, HealthCommand, LogPlace
from localcloud.serve.model import ServeError

# DescribeServices takes ten services at a time.
_AT_ONCE = 10

_UNSUPPORTED = {
    "environmentFiles": "environment files are not read here",
    "mountPoints": "volumes are not mounted here",
    "dependsOn": "dependencies between containers are not kept here",
}


def services(aws: Aws, cluster: str, problems: list[str]) -> Iterator[EcsService]:
    """The active services of a cluster; what of them cannot be served is added to `problems`. Raises ServeError where there is no such cluster."""
    client = aws.client("ecs")
    if not any(live["status"] == "ACTIVE" for live in client.describe_clusters(clusters=[cluster])["clusters"]):
        raise ServeError(f"cluster {cluster} is not deployed in account {aws.account}, {aws.region}: deploy the environment first")
    arns = [arn for page in client.get_paginator("list_services").paginate(cluster=cluster) for arn in page["serviceArns"]]
    for start in range(0, len(arns), _AT_ONCE):
        for live in client.describe_services(cluster=cluster, services=arns[start : start + _AT_ONCE])["services"]:
            if live["status"] == "ACTIVE":
                yield _service(aws, cluster, live, problems)


def _service(aws: Aws, cluster: str, live: dict[str, Any], problems: list[str]) -> EcsService:
    name = live["serviceName"]
    balanced = live.get("loadBalancers") or []
    container = task_definition(aws, live["taskDefinition"], problems, named=balanced[0]["containerName"] if balanced else "")
    for entry in balanced:
        if entry.get("containerPort") != container.port:
            raise ServeError(
                f"service {name}: its target group expects {entry['containerName']}:{entry.get('containerPort')}, but {container.definition} maps the port "
                f"{container.port} of {container.name}: let the two agree"
            )
    return EcsService(
        name=name,
        cluster=cluster,
        container=container,
        desired=live.get("desiredCount", 0),
        groups=tuple(entry["targetGroupArn"] for entry in balanced if entry.get("targetGroupArn")),
        grace=float(live.get("healthCheckGracePeriodSeconds") or 0),
    )


def task_definition(aws: Aws, arn: str, problems: list[str], *, named: str = "") -> Container:
    """A task definition as the one container of it that runs here: the one that is named, or else the first without which the task would end.

    Raises ServeError where there is no such definition or container.
    """
    client = aws.client("ecs")
    try:
        live = client.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    except client.exceptions.ClientError as error:
        raise ServeError(f"task definition {arn} cannot be read: {error}. Deploy the environment again") from None
    containers: list[dict[str, Any]] = live["containerDefinitions"]
    chosen = next((each for each in containers if (each["name"] == named if named else each.get("essential", True))), None)
    if chosen is None:
        raise ServeError(f"task definition {arn} has no container {named or 'that is essential'}; it has {', '.join(each['name'] for each in containers)}")
    definition = live["taskDefinitionArn"].rpartition("/")[2]
    problems += [
        f"{definition}: container {each['name']} is not run here: of a task's containers one is, {chosen['name']}" for each in containers if each is not chosen
    ]
    problems += [f"{definition}, container {chosen['name']}: {what}" for field, what in _UNSUPPORTED.items() if chosen.get(field)]
    ports = [mapping["containerPort"] for mapping in chosen.get("portMappings") or []]
    return Container(
        arn=live["taskDefinitionArn"],
        name=chosen["name"],
        image=chosen["image"],
        entry_point=tuple(chosen.get("entryPoint") or ()),
        command=tuple(chosen.get("command") or ()),
        environment={pair["name"]: pair["value"] for pair in chosen.get("environment") or []},
        secrets={pair["name"]: pair["valueFrom"] for pair in chosen.get("secrets") or []},
        port=ports[0] if ports else None,
        health=_health(chosen.get("healthCheck")),
        stop_timeout=float(chosen.get("stopTimeout") or 30),
        role=live.get("taskRoleArn") or "",
        logs=_logs(chosen, definition, problems),
    )


def _health(given: dict[str, Any] | None) -> HealthCommand | None:
    if not given or not given.get("command") or given["command"][0] == "NONE":
        return None
    # Times that are left out or 0 are ECS's defaults (HealthCheck, ECS API reference).
    return HealthCommand(
        command=tuple(given["command"]),
        interval=float(given.get("interval") or 30),
        timeout=float(given.get("timeout") or 5),
        retries=int(given.get("retries") or 3),
        start_period=float(given.get("startPeriod") or 0),
    )


def _logs(container: dict[str, Any], definition: str, problems: list[str]) -> LogPlace | None:
    given = container.get("logConfiguration") or {}
    options = given.get("options") or {}
    if given.get("logDriver") != "awslogs" or not options.get("awslogs-group"):
        problems.append(f"{definition}, container {container['name']}: its output is kept nowhere, as its log driver is {given.get('logDriver') or 'none'}")
        return None
    return LogPlace(group=options["awslogs-group"], prefix=options.get("awslogs-stream-prefix", ""))
