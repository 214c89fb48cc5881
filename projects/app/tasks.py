"""What the container is started as, and the task definitions for that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from payments.functions import MIGRATE_DATABASE, OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function, Variable
from projects.app.container_settings import TaskSettings
from projects.app.grants import Reach, Use
from projects.app.roles import task_statements
from projects.app.variables import store_of, told
from projects.app.web import PORT
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.environment import Environment
from shared.outputs import as_json

# The Dockerfile's user: a number, so that ECS need not look into the image to know that it is not root.
_USER = "10001:10001"

# For which ECS waits between SIGTERM and SIGKILL; the service finishes what it began in 25 (GRACE).
_STOP_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the container's commands (`python -m payments.container <name>`).

    functions: whose work it does. cached: whether it uses the cache beyond what these functions do. answers: whether it is a server.
    called: whether callers are told apart by their API keys.
    """

    name: str
    functions: tuple[Function, ...]
    cached: bool = False
    answers: bool = True
    called: bool = False


WEB = Part(name="web", functions=(PROCESS_PAYMENT, VERIFY_PAYMENT), cached=True, called=True)
WORKER = Part(name="worker", functions=(PAYMENT_WORKER, OUTBOX_RELAY), cached=True)
MIGRATE = Part(name="migrate", functions=(MIGRATE_DATABASE,), answers=False)


def parts_of(environment: Environment) -> tuple[Part, ...]:
    """Those that the environment has work for."""
    return tuple(part for part in (WEB, WORKER, MIGRATE) if all(store_of(environment) in function.stores for function in part.functions))


@dataclass(frozen=True, kw_only=True)
class TaskArgs:
    """part: what it runs. size: CPU and memory. image: its URI. variables: all that there is to be told. logs: where its log goes. execution: ECS's role.

    api_keys: by variable, the secrets with the keys of callers.
    """

    part: Part
    size: TaskSettings
    image: pulumi.Input[str]
    variables: Mapping[Variable, pulumi.Input[str]]
    reach: Reach
    logs: LogGroup
    execution: Role
    api_keys: Mapping[Variable, pulumi.Input[str]]


def task_log(component: Component, part: Part, key_arn: pulumi.Input[str]) -> LogGroup:
    """The log group of a part's tasks."""
    environment = component.environment
    return LogGroup(part.name, environment, LogGroupArgs(log_group=f"/aws/ecs/{environment.names(part.name)}", key_arn=key_arn), component.child())


def ecs_role(environment: Environment, *, description: str, statements: Sequence[Any]) -> RoleArgs:
    """A role that ECS's tasks of this account and region assume (ECS, "Task IAM role": confused deputy)."""
    return RoleArgs(service="ecs-tasks.amazonaws.com", description=description, statements=statements, source_arn=environment.arn("ecs", "*"))


class Task(Component):
    """Produces a task definition for Fargate on arm64, and the role of its code.

    Its file system is read-only: the service writes nothing there, not even to /tmp.
    Outputs: `definition`, `role`.
    """

    definition: aws.ecs.TaskDefinition
    role: Role

    def __init__(self, name: str, environment: Environment, args: TaskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        part = args.part
        variables = told(part.functions, store_of(environment), args.variables)
        # A task is given the cache's URL itself, by ECS.
        variables.pop(Variable.CACHE_SECRET_ARN, None)
        secrets: dict[Variable, pulumi.Input[str]] = {**args.api_keys} if part.called else {}
        if environment.shape.cache and part.cached:
            secrets[Variable.CACHE_URL] = args.reach.data.cache_secret_arn
        self.role = Role(
            f"{name}-task",
            environment,
            ecs_role(environment, description=f"Tasks: {name}", statements=task_statements(Use(environment, args.reach, part.functions), variables)),
            self.child(),
        )
        self.definition = aws.ecs.TaskDefinition(
            name,
            family=environment.names(name),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            runtime_platform={"cpu_architecture": "ARM64", "operating_system_family": "LINUX"},
            cpu=str(args.size.cpu),
            memory=str(args.size.memory),
            execution_role_arn=args.execution.arn,
            task_role_arn=self.role.arn,
            container_definitions=as_json([self._container(args, variables, secrets)], sort_keys=True),
            opts=self.child(),
        )
        self.register_outputs({"definition": self.definition.arn})

    def _container(self, args: TaskArgs, variables: Mapping[Variable, pulumi.Input[str]], secrets: Mapping[Variable, pulumi.Input[str]]) -> dict[str, Any]:
        part = args.part
        found: dict[str, Any] = {
            "name": part.name,
            "image": args.image,
            "command": [part.name],
            "essential": True,
            "user": _USER,
            "readonlyRootFilesystem": True,
            # The service's processes are one; init reaps what a health check leaves behind, and hands signals on.
            "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
            "stopTimeout": _STOP_SECONDS,
            "environment": [{"name": variable.value, "value": variables[variable]} for variable in sorted(variables)],
            "secrets": [{"name": variable.value, "valueFrom": secrets[variable]} for variable in sorted(secrets)],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": args.logs.name,
                    "awslogs-region": self.environment.region,
                    "awslogs-stream-prefix": part.name,
                    # A log that cannot be written must not stop payments; what the law wants kept goes to the audit bucket, not here.
                    "mode": "non-blocking",
                    "max-buffer-size": "25m",
                },
            },
        }
        if part.answers:
            found["portMappings"] = [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}]
            # ECS does not look at the image's own HEALTHCHECK (ECS, "Determine task health using container health checks").
            found["healthCheck"] = {
                "command": ["CMD", "python", "-m", "payments.container", "health"],
                "interval": 10,
                "timeout": 5,
                "retries": 3,
                "startPeriod": 30,
            }
        return found
