"""Task definitions of Amazon ECS for Fargate: revisions of a family, each made once and never changed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from botocore.exceptions import ClientError
from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, flag, number, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _ecs_containers, _tags
from localcloud.resources._ecs_common import retag
from localcloud.resources._known import members

# ECS developer guide, "Task size" for Fargate: CPU units to memory in MiB.
_SIZES = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16_384 + 1, 1024),
    4096: range(8192, 30_720 + 1, 1024),
    8192: range(16_384, 61_440 + 1, 4096),
    16_384: range(32_768, 122_880 + 1, 8192),
}

_SAME = ("cpu", "memory", "executionRoleArn", "taskRoleArn", "networkMode", "requiresCompatibilities", "runtimePlatform", "pidMode")


def _create(aws: Aws, inputs: Props) -> str:
    wanted = {name: inputs[name] for name in (*_SAME, "volumes") if inputs.get(name)}
    if inputs.get("ephemeralStorage"):
        wanted["ephemeralStorage"] = {"sizeInGiB": inputs["ephemeralStorage"]["sizeInGib"]}
    if inputs.get("tags"):
        wanted["tags"] = _tags.as_list(inputs["tags"], "key", "value")
    containers = json.loads(inputs["containerDefinitions"])
    return str(aws.client("ecs").register_task_definition(family=inputs["family"], containerDefinitions=containers, **wanted)["taskDefinition"]["family"])


def _read(aws: Aws, family: str, known: Props) -> Props | None:
    """The revision that the state names; the newest of the family where it names none, or where `trackLatest` says so."""
    which = family if known.get("trackLatest") else known.get("arn") or family
    try:
        answer = aws.client("ecs").describe_task_definition(taskDefinition=which, include=["TAGS"])
    except ClientError as error:
        # ECS has no code of its own for a definition that is not there.
        if "Unable to describe task definition" in error.response["Error"]["Message"]:
            return None
        raise
    live = answer["taskDefinition"]
    if live["status"] != "ACTIVE":
        return None
    arn = live["taskDefinitionArn"]
    return {
        **{name: live[name] for name in _SAME if name in live},
        "family": live["family"],
        "containerDefinitions": _definitions(live["containerDefinitions"], known.get("containerDefinitions")),
        "ephemeralStorage": {"sizeInGib": live["ephemeralStorage"]["sizeInGiB"]} if live.get("ephemeralStorage") else None,
        "volumes": [{"name": volume["name"]} for volume in live["volumes"]],
        "arn": arn,
        "arnWithoutRevision": arn.rsplit(":", 1)[0],
        "revision": live["revision"],
        "tags": _tags.as_map(answer.get("tags"), "key", "value"),
    }


def _definitions(live: list[Props], known: str | None) -> str:
    """The text that was asked for where it says the same as what is there, else the latter in ECS's form."""
    if known and _ecs_containers.normal(_ecs_containers.parsed(known)) == _ecs_containers.normal(live):
        return known
    return json.dumps(_ecs_containers.normal(live), separators=(",", ":"), sort_keys=True)


def _update(aws: Aws, _: str, new: Props, old: Props) -> None:
    retag(aws, old["arn"], new, old)


def _delete(aws: Aws, _: str, state: Props) -> None:
    """Deregisters the revision, which ECS keeps as INACTIVE, for the tasks that run with it; with `skipDestroy` it stays ACTIVE."""
    if not state.get("skipDestroy"):
        aws.client("ecs").deregister_task_definition(taskDefinition=state["arn"])


def _cpu(value: str) -> str | None:
    return None if value.isdecimal() and int(value) in _SIZES else f"it must be one of {', '.join(map(str, _SIZES))} CPU units, not {value}"


def _refusals(inputs: Props) -> Iterator[Refusal]:
    cpu, memory = inputs["cpu"], inputs["memory"]
    if UNKNOWN not in (cpu, memory) and int(memory) not in _SIZES[int(cpu)]:
        sizes = ", ".join(map(str, _SIZES[int(cpu)]))
        yield Refusal("memory", f"it is {memory} MiB, and Fargate has no task with {cpu} CPU units and as much; with these it takes {sizes}")
    containers = _ecs_containers.parsed(inputs["containerDefinitions"])
    for name, total in (("cpu", cpu), ("memory", memory)):
        asked = sum(int(container.get(name) or 0) for container in containers)
        if total != UNKNOWN and asked > int(total):
            yield Refusal("containerDefinitions", f"the containers ask for {name} {asked} together, and the task has {total}")
    volumes = inputs.get("volumes") or []
    named = {members(volume).get("name") for volume in volumes} if isinstance(volumes, list) else {UNKNOWN}
    for container in containers:
        missing = sorted({mount["sourceVolume"] for mount in container.get("mountPoints") or [] if mount.get("sourceVolume")} - named)
        if missing and UNKNOWN not in named:
            yield Refusal("containerDefinitions", f"container {container['name']} mounts {', '.join(missing)}, which is none of the task's volumes")
    if not inputs.get("executionRoleArn") and (needs := _why_a_role(containers)):
        yield Refusal("executionRoleArn", f"it is required and missing; Fargate needs it for {', '.join(needs)}")


def _why_a_role(containers: list[Props]) -> list[str]:
    """ECS developer guide, "Amazon ECS task execution IAM role": what ECS and the Fargate agent do with it on the task's behalf."""
    found = {
        "secrets": any(container.get("secrets") for container in containers),
        "log driver awslogs": any(members(container.get("logConfiguration")).get("logDriver") == "awslogs" for container in containers),
        "images in Amazon ECR": any(".dkr.ecr." in str(container.get("image")) for container in containers),
    }
    return [name for name, needed in found.items() if needed]


_ROLE = r"arn:aws[a-z-]*:iam::\d{12}:role/.+"

TASK_DEFINITION = Kind(
    type="aws:ecs/taskDefinition:TaskDefinition",
    client="ecs",
    # API reference, RegisterTaskDefinition. The table has Fargate only: cpu, memory and the network mode awsvpc are required there.
    inputs={
        "family": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_-]{1,255}"),
        "containerDefinitions": text(required=True, replaces=True, json=True, rule=_ecs_containers.rule),
        "requiresCompatibilities": texts(text(one_of=("FARGATE",)), required=True, replaces=True, at_least=1, at_most=1),
        "networkMode": text(required=True, replaces=True, one_of=("awsvpc",)),
        "cpu": text(required=True, replaces=True, rule=_cpu),
        "memory": text(required=True, replaces=True, pattern=r"\d+"),
        "executionRoleArn": text(replaces=True, pattern=_ROLE),
        "taskRoleArn": text(replaces=True, pattern=_ROLE),
        "runtimePlatform": block(
            {
                "cpuArchitecture": text(shape="RegisterTaskDefinition.runtimePlatform.cpuArchitecture"),
                "operatingSystemFamily": text(one_of=("LINUX",)),
            },
            replaces=True,
        ),
        "pidMode": text(replaces=True, one_of=("task",)),
        "ephemeralStorage": block({"sizeInGib": number(required=True, at_least=21, at_most=200)}, replaces=True),
        "volumes": blocks({"name": text(required=True, pattern=r"[A-Za-z0-9_-]{1,255}")}, unordered=True, replaces=True),
        "skipDestroy": flag(),
        "trackLatest": flag(),
    },
    outputs=("arn", "arnWithoutRevision", "revision"),
    tagged=True,
    # A new revision has a number of its own, and the services go over to it before the old one goes.
    delete_first=False,
    defaults={"skipDestroy": False, "trackLatest": False},
    rule=_refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
