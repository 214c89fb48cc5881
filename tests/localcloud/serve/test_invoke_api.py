"""Lambda's Invoke, through boto3."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.serve.service import Service
from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import Deployment

_FUNCTION = """
import os
def handler(event, context):
    print("asked", event)
    if "record" in event:
        with open(event["record"], "a") as record:
            record.write("x")
    if event.get("fail"):
        raise KeyError("gone")
    return {"got": event, "trace": os.environ["_X_AMZN_TRACE_ID"], "client": context.client_context and context.client_context.custom}
"""


@pytest.fixture
def service(deployment: Deployment, serve: Serve) -> Service:
    deployment.function("f", _FUNCTION)
    deployment.function("off", _FUNCTION, reserved=0)
    return serve(retries=(0.1, 0.1))


@pytest.fixture
def client(service: Service) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return boto3.Session("a", "b", region_name="us-east-1").client("lambda", endpoint_url=service.endpoint, config=config)


def test_a_function_answers_by_name_and_by_arn(client: Any, deployment: Deployment) -> None:
    context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    for name in ("f", "f:$LATEST", deployment.aws.arn("lambda", "function:f"), f"{deployment.aws.account}:function:f"):
        answer = client.invoke(FunctionName=name, Payload=b'{"a": 1}', LogType="Tail", ClientContext=context)
        assert answer["StatusCode"] == 200
        assert "FunctionError" not in answer
        assert answer["ExecutedVersion"] == "$LATEST"
        payload = json.load(answer["Payload"])
        assert payload["got"] == {"a": 1}
        assert payload["trace"].startswith("Root=1-")
        assert payload["client"] == {"a": "b"}
        assert "asked {'a': 1}" in base64.b64decode(answer["LogResult"]).decode()


def test_a_failure_is_told_beside_its_payload(client: Any) -> None:
    answer = client.invoke(FunctionName="f", Payload=b'{"fail": true}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorType"] == "KeyError"
    assert "LogResult" not in answer


def test_an_event_is_tried_three_times_and_nobody_waits(client: Any, tmp_path: Path, eventually: Callable[..., Any]) -> None:
    record = tmp_path / "record"
    answer = client.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps({"record": str(record), "fail": True}))
    assert answer["StatusCode"] == 202
    eventually(lambda: record.exists() and record.read_text() == "xxx")
    time.sleep(0.4)
    assert record.read_text() == "xxx"


def test_a_dry_run_runs_nothing(client: Any, tmp_path: Path) -> None:
    record = tmp_path / "record"
    assert client.invoke(FunctionName="f", InvocationType="DryRun", Payload=json.dumps({"record": str(record)}))["StatusCode"] == 204
    assert not record.exists()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"FunctionName": "unknown"}, "ResourceNotFoundException"),
        ({"FunctionName": "unknown", "InvocationType": "DryRun"}, "ResourceNotFoundException"),
        ({"FunctionName": "f:3"}, "ResourceNotFoundException"),
        ({"FunctionName": "off"}, "TooManyRequestsException"),
        ({"FunctionName": "f", "Payload": b"{"}, "InvalidRequestContentException"),
        ({"FunctionName": "f", "Payload": b'"' + b"x" * 6 * 1024 * 1024 + b'"'}, "RequestTooLargeException"),
    ],
)
def test_what_lambda_refuses(client: Any, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.invoke(**asked)
    assert caught.value.response["Error"]["Code"] == code


def test_other_calls_are_the_local_clouds(service: Service) -> None:
    answer = httpx.get(f"{service.endpoint}/2015-03-31/functions/f/configuration")
    assert answer.status_code == 404
    assert "ask the local cloud" in answer.json()["Message"]
