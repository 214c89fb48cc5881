"""Examples of Application Auto Scaling."""

from typing import Any

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref

TABLE = Example(
    type="aws:dynamodb/table:Table",
    inputs={"name": "payment-transactions", "hashKey": "id", "attributes": [{"name": "id", "type": "S"}], "readCapacity": 5, "writeCapacity": 5},
)
_READS = {
    "serviceNamespace": "dynamodb",
    "resourceId": "table/payment-transactions",
    "scalableDimension": "dynamodb:table:ReadCapacityUnits",
}
_ROLE = "arn:aws:iam::345678901234:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"


def _narrow(aws: Aws, resource: str) -> None:
    aws.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="dynamodb", ResourceId=resource, ScalableDimension="dynamodb:table:ReadCapacityUnits", MinCapacity=5, MaxCapacity=6
    )


TARGET = Example(
    type="aws:appautoscaling/target:Target",
    needs={"table": TABLE},
    inputs={**_READS, "minCapacity": 5, "maxCapacity": 100, "roleArn": _ROLE, "tags": {"Environment": "dev"}},
    updates={"minCapacity": 10, "maxCapacity": 50, "tags": {"Environment": "prod"}},
    replaces={
        "serviceNamespace": "cassandra",
        "resourceId": "table/other",
        "scalableDimension": "dynamodb:table:WriteCapacityUnits",
        "roleArn": "arn:aws:iam::345678901234:role/other",
    },
    bad={
        "serviceNamespace": "dynamo",
        "scalableDimension": ("dynamodb:table:Units", "ecs:service:DesiredCount"),
        "resourceId": ("payment-transactions", "table/a/b", "service/payments/web"),
        "minCapacity": (-1, 101),
        "maxCapacity": None,
        "roleArn": "scaling",
        "capacity": 5,
    },
    drift=_narrow,
    drifts="maxCapacity",
)


def _tracking(value: float, metric: str = "DynamoDBReadCapacityUtilization", **about: Any) -> dict[str, Any]:
    return {"targetValue": value, "predefinedMetricSpecification": {"predefinedMetricType": metric}, **about}


POLICY = Example(
    type="aws:appautoscaling/policy:Policy",
    needs={"table": TABLE, "target": Example(type=TARGET.type, inputs={**_READS, "minCapacity": 5, "maxCapacity": 100})},
    inputs={
        "name": "reads",
        "policyType": "TargetTrackingScaling",
        "serviceNamespace": Ref("target", "serviceNamespace"),
        "resourceId": Ref("target", "resourceId"),
        "scalableDimension": Ref("target", "scalableDimension"),
        "targetTrackingScalingPolicyConfiguration": _tracking(70, scaleInCooldown=60, scaleOutCooldown=30, disableScaleIn=True),
    },
    updates={"targetTrackingScalingPolicyConfiguration": _tracking(62.5, scaleInCooldown=120)},
    replaces={
        "name": "other",
        "serviceNamespace": "cassandra",
        "resourceId": "table/other",
        "scalableDimension": "dynamodb:table:WriteCapacityUnits",
    },
    bad={
        "policyType": ("Tracking", None),
        "targetTrackingScalingPolicyConfiguration": ({}, _tracking(70, "CPU"), _tracking(70, scaleInCooldown=-1), {**_tracking(70), "value": 1}),
    },
    drift=lambda aws, name: aws.client("application-autoscaling").put_scaling_policy(
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        ServiceNamespace="dynamodb",
        ResourceId="table/payment-transactions",
        ScalableDimension="dynamodb:table:ReadCapacityUnits",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 20.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
        },
    ),
    drifts="targetTrackingScalingPolicyConfiguration",
)

WRITES = Example(
    type="aws:appautoscaling/policy:Policy",
    needs={"table": TABLE},
    inputs={
        **_READS,
        "scalableDimension": "dynamodb:table:WriteCapacityUnits",
        "name": "writes",
        "policyType": "TargetTrackingScaling",
        "targetTrackingScalingPolicyConfiguration": _tracking(70, "DynamoDBWriteCapacityUtilization"),
    },
    bad={
        "serviceNamespace": "dynamo",
        "scalableDimension": "ecs:service:DesiredCount",
        "targetTrackingScalingPolicyConfiguration": (
            _tracking(19, "DynamoDBWriteCapacityUtilization"),
            _tracking(90.5, "DynamoDBWriteCapacityUtilization"),
            _tracking(70, "ECSServiceAverageCPUUtilization"),
        ),
    },
    label="writes",
)

EXAMPLES = (TARGET, POLICY, WRITES)
