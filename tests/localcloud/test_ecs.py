"""What the table's examples cannot show of Amazon ECS: revisions, what a service needs of others, and the forms of a container definition."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import grpc
import pytest

from localcloud import catalogue
from localcloud.resources import _ecs_containers
from tests.localcloud.engine import Engine
from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.ecs import CLUSTER, KEPT, PLAIN_CLUSTER, SERVICE, SPOT, TASK_DEFINITION, container, definitions
from tests.localcloud.examples.lb import NETWORK, TARGET_GROUP
from tests.localcloud.life import make, make_needs, make_one

_BALANCED = {"targetGroupArn": Ref("target", "arn"), "containerName": "web", "containerPort": 8080}


def changed(example: Example, needs: dict[str, Example] | None = None, **inputs: Any) -> Example:
    """The example with other inputs and more that it needs."""
    return replace(example, inputs={**example.inputs, **inputs}, needs={**example.needs, **(needs or {})})


def without(example: Example, *names: str) -> Example:
    """The example without some inputs."""
    return replace(example, inputs={name: value for name, value in example.inputs.items() if name not in names})


def test_another_definition_is_another_revision(engine: Engine) -> None:
    assert not catalogue.kind(TASK_DEFINITION.type).delete_first
    id_, first, inputs = make_one(engine, TASK_DEFINITION, {})
    changed_inputs = {**inputs, "containerDefinitions": definitions(container(command=["worker"]))}
    assert engine.diff(TASK_DEFINITION.type, id_, first, inputs, changed_inputs)[1] == {"containerDefinitions"}
    same, second = engine.create(TASK_DEFINITION.type, changed_inputs)
    assert (id_, same, first["revision"], second["revision"]) == ("payments-web", "payments-web", 1, 2)
    assert second["arn"] == f"{second['arnWithoutRevision']}:2"
    engine.delete(TASK_DEFINITION.type, id_, first)
    assert engine.read(TASK_DEFINITION.type, id_, first, inputs) is None
    assert engine.read(TASK_DEFINITION.type, id_, second, changed_inputs) == (second, changed_inputs)


def test_a_revision_by_hand_is_somebody_elses_unless_the_latest_is_tracked(engine: Engine) -> None:
    id_, state, inputs = make_one(engine, TASK_DEFINITION, {})
    engine.create(TASK_DEFINITION.type, {**inputs, "cpu": "256"})
    read = engine.read(TASK_DEFINITION.type, id_, state, inputs)
    assert read is not None
    assert read[0]["revision"] == 1
    tracked = {**inputs, "trackLatest": True}
    latest = engine.read(TASK_DEFINITION.type, id_, state, tracked)
    assert latest is not None
    assert (latest[0]["revision"], latest[1]["cpu"]) == (2, "256")


def test_what_ecs_fills_in_is_no_difference() -> None:
    left = container(environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], command=[])
    right = container(environment=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}], command=None, essential=True, cpu=0, volumesFrom=[])
    right["portMappings"] = [{**right["portMappings"][0], "hostPort": 8080, "protocol": "tcp"}]
    assert _ecs_containers.normal([left]) == _ecs_containers.normal([right])
    assert _ecs_containers.normal([left]) != _ecs_containers.normal([{**right, "image": "other"}])


def test_what_is_not_known_yet_is_refused_by_nobody() -> None:
    assert _ecs_containers.rule("not JSON; the field says so") is None
    assert _ecs_containers.parsed(None) == []
    assert _ecs_containers.parsed("{") == []
    assert _ecs_containers.rule(json.dumps([container()])) is None


@pytest.mark.parametrize("least_and_most", [("256", "512", "2048"), ("1024", "2048", "8192"), ("8192", "16384", "61440"), ("16384", "32768", "122880")])
def test_sizes_are_those_of_fargate(engine: Engine, least_and_most: tuple[str, str, str]) -> None:
    cpu, least, most = least_and_most
    inputs = {**TASK_DEFINITION.inputs, "cpu": cpu}
    assert [engine.check(TASK_DEFINITION.type, {**inputs, "memory": memory})[1] for memory in (least, most)] == [[], []]
    for memory in (int(least) // 2, int(most) + 1024):
        refused = dict(engine.check(TASK_DEFINITION.type, {**inputs, "memory": str(memory)})[1])
        assert refused["memory"].startswith(f"it is {memory} MiB, and Fargate has no task with {cpu} CPU units and as much")


_EC2 = {"instances": changed(TARGET_GROUP, name="instances", targetType="instance")}


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (changed(SERVICE, loadBalancers=[{**_BALANCED, "targetGroupArn": Ref("second", "arn")}]), "does not have an associated load balancer"),
        (changed(SERVICE, _EC2, loadBalancers=[{**_BALANCED, "targetGroupArn": Ref("instances", "arn")}]), "takes targets of type instance"),
        (changed(SERVICE, loadBalancers=[{**_BALANCED, "containerName": "api"}]), "the container api does not exist"),
        (changed(SERVICE, loadBalancers=[{**_BALANCED, "containerPort": 80}]), "did not have a container port 80 defined"),
        (changed(SERVICE, taskDefinition="payments-web:2"), "Unable to describe task definition"),
        (changed(SERVICE, cluster="other"), "ClusterNotFoundException"),
        (replace(SPOT, needs={**NETWORK, "cluster": PLAIN_CLUSTER, "definition": KEPT}), "FARGATE, FARGATE_SPOT is not associated with cluster plain"),
        (changed(SPOT, enableExecuteCommand=True), "enableExecuteCommand needs a taskRoleArn"),
    ],
    ids=["no listener", "instances", "no container", "no port", "no definition", "no cluster", "no capacity", "no role"],
)
def test_a_service_is_not_made(engine: Engine, example: Example, reason: str) -> None:
    made = make_needs(engine, example)
    with pytest.raises(grpc.RpcError, match=reason):
        make_one(engine, example, made)


def test_a_service_runs_an_active_revision_and_is_there_once(engine: Engine) -> None:
    _, state, _, made = make(engine, SPOT)
    assert state["availabilityZoneRebalancing"] == "ENABLED"
    with pytest.raises(grpc.RpcError, match="service worker exists already"):
        make_one(engine, SPOT, made)
    definition = {**made["definition"], "skipDestroy": False}
    engine.delete(TASK_DEFINITION.type, "kept", definition)
    with pytest.raises(grpc.RpcError, match="task-definition/kept:1 is inactive"):
        make_one(engine, changed(SPOT, name="second"), made)


def test_a_count_that_the_program_leaves_out_is_autoscalings(engine: Engine) -> None:
    id_, state, inputs, _ = make(engine, without(SERVICE, "desiredCount"))
    assert state["desiredCount"] == 0
    ecs = engine.clouds.get(engine.account, engine.region).client("ecs")
    ecs.update_service(cluster="plain", service="web", desiredCount=5)
    updated = engine.update(SERVICE.type, id_, state, inputs, {**inputs, "enableExecuteCommand": True})
    assert (updated["desiredCount"], updated["enableExecuteCommand"]) == (5, True)


def test_a_cluster_with_services_stays(engine: Engine) -> None:
    id_, state, _, made = make(engine, SPOT)
    cluster = made["cluster"]
    with pytest.raises(grpc.RpcError, match="ClusterContainsServicesException"):
        engine.delete(PLAIN_CLUSTER.type, cluster["id"], cluster)
    engine.delete(SERVICE.type, id_, state)
    engine.delete(CLUSTER.type, cluster["id"], cluster)
    assert engine.read(CLUSTER.type, cluster["id"], cluster, dict(PLAIN_CLUSTER.inputs)) is None
