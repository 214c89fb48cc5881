"""Examples of Application Auto Scaling: services of Amazon ECS."""

from typing import Any

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.ecs import SPOT

_SERVICE: dict[str, Any] = {"serviceNamespace": "ecs", "resourceId": "service/plain/worker", "scalableDimension": "ecs:service:DesiredCount"}

TARGET = Example(
    type="aws:appautoscaling/target:Target",
    needs={"service": SPOT},
    inputs={**_SERVICE, "minCapacity": 2, "maxCapacity": 10, "tags": {"Environment": "dev"}},
    updates={"minCapacity": 1, "maxCapacity": 4},
    replaces={"resourceId": "service/plain/other"},
    bad={
        "resourceId": ("service/worker", "plain/worker", "service/plain/a/b"),
        "scalableDimension": "dynamodb:table:ReadCapacityUnits",
        "minCapacity": 11,
    },
    drift=lambda aws, resource: aws.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs", ResourceId=resource, ScalableDimension="ecs:service:DesiredCount", MinCapacity=2, MaxCapacity=3
    ),
    drifts="maxCapacity",
    label="service",
)


def _tracking(metric: str, value: float, **about: Any) -> dict[str, Any]:
    return {"targetValue": value, "predefinedMetricSpecification": {"predefinedMetricType": metric, **about}, "scaleInCooldown": 300, "scaleOutCooldown": 60}


_CPU, _MEMORY, _REQUESTS = "ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget"

CPU = Example(
    type="aws:appautoscaling/policy:Policy",
    needs={"service": SPOT, "target": Example(type=TARGET.type, inputs={**_SERVICE, "minCapacity": 2, "maxCapacity": 10})},
    inputs={
        "name": "cpu",
        "policyType": "TargetTrackingScaling",
        "serviceNamespace": Ref("target", "serviceNamespace"),
        "resourceId": Ref("target", "resourceId"),
        "scalableDimension": Ref("target", "scalableDimension"),
        "targetTrackingScalingPolicyConfiguration": _tracking(_CPU, 60),
    },
    updates={"targetTrackingScalingPolicyConfiguration": _tracking(_MEMORY, 70)},
    bad={
        "targetTrackingScalingPolicyConfiguration": (
            _tracking(_CPU, 101),
            _tracking(_CPU, 0),
            _tracking(_REQUESTS, 100),
            _tracking(_CPU, 60, resourceLabel="x"),
        )
    },
    label="service's CPU",
)

_QUEUE = {"metricName": "ApproximateNumberOfMessagesVisible", "namespace": "AWS/SQS", "dimensions": [{"name": "QueueName", "value": "work"}]}
_WAITING = {"id": "waiting", "returnData": False, "metricStat": {"metric": _QUEUE, "stat": "Average"}}
_BOTH = ({"name": "ClusterName", "value": "plain"}, {"name": "ServiceName", "value": "worker"})
_TASKS = {"metricName": "RunningTaskCount", "namespace": "ECS/ContainerInsights", "dimensions": list(_BOTH)}
_RUNNING = {"id": "running", "returnData": False, "metricStat": {"metric": _TASKS, "stat": "Average"}}
_PER_TASK = {"id": "backlog", "expression": "waiting / running", "label": "messages a task", "returnData": True}
_SINGLE = {**_QUEUE, "statistic": "Average", "unit": "Count"}


def _calculated(*metrics: dict[str, Any], **about: Any) -> dict[str, Any]:
    return {"targetValue": 100, "customizedMetricSpecification": {**({"metrics": list(metrics)} if metrics else {}), **about}, "scaleOutCooldown": 60}


BACKLOG = Example(
    type="aws:appautoscaling/policy:Policy",
    needs=CPU.needs,
    inputs={**CPU.inputs, "name": "backlog", "targetTrackingScalingPolicyConfiguration": _calculated(_WAITING, _RUNNING, _PER_TASK)},
    updates={"targetTrackingScalingPolicyConfiguration": _calculated(**_SINGLE)},
    bad={
        "targetTrackingScalingPolicyConfiguration": (
            {"targetValue": 100},
            {**_calculated(_WAITING, _RUNNING, _PER_TASK), **_tracking(_CPU, 60)},
            _calculated(_WAITING, _RUNNING, {**_PER_TASK, "returnData": False}),
            _calculated({**_WAITING, "returnData": True}, _RUNNING, _PER_TASK),
            _calculated(_WAITING, _WAITING, _PER_TASK),
            _calculated({**_WAITING, "expression": "1"}, _RUNNING, _PER_TASK),
            _calculated({"id": "empty"}),
            _calculated({**_PER_TASK, "id": "Backlog"}),
            _calculated(_PER_TASK, **_SINGLE),
            _calculated(metricName="ApproximateNumberOfMessagesVisible", namespace="AWS/SQS"),
            _calculated(**{**_SINGLE, "statistic": "p99"}),
        )
    },
    label="service's queue",
)

EXAMPLES = (TARGET, CPU, BACKLOG)
