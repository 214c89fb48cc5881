"""A deployment to AWS whose services do not run what was deployed is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.deployed import Deployed
from ops.progress import Silent
from ops.report import Outcome, Result
from ops.rollout import RolloutError, check, rolled_out
from ops.session import Session
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace
from tests.ops.somewhere import deployed

ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/"
APP = {
    "clusterName": "cluster",
    "serviceNames": {"web": "web-dev", "worker": "worker-dev"},
    "taskDefinitionArns": {"web": f"{ARN}web:2", "worker": f"{ARN}worker:7", "migrate": f"{ARN}migrate:1"},
}


def deployment(definition: str, rollout: str | None = "COMPLETED", *, status: str = "PRIMARY", reason: str = "") -> dict[str, Any]:
    about = {"rolloutState": rollout} if rollout else {}
    return {"status": status, "taskDefinition": f"{ARN}{definition}", "rolloutStateReason": reason, "runningCount": 1, "desiredCount": 3, **about}


def service(name: str, *deployments: dict[str, Any], status: str = "ACTIVE") -> dict[str, Any]:
    return {"serviceName": f"{name}-dev", "status": status, "deployments": list(deployments)}


WORKER = service("worker", deployment("worker:7"))
GOOD = (service("web", deployment("web:2")), WORKER)
BACK = service("web", deployment("web:1"), deployment("web:2", "FAILED", status="INACTIVE", reason="ECS deployment circuit breaker: tasks failed to start."))


class Ecs:
    """Answers one list of services after the other; the last one again and again."""

    def __init__(self, *answers: Sequence[dict[str, Any]] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def describe_services(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"services": list(answer)}


def where(ecs: Ecs, app: dict[str, Any] | None = None) -> Deployed:
    return deployed({"app": APP if app is None else app}, lambda _service, _endpoint=None: ecs, target="aws")


def test_services_that_run_what_was_deployed_are_asked_once() -> None:
    ecs = Ecs(GOOD)
    check(where(ecs), pause=lambda _: None)
    assert ecs.asked == [{"cluster": "cluster", "services": ["web-dev", "worker-dev"]}]


def test_a_rollout_that_goes_on_is_waited_for_and_not_for_ever() -> None:
    going = [service("web", deployment("web:2", "IN_PROGRESS")), WORKER]
    pauses: list[float] = []
    check(where(Ecs(going, going, GOOD)), pause=pauses.append)
    assert len(pauses) == 2
    with pytest.raises(RolloutError, match="service web has not rolled web:2 out yet: 1 of 3 tasks run"):
        check(where(Ecs(going)), seconds=0.0, pause=pauses.append)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([BACK, WORKER], r"service web runs web:1 and not web:2, which ECS took back: ECS deployment circuit breaker: tasks failed to start\."),
        ([service("web", deployment("web:1")), WORKER], "service web runs web:1 and not web:2, which ECS took back: tasks of the new one did not come up"),
        ([service("web", deployment("web:2", "FAILED", reason="no room")), WORKER], "service web could not roll web:2 out: no room"),
        ([BACK, service("worker", deployment("worker:6"))], "service web runs web:1 .*; service worker runs worker:6 and not worker:7"),
        ([BACK, service("worker", deployment("worker:7", "IN_PROGRESS"))], "service web runs web:1 .*; service worker has not rolled worker:7 out yet"),
        ([WORKER], "cluster cluster has no service web"),
        ([service("web", deployment("web:2"), status="INACTIVE"), WORKER], "cluster cluster has no service web"),
    ],
)
def test_a_service_that_does_not_run_it_is_named_with_ecs_own_reason(found: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(RolloutError, match=said):
        check(where(Ecs(found)), seconds=0.0)


def test_a_deployment_that_ecs_took_back_has_failed_and_says_what_to_do(tmp_path: Path) -> None:
    result = after(tmp_path, Ecs([BACK, WORKER]))
    assert (result.outcome, result.next) == (Outcome.FAILED, "invoke logs --env dev --since 1h")
    assert "the stack is deployed, but service web runs web:1 and not web:2" in result.cause
    assert "invoke refresh --env dev" in result.cause
    assert after(tmp_path, Ecs([BACK, WORKER]), outcome=Outcome.UNCHANGED).outcome is Outcome.FAILED


def test_what_nobody_can_tell_is_no_success(tmp_path: Path) -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeServices")
    result = after(tmp_path, Ecs(denied))
    assert result.outcome is Outcome.FAILED
    assert "Let those who deploy call ecs:DescribeServices" in result.cause
    assert after(tmp_path, Ecs(GOOD), app={"clusterName": "cluster"}).outcome is Outcome.FAILED


def test_nothing_is_asked_of_functions_of_other_projects_and_of_what_did_not_come_about(tmp_path: Path) -> None:
    ecs = Ecs([BACK])
    assert after(tmp_path, ecs, env="dev").outcome is Outcome.SUCCEEDED
    assert after(tmp_path, ecs, project="data").outcome is Outcome.SUCCEEDED
    assert after(tmp_path, ecs, outcome=Outcome.HELD).outcome is Outcome.HELD
    assert ecs.asked == []
    assert after(tmp_path, Ecs(GOOD)).outcome is Outcome.SUCCEEDED


def after(
    folder: Path,
    ecs: Ecs,
    *,
    env: str = "containers-dev",
    project: str = "app",
    outcome: Outcome = Outcome.SUCCEEDED,
    app: dict[str, Any] | None = None,
) -> Result:
    """The result of a deployment that ended with an outcome, and left these services behind."""
    workspace = open_workspace(env, target="local")

    def operation(_: Session, name: str) -> Result:
        return Result(project=name, stack=workspace.stack, outcome=outcome, cause="" if outcome.good else "because")

    cli = Cli(pulumi=folder / "pulumi", host="3", version="3", origin="here", path=())
    session = Session(workspace, Target("aws", {}, folder), cli, Silent())
    return rolled_out(operation, lambda _: where(ecs, app), lambda _: None)(session, project)
