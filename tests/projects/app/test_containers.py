"""The containers, as ECS, ECR, Application Auto Scaling and CloudWatch Logs have them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from payments.container.consuming import HIDDEN_SECONDS
from payments.container.settings import ConsumerSettings, RelaySettings, ServerSettings, WebSettings, WorkerSettings
from payments.settings import MigrateDatabaseSettings, load
from shared.contracts import AppOutputs
from shared.image import image_tag
from shared.page import ROOT
from tests.projects.app.upstream import key_of, outputs
from tests.projects.harness import Cloud

PARTS = ("web", "worker", "migrate")
EACH = pytest.mark.parametrize("part", PARTS)
SERVICES = pytest.mark.parametrize("part", ["web", "worker"])
BOUNDS = {"web": (3, 30), "worker": (2, 20)}
SIZES = {"web": ("1024", "2048"), "worker": ("512", "1024"), "migrate": ("512", "1024")}


def definition(cloud: Cloud, part: str) -> dict[str, Any]:
    arn = outputs(cloud)["taskDefinitionArns"][part]
    found: dict[str, Any] = cloud.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return found


def container(cloud: Cloud, part: str) -> dict[str, Any]:
    [found] = definition(cloud, part)["containerDefinitions"]
    return found


def told(cloud: Cloud, part: str) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(cloud, part)["environment"]}


def secret(cloud: Cloud, name: str) -> str:
    return str(cloud.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def service(cloud: Cloud, part: str) -> dict[str, Any]:
    services = cloud.client("ecs").describe_services(cluster=outputs(cloud)["clusterName"], services=[outputs(cloud)["serviceNames"][part]])["services"]
    [found] = services
    return found


def test_it_publishes_its_contract_without_functions(fargate: Cloud) -> None:
    assert AppOutputs.problems(outputs(fargate)) == []
    assert (outputs(fargate)["functionNames"], outputs(fargate)["functionArns"]) == ({}, {})
    assert [outputs(fargate).get(output) for output in ("apiName", "apiStage")] == [None, None]
    assert set(outputs(fargate)["taskDefinitionArns"]) == set(PARTS)
    assert set(outputs(fargate)["serviceNames"]) == {"web", "worker"}
    assert fargate.client("lambda").list_functions()["Functions"] == []
    assert fargate.client("apigateway").get_rest_apis()["items"] == []


@EACH
def test_a_task_runs_on_fargate_for_arm64_and_has_the_pages_size(fargate: Cloud, part: str) -> None:
    found = definition(fargate, part)
    assert (found["requiresCompatibilities"], found["networkMode"]) == (["FARGATE"], "awsvpc")
    assert found["runtimePlatform"] == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert (found["cpu"], found["memory"]) == SIZES[part]
    assert found["family"] == f"payment-{part}-prod"
    assert found["executionRoleArn"] != found["taskRoleArn"]


@EACH
def test_a_container_is_no_root_has_no_capability_and_writes_no_file(fargate: Cloud, part: str) -> None:
    found = container(fargate, part)
    assert (found["user"], found["readonlyRootFilesystem"]) == ("10001:10001", True)
    assert found["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True}
    assert not found.get("privileged")
    assert (found["command"], found["essential"]) == ([part], True)
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"USER {found['user']}" in dockerfile
    assert 'ENTRYPOINT ["python", "-m", "payments.container"]' in dockerfile


def test_ecs_waits_longer_than_the_service_takes_to_finish(fargate: Cloud) -> None:
    for part in PARTS:
        assert ServerSettings.model_fields["grace"].default < container(fargate, part)["stopTimeout"] <= 120


def test_servers_are_asked_for_their_health_and_the_migration_is_not(fargate: Cloud) -> None:
    for part in ("web", "worker"):
        found = container(fargate, part)
        assert found["healthCheck"]["command"] == ["CMD", "python", "-m", "payments.container", "health"]
        [port] = found["portMappings"]
        assert (port["containerPort"], port["protocol"]) == (ServerSettings.model_fields["port"].default, "tcp")
    assert "healthCheck" not in container(fargate, "migrate")
    assert not container(fargate, "migrate").get("portMappings")


def test_its_variables_are_what_its_settings_want(fargate: Cloud) -> None:
    upstream, published = fargate.runs["data"].outputs, outputs(fargate)
    store = {"STAGE": "prod-prod", "DATABASE_URL": upstream["databaseUrl"], "DATABASE_SECRET_ARN": upstream["databaseSecretArn"]}
    work = {"WORK_QUEUE_URL": published["workQueueUrl"]}
    assert told(fargate, "migrate") == store
    assert told(fargate, "web") == {**store, **work, "API_URL": published["apiUrl"]}
    assert told(fargate, "worker") == {
        **store,
        **work,
        "API_URL": published["apiUrl"],
        "AUDIT_BUCKET": upstream["auditBucketName"],
        "DEAD_LETTER_QUEUE_URL": published["deadLetterQueueUrl"],
        "DOCUMENTS_BUCKET": upstream["documentsBucketName"],
        "MAX_RECEIVES": "5",
        "PAYMENT_EVENTS_TOPIC_ARN": published["paymentEventsTopicArn"],
        "PROCESSOR": "sandbox",
        "TRANSACTION_LOG_TABLE": upstream["transactionLogTableName"],
    }
    cache = {"CACHE_URL": "rediss://:password@cache.example.com:6379/0"}
    load(WebSettings, {**told(fargate, "web"), **cache, "API_KEYS": secret(fargate, "payment-api-keys-1-prod")})
    load(MigrateDatabaseSettings, told(fargate, "migrate"))
    for model in (WorkerSettings, ConsumerSettings, RelaySettings):
        load(model, {**told(fargate, "worker"), **cache})


def test_the_caches_url_and_the_callers_keys_come_from_their_secrets_and_stand_in_no_definition(fargate: Cloud) -> None:
    cache = {"name": "CACHE_URL", "valueFrom": fargate.runs["data"].outputs["cacheSecretArn"]}
    keys = {"name": "API_KEYS", "valueFrom": fargate.client("secretsmanager").describe_secret(SecretId="payment-api-keys-1-prod")["ARN"]}
    assert {part: container(fargate, part).get("secrets", []) for part in PARTS} == {"web": [keys, cache], "worker": [cache], "migrate": []}
    for part in PARTS:
        written = json.dumps(definition(fargate, part), default=str)
        assert "rediss://" not in written
        assert outputs(fargate)["apiKey"] not in written


@EACH
def test_its_log_goes_to_a_group_of_its_own(fargate: Cloud, part: str) -> None:
    log = container(fargate, part)["logConfiguration"]
    assert (log["logDriver"], log["options"]["awslogs-group"]) == ("awslogs", f"/aws/ecs/payment-{part}-prod")
    assert (log["options"]["awslogs-region"], log["options"]["mode"]) == ("us-east-1", "non-blocking")


def test_every_log_group_is_encrypted_and_kept_as_long_as_the_page_says(fargate: Cloud) -> None:
    groups = fargate.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"] for group in groups} == {
        *(f"/aws/ecs/payment-{part}-prod" for part in PARTS),
        "/aws/ecs/containerinsights/payment-cluster-prod/performance",
        "aws-waf-logs-payment-web-prod",
    }
    assert {group["retentionInDays"] for group in groups} == {365}
    assert {group["kmsKeyId"] for group in groups} == {fargate.runs["networking"].outputs["logKeyArn"]}


@SERVICES
def test_a_service_runs_in_the_private_subnets_and_rolls_back_what_does_not_come_up(fargate: Cloud, part: str) -> None:
    found, network = service(fargate, part), fargate.runs["networking"].outputs
    place = found["networkConfiguration"]["awsvpcConfiguration"]
    assert sorted(place["subnets"]) == sorted(network["privateSubnetIds"])
    assert (place["securityGroups"], place["assignPublicIp"]) == ([network["securityGroupIds"]["containers"]], "DISABLED")
    assert (found["taskDefinition"], found["desiredCount"]) == (outputs(fargate)["taskDefinitionArns"][part], BOUNDS[part][0])
    deployment = found["deploymentConfiguration"]
    assert deployment["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (deployment["minimumHealthyPercent"], deployment["maximumPercent"]) == (100, 200)
    assert [item["capacityProvider"] for item in found["capacityProviderStrategy"]] == ["FARGATE"]
    assert not found["enableExecuteCommand"]
    assert (found["propagateTags"], found["enableECSManagedTags"]) == ("SERVICE", True)


def test_the_web_service_alone_is_behind_the_load_balancer(fargate: Cloud) -> None:
    [group] = fargate.client("elbv2").describe_target_groups()["TargetGroups"]
    [behind] = service(fargate, "web")["loadBalancers"]
    assert behind == {"targetGroupArn": group["TargetGroupArn"], "containerName": "web", "containerPort": 8443}
    assert service(fargate, "worker")["loadBalancers"] == []


@SERVICES
def test_a_service_scales_with_cpu_and_with_memory_to_ten_times_its_least(fargate: Cloud, part: str) -> None:
    scaling, resource = fargate.client("application-autoscaling"), f"service/payment-cluster-prod/payment-{part}-prod"
    [target] = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableDimension"]) == (*BOUNDS[part], "ecs:service:DesiredCount")
    assert target["MaxCapacity"] >= 10 * target["MinCapacity"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"]
    aims: dict[str, float] = {}
    for policy in policies:
        assert policy["PolicyType"] == "TargetTrackingScaling"
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        aims[tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "its queue")] = tracking["TargetValue"]
        assert tracking["ScaleOutCooldown"] < tracking["ScaleInCooldown"]
    queued = {"its queue": 100} if part == "worker" else {}
    assert aims == {"ECSServiceAverageCPUUtilization": 60, "ECSServiceAverageMemoryUtilization": 70, **queued}


def test_the_worker_scales_with_what_waits_for_each_of_its_tasks(fargate: Cloud) -> None:
    scaling, resource = fargate.client("application-autoscaling"), "service/payment-cluster-prod/payment-worker-prod"
    policies = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"]
    [policy] = [one for one in policies if one["PolicyName"] == "payment-worker-backlog-prod"]
    queries = {one["Id"]: one for one in policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Metrics"]}
    metrics = {id_: one["MetricStat"]["Metric"] for id_, one in queries.items() if "MetricStat" in one}
    of = {id_: {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]} for id_, metric in metrics.items()}
    asked = {id_: (metric["Namespace"], metric["MetricName"], of[id_]) for id_, metric in metrics.items()}
    queue = outputs(fargate)["workQueueUrl"].rpartition("/")[2]
    assert asked == {
        "waiting": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue}),
        # Which a cluster without Container Insights does not have.
        "running": ("ECS/ContainerInsights", "RunningTaskCount", {"ClusterName": outputs(fargate)["clusterName"], "ServiceName": "payment-worker-prod"}),
    }
    assert (queries["backlog"]["Expression"], [id_ for id_, one in queries.items() if one["ReturnData"]]) == ("waiting / running", ["backlog"])


def test_the_cluster_is_for_fargate_and_watched(fargate: Cloud) -> None:
    [cluster] = fargate.client("ecs").describe_clusters(clusters=[outputs(fargate)["clusterName"]], include=["SETTINGS"])["clusters"]
    assert {setting["name"]: setting["value"] for setting in cluster["settings"]} == {"containerInsights": "enabled"}
    assert cluster["capacityProviders"] == ["FARGATE"]


def test_the_image_is_of_this_checkout_in_a_repository_whose_tags_nobody_moves(fargate: Cloud) -> None:
    [repository] = fargate.client("ecr").describe_repositories()["repositories"]
    assert outputs(fargate)["repositoryUrl"] == repository["repositoryUri"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"]["scanOnPush"]
    assert repository["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key_of(fargate)}
    policy = fargate.client("ecr").get_lifecycle_policy(repositoryName=repository["repositoryName"])["lifecyclePolicyText"]
    assert [rule["selection"]["tagStatus"] for rule in json.loads(policy)["rules"]] == ["untagged", "any"]
    assert {container(fargate, part)["image"] for part in PARTS} == {f"{repository['repositoryUri']}:{image_tag()}"}


def test_the_tag_is_the_codes_and_changes_with_it(tmp_path: Path) -> None:
    def write(texts: dict[str, str]) -> str:
        for path, text in texts.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return image_tag(tmp_path)

    first = write({"Dockerfile": "FROM base", "payments/a.py": "a = 1", "payments/__pycache__/a.pyc": "1", "payments/trust/bundle.pem": "1"})
    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert write({"payments/__pycache__/a.pyc": "2", "payments/trust/bundle.pem": "2", "environments/page": "2"}) == first
    others = [write({path: text}) for path, text in {"payments/a.py": "a = 2", "Dockerfile": "FROM other", "payments/b.py": ""}.items()]
    assert len({first, *others}) == 4


def test_the_queue_hides_a_message_for_as_long_as_the_worker_does(fargate: Cloud) -> None:
    found = fargate.client("sqs").get_queue_attributes(QueueUrl=outputs(fargate)["workQueueUrl"], AttributeNames=["VisibilityTimeout"])
    assert int(found["Attributes"]["VisibilityTimeout"]) == HIDDEN_SECONDS
