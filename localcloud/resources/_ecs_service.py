"""Services of Amazon ECS on Fargate: so many tasks of a definition, kept running behind a load balancer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, flag, mapping, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._ecs_checks import check_service
from localcloud.resources._ecs_cluster import STRATEGY, shown_strategy, strategy_item, strategy_refusals
from localcloud.resources._ecs_common import retag
from localcloud.resources._known import entries

_ENDED = "INACTIVE"
# Per cent of the wanted tasks; with no more than these there is none to spare for a deployment or another zone.
_MOST_WITHOUT_SPARE = 100

# Pulumi's name: the API's, for what is written and read as it is.
_SAME = {
    "desiredCount": "desiredCount",
    "platformVersion": "platformVersion",
    "enableExecuteCommand": "enableExecuteCommand",
    "enableEcsManagedTags": "enableECSManagedTags",
    "propagateTags": "propagateTags",
    "healthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds",
    "availabilityZoneRebalancing": "availabilityZoneRebalancing",
}
_DEPLOYMENT = {
    "deploymentCircuitBreaker": "deploymentCircuitBreaker",
    "deploymentMaximumPercent": "maximumPercent",
    "deploymentMinimumHealthyPercent": "minimumHealthyPercent",
}


def _wanted(inputs: Props, definition: str) -> Props:
    """What both CreateService and UpdateService take; what was dropped is sent empty."""
    network = inputs["networkConfiguration"]
    alarms = {"alarms": inputs["alarms"]} if inputs.get("alarms") else {}
    deployment = {theirs: inputs[ours] for ours, theirs in _DEPLOYMENT.items() if inputs.get(ours) is not None}
    return {
        **{theirs: inputs[ours] for ours, theirs in _SAME.items() if inputs.get(ours) is not None},
        "taskDefinition": definition,
        "deploymentConfiguration": {**deployment, **alarms},
        "loadBalancers": [{name: each[name] for name in ("targetGroupArn", "containerName", "containerPort")} for each in inputs.get("loadBalancers") or []],
        "capacityProviderStrategy": [strategy_item(item) for item in inputs.get("capacityProviderStrategies") or []],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": network["subnets"],
                "securityGroups": network["securityGroups"],
                "assignPublicIp": "ENABLED" if network.get("assignPublicIp") else "DISABLED",
            }
        },
    }


def _create(aws: Aws, inputs: Props) -> str:
    ecs, cluster, name = aws.client("ecs"), inputs["cluster"], inputs["name"]
    if _service(aws, name, cluster):
        raise FileExistsError(f"service {name} exists already in cluster {cluster}; choose another name, or delete that one")
    definition = _definition(aws, inputs["taskDefinition"])
    check_service(aws, inputs, definition)
    # What ECS takes where nothing is said.
    unsaid = {"desiredCount": 0, "availabilityZoneRebalancing": "ENABLED" if inputs["deploymentMaximumPercent"] > _MOST_WITHOUT_SPARE else "DISABLED"}
    wanted = _wanted({**unsaid, **inputs}, definition["taskDefinitionArn"])
    first = {
        "serviceName": name,
        "schedulingStrategy": inputs["schedulingStrategy"],
        "launchType": inputs.get("launchType", "FARGATE"),
        **({"deploymentController": inputs["deploymentController"]} if inputs.get("deploymentController") else {}),
        **({"tags": _tags.as_list(inputs["tags"], "key", "value")} if inputs.get("tags") else {}),
    }
    arn = str(ecs.create_service(cluster=cluster, **wanted, **first)["service"]["serviceArn"])
    with made(arn):
        # moto keeps the deployment's settings of an update only, and starts no task before one.
        ecs.update_service(cluster=cluster, service=arn, **wanted)
    return arn


def _definition(aws: Aws, which: str) -> Props:
    """The task definition with this ARN, family and revision, or family."""
    live: Props = aws.client("ecs").describe_task_definition(taskDefinition=which)["taskDefinition"]
    return live


def _service(aws: Aws, name: str, cluster: str) -> Props | None:
    """The service; a deleted one is INACTIVE for a while, which counts as gone."""
    found: list[Props] = aws.client("ecs").describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"]
    return next((service for service in found if service["status"] != _ENDED), None)


def _read(aws: Aws, arn: str, known: Props) -> Props | None:
    # arn:aws:ecs:<region>:<account>:service/<cluster>/<service>
    live = _service(aws, arn, arn.split("/")[1])
    if live is None:
        return None
    deployment = live.get("deploymentConfiguration", {})
    return {
        **{ours: live[theirs] for ours, theirs in _SAME.items() if live.get(theirs) is not None},
        **{ours: deployment[theirs] for ours, theirs in _DEPLOYMENT.items() if deployment.get(theirs) is not None},
        "name": live["serviceName"],
        "alarms": deployment.get("alarms"),
        "cluster": _as_asked(live["clusterArn"], known.get("cluster")),
        "taskDefinition": _as_asked(live["taskDefinition"], known.get("taskDefinition")),
        "launchType": None if live.get("capacityProviderStrategy") else live["launchType"],
        "capacityProviderStrategies": shown_strategy(live.get("capacityProviderStrategy") or [], known.get("capacityProviderStrategies")),
        "schedulingStrategy": live["schedulingStrategy"],
        "deploymentController": live["deploymentController"],
        "loadBalancers": live["loadBalancers"],
        "networkConfiguration": _read_network(live, known),
        "arn": live["serviceArn"],
        "tags": _tags.as_map(live.get("tags"), "key", "value"),
    }


def _as_asked(arn: str, asked: Any) -> str:
    """The ARN, or its name where the program named it so, as the AWS provider answers it."""
    return arn if not isinstance(asked, str) or asked.startswith("arn:") else arn.split("/", 1)[1]


def _read_network(live: Props, known: Props) -> Props:
    network = live["networkConfiguration"]["awsvpcConfiguration"]
    shown: Props = {"subnets": network["subnets"], "securityGroups": network["securityGroups"]}
    public = network["assignPublicIp"] == "ENABLED"
    if public or "assignPublicIp" in (known.get("networkConfiguration") or {}):
        shown["assignPublicIp"] = public
    return shown


def _update(aws: Aws, arn: str, new: Props, old: Props) -> None:
    ecs, cluster = aws.client("ecs"), arn.split("/")[1]
    if any(new.get(name) != old.get(name) for name in new if name != "tags"):
        definition = _definition(aws, new["taskDefinition"])
        check_service(aws, new, definition)
        # A count that the program leaves out is somebody else's: autoscaling's.
        forced = {"forceNewDeployment": True} if new.get("forceNewDeployment") else {}
        ecs.update_service(cluster=cluster, service=arn, **_wanted(new, definition["taskDefinitionArn"]), **forced)
    retag(aws, arn, new, old)


def _delete(aws: Aws, arn: str, state: Props) -> None:
    ecs, cluster = aws.client("ecs"), arn.split("/")[1]
    live = _service(aws, arn, cluster)
    if live is None:
        return
    # The AWS provider's way: the tasks first.
    ecs.update_service(cluster=cluster, service=arn, desiredCount=0)
    ecs.delete_service(cluster=cluster, service=arn, force=bool(state.get("forceDelete")))


def _refusals(inputs: Props) -> Iterator[Refusal]:
    at = "capacityProviderStrategies"
    if inputs.get("launchType") and inputs.get(at):
        yield Refusal(at, "launchType says where the tasks run; give one of the two")
    if not inputs.get("launchType") and not inputs.get(at):
        yield Refusal("launchType", f"it is required and missing; without it and {at} ECS takes EC2, which the table has not")
    yield from strategy_refusals(inputs.get(at), at)
    most, least = inputs["deploymentMaximumPercent"], inputs["deploymentMinimumHealthyPercent"]
    if isinstance(most, int) and isinstance(least, int) and most <= _MOST_WITHOUT_SPARE <= least:
        yield Refusal("deploymentMaximumPercent", f"it is {most}, and deploymentMinimumHealthyPercent {least}: no task could be replaced")
    # API reference, CreateService, availabilityZoneRebalancing.
    if inputs.get("availabilityZoneRebalancing") == "ENABLED" and isinstance(most, int) and most <= _MOST_WITHOUT_SPARE:
        yield Refusal("availabilityZoneRebalancing", f"it needs a deploymentMaximumPercent above {_MOST_WITHOUT_SPARE}, and that is {most}")
    if inputs.get("healthCheckGracePeriodSeconds") is not None and not inputs.get("loadBalancers"):
        yield Refusal("healthCheckGracePeriodSeconds", "it is about a load balancer's health checks, and loadBalancers has none")
    if inputs.get("triggers") and not inputs.get("forceNewDeployment"):
        yield Refusal("triggers", "they need forceNewDeployment; otherwise nothing is deployed anew")
    if inputs.get("sigintRollback") and not inputs.get("waitForSteadyState"):
        yield Refusal("sigintRollback", "it needs waitForSteadyState; there is nothing to interrupt otherwise")
    ports = [(each.get("targetGroupArn"), each.get("containerName"), each.get("containerPort")) for each in entries(inputs.get("loadBalancers"))]
    if len(set(ports)) < len(ports):
        yield Refusal("loadBalancers", "the same target group, container and port are there twice")


SERVICE = Kind(
    type="aws:ecs/service:Service",
    client="ecs",
    # API reference, CreateService. The table has services on Fargate that ECS itself deploys.
    inputs={
        "name": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_-]{1,255}"),
        "cluster": text(required=True, replaces=True, at_least=1),
        "taskDefinition": text(required=True, at_least=1),
        "desiredCount": number(at_least=0, at_most=5000),
        "launchType": text(replaces=True, one_of=("FARGATE",)),
        # With forceNewDeployment the AWS provider changes it in place.
        "capacityProviderStrategies": blocks(STRATEGY, unordered=True, replaces=True),
        "platformVersion": text(pattern=r"LATEST|1\.[34]\.0"),
        "schedulingStrategy": text(replaces=True, one_of=("REPLICA",)),
        "deploymentController": block({"type": text(one_of=("ECS",))}, replaces=True),
        "deploymentMaximumPercent": number(at_least=1),
        "deploymentMinimumHealthyPercent": number(at_least=0, at_most=100),
        "deploymentCircuitBreaker": block({"enable": flag(required=True), "rollback": flag(required=True)}),
        "alarms": block({"alarmNames": texts(text(at_least=1, at_most=255), required=True), "enable": flag(required=True), "rollback": flag(required=True)}),
        "networkConfiguration": block(
            {
                "subnets": texts(text(pattern=r"subnet-[0-9a-f]+"), required=True, at_least=1, at_most=16),
                # ECS takes the VPC's default group where there are none; moto does not.
                "securityGroups": texts(text(pattern=r"sg-[0-9a-f]+"), required=True, at_least=1, at_most=5),
                "assignPublicIp": flag(),
            },
            required=True,
        ),
        "loadBalancers": blocks(
            {
                "targetGroupArn": text(required=True, pattern=r"arn:aws[a-z-]*:elasticloadbalancing:.+:targetgroup/.+"),
                "containerName": text(required=True, at_least=1),
                "containerPort": number(required=True, at_least=1, at_most=65_535),
            },
            unordered=True,
            at_most=5,
        ),
        "healthCheckGracePeriodSeconds": number(at_least=0, at_most=2_147_483_647),
        "availabilityZoneRebalancing": text(shape="CreateService.availabilityZoneRebalancing"),
        "enableExecuteCommand": flag(),
        "enableEcsManagedTags": flag(),
        "propagateTags": text(one_of=("SERVICE", "TASK_DEFINITION", "NONE")),
        "forceDelete": flag(),
        "forceNewDeployment": flag(),
        "triggers": mapping(),
        "waitForSteadyState": flag(),
        "sigintRollback": flag(),
    },
    outputs=("arn",),
    tagged=True,
    defaults={
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "schedulingStrategy": "REPLICA",
        "waitForSteadyState": False,
    },
    rule=_refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
