"""The cluster, and the services and tasks in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from payments.functions import Variable
from projects.app.api_keys import ApiKeys
from projects.app.container_settings import ContainerSettings
from projects.app.grants import Reach, Use
from projects.app.image import Image
from projects.app.roles import execution_statements
from projects.app.services import Service, ServiceArgs
from projects.app.tasks import MIGRATE, WEB, WORKER, Part, Task, TaskArgs, ecs_role, parts_of, task_log
from projects.app.web import Web
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role
from shared.contracts import NetworkingOutputs
from shared.environment import Environment


@dataclass(frozen=True, kw_only=True)
class ContainersArgs:
    """network: where they run. reach: what they work with. variables: all that there is to be told. web: who calls them. api_keys: with what."""

    network: NetworkingOutputs
    reach: Reach
    variables: Mapping[Variable, pulumi.Input[str]]
    image: Image
    web: Web
    api_keys: ApiKeys


class Containers(Component):
    """Produces a cluster for Fargate, a task definition for each of the container's commands that there is work for, and the services `web` and `worker`.

    `migrate` has no service: the deployment runs its task.
    Outputs: `cluster_name`; `service_names`, `definition_arns`: by command.
    """

    cluster_name: pulumi.Output[str]
    service_names: pulumi.Output[dict[str, str]]
    definition_arns: pulumi.Output[dict[str, str]]

    def __init__(
        self, name: str, environment: Environment, settings: ContainerSettings, args: ContainersArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        cluster, ready = self._cluster(name, args.network.log_key_arn)
        logs = {part: task_log(self, part, args.network.log_key_arn) for part in parts_of(environment)}
        use = Use(environment, args.reach, [function for part in logs for function in part.functions])
        statements = execution_statements(
            use,
            log_group_arns=[group.arn for group in logs.values()],
            repository_arn=args.image.repository_arn,
            api_key_arns=list(args.api_keys.secrets.values()),
        )
        execution = Role(
            "task-execution", environment, ecs_role(environment, description="ECS, before a task's code runs", statements=statements), self.child()
        )
        sizes = {WEB: settings.web, WORKER: settings.worker, MIGRATE: settings.worker}

        def task(part: Part) -> Task:
            made = TaskArgs(
                part=part,
                size=sizes[part],
                image=args.image.uri,
                variables=args.variables,
                reach=args.reach,
                logs=logs[part],
                execution=execution,
                api_keys=args.api_keys.secrets,
            )
            return Task(part.name, environment, made, self.child())

        tasks = {part: task(part) for part in logs}
        called, queues = {WEB: args.web}, {WORKER: args.reach.work.queue.name}
        services = {
            part.name: Service(
                part.name,
                environment,
                settings,
                ServiceArgs(
                    cluster=cluster,
                    task=tasks[part],
                    size=sizes[part],
                    network=args.network,
                    targets=called[part].targets if part in called else None,
                    queue=queues.get(part),
                    after=[ready, execution.policy, *((*called[part].rules, *args.api_keys.versions) if part in called else ())],
                ),
                self.child(),
            )
            for part in (WEB, WORKER)
        }
        self.cluster_name = cluster.name
        self.service_names = pulumi.Output.all(**{part: made.service.name for part, made in services.items()})
        self.definition_arns = pulumi.Output.all(**{part.name: made.definition.arn for part, made in tasks.items()})
        self.register_outputs({"cluster": self.cluster_name})

    def _cluster(self, name: str, log_key_arn: pulumi.Input[str]) -> tuple[aws.ecs.Cluster, aws.ecs.ClusterCapacityProviders]:
        """The cluster, and what a service with its capacity provider waits for."""
        physical = self.environment.names("cluster")
        # Container Insights would make it itself, without key and retention.
        insights = LogGroup(
            f"{name}-insights",
            self.environment,
            LogGroupArgs(log_group=f"/aws/ecs/containerinsights/{physical}/performance", key_arn=log_key_arn),
            self.child(),
        )
        cluster = aws.ecs.Cluster(name, name=physical, settings=[{"name": "containerInsights", "value": "enabled"}], opts=self.child(depends_on=[insights]))
        providers = aws.ecs.ClusterCapacityProviders(
            name,
            cluster_name=cluster.name,
            capacity_providers=["FARGATE"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}],
            opts=self.child(),
        )
        return cluster, providers
