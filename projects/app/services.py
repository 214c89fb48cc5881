"""The services that keep tasks running, and how many of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from projects.app.container_settings import ContainerSettings, TaskSettings
from projects.app.tasks import Task
from projects.app.web import PORT
from shared.component import Component
from shared.contracts import NetworkingOutputs
from shared.environment import Environment

if TYPE_CHECKING:
    from pulumi_aws.appautoscaling import PolicyTargetTrackingScalingPolicyConfigurationArgsDict as _Tracking
    from pulumi_aws.appautoscaling import PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricArgsDict as _Query

# New tasks come soon; of those that were too many each is ended only after the load has stayed away for a while.
_SCALE_OUT_SECONDS = 60
_SCALE_IN_SECONDS = 300

# A deployment waits so long for tasks of the new revision to run; ECS gives up before that where they do not come up.
_STEADY = "30m"

# Until then the load balancer's opinion of a new task counts for nothing.
_GRACE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """cluster: where it runs. task: what it runs. size: how many of them. targets: of the load balancer, for a service that is called.

    queue: the name of the queue that it works off, if it does. after: what has to be there before it.
    """

    cluster: aws.ecs.Cluster
    task: Task
    size: TaskSettings
    network: NetworkingOutputs
    targets: aws.lb.TargetGroup | None = None
    queue: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = ()


class Service(Component):
    """Produces an ECS service on Fargate in the private subnets, which scales with CPU, memory, and what waits in its queue, between the page's bounds.

    A deployment whose tasks do not come up is rolled back; the tasks before it run until those that follow are well.
    Outputs: `service`.
    """

    service: aws.ecs.Service

    def __init__(self, name: str, environment: Environment, settings: ContainerSettings, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        called = args.targets is not None
        self.service = aws.ecs.Service(
            name,
            name=environment.names(name),
            cluster=args.cluster.arn,
            task_definition=args.task.definition.arn,
            desired_count=args.size.min_tasks,
            capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}],
            platform_version="LATEST",
            deployment_circuit_breaker={"enable": True, "rollback": True},
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            availability_zone_rebalancing="ENABLED",
            network_configuration={
                "subnets": args.network.private_subnet_ids,
                "security_groups": [args.network.group("containers")],
                "assign_public_ip": False,
            },
            load_balancers=[{"target_group_arn": args.targets.arn, "container_name": name, "container_port": PORT}] if args.targets else None,
            health_check_grace_period_seconds=_GRACE_SECONDS if called else None,
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            # That they came up is not all: what ECS took back is steady too (ops/rollout.py).
            wait_for_steady_state=True,
            # How many there are now is the scaling's to say.
            opts=self.child(
                depends_on=[args.task.role.policy, *args.after],
                ignore_changes=["desiredCount"],
                custom_timeouts=pulumi.CustomTimeouts(create=_STEADY, update=_STEADY),
            ),
        )
        tracked: dict[str, _Tracking] = {
            "cpu": _predefined("ECSServiceAverageCPUUtilization", settings.cpu_target),
            "memory": _predefined("ECSServiceAverageMemoryUtilization", settings.memory_target),
        }
        if args.queue is not None:
            # A worker waits for the processor and the database most of its time: its CPU tells nothing of what is behind.
            tracked["backlog"] = _backlog(args.queue, args.cluster.name, self.service.name, settings.backlog_target)
        self._scale(name, args, tracked)
        self.register_outputs({"name": self.service.name})

    def _scale(self, name: str, args: ServiceArgs, tracked: Mapping[str, _Tracking]) -> None:
        target = aws.appautoscaling.Target(
            name,
            service_namespace="ecs",
            resource_id=pulumi.Output.concat("service/", args.cluster.name, "/", self.service.name),
            scalable_dimension="ecs:service:DesiredCount",
            min_capacity=args.size.min_tasks,
            max_capacity=args.size.max_tasks,
            opts=self.child(),
        )
        for word, tracking in tracked.items():
            aws.appautoscaling.Policy(
                f"{name}-{word}",
                name=self.environment.names(f"{name}-{word}"),
                policy_type="TargetTrackingScaling",
                service_namespace=target.service_namespace,
                resource_id=target.resource_id,
                scalable_dimension=target.scalable_dimension,
                target_tracking_scaling_policy_configuration={
                    **tracking,
                    "scale_in_cooldown": _SCALE_IN_SECONDS,
                    "scale_out_cooldown": _SCALE_OUT_SECONDS,
                },
                opts=self.child(),
            )


def _predefined(metric: str, aim: int) -> _Tracking:
    return {"predefined_metric_specification": {"predefined_metric_type": metric}, "target_value": aim}


def _backlog(queue: pulumi.Input[str], cluster: pulumi.Input[str], service: pulumi.Input[str], aim: int) -> _Tracking:
    """Messages that wait, by the tasks that run ("Create a target tracking scaling policy for Application Auto Scaling using metric math")."""
    waiting = _metric("waiting", "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue})
    # The cluster's Container Insights count them.
    running = _metric("running", "ECS/ContainerInsights", "RunningTaskCount", {"ClusterName": cluster, "ServiceName": service})
    per_task: _Query = {"id": "backlog", "expression": "waiting / running", "label": "Messages that wait, by task", "return_data": True}
    return {"customized_metric_specification": {"metrics": [waiting, running, per_task]}, "target_value": aim}


def _metric(id_: str, namespace: str, name: str, dimensions: Mapping[str, pulumi.Input[str]]) -> _Query:
    return {
        "id": id_,
        "return_data": False,
        "metric_stat": {
            "metric": {
                "namespace": namespace,
                "metric_name": name,
                "dimensions": [{"name": dimension, "value": value} for dimension, value in dimensions.items()],
            },
            "stat": "Average",
        },
    }
