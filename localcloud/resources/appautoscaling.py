"""Application Auto Scaling: what is scaled between which limits, and the policies that do it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, decimal, flag, number, text
from localcloud.kinds import Kind, Props
from localcloud.resources import _tracked
from localcloud.resources._known import members

# What is scaled, in the words of every call. The ids of the AWS provider have only a part of it; the rest is in the state.
_SCALED = {"serviceNamespace": "ServiceNamespace", "resourceId": "ResourceId", "scalableDimension": "ScalableDimension"}

# Application Auto Scaling user guide, "What is Application Auto Scaling?": how a predefined metric's name begins, by namespace.
_METRICS = {
    "dynamodb": ("DynamoDB",),
    "ecs": ("ECSService", "ALBRequestCountPerTarget"),
    "ec2": ("EC2SpotFleet", "ALBRequestCountPerTarget"),
    "lambda": ("Lambda",),
    "rds": ("RDSReader",),
    "elasticache": ("ElastiCache",),
    "kafka": ("Kafka",),
    "cassandra": ("Cassandra",),
    "sagemaker": ("SageMaker",),
    "neptune": ("Neptune",),
    "appstream": ("AppStream",),
    "comprehend": ("Comprehend",),
    "workspaces": ("WorkSpaces",),
}

# RegisterScalableTarget, "ResourceId": how it is written, by namespace.
_RESOURCES = {
    "dynamodb": (r"table/[A-Za-z0-9_.-]{3,255}(/index/[A-Za-z0-9_.-]{3,255})?", "table/<name> or table/<name>/index/<name>"),
    "ecs": (r"service/[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,255}", "service/<cluster>/<service>"),
}
# The one metric that needs to be told of what.
_LABELLED = "ALBRequestCountPerTarget"

# Target utilization, in per cent. DynamoDB developer guide, "Managing throughput capacity automatically with auto scaling";
# a service's CPU and memory have no more than all.
_UTILIZATION = {"DynamoDB": (20, 90), "ECSService": (1, 100)}


def _scaled(props: Props) -> dict[str, str]:
    return {member: props[name] for name, member in _SCALED.items()}


def _shown(live: Props) -> Props:
    return {name: live[member] for name, member in _SCALED.items()}


def _target(aws: Aws, props: Props) -> Props | None:
    scaled = _scaled(props)
    found: list[Props] = aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=scaled["ServiceNamespace"], ResourceIds=[scaled["ResourceId"]], ScalableDimension=scaled["ScalableDimension"]
    )["ScalableTargets"]
    return found[0] if found else None


def _register(aws: Aws, inputs: Props) -> str:
    role = {"RoleARN": inputs["roleArn"]} if inputs.get("roleArn") else {}
    aws.client("application-autoscaling").register_scalable_target(
        **_scaled(inputs), MinCapacity=inputs["minCapacity"], MaxCapacity=inputs["maxCapacity"], **role
    )
    return str(inputs["resourceId"])


def _read_target(aws: Aws, _: str, known: Props) -> Props | None:
    live = _target(aws, known)
    if live is None:
        return None
    return {
        **_shown(live),
        "minCapacity": live["MinCapacity"],
        "maxCapacity": live["MaxCapacity"],
        "roleArn": live.get("RoleARN"),
        "arn": live["ScalableTargetARN"],
    }


def _update_target(aws: Aws, _: str, new: Props, __: Props) -> None:
    _register(aws, new)


def _delete_target(aws: Aws, _: str, state: Props) -> None:
    # One that is gone would be a ValidationException, as a wrong request is.
    if _target(aws, state):
        aws.client("application-autoscaling").deregister_scalable_target(**_scaled(state))


def _scaled_refusals(inputs: Props) -> Iterator[Refusal]:
    namespace, dimension = str(inputs["serviceNamespace"]), str(inputs["scalableDimension"])
    if namespace in _METRICS and ":" in dimension and dimension.split(":", maxsplit=1)[0] != namespace:
        yield Refusal("scalableDimension", f"{dimension} is none of serviceNamespace {namespace}")
    resource = inputs["resourceId"]
    pattern, form = _RESOURCES.get(namespace, ("", ""))
    if pattern and resource != UNKNOWN and not re.fullmatch(pattern, resource):
        yield Refusal("resourceId", f"{resource!r} is none of serviceNamespace {namespace}; there it is {form}")


def _target_refusals(inputs: Props) -> Iterator[Refusal]:
    yield from _scaled_refusals(inputs)
    least, most = inputs["minCapacity"], inputs["maxCapacity"]
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Refusal("minCapacity", f"it is {least}, more than maxCapacity, which is {most}")


_WHICH = {
    "serviceNamespace": text(required=True, replaces=True, shape="RegisterScalableTarget.ServiceNamespace"),
    "resourceId": text(required=True, replaces=True, shape="RegisterScalableTarget.ResourceId"),
    "scalableDimension": text(required=True, replaces=True, shape="RegisterScalableTarget.ScalableDimension"),
}

TARGET = Kind(
    type="aws:appautoscaling/target:Target",
    client="application-autoscaling",
    inputs={
        **_WHICH,
        "minCapacity": number(required=True, at_least=0),
        "maxCapacity": number(required=True, at_least=0),
        "roleArn": text(replaces=True, pattern=r"arn:aws[a-z-]*:iam::\d{12}:role/.+"),
    },
    outputs=("arn",),
    tagged=True,
    rule=_target_refusals,
    create=_register,
    read=_read_target,
    update=_update_target,
    delete=_delete_target,
)

# Pulumi's name: the API's, for a target-tracking policy.
_TRACKING = {
    "targetValue": "TargetValue",
    "scaleInCooldown": "ScaleInCooldown",
    "scaleOutCooldown": "ScaleOutCooldown",
    "disableScaleIn": "DisableScaleIn",
}


def _put_policy(aws: Aws, inputs: Props) -> str:
    wanted = inputs["targetTrackingScalingPolicyConfiguration"]
    tracking = {member: wanted[name] for name, member in _TRACKING.items() if wanted.get(name) is not None} | _tracked.sent(wanted)
    aws.client("application-autoscaling").put_scaling_policy(
        PolicyName=inputs["name"], PolicyType=inputs["policyType"], **_scaled(inputs), TargetTrackingScalingPolicyConfiguration=tracking
    )
    return str(inputs["name"])


def _policy(aws: Aws, name: str, props: Props) -> Props | None:
    scaled = _scaled(props)
    pages = aws.client("application-autoscaling").get_paginator("describe_scaling_policies").paginate(**scaled)
    # moto passes over PolicyNames, and takes a resource whose id is a part of the one that is asked for.
    named = [each for page in pages for each in page["ScalingPolicies"] if each["PolicyName"] == name]
    return next((each for each in named if each["ResourceId"] == scaled["ResourceId"]), None)


def _read_policy(aws: Aws, name: str, known: Props) -> Props | None:
    live = _policy(aws, name, known)
    if live is None:
        return None
    tracking = live["TargetTrackingScalingPolicyConfiguration"]
    return {
        **_shown(live),
        "name": live["PolicyName"],
        "policyType": live["PolicyType"],
        "targetTrackingScalingPolicyConfiguration": {
            **{name: tracking[member] for name, member in _TRACKING.items() if member in tracking},
            **_tracked.read(tracking),
        },
        "arn": live["PolicyARN"],
        "alarmArns": [alarm["AlarmARN"] for alarm in live.get("Alarms", [])],
    }


def _update_policy(aws: Aws, name: str, new: Props, old: Props) -> None:
    # Put over the old one, moto would make alarms again and leave those of the old.
    _delete_policy(aws, name, old)
    _put_policy(aws, new)


def _delete_policy(aws: Aws, name: str, state: Props) -> None:
    if _policy(aws, name, state):
        aws.client("application-autoscaling").delete_scaling_policy(PolicyName=name, **_scaled(state))


def _policy_refusals(inputs: Props) -> Iterator[Refusal]:
    yield from _scaled_refusals(inputs)
    namespace, tracking = str(inputs["serviceNamespace"]), members(inputs["targetTrackingScalingPolicyConfiguration"])
    metric = members(tracking.get("predefinedMetricSpecification")).get("predefinedMetricType")
    yield from _tracked.refusals(tracking)
    at = _tracked.AT
    if namespace in _METRICS and metric not in (None, UNKNOWN) and not str(metric).startswith(_METRICS[namespace]):
        yield Refusal(f"{at}.predefinedMetricSpecification.predefinedMetricType", f"{metric} is no metric of serviceNamespace {namespace}")
    label = members(tracking.get("predefinedMetricSpecification")).get("resourceLabel")
    if metric not in (None, UNKNOWN) and (metric == _LABELLED) != (label is not None):
        yield Refusal(f"{at}.predefinedMetricSpecification.resourceLabel", f"it goes with {_LABELLED}, and only with it")
    value = tracking.get("targetValue")
    for prefix, (least, most) in _UTILIZATION.items():
        if str(metric).startswith(prefix) and isinstance(value, int | float) and not least <= value <= most:
            yield Refusal(f"{at}.targetValue", f"it is {value}; {metric} is a utilization of {least} to {most} per cent")


POLICY = Kind(
    type="aws:appautoscaling/policy:Policy",
    client="application-autoscaling",
    inputs={
        **_WHICH,
        "name": text(required=True, replaces=True, shape="PutScalingPolicy.PolicyName"),
        # Step scaling has the AWS provider's default here, but no inputs in this table.
        "policyType": text(required=True, one_of=("TargetTrackingScaling",)),
        "targetTrackingScalingPolicyConfiguration": block(
            {
                "targetValue": decimal(required=True),
                "scaleInCooldown": number(at_least=0),
                "scaleOutCooldown": number(at_least=0),
                "disableScaleIn": flag(),
                **_tracked.FIELDS,
            },
            required=True,
        ),
    },
    outputs=("arn", "alarmArns"),
    rule=_policy_refusals,
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)

KINDS = (TARGET, POLICY)
