"""A task that is run to its end: by ECS, in the services' network, and by what serves on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from ops.deployed import Deployed
from ops.tasks_of_ecs import Ran, TaskError, on_ecs, served
from tests.ops.somewhere import deployed

DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/migrate:3"
TASK = "arn:aws:ecs:us-east-1:123456789012:task/c/0123456789abcdef"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}}


class _NotFoundError(Exception):
    pass


class _Aws:
    """ECS and CloudWatch Logs, as far as they are asked: a task that stops at the second look."""

    class exceptions:  # noqa: N801 - boto3's name
        ResourceNotFoundException = _NotFoundError

    def __init__(self, **task: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.states = ["PROVISIONING", "RUNNING", "STOPPED"]
        self.task: dict[str, Any] = {"taskArn": TASK, "containers": [{"name": "migrate", "exitCode": 0}], **task}
        self.failures: list[dict[str, str]] = []
        self.services = [{"networkConfiguration": NETWORK}]

    def describe_services(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"cluster": "c", "services": ["web-dev"]}
        return {"services": self.services}

    def run_task(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"tasks": [] if self.failures else [{**self.task, "lastStatus": self.states.pop(0)}], "failures": self.failures}

    def describe_tasks(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"cluster": "c", "tasks": [TASK]}
        return {"tasks": [{**self.task, "lastStatus": self.states.pop(0)}]} if self.states else {"tasks": [], "failures": [{"reason": "MISSING"}]}

    def describe_task_definition(self, **_: Any) -> dict[str, Any]:
        options = {"awslogs-group": "/ecs/migrate", "awslogs-stream-prefix": "migrate"}
        return {"taskDefinition": {"containerDefinitions": [{"name": "migrate", "logConfiguration": {"options": options}}]}}

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        if self.task["containers"][0].get("exitCode") is None:
            raise _NotFoundError
        assert (asked["logGroupName"], asked["logStreamName"]) == ("/ecs/migrate", "migrate/migrate/0123456789abcdef")
        return {"events": [{"message": "one"}, {"message": "two"}]}


def where(aws: _Aws) -> Deployed:
    return deployed({"app": {"clusterName": "c", "serviceNames": {"web": "web-dev", "worker": "worker-dev"}}}, lambda *_: aws, target="aws")


def test_ecs_runs_it_in_the_network_of_the_services_and_its_own_log_is_read() -> None:
    aws, pauses = _Aws(), []
    assert on_ecs(where(aws), DEFINITION, pause=pauses.append) == Ran(0, ("one", "two"))
    (asked,) = aws.asked
    assert (asked["taskDefinition"], asked["count"], asked["launchType"], asked["networkConfiguration"]) == (DEFINITION, 1, "FARGATE", NETWORK)
    assert len(pauses) == 2


def test_a_task_that_never_started_says_why() -> None:
    stopped = _Aws(containers=[{"name": "migrate"}], stoppedReason="CannotPullContainerError: not found")
    with pytest.raises(TaskError, match="task migrate did not start: CannotPullContainerError: not found"):
        on_ecs(where(stopped), DEFINITION, pause=lambda _: None).checked("migrate")
    refused = _Aws()
    refused.failures = [{"reason": "RESOURCE:MEMORY"}]
    with pytest.raises(TaskError, match="task migrate:3 cannot be started: RESOURCE:MEMORY"):
        on_ecs(where(refused), DEFINITION)


def test_a_task_that_ends_badly_hangs_or_vanishes_is_told() -> None:
    bad = _Aws(containers=[{"name": "migrate", "exitCode": 1}])
    with pytest.raises(TaskError, match="task migrate ended with status 1\n  one\n  two"):
        on_ecs(where(bad), DEFINITION, pause=lambda _: None).checked("migrate")
    with pytest.raises(TaskError, match="has not ended; it is PROVISIONING"):
        on_ecs(where(_Aws()), DEFINITION, seconds=0)
    gone = _Aws()
    gone.states = ["RUNNING"]
    with pytest.raises(TaskError, match="is gone: MISSING"):
        on_ecs(where(gone), DEFINITION, pause=lambda _: None)
    empty = _Aws()
    empty.services = []
    with pytest.raises(TaskError, match="cluster c has no service web-dev"):
        on_ecs(where(empty), DEFINITION)


@pytest.fixture
def endpoint() -> Iterator[str]:
    """What serves: it runs `migrate:3`, and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            good = self.path == "/_serve/tasks" and asked == {"taskDefinition": DEFINITION}
            body = json.dumps({"exitCode": 0, "lines": ["one"]} if good else {"message": "there is no such definition"}).encode()
            self.send_response(200 if good else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """A test's output is no access log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_serves_here_runs_it(endpoint: str) -> None:
    assert served(endpoint, DEFINITION) == Ran(0, ("one",))
    with pytest.raises(TaskError, match="task other:1 cannot be run: there is no such definition"):
        served(endpoint, "other:1")


def test_what_does_not_serve_is_told() -> None:
    with pytest.raises(TaskError, match=r"what serves at http://127\.0\.0\.1:9 does not answer"):
        served("http://127.0.0.1:9", DEFINITION)
