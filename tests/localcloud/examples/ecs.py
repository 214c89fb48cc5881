"""Examples of Amazon ECS."""

import json
from typing import Any

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.lb import BALANCED, FORWARD, HTTP, NETWORK

KEY = "arn:aws:kms:us-east-1:345678901234:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::345678901234:role/payments-execution"

_EXECUTE = {
    "kmsKeyId": KEY,
    "logging": "OVERRIDE",
    "logConfiguration": {"cloudWatchLogGroupName": "/ecs/exec", "cloudWatchEncryptionEnabled": True, "s3BucketEncryptionEnabled": True},
}

CLUSTER = Example(
    type="aws:ecs/cluster:Cluster",
    inputs={
        "name": "payments",
        "settings": [{"name": "containerInsights", "value": "enhanced"}],
        "configuration": {"executeCommandConfiguration": _EXECUTE, "managedStorageConfiguration": {"fargateEphemeralStorageKmsKeyId": KEY}},
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "configuration": None,
        "serviceConnectDefaults": {"namespace": "arn:aws:servicediscovery:us-east-1:345678901234:namespace/ns-1"},
        "tags": {"Environment": "prod"},
    },
    replaces={"name": "other"},
    bad={
        "name": ("no spaces", "x" * 256),
        "settings": ([{"name": "insights", "value": "enabled"}], [{"name": "containerInsights", "value": "on"}]),
        "configuration": (
            {"executeCommandConfiguration": {"logging": "OVERRIDE"}},
            {"executeCommandConfiguration": {"logging": "NONE", "logConfiguration": {"s3BucketName": "logs"}}},
            {"executeCommandConfiguration": {"logging": "SOME"}},
            {"executeCommand": {}},
        ),
        "capacityProviders": ["FARGATE"],
    },
    drift=lambda aws, arn: aws.client("ecs").update_cluster(cluster=arn, settings=[{"name": "containerInsights", "value": "enabled"}]),
    drifts="settings",
)
PLAIN_CLUSTER = Example(type=CLUSTER.type, label="as little as there can be", inputs={"name": "plain"})

CAPACITY_PROVIDERS = Example(
    type="aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    needs={"cluster": PLAIN_CLUSTER},
    inputs={
        "clusterName": Ref("cluster", "name"),
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "base": 1, "weight": 0}, {"capacityProvider": "FARGATE_SPOT", "weight": 3}],
    },
    updates={"capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}]},
    replaces={"clusterName": "other"},
    bad={
        "capacityProviders": ([], ["SPOT"]),
        "defaultCapacityProviderStrategies": (
            [{"capacityProvider": "FARGATE", "base": 1, "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "base": 1}],
            [{"capacityProvider": "FARGATE", "weight": 0}],
            [{"capacityProvider": "FARGATE", "weight": 1001}],
            [{"capacityProvider": "FARGATE", "base": 100_001, "weight": 1}],
            [{"weight": 1}],
            [{"capacityProvider": "FARGATE_SPARE", "weight": 1}],
        ),
    },
)


def container(**about: Any) -> dict[str, Any]:
    """The container of the payment service, with members over it; None drops one."""
    web: dict[str, Any] = {
        "name": "web",
        "image": "345678901234.dkr.ecr.us-east-1.amazonaws.com/payments:1",
        "command": ["web"],
        "portMappings": [{"containerPort": 8080, "name": "http"}],
        "environment": [{"name": "STAGE", "value": "dev"}, {"name": "LEVEL", "value": "INFO"}],
        "secrets": [{"name": "CACHE_URL", "valueFrom": "arn:aws:secretsmanager:us-east-1:345678901234:secret:cache"}],
        "readonlyRootFilesystem": True,
        "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp"}],  # noqa: S108 - in the container
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/payments", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
        },
        "healthCheck": {"command": ["CMD", "python", "-m", "payments.container", "health"], "interval": 15, "timeout": 5, "retries": 3, "startPeriod": 30},
        "stopTimeout": 120,
        "user": "10001",
    }
    return {name: value for name, value in {**web, **about}.items() if value is not None}


def definitions(*containers: dict[str, Any]) -> str:
    """The JSON of some containers."""
    return json.dumps(list(containers))


def _with(**about: Any) -> str:
    return definitions(container(**about))


TASK_DEFINITION = Example(
    type="aws:ecs/taskDefinition:TaskDefinition",
    inputs={
        "family": "payments-web",
        "containerDefinitions": _with(),
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "executionRoleArn": ROLE,
        "taskRoleArn": "arn:aws:iam::345678901234:role/payments-task",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGib": 30},
        "volumes": [{"name": "tmp"}],
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={"trackLatest": True, "tags": {"Environment": "prod"}},
    replaces={
        "family": "other",
        "containerDefinitions": _with(image="345678901234.dkr.ecr.us-east-1.amazonaws.com/payments:2"),
        "cpu": "256",
        "memory": "2048",
        "executionRoleArn": f"{ROLE}-2",
        "taskRoleArn": ROLE,
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGib": 21},
        "volumes": [{"name": "tmp"}, {"name": "more"}],
    },
    bad={
        "family": ("no spaces", "x" * 256),
        "requiresCompatibilities": (["EC2"], None),
        "networkMode": ("bridge", None),
        "cpu": ("384", "1 vCPU", None),
        "memory": ("512", "4608", "5120", "1 GB", None),
        "executionRoleArn": ("role", None),
        "runtimePlatform": {"cpuArchitecture": "ARM"},
        "ephemeralStorage": ({"sizeInGib": 20}, {"sizeInGib": 201}),
        "pidMode": "host",
        "inferenceAccelerators": [],
        "containerDefinitions": (
            "{",
            "{}",
            "[]",
            definitions(container(), container()),
            _with(name=None),
            _with(name="no spaces"),
            _with(image=None),
            _with(imagePullPolicy="always"),
            _with(essential=False),
            _with(essential="yes"),
            _with(privileged=True),
            _with(links=["db"]),
            _with(linuxParameters={"capabilities": {"add": ["NET_ADMIN"]}}),
            _with(linuxParameters={"tmpfs": [{"containerPath": "/run", "size": 64}]}),
            _with(portMappings=[{"containerPort": 70_000}]),
            _with(portMappings=[{"containerPort": 8080, "hostPort": 80}]),
            _with(environment=[{"name": "CACHE_URL", "value": "redis://"}]),
            _with(environment=[{"value": "x"}]),
            _with(logConfiguration={"logDriver": "journald"}),
            _with(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/payments", "awslogs-region": "us-east-1"}}),
            _with(healthCheck={"command": ["true"]}),
            _with(healthCheck={"command": ["CMD", "true"], "interval": 4}),
            _with(healthCheck={"command": ["CMD", "true"], "retries": 11}),
            _with(stopTimeout=121),
            _with(memory=5),
            _with(memory=512, memoryReservation=512),
            _with(memory=2048),
            _with(cpu=1024),
            _with(dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
            _with(mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}]),
            definitions(container(healthCheck=None), container(name="side", dependsOn=[{"containerName": "web", "condition": "HEALTHY"}])),
            definitions(container(), container(name="side", dependsOn=[{"containerName": "web", "condition": "COMPLETE"}])),
        ),
    },
    drift=lambda aws, family: aws.client("ecs").tag_resource(
        resourceArn=aws.arn("ecs", f"task-definition/{family}:1"), tags=[{"key": "Team", "value": "by hand"}]
    ),
    drifts="tags",
)

KEPT = Example(
    type=TASK_DEFINITION.type,
    label="as little as there can be, kept",
    inputs={
        "family": "kept",
        "containerDefinitions": definitions({"name": "web", "image": "public.ecr.aws/docker/library/python:3.13"}),
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "skipDestroy": True,
    },
    stays="skipDestroy leaves the revision ACTIVE",
)

# A target group takes a service's tasks once a listener forwards to it.
FORWARDING = Example(type=HTTP.type, needs=BALANCED, inputs={"loadBalancerArn": Ref("balancer", "arn"), "port": 80, "defaultActions": [FORWARD]})

SERVICE = Example(
    type="aws:ecs/service:Service",
    needs={"listener": FORWARDING, "cluster": PLAIN_CLUSTER, "definition": TASK_DEFINITION},
    inputs={
        "name": "web",
        "cluster": Ref("cluster", "arn"),
        "taskDefinition": Ref("definition", "arn"),
        "desiredCount": 2,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "networkConfiguration": {"subnets": [Ref("one"), Ref("two")], "securityGroups": [Ref("group")], "assignPublicIp": False},
        "loadBalancers": [{"targetGroupArn": Ref("target", "arn"), "containerName": "web", "containerPort": 8080}],
        "healthCheckGracePeriodSeconds": 60,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "deploymentController": {"type": "ECS"},
        "deploymentMinimumHealthyPercent": 100,
        "availabilityZoneRebalancing": "ENABLED",
        "enableExecuteCommand": False,
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
        "waitForSteadyState": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "desiredCount": 3,
        "taskDefinition": "payments-web:1",
        "platformVersion": "LATEST",
        "networkConfiguration": {"subnets": [Ref("one"), Ref("three")], "securityGroups": [Ref("other")]},
        "loadBalancers": None,
        "healthCheckGracePeriodSeconds": None,
        "deploymentCircuitBreaker": None,
        "alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True},
        "deploymentMaximumPercent": 150,
        "deploymentMinimumHealthyPercent": 50,
        "availabilityZoneRebalancing": "DISABLED",
        "enableExecuteCommand": True,
        "enableEcsManagedTags": False,
        "propagateTags": "TASK_DEFINITION",
        "forceNewDeployment": True,
        "triggers": {"image": "2"},
        "sigintRollback": True,
        "forceDelete": True,
        "tags": {"Environment": "prod"},
    },
    replaces={"name": "other", "cluster": "other", "launchType": None, "deploymentController": {"type": "EXTERNAL"}},
    bad={
        "name": "no spaces",
        "desiredCount": -1,
        "launchType": ("EC2", None),
        "platformVersion": "2",
        "schedulingStrategy": "DAEMON",
        "networkConfiguration": (
            None,
            {"subnets": [], "securityGroups": ["sg-1"]},
            {"subnets": ["subnet-1"]},
            {"subnets": ["one"], "securityGroups": ["sg-1"]},
        ),
        "loadBalancers": [{"containerName": "web", "containerPort": 8080}],
        "deploymentCircuitBreaker": {"enable": True},
        "deploymentMaximumPercent": 100,
        "deploymentMinimumHealthyPercent": 101,
        "availabilityZoneRebalancing": "ON",
        "propagateTags": "ALL",
        "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
        "triggers": {"image": "2"},
        "taskDefinition": None,
        "tasks": 2,
    },
    drift=lambda aws, arn: aws.client("ecs").update_service(cluster=arn.split("/")[1], service=arn, desiredCount=7),
    drifts="desiredCount",
)

SPOT = Example(
    type=SERVICE.type,
    label="on spot capacity, in a named cluster",
    needs={**NETWORK, "providers": CAPACITY_PROVIDERS, "definition": KEPT},
    inputs={
        "name": "worker",
        "cluster": Ref("cluster", "name"),
        "taskDefinition": "kept:1",
        "networkConfiguration": {"subnets": [Ref("one")], "securityGroups": [Ref("group")]},
        "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "base": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    },
    updates={"desiredCount": 1},
    replaces={"capacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT", "weight": 2}]},
    bad={
        "healthCheckGracePeriodSeconds": 60,
        "sigintRollback": True,
        "deploymentMaximumPercent": 100,
        "capacityProviderStrategies": ([{"capacityProvider": "FARGATE", "base": 1}], [{"capacityProvider": "mine", "weight": 1}]),
    },
)

EXAMPLES = (CLUSTER, PLAIN_CLUSTER, CAPACITY_PROVIDERS, TASK_DEFINITION, KEPT, SERVICE, SPOT)
