"""Containers in environments of other shapes: with an image of somebody else's, without a cache, without a relational database."""

from __future__ import annotations

import pytest

from shared import page as pages
from shared.contracts import AppOutputs
from shared.image import AWAITED
from tests.projects.app.test_containers import PARTS, container, told
from tests.projects.app.upstream import deployed, outputs, statements


def test_the_pages_own_image_needs_no_repository() -> None:
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/payments/service:1.4.2"
    ours = {**pages.read("containers-dev").config["app:containers"], "image": uri}
    with deployed("containers-dev", **{"app:containers": ours}) as cloud:
        assert {container(cloud, part)["image"] for part in PARTS} == {uri}
        assert cloud.client("ecr").describe_repositories()["repositories"] == []
        assert outputs(cloud).get("repositoryUrl") is None
        assert statements(cloud, "task-execution")["Image"]["Resource"] == ["arn:aws:ecr:us-east-1:123456789012:repository/payments/service"]


def test_before_there_is_an_image_there_is_all_but_what_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AWAITED, "1")
    with deployed("containers-dev") as cloud:
        assert AppOutputs.problems(outputs(cloud)) == []
        assert (outputs(cloud)["serviceNames"], outputs(cloud)["taskDefinitionArns"], outputs(cloud).get("clusterName")) == ({}, {}, None)
        [repository] = cloud.client("ecr").describe_repositories()["repositories"]
        assert outputs(cloud)["repositoryUrl"] == repository["repositoryUri"]
        assert outputs(cloud)["loadBalancerArn"]
        assert cloud.client("ecs").list_clusters()["clusterArns"] == []


def test_another_registrys_image_needs_no_permission_of_ecr() -> None:
    ours = {**pages.read("containers-dev").config["app:containers"], "image": "registry.example.com/payments/service:1.4.2"}
    with deployed("containers-dev", **{"app:containers": ours, "networking:egress": {"kind": "nat-gateway"}}) as cloud:
        assert set(statements(cloud, "task-execution")) == {"Logs", "ApiKeys", "ApiKeysKey", "CacheSecret", "CacheSecretKey"}


def test_without_a_cache_sessions_are_in_their_table() -> None:
    with deployed("containers-dev", without=["data:cache"]) as cloud:
        assert told(cloud, "worker")["SESSIONS_TABLE"] == cloud.runs["data"].outputs["sessionsTableName"]
        assert statements(cloud, "worker-task")["Sessions"]["Action"] == ["dynamodb:UpdateItem"]
        assert {part: [one["name"] for one in container(cloud, part).get("secrets", [])] for part in PARTS} == {
            "web": ["API_KEYS"],
            "worker": [],
            "migrate": [],
        }
        assert set(statements(cloud, "task-execution")) == {"Logs", "Registry", "Image", "ApiKeys", "ApiKeysKey"}


def test_with_a_table_of_payments_there_is_nothing_to_migrate() -> None:
    with deployed("containers-dev", **{"data:database": {"kind": "dynamodb"}}) as cloud:
        assert set(outputs(cloud)["taskDefinitionArns"]) == {"web", "worker"}
        for part in ("web", "worker"):
            assert told(cloud, part)["PAYMENTS_TABLE"] == cloud.runs["data"].outputs["paymentsTableName"]
            assert not {"DATABASE_URL", "DATABASE_SECRET_ARN"} & set(told(cloud, part))
            assert "DatabaseSecret" not in statements(cloud, f"{part}-task")
