"""Tags from one place: every type that can bear tags gets them, a resource's own win, and unknown tags stay unknown."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from localcloud import catalogue
from shared.environment import Environment
from shared.tags import tag_everything
from tests.projects.harness import Cloud, empty_aws

TAGS = {"Environment": "dev", "Team": "payments"}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("dev") as cloud:
        yield cloud


def queue_tags(cloud: Cloud, name: str) -> dict[str, str]:
    sqs = cloud.client("sqs")
    tags: dict[str, str] = sqs.list_queue_tags(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"]).get("Tags", {})
    return tags


def transformed(type_: str, props: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the transformation makes of a resource's inputs."""
    added: list[Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None]] = []
    monkeypatch.setattr(pulumi.runtime, "register_stack_transformation", added.append)
    tag_everything(TAGS)
    [transformation] = added
    resource: Any = None
    result = transformation(pulumi.ResourceTransformationArgs(resource, type_, "name", props, pulumi.ResourceOptions()))
    return props if result is None else dict(result.props)


def has_tags(token: str) -> bool:
    """Whether the official provider's class of a type takes tags."""
    _, module, name = token.split(":")
    folder = module.split("/")[0]
    room: Any = aws if folder == "index" else importlib.import_module(f"pulumi_aws.{folder}_" if folder == "lambda" else f"pulumi_aws.{folder}")
    return "tags" in inspect.signature(getattr(room, name)._internal_init).parameters


def test_every_type_that_can_bear_tags_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    taggable = [kind.type for kind in catalogue.everything() if has_tags(kind.type)]
    assert len(taggable) > 20
    for type_ in taggable:
        assert transformed(type_, {"tags": None}, monkeypatch) == {"tags": TAGS}, type_


def test_types_without_tags_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    props: dict[str, Any] = {"policy": "{}"}
    assert transformed("aws:sqs/queuePolicy:QueuePolicy", props, monkeypatch) is props
    for other in ("pulumi:pulumi:StackReference", "pulumi:providers:aws", "payments:app:Api"):
        assert transformed(other, {"tags": None}, monkeypatch) == {"tags": None}


def test_an_instances_disks_are_tagged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert transformed("aws:ec2/instance:Instance", {"tags": None, "volume_tags": None}, monkeypatch) == {"tags": TAGS, "volume_tags": TAGS}


def test_a_resources_own_tags_are_added_and_win(cloud: Cloud) -> None:
    def components(_: Environment) -> None:
        aws.sqs.Queue("plain", name="plain")
        aws.sqs.Queue("own", name="own", tags={"Name": "own", "Team": "fraud"})

    cloud.make(components)
    assert queue_tags(cloud, "plain") == cloud.environment.tags
    assert queue_tags(cloud, "own") == {**cloud.environment.tags, "Name": "own", "Team": "fraud"}


def test_tags_that_come_from_another_resource_are_waited_for(cloud: Cloud) -> None:
    def components(_: Environment) -> None:
        first = aws.sqs.Queue("first", name="first")
        aws.sqs.Queue("second", name="second", tags={"Source": first.arn})
        aws.sqs.Queue("third", name="third", tags=first.arn.apply(lambda arn: {"Source": arn}))

    cloud.make(components)
    source = {"Source": cloud.environment.arn("sqs", "first")}
    assert queue_tags(cloud, "second") == queue_tags(cloud, "third") == {**cloud.environment.tags, **source}


def test_children_of_components_are_tagged(cloud: Cloud) -> None:
    from shared.components.queue import Queue, QueueArgs

    cloud.make(lambda environment: Queue("work", environment, QueueArgs(consumer_timeout=1, key_arn="alias/aws/sqs")))
    assert queue_tags(cloud, "work-dev-main") == queue_tags(cloud, "work-dlq-dev-main") == cloud.environment.tags
