"""The whole program: copies, tags, what it takes, its packages, and that all of it goes away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

from localcloud import catalogue
from localcloud.rehearsal import Resource
from ops import package as ops_package
from payments.functions import FUNCTIONS
from shared import packages
from shared import page as pages
from shared.variables import TARGET
from tests.projects.app.upstream import deployed, outputs
from tests.projects.harness import Cloud, empty_aws, network
from tests.projects.observability.upstream import data

COPY = {"platform:environmentSuffix": "pr42", "platform:copyOf": "staging"}


def made(cloud: Cloud) -> list[Resource]:
    return [resource for resource in cloud.runs["app"].resources if resource.type.startswith("aws:")]


def test_a_copy_leaves_the_accounts_logging_role_alone_and_names_itself() -> None:
    with deployed("staging", **COPY) as copy:
        gateway = copy.client("apigateway")
        assert "cloudwatchRoleArn" not in gateway.get_account()
        roles = {role["RoleName"] for role in copy.client("iam").list_roles()["Roles"]}
        assert roles == {f"{function.name}-staging-pr42" for function in FUNCTIONS}
        assert [rule["Name"] for rule in copy.client("events").list_rules()["Rules"]] == ["outbox-relay-staging-pr42"]
        assert [api["name"] for api in gateway.get_rest_apis()["items"]] == ["payments-staging-pr42"]
        assert {function.rsplit("-", 1)[-1] for function in outputs(copy)["functionNames"].values()} == {"pr42"}


def test_where_another_environment_sets_the_accounts_logging_role_this_one_neither_makes_nor_sets_one() -> None:
    api = pages.read("staging").config["app:api"]
    with deployed("staging", **{"app:api": {**api, "accountLogging": False}}) as cloud:
        assert "cloudwatchRoleArn" not in cloud.client("apigateway").get_account()
        assert not [role for role in cloud.client("iam").list_roles()["Roles"] if role["RoleName"].startswith("api-logs")]
        [stage] = cloud.client("apigateway").get_stages(restApiId=cloud.client("apigateway").get_rest_apis()["items"][0]["id"])["item"]
        assert stage["methodSettings"]["*/*"]["loggingLevel"] == "INFO"


def test_a_copy_stands_beside_its_original() -> None:
    with deployed("staging") as original, deployed("staging", **COPY) as copy:
        for output in ("apiName", "workQueueName", "paymentEventsTopicArn"):
            assert outputs(original)[output] != outputs(copy)[output]
        functions = {function["FunctionName"] for function in original.client("lambda").list_functions()["Functions"]}
        assert functions == {*outputs(original)["functionNames"].values(), *outputs(copy)["functionNames"].values()}
        assert len(functions) == 2 * len(FUNCTIONS)
        assert original.client("apigateway").get_account()["cloudwatchRoleArn"].endswith("role/api-logs-staging-main")


def tagged(cloud: Cloud) -> set[str]:
    """The kinds of all resources that can bear tags; each of these bears the environment's."""
    found = [resource for resource in made(cloud) if catalogue.kind(resource.type).tagged and not catalogue.kind(resource.type).is_gap("tags")]
    for resource in found:
        known = {name: value for name, value in resource.inputs.items() if name != "tags"}
        live: dict[str, Any] = catalogue.kind(resource.type).look(cloud.aws, resource.id, known) or {}
        assert cloud.environment.tags.items() <= live.get("tags", {}).items(), resource.urn
    return {resource.type.split(":")[-1] for resource in found}


def destroy(cloud: Cloud) -> None:
    """Destroys what the program made, the last first."""
    for resource in reversed(made(cloud)):
        catalogue.kind(resource.type).destroy(cloud.aws, resource.id, {**resource.inputs, **resource.outputs})


def assert_nothing_shared_is_left(cloud: Cloud) -> None:
    """Nothing of what both ways of running the service have."""
    assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []
    assert cloud.client("sns").list_topics()["Topics"] == []
    assert cloud.client("route53").list_hosted_zones()["HostedZones"] == []
    assert cloud.client("acm").list_certificates()["CertificateSummaryList"] == []
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert cloud.client("iam").list_roles()["Roles"] == []


def test_everything_bears_the_environments_tags_and_all_of_it_can_be_destroyed() -> None:
    with deployed("prod") as cloud:
        types = tagged(cloud)
        assert types >= {"Function", "Queue", "Topic", "Stage", "EventRule", "Role", "LogGroup", "Key", "Certificate", "Zone", "DomainName"}
        destroy(cloud)
        gateway = cloud.client("apigateway")
        assert [gateway.get_rest_apis()["items"], gateway.get_api_keys()["items"], gateway.get_usage_plans()["items"]] == [[], [], []]
        assert gateway.get_domain_names()["items"] == []
        assert cloud.client("lambda").list_functions()["Functions"] == []
        assert cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []
        assert cloud.client("events").list_rules()["Rules"] == []
        assert_nothing_shared_is_left(cloud)


def test_containers_bear_the_environments_tags_and_all_of_them_can_be_destroyed() -> None:
    with deployed("containers-prod") as cloud:
        types = tagged(cloud)
        wanted = {"Cluster", "Service", "TaskDefinition", "Repository", "LoadBalancer", "Listener", "ListenerRule", "TargetGroup", "WebAcl", "Role", "LogGroup"}
        assert types >= wanted
        destroy(cloud)
        elb, ecs = cloud.client("elbv2"), cloud.client("ecs")
        assert (elb.describe_load_balancers()["LoadBalancers"], elb.describe_target_groups()["TargetGroups"]) == ([], [])
        assert ecs.list_task_definitions()["taskDefinitionArns"] == []
        # ECS tells of a deleted cluster for a while (API reference, DeleteCluster).
        clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
        assert {cluster["status"] for cluster in clusters} <= {"INACTIVE"}
        assert cloud.client("ecr").describe_repositories()["repositories"] == []
        assert cloud.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"] == []
        assert cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
        assert_nothing_shared_is_left(cloud)


@pytest.mark.parametrize(
    ("producer", "contract", "output"), [("networking", "NetworkingOutputs", "logKeyArn"), ("data", "DataOutputs", "transactionLogTableArn")]
)
def test_an_upstream_output_that_is_missing_is_an_error_that_names_it(producer: str, contract: str, output: str) -> None:
    with empty_aws("dev") as cloud:
        cloud.published("networking", network(cloud))
        cloud.published("data", data(cloud))
        del cloud.runs[producer].outputs[output]
        with pytest.raises(pulumi.RunError, match=rf"app/dev takes {contract} .* output {output} is missing.*--env dev --target local --only {producer}"):
            cloud.deploy("app")


@pytest.mark.parametrize(
    ("target", "folder", "command"), [("local", "lambda-arm64", "local"), ("aws", "lambda-arm64-aws", "aws"), (None, "lambda-arm64-aws", "aws")]
)
def test_a_package_that_was_not_made_is_an_error_that_says_how(target: str | None, folder: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PACKAGES", packages.ROOT / ".local" / "no-packages")
    _target(target, monkeypatch)
    with empty_aws("dev") as cloud:
        cloud.published("networking", network(cloud))
        cloud.published("data", data(cloud))
        with pytest.raises(pulumi.RunError, match=rf"\(\.local/no-packages/{folder}/process-payment\.zip\).*`invoke package --target {command}`"):
            cloud.deploy("app")


def test_a_package_is_the_functions_archive_for_lambdas_processor() -> None:
    path: Path = packages.package_file("verify-payment")
    assert (path.parent.name, path.name) == ("lambda-arm64", "verify-payment.zip")
    assert packages.package("verify-payment").path == str(path)


@pytest.mark.parametrize("target", [None, "aws", "", "AWS"])
def test_whatever_is_not_the_local_target_gets_the_packages_that_trust_aws(target: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    _target(target, monkeypatch)
    assert packages.package_file("verify-payment").parent.name == ops_package.for_target("aws").name == "lambda-arm64-aws"
    monkeypatch.setenv(TARGET, "local")
    assert packages.package_file("verify-payment").parent.name == ops_package.for_target("local").name


def _target(target: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing sets it where somebody runs `pulumi up` by hand."""
    monkeypatch.delenv(TARGET) if target is None else monkeypatch.setenv(TARGET, target)
