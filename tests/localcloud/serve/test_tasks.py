"""Services of ECS from their task definitions: what a task's process gets, how it is kept up, replaced and ended."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from localcloud.serve import ecs
from localcloud.serve.containers import Container, EcsService
from localcloud.serve.ecs import Services
from localcloud.serve.model import ServeError
from localcloud.serve.service import TASKS, Service
from tests.localcloud.serve.cluster import Cluster, forward
from tests.localcloud.serve.conftest import Serve

Eventually = Callable[..., Any]


def served(cluster: Cluster, definition: str, *, desired: int = 1, **group: Any) -> str:
    """Deploys a service behind a load balancer; its target group's ARN."""
    arn = cluster.target_group(**group)
    cluster.listener(cluster.balancer(), forward(arn))
    cluster.service(definition, desired=desired, behind=arn)
    return arn


def ask(service: Service, path: str = "/", **request: Any) -> Any:
    """What a task answers."""
    return httpx.request(request.pop("method", "GET"), service.urls["front/80"] + path, timeout=30, **request).json()


def test_a_task_gets_its_definitions_environment_and_secrets_and_nothing_of_this_machine(
    cluster: Cluster, serve_cluster: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = cluster.deployment.aws.client("secretsmanager")
    plain = secrets.create_secret(Name="plain", SecretString="a secret")["ARN"]
    keyed = secrets.create_secret(Name="keyed", SecretString=json.dumps({"user": "u", "port": 7}))["ARN"]
    parameter = cluster.deployment.aws.client("ssm")
    parameter.put_parameter(Name="/a/parameter", Value="from ssm", Type="SecureString")
    monkeypatch.setenv("OF_THIS_MACHINE", "yes")
    given = [
        {"name": "SECRET", "valueFrom": plain},
        {"name": "USER", "valueFrom": f"{keyed}:user::"},
        {"name": "NUMBER", "valueFrom": f"{keyed}:port:AWSCURRENT:"},
        {"name": "PARAMETER", "valueFrom": cluster.deployment.aws.arn("ssm", "parameter/a/parameter")},
    ]
    served(cluster, cluster.definition(environment=[{"name": "OWN", "value": "1"}, {"name": "OF", "value": "definition"}], secrets=given, command=["web", "x"]))
    said = ask(serve_cluster())
    env = said["env"]
    assert (env["SECRET"], env["USER"], env["NUMBER"], env["PARAMETER"]) == ("a secret", "u", "7", "from ssm")
    assert (env["OWN"], env["OF"], said["arguments"]) == ("1", "definition", ["web", "x"])
    assert env["GIVEN"] == f"web on {env['HOST']}:{env['PORT']}"
    assert (env["HOST"].startswith("127."), env["PORT"]) == (True, "8080")
    assert (env["AWS_REGION"], env["AWS_EXECUTION_ENV"]) == (cluster.deployment.aws.region, "AWS_ECS_FARGATE")
    assert env["AWS_ACCESS_KEY_ID"].startswith(("ASIA", "AKIA"))
    assert "OF_THIS_MACHINE" not in env
    assert not any("site-packages" in path for path in said["modules"])


def test_what_a_task_prints_is_in_its_log_stream(cluster: Cluster, serve_cluster: Serve, eventually: Eventually) -> None:
    served(cluster, cluster.definition())
    serve_cluster()
    logs = cluster.deployment.aws.client("logs")
    eventually(lambda: any("started ['web']" in line for line in cluster.deployment.logged("/ecs/things")))
    (stream,) = logs.describe_log_streams(logGroupName="/ecs/things")["logStreams"]
    prefix, name, task = stream["logStreamName"].split("/")
    assert (prefix, name, len(task)) == ("p", "web", 32)


def test_a_task_that_ends_is_replaced(cluster: Cluster, serve_cluster: Serve, eventually: Eventually) -> None:
    served(cluster, cluster.definition(), desired=2)
    service = serve_cluster()
    before = {ask(service)["pid"] for _ in range(4)}
    assert len(before) == 2
    assert httpx.get(service.urls["front/80"] + "/exit", timeout=30).status_code == 502

    def answering() -> set[int]:
        # Until the balancer has noticed, it goes on asking the task that is no more.
        answers = [httpx.get(service.urls["front/80"], timeout=30) for _ in range(4)]
        return {answer.json()["pid"] for answer in answers if answer.status_code == 200}

    eventually(lambda: service.ready(0.0) and len(pids := answering()) == 2 and len(pids - before) == 1)
    assert httpx.get(f"{service.endpoint}/_serve").json()["services"] == {"web": {"desired": 2, "running": 2, "healthy": 2}}


def test_no_more_tasks_run_than_this_machine_is_to_have(cluster: Cluster, serve_cluster: Serve) -> None:
    served(cluster, cluster.definition(), desired=5)
    service = serve_cluster(most_tasks=1)
    assert httpx.get(f"{service.endpoint}/_serve").json()["services"] == {"web": {"desired": 5, "running": 1, "healthy": 1}}


def test_a_task_that_its_own_health_check_calls_unwell_is_replaced(cluster: Cluster, serve_cluster: Serve, eventually: Eventually) -> None:
    check = {"command": ["CMD-SHELL", "python -m app health || exit 1"], "interval": 5, "timeout": 2, "retries": 1}
    unwell = cluster.definition("worker", healthCheck=check, environment=[{"name": "HEALTH", "value": "1"}])
    cluster.service(unwell, name="worker")
    serve_cluster(ready=False)
    eventually(lambda: sum("started" in line for line in cluster.deployment.logged("/ecs/things")) >= 2)
    assert any("ended as told" in line for line in cluster.deployment.logged("/ecs/things"))


def test_a_health_check_that_is_passed_makes_a_service_ready(cluster: Cluster, serve_cluster: Serve) -> None:
    check = {"command": ["CMD", "python", "-m", "app", "health"], "interval": 5, "timeout": 5, "retries": 3, "startPeriod": 5}
    cluster.service(cluster.definition("worker", healthCheck=check, command=["web"]), name="worker")
    assert serve_cluster().ready(0.0)


def test_another_revision_takes_over_without_a_request_lost(cluster: Cluster, serve_cluster: Serve, eventually: Eventually) -> None:
    served(cluster, cluster.definition(environment=[{"name": "REVISION", "value": "old"}]))
    service = serve_cluster(refresh=0.2)
    assert ask(service)["env"]["REVISION"] == "old"
    new = cluster.definition(environment=[{"name": "REVISION", "value": "new"}])
    cluster.deployment.aws.client("ecs").update_service(cluster="things", service="web", taskDefinition=new, desiredCount=2)

    def is_new() -> bool:
        answer = httpx.get(service.urls["front/80"], timeout=30)
        assert answer.status_code == 200
        return bool(answer.json()["env"]["REVISION"] == "new")

    eventually(is_new)
    eventually(lambda: all(is_new() for _ in range(4)) and service.ready(0.0))


def test_a_service_that_is_gone_is_ended(cluster: Cluster, serve_cluster: Serve, eventually: Eventually) -> None:
    cluster.service(cluster.definition("worker"), name="worker")
    service = serve_cluster(refresh=0.2)
    eventually(lambda: any("started" in line for line in cluster.deployment.logged("/ecs/things")))
    cluster.deployment.aws.client("ecs").delete_service(cluster="things", service="worker", force=True)
    eventually(lambda: httpx.get(f"{service.endpoint}/_serve").json()["services"] == {})
    eventually(lambda: any("ended as told" in line for line in cluster.deployment.logged("/ecs/things")))


def test_tasks_end_with_the_service_and_have_time_to_finish(cluster: Cluster, serve_cluster: Serve) -> None:
    served(cluster, cluster.definition(), desired=2)
    service = serve_cluster()
    pids = {ask(service)["pid"] for _ in range(4)}
    service.stop(2.0)
    assert [line for line in cluster.deployment.logged("/ecs/things") if "ended as told" in line] == ["ended as told"] * 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)


def test_a_task_that_is_run_to_its_end(cluster: Cluster, serve_cluster: Serve) -> None:
    cluster.definition("once", command=["once"], environment=[{"name": "CODE", "value": "4"}])
    service = serve_cluster()
    answer = httpx.post(service.endpoint + TASKS, json={"taskDefinition": "once"}, timeout=60)
    assert answer.status_code == 200
    assert answer.json() == {"exitCode": 4, "lines": ["started ['once']", '{"message": "done", "secret": null}']}
    assert httpx.post(service.endpoint + TASKS, content=b"{}", timeout=60).status_code == 400
    missing = httpx.post(service.endpoint + TASKS, json={"taskDefinition": "nowhere"}, timeout=60)
    assert missing.status_code == 500
    assert "task definition nowhere cannot be read" in missing.json()["message"]


def test_a_secret_that_is_not_there_is_named_and_no_task_starts(cluster: Cluster, serve_cluster: Serve) -> None:
    secrets = cluster.deployment.aws.client("secretsmanager")
    keyed = secrets.create_secret(Name="keyed", SecretString="hidden, and no JSON")["ARN"]
    service = serve_cluster()
    with pytest.raises(ServeError, match=r"once:1, variable A: arn:.*:gone cannot be read, so that no task starts"):
        service.run_task(cluster.definition("once", secrets=[{"name": "A", "valueFrom": cluster.deployment.aws.arn("secretsmanager", "secret:gone")}]))
    with pytest.raises(ServeError, match="is no JSON object with the key password") as raised:
        service.run_task(cluster.definition("once", secrets=[{"name": "A", "valueFrom": f"{keyed}:password::"}]))
    assert "hidden" not in str(raised.value)


def test_what_of_a_definition_is_not_served_is_said(cluster: Cluster, serve_cluster: Serve) -> None:
    other = {"name": "agent", "image": "registry.example.com/agent:1", "essential": False}
    definition = cluster.definition("worker", others=[other], logConfiguration={"logDriver": "awsfirelens"})
    cluster.service(definition, name="worker")
    problems = " ".join(serve_cluster().deployed.problems)
    assert "worker:1: container agent is not run here" in problems
    assert "its output is kept nowhere, as its log driver is awsfirelens" in problems


def test_a_target_group_that_expects_another_port_is_refused(cluster: Cluster, serve_cluster: Serve) -> None:
    group = cluster.target_group()
    cluster.service(cluster.definition(portMappings=[{"containerPort": 9000}]), behind=group)
    with pytest.raises(ServeError, match="expects web:8080, but web:1 maps the port 9000 of web"):
        serve_cluster()


def test_a_cluster_that_is_not_deployed_is_said(cluster: Cluster, serve_cluster: Serve) -> None:
    cluster.deployment.aws.client("ecs").delete_cluster(cluster="things")
    with pytest.raises(ServeError, match="cluster things is not deployed"):
        serve_cluster()


@pytest.mark.parametrize("error", [ServeError("no image"), OSError(11, "no process can be started"), RuntimeError("a mistake")], ids=repr)
def test_a_service_whose_task_could_not_be_started_goes_on_being_looked_after(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    monkeypatch.setattr(ecs, "_PAUSE", 0.05)
    asked: list[Container] = []

    class _Launcher:
        def launch(self, container: Container) -> None:
            asked.append(container)
            raise error

    launcher: Any = _Launcher()
    services = Services(launcher, {})
    services.update([EcsService(name="web", cluster="c", container=Container(arn="a/web:1", name="web", image="i"), desired=1)])
    eventually(lambda: len(asked) >= 3)
    services.stop()
    assert all("service web: " in record.getMessage() for record in caplog.records)
    assert len(caplog.records) >= 2
