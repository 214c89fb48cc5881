"""The whole program: what it publishes, what it takes, its tags, and that all of it goes away."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from localcloud import catalogue
from localcloud.rehearsal import Resource
from shared.contracts import ObservabilityOutputs
from tests.projects.harness import Cloud
from tests.projects.observability.upstream import ADDRESS, deployed, platform

ON_CALL = {"observability:notifications": {"paging": True, "emails": [ADDRESS]}}


def made(cloud: Cloud) -> list[Resource]:
    return [resource for resource in cloud.runs["observability"].resources if resource.type.startswith("aws:")]


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_it_publishes_its_contract(environment: str) -> None:
    with deployed(environment) as cloud:
        outputs = cloud.runs["observability"].outputs
        assert ObservabilityOutputs.problems(outputs) == []
        assert cloud.client("sns").get_topic_attributes(TopicArn=outputs["alarmTopicArn"])["Attributes"]["TopicArn"] == outputs["alarmTopicArn"]
        assert outputs["dashboardName"] == f"payments-{environment}-main"


def test_environments_differ_by_their_pages_alone() -> None:
    shapes: list[set[tuple[str, str]]] = []
    for environment in ("dev", "staging", "prod"):
        with deployed(environment) as cloud:
            shapes.append({(resource.type, resource.name) for resource in made(cloud)})
    assert shapes[0] == shapes[1] == shapes[2]


def test_everything_bears_the_environments_tags() -> None:
    with deployed("prod") as cloud:
        tagged = [resource for resource in made(cloud) if catalogue.kind(resource.type).tagged and not catalogue.kind(resource.type).is_gap("tags")]
        assert {resource.type.split(":")[-1] for resource in tagged} == {"Key", "Topic", "MetricAlarm", "LogGroup", "Role", "Trail"}
        for resource in tagged:
            known = {name: value for name, value in resource.inputs.items() if name != "tags"}
            live: dict[str, Any] = catalogue.kind(resource.type).look(cloud.aws, resource.id, known) or {}
            assert (resource.name, live["tags"]) == (resource.name, dict(cloud.environment.tags))


def test_nothing_is_left_when_it_is_destroyed() -> None:
    with deployed("prod", page=ON_CALL) as cloud:
        for resource in reversed(made(cloud)):
            catalogue.kind(resource.type).delete(cloud.aws, resource.id, resource.outputs)
        assert cloud.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
        assert cloud.client("cloudwatch").list_dashboards()["DashboardEntries"] == []
        assert cloud.client("cloudtrail").describe_trails()["trailList"] == []
        assert cloud.client("sns").list_topics()["Topics"] == []
        assert cloud.client("sns").list_subscriptions()["Subscriptions"] == []
        assert cloud.client("logs").describe_log_groups()["logGroups"] == []
        assert cloud.client("iam").list_roles()["Roles"] == []


def test_an_upstream_that_lacks_an_output_is_named_with_the_command_that_mends_it() -> None:
    with platform("dev") as cloud:
        del cloud.runs["data"].outputs["auditBucketName"]
        with pytest.raises(pulumi.RunError, match=r"observability/dev takes DataOutputs .* auditBucketName is missing.*--env dev --target local --only data"):
            cloud.deploy("observability")
