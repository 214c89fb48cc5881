"""What the table's examples cannot show of Lambda: code from S3, versions, and queues that are too impatient."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from localcloud.resources._lambda_code import zipped
from tests.localcloud.engine import Engine
from tests.localcloud.examples import lambda_
from tests.localcloud.life import make

FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
QUEUE = "aws:sqs/queue:Queue"


@pytest.fixture
def function(engine: Engine) -> tuple[dict[str, Any], dict[str, Any]]:
    """A function's inputs and its state."""
    _, state, inputs, _ = make(engine, lambda_.SMALL)
    return inputs, state


def test_code_can_come_from_a_bucket(engine: Engine, function: tuple[dict[str, Any], dict[str, Any]]) -> None:
    inputs, state = function
    s3 = engine.clouds.get(engine.account, engine.region).client("s3")
    s3.create_bucket(Bucket="packages")
    s3.put_object(Bucket="packages", Key="app.zip", Body=zipped(inputs["code"]))
    moved = {**{name: value for name, value in inputs.items() if name != "code"}, "name": "from-s3", "s3Bucket": "packages", "s3Key": "app.zip"}
    _, made = engine.create(FUNCTION, moved)
    assert made["codeSha256"] == state["codeSha256"]


def test_a_version_is_published_when_the_function_changed_and_not_when_its_tags_did(engine: Engine, function: tuple[dict[str, Any], dict[str, Any]]) -> None:
    inputs, state = function
    published = {**inputs, "publish": True}
    first = engine.update(FUNCTION, state["name"], state, inputs, published)
    assert (first["version"], first["qualifiedArn"]) == ("1", f"{state['arn']}:1")
    tagged = {**published, "tags": {"Team": "payments"}}
    second = engine.update(FUNCTION, state["name"], first, published, tagged)
    assert (second["version"], second["tags"]) == ("1", {"Team": "payments"})
    larger = {**published, "memorySize": 256}
    third = engine.update(FUNCTION, state["name"], second, tagged, larger)
    assert (third["version"], third["memorySize"], third["tagsAll"]) == ("2", 256, {})


def test_a_queue_that_hands_a_message_out_while_the_function_works_on_it_is_refused(engine: Engine, function: tuple[dict[str, Any], dict[str, Any]]) -> None:
    inputs, state = function
    engine.update(FUNCTION, state["name"], state, inputs, {**inputs, "timeout": 60})
    _, queue = engine.create(QUEUE, {"name": "work", "visibilityTimeoutSeconds": 59})
    with pytest.raises(grpc.RpcError, match="visibility timeout: 59 seconds is less than Function timeout: 60 seconds"):
        engine.create(MAPPING, {"eventSourceArn": queue["arn"], "functionName": state["name"]})
