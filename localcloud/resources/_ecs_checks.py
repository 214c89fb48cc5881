"""What Amazon ECS checks about a service's task definition, cluster and load balancers when it makes or changes the service, and moto does not."""

from __future__ import annotations

from typing import Any

from localcloud.aws import Aws
from localcloud.kinds import Props


def check_service(aws: Aws, inputs: Props, definition: Props) -> None:
    """Raises LookupError where the service does not fit what is there.

    definition: the service's task definition, as DescribeTaskDefinition answers it.
    """
    if definition["status"] == "INACTIVE":
        raise LookupError(f"task definition {definition['taskDefinitionArn']} is inactive; a service runs an active revision")
    # ECS developer guide, "Using ECS Exec": it talks to Systems Manager as the task.
    if inputs.get("enableExecuteCommand") and not definition.get("taskRoleArn"):
        raise LookupError(f"enableExecuteCommand needs a taskRoleArn, and task definition {definition['taskDefinitionArn']} has none")
    _check_capacity(aws, inputs)
    _check_targets(aws, inputs, definition)


def _check_capacity(aws: Aws, inputs: Props) -> None:
    """The cluster has the capacity providers of the strategy."""
    wanted = {item["capacityProvider"] for item in inputs.get("capacityProviderStrategies") or []}
    if not wanted:
        return
    found = aws.client("ecs").describe_clusters(clusters=[inputs["cluster"]])["clusters"]
    if missing := sorted(wanted - {provider for cluster in found for provider in cluster.get("capacityProviders") or []}):
        raise LookupError(f"capacity provider {', '.join(missing)} is not associated with cluster {inputs['cluster']}; see ClusterCapacityProviders")


def _check_targets(aws: Aws, inputs: Props, definition: Props) -> None:
    """Each target group takes addresses and belongs to a load balancer, and each container has the port."""
    elb = aws.client("elbv2")
    for balancer in inputs.get("loadBalancers") or []:
        arn, name, port = balancer["targetGroupArn"], balancer["containerName"], balancer["containerPort"]
        group = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
        if group["TargetType"] != "ip":
            raise LookupError(f"target group {arn} takes targets of type {group['TargetType']}; tasks with network mode awsvpc need ip")
        if not _is_forwarded_to(elb, arn):
            raise LookupError(f"target group {arn} does not have an associated load balancer; let the service depend on the listener that forwards to it")
        container = next((each for each in definition["containerDefinitions"] if each["name"] == name), None)
        if container is None:
            raise LookupError(f"the container {name} does not exist in task definition {definition['taskDefinitionArn']}")
        if port not in [mapping.get("containerPort") for mapping in container.get("portMappings", [])]:
            raise LookupError(f"the container {name} of {definition['taskDefinitionArn']} did not have a container port {port} defined")


def _is_forwarded_to(elb: Any, target_group: str) -> bool:
    """Whether a listener or one of its rules forwards to the group. moto's own list forgets the listeners that were changed."""
    balancers = [each["LoadBalancerArn"] for page in elb.get_paginator("describe_load_balancers").paginate() for each in page["LoadBalancers"]]
    listeners = [each["ListenerArn"] for arn in balancers for each in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]]
    rules: list[Props] = [rule for arn in listeners for page in elb.get_paginator("describe_rules").paginate(ListenerArn=arn) for rule in page["Rules"]]
    return any(target_group in _targets(action) for rule in rules for action in rule["Actions"])


def _targets(action: Props) -> list[str]:
    weighted = action.get("ForwardConfig", {}).get("TargetGroups", [])
    return [group["TargetGroupArn"] for group in weighted] + ([action["TargetGroupArn"]] if "TargetGroupArn" in action else [])
