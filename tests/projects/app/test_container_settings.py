"""The `app:containers` keys: one of two ways to run the service, with sizes that Fargate has and bounds that AWS takes."""

from __future__ import annotations

from typing import Any

import pytest

from ops.validation import problems_of, problems_on_aws
from projects.app.container_settings import repository_of
from shared import page as pages
from shared.environment import environment_of
from shared.page import Page
from tests.projects.app.test_settings import refusals

SIZE = {"cpu": 512, "memory": 1024, "minTasks": 2, "maxTasks": 20}
CONTAINERS: dict[str, Any] = {"web": SIZE, "worker": SIZE, "domain": {"name": "payments.example.com"}, "rateLimit": 1000}
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/payments/service"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def page(**changed: Any) -> Page:
    """containers-dev with some keys of `app:containers` changed; None takes a key away."""
    keys = {**CONTAINERS, **changed}
    return pages.read("containers-dev").with_values({"app:containers": {key: value for key, value in keys.items() if value is not None}})


def sized(cpu: int, memory: int) -> Page:
    return page(web={**SIZE, "cpu": cpu, "memory": memory})


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"app:containers": CONTAINERS}, "app:functions and app:api and app:containers"),
        ({"app:api": ...}, "app:functions"),
        ({"app:functions": ...}, "app:api"),
        ({"app:functions": ..., "app:api": ...}, "none of them"),
        ({"app:functions": ..., "app:containers": CONTAINERS}, "app:api and app:containers"),
    ],
)
def test_the_service_runs_in_one_way_and_the_error_names_the_keys_of_both(section: dict[str, Any], said: str) -> None:
    prod = pages.read("prod")
    config = {key: value for key, value in prod.config.items() if section.get(key) is not ...}
    changed = Page("prod", {**config, **{key: value for key, value in section.items() if value is not ...}})
    [refused] = refusals(changed)
    assert refused == (
        f"app: wants app:functions and app:api (Lambda behind API Gateway), or else app:containers (Fargate behind a load balancer); the page has {said}"
    )


def test_a_key_without_a_value_is_refused() -> None:
    [refused] = refusals(page().with_values({"app:containers": None}))
    assert "app:containers must not be empty" in refused


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        (256, 512),
        (256, 1024),
        (256, 2048),
        (512, 4096),
        (1024, 2048),
        (1024, 8192),
        (2048, 16_384),
        (4096, 8192),
        (4096, 30_720),
        (8192, 16_384),
        (8192, 20_480),
        (8192, 61_440),
        (16_384, 32_768),
        (16_384, 122_880),
    ],
)
def test_sizes_that_fargate_has_are_taken(cpu: int, memory: int) -> None:
    assert refusals(sized(cpu, memory)) == []


@pytest.mark.parametrize(
    ("cpu", "memory", "known"),
    [
        (256, 4096, "512, 1024, 2048 MiB"),
        (256, 1536, "512, 1024, 2048 MiB"),
        (512, 512, "1024, 2048, 3072, 4096 MiB"),
        (1024, 1024, "2048, 3072, 4096, 5120, 6144, 7168, 8192 MiB"),
        (2048, 2048, "4096 to 16384 in steps of 1024 MiB"),
        (4096, 31_744, "8192 to 30720 in steps of 1024 MiB"),
        (8192, 17_408, "16384 to 61440 in steps of 4096 MiB"),
        (16_384, 36_864, "32768 to 122880 in steps of 8192 MiB"),
    ],
)
def test_sizes_that_fargate_has_not_are_refused_with_those_that_it_has(cpu: int, memory: int, known: str) -> None:
    [refused] = refusals(sized(cpu, memory))
    assert refused.startswith(f"app:containers.web: memory {memory} does not go with cpu {cpu}: ")
    assert known in refused


@pytest.mark.parametrize(
    ("changed", "key", "rule"),
    [
        ({"web": {**SIZE, "cpu": 300}}, "web.cpu", "Input should be 256, 512"),
        ({"web": {**SIZE, "minTasks": 0}}, "web.minTasks", "greater than or equal to 1"),
        ({"worker": {**SIZE, "maxTasks": 5_001}}, "worker.maxTasks", "less than or equal to 5000"),
        ({"worker": {**SIZE, "minTasks": 21}}, "worker", "minTasks 21 is more than maxTasks 20"),
        ({"web": None}, "web", "is required and missing"),
        ({"domain": None}, "domain", "is required and missing"),
        ({"domain": {"name": "localhost"}}, "domain.name", "should match pattern"),
        ({"cpuTarget": 95}, "cpuTarget", "less than or equal to 90"),
        ({"memoryTarget": 5}, "memoryTarget", "greater than or equal to 10"),
        ({"backlogTarget": 0}, "backlogTarget", "greater than or equal to 1"),
        ({"backlogTarget": 10_001}, "backlogTarget", "less than or equal to 10000"),
        ({"rateLimit": None}, "rateLimit", "is required and missing"),
        ({"rateLimit": 9}, "rateLimit", "greater than or equal to 10"),
        ({"rateLimit": 2_000_000_001}, "rateLimit", "less than or equal to 2000000000"),
        ({"allowedCidrs": []}, "allowedCidrs", "must have a range"),
        ({"allowedCidrs": ["203.0.113.7/24"]}, "allowedCidrs[0]", "not a valid IPv4 network"),
        ({"image": "payments"}, "image", "with its tag or digest"),
        ({"image": f"{ECR}"}, "image", "with its tag or digest"),
        ({"image": f"{ECR}:latest"}, "image", "must not be tagged latest"),
        ({"image": f"{ECR}@sha256:abc"}, "image", "with its tag or digest"),
        ({"port": 8080}, "port", "unknown key"),
    ],
)
def test_a_page_that_aws_would_refuse_is_refused_with_key_and_rule(changed: dict[str, Any], key: str, rule: str) -> None:
    [refused] = refusals(page(**changed))
    assert refused.startswith(f"app:containers.{key}: ")
    assert rule in refused


@pytest.mark.parametrize("image", [f"{ECR}:1.4.2", f"{ECR}@{DIGEST}", None])
def test_an_image_has_a_tag_or_a_digest(image: str | None) -> None:
    assert refusals(page(image=image)) == []
    assert problems_of(page(image=image)) == []


def test_the_limits_of_aws_waf_are_taken() -> None:
    for limit in (10, 2_000_000_000):
        assert refusals(page(rateLimit=limit)) == []


def test_high_availability_wants_two_tasks_behind_the_load_balancer() -> None:
    available = page(web={**SIZE, "minTasks": 1}).with_values(
        {"platform:highAvailability": True, "data:database": pages.read("containers-prod").config["data:database"]}
    )
    available = available.with_values({"data:cache": pages.read("containers-prod").config["data:cache"]})
    assert [(found.key, found.value) for found in problems_of(available)] == [("app:containers.web.minTasks", 1)]
    assert problems_of(available.with_values({"app:containers": CONTAINERS})) == []


def test_without_a_way_out_an_image_comes_from_the_regions_own_ecr() -> None:
    for image in ("docker.io/library/python:3.13", f"{ECR}:1".replace("us-east-1", "eu-west-1")):
        [found] = problems_of(page(image=image))
        assert (found.key, found.value) == ("app:containers.image", image)
        assert "ECR in us-east-1" in found.rule
        assert problems_of(page(image=image).with_values({"networking:egress": {"kind": "nat-gateway"}})) == []


def test_without_a_way_out_a_processor_on_the_internet_is_refused() -> None:
    stripe = {"name": "stripe", "secretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:payments/stripe-AbCdEf"}
    endpoints = pages.read("containers-dev").config["networking:endpoints"]
    private = {"networking:endpoints": {**endpoints, "processor": "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d4e5f60718"}}
    named = {"app:processor": {**stripe, "endpoint": "https://stripe.internal.example.com"}}
    for values, missing in (
        ({"app:processor": stripe}, "networking:endpoints.processor and app:processor.endpoint"),
        ({**private, "app:processor": stripe}, "app:processor.endpoint"),
        (named, "networking:endpoints.processor"),
    ):
        [found] = problems_of(page().with_values(values))
        assert (found.key, found.value) == ("app:processor.name", "stripe")
        assert found.rule.endswith(f"reach it by PrivateLink and say how in {missing}")
    assert problems_of(page().with_values({**private, **named})) == []
    assert problems_of(page().with_values({"app:processor": stripe, "networking:egress": {"kind": "nat-gateway"}})) == []


def test_a_reserved_domain_is_refused_for_aws_alone() -> None:
    assert problems_of(page()) == []
    assert [(found.key, found.value) for found in problems_on_aws(page())] == [("app:containers.domain.name", "payments.example.com")]
    assert problems_on_aws(page(domain={"name": "payments.amazonaws.com"})) == []


def test_a_copys_name_is_below_its_originals_and_may_be_too_long() -> None:
    copy = {"platform:environmentSuffix": "pr42", "platform:copyOf": "containers-dev"}
    assert problems_of(page().with_values(copy)) == []
    long = f"{'a' * 50}.example.com"
    [found] = problems_of(page(domain={"name": long}).with_values(copy))
    assert (found.key, found.value) == ("app:containers.domain.name", long)
    assert f"pr42.{long}" in found.rule


def test_a_repository_is_known_from_the_images_name() -> None:
    environment = environment_of(page())
    arn = "arn:aws:ecr:us-east-1:123456789012:repository/payments/service"
    assert [repository_of(f"{ECR}{end}", environment) for end in (":1", f"@{DIGEST}")] == [arn, arn]
    assert repository_of("docker.io/library/python:3.13", environment) is None
