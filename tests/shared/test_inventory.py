"""The inventory: all that a program made, in one order, with nothing in it but what AWS calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pulumi
import pulumi_aws as aws
import pytest

from shared.component import Component
from shared.components.topic import Topic, TopicArgs
from shared.environment import Environment
from shared.inventory import Inventory
from tests.projects.harness import Cloud, empty_aws


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("dev") as cloud:
        yield cloud


def inventory(cloud: Cloud, components: Callable[[Environment], object]) -> list[dict[str, str]]:
    """What the inventory of a program that makes `components` says."""

    def main(environment: Environment) -> None:
        inventory = Inventory(environment)
        components(environment)
        pulumi.export("inventory", inventory.output())

    made = cloud.make(main)
    assert made.secrets == set()
    found: list[dict[str, str]] = made.outputs["inventory"]
    return found


class Pair(Component):
    """Produces two queues."""

    def __init__(self, name: str, environment: Environment) -> None:
        super().__init__(name, environment)
        for part in ("b", "a"):
            aws.sqs.Queue(f"{name}-{part}", name=f"{name}-{part}", opts=self.child())
        self.register_outputs({})


def test_it_has_every_resource_with_what_aws_calls_it(cloud: Cloud) -> None:
    found = inventory(cloud, lambda environment: Pair("pair", environment))
    queue = "aws:sqs/queue:Queue"
    urls = [cloud.client("sqs").get_queue_url(QueueName=name)["QueueUrl"] for name in ("pair-a", "pair-b")]
    assert found == [
        {"type": queue, "name": name, "id": url, "arn": cloud.environment.arn("sqs", name)} for name, url in zip(("pair-a", "pair-b"), urls, strict=True)
    ]


def test_its_order_is_not_the_programs(cloud: Cloud) -> None:
    def backwards(environment: Environment) -> None:
        Pair("pair", environment)
        key = aws.kms.Key("key")
        aws.kms.Alias("alias", name="alias/some", target_key_id=key.key_id)

    found = inventory(cloud, backwards)
    keys = [(one["type"], one["name"], one["id"]) for one in found]
    assert keys == sorted(keys)
    assert [name for _, name, _ in keys] == ["alias", "key", "pair-a", "pair-b"]


def test_a_resource_without_an_arn_has_none(cloud: Cloud) -> None:
    found = inventory(cloud, lambda environment: Topic("topic", environment, TopicArgs(key_arn="alias/aws/sns")))
    arn = cloud.environment.arn("sns", "topic-dev-main")
    assert found == [
        {"type": "aws:sns/topic:Topic", "name": "topic", "id": arn, "arn": arn},
        {"type": "aws:sns/topicPolicy:TopicPolicy", "name": "topic", "id": arn},
    ]


def test_components_and_other_providers_are_no_resources_of_aws(cloud: Cloud) -> None:
    assert inventory(cloud, lambda environment: Component("empty", environment)) == []


def test_no_secret_gets_into_it(cloud: Cloud) -> None:
    [found] = inventory(cloud, lambda _: aws.apigateway.ApiKey("key", name="key"))
    [key] = cloud.client("apigateway").get_api_keys(includeValues=True)["items"]
    assert found == {"type": "aws:apigateway/apiKey:ApiKey", "name": "key", "id": key["id"], "arn": found["arn"]}
    assert len(key["value"]) > 20
    assert key["value"] not in json.dumps(found)


def test_the_arn_of_another_resource_is_not_its_own(cloud: Cloud, recwarn: pytest.WarningsRecorder) -> None:
    def made(_: Environment) -> None:
        secret = aws.secretsmanager.Secret("secret", name="secret")
        aws.secretsmanager.SecretVersion("version", secret_id=secret.id, secret_string="not a real one")

    found = {one["name"]: one for one in inventory(cloud, made)}
    assert found["secret"]["arn"].startswith(cloud.environment.arn("secretsmanager", "secret:secret"))
    assert "arn" not in found["version"]
    assert [warning for warning in recwarn if "deprecated" in str(warning.message)] == []
