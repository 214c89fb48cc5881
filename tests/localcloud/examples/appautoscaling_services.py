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

EXAMPLES = (TARGET, CPU)
