"""The whole service: what it says of itself, what it refuses, and how it follows a deployment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from localcloud.serve.model import ServeError
from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import Api, Deployment, post


def test_what_cannot_be_served_is_said(deployment: Deployment, api: Api, serve: Serve) -> None:
    deployment.function("echo")
    api.method("echo", "signed", authorizationType="AWS_IAM")
    api.method("echo", "open")
    api.stage()
    problems = serve().deployed.problems
    assert len(problems) == 1
    assert "POST /signed" in problems[0]
    assert "AWS_IAM is not served here" in problems[0]


def test_the_service_tells_of_itself(deployment: Deployment, serve: Serve) -> None:
    deployment.function("echo")
    service = serve()
    about = httpx.get(f"{service.endpoint}/_serve").json()
    assert about["functions"] == ["echo"]
    assert about["endpoint"] == service.endpoint


def test_what_is_deployed_anew_is_served_without_a_request_lost(deployment: Deployment, api: Api, serve: Serve, eventually: Callable[..., Any]) -> None:
    deployment.function("echo", "def handler(event, context): return {'statusCode': 200, 'body': 'old'}")
    api.method("echo", "it")
    api.stage()
    service = serve(feeding=True, refresh=0.2)
    assert post(service, api, "it").text == "old"
    deployment.package("echo", "def handler(event, context): return {'statusCode': 200, 'body': 'new'}")
    api.method("echo", "further")

    def new() -> bool:
        answer = post(service, api, "it")
        assert answer.status_code == 200
        return answer.text == "new"

    eventually(new)
    eventually(lambda: post(service, api, "further").status_code == 200)
    # While nothing can be read, what was served goes on.
    deployment.packages["gone"] = deployment.folder / "gone.zip"
    time.sleep(0.5)
    assert post(service, api, "it").text == "new"


def test_a_port_that_is_taken(deployment: Deployment, serve: Serve) -> None:
    deployment.function("echo")
    with pytest.raises(OSError, match="in use"):
        serve(port=serve()._server.port)


def test_a_function_with_layers_is_refused(deployment: Deployment, serve: Serve) -> None:
    deployment.function("layered")
    client = deployment.aws.client("lambda")
    layer = client.publish_layer_version(LayerName="more", Content={"ZipFile": deployment.packages["layered"].read_bytes()})
    client.update_function_configuration(FunctionName="layered", Layers=[layer["LayerVersionArn"]])
    with pytest.raises(ServeError, match="function layered has layers"):
        serve()
