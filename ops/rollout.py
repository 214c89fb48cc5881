"""Whether the services run what was deployed: asked after a deployment of containers to AWS.

ECS takes a service whose tasks do not come up back to the task definition before (its circuit breaker), and to the engine that is a steady service like
any other (hashicorp/terraform-provider-aws, issue 20858). So each service's deployment is compared with what the stack's outputs say.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed import Deployed, NotDeployedError, deployed
from ops.report import Outcome

if TYPE_CHECKING:
    from ops.operations import Operation
    from ops.report import Result
    from ops.session import Session

PROJECT = "app"
"""The project that has the services."""

SECONDS = 600.0
"""For which a rollout may go on that the engine found steady: ECS calls it completed a little later than that."""

_PAUSE = 5.0
_UNFINISHED = "IN_PROGRESS"


class RolloutError(RuntimeError):
    """A service does not run what was deployed, or nobody can tell."""


def rolled_out(operation: Operation, of: Callable[[Session], Deployed] = deployed, pause: Callable[[float], None] = time.sleep) -> Operation:
    """A deployment that has failed where a service does not run what was deployed; also an unchanged one, as nothing else would tell of it again."""

    def deploy(session: Session, project: str) -> Result:
        result = operation(session, project)
        if project != PROJECT or not result.outcome.good or session.workspace.environment.shape.compute != "containers":
            return result
        where = of(session)
        try:
            check(where, pause=pause)
        except (RolloutError, NotDeployedError) as error:
            again = f"Once that is mended, `invoke refresh {where.options}` before the next deployment has the same code tried again"
            cause = f"the stack is deployed, but {error}. {again}"
            return dataclasses.replace(result, outcome=Outcome.FAILED, cause=cause, next=f"invoke logs {where.options} --since 1h")
        return result

    return deploy


def check(where: Deployed, *, seconds: float = SECONDS, pause: Callable[[float], None] = time.sleep) -> None:
    """Returns once every service runs the task definition that was deployed. Raises RolloutError, which names the services that do not."""
    deadline = time.monotonic() + seconds
    while True:
        states = {name: _state(live, where.definition(name)) for name, live in _services(where).items()}
        faults = [f"service {name} {fault}" for name, (fault, under_way) in sorted(states.items()) if fault and not under_way]
        unfinished = [f"service {name} {fault}" for name, (fault, under_way) in sorted(states.items()) if under_way]
        if not faults and unfinished and time.monotonic() < deadline:
            pause(_PAUSE)
            continue
        if faults or unfinished:
            raise RolloutError("; ".join([*faults, *unfinished]))
        return


def _services(where: Deployed) -> dict[str, dict[str, Any]]:
    """What ECS says of each service, by its name; there are fewer than the ten that it answers at once."""
    names = where.services()
    try:
        found = where.client("ecs").describe_services(cluster=where.output(PROJECT, "clusterName"), services=sorted(names.values()))["services"]
    except (ClientError, BotoCoreError) as error:
        raise RolloutError(f"nobody can tell whether its services run it: {error}. Let those who deploy call ecs:DescribeServices") from None
    live = {one["serviceName"]: one for one in found if one.get("status") == "ACTIVE"}
    if gone := sorted(name for name, physical in names.items() if physical not in live):
        raise RolloutError(f"cluster {where.output(PROJECT, 'clusterName')} has no service {' and no service '.join(gone)}")
    return {name: live[physical] for name, physical in names.items()}


def _state(service: Mapping[str, Any], wanted: str) -> tuple[str, bool]:
    """What is wrong with a service, empty where nothing is, and whether it may still come right by itself."""
    deployments: list[Mapping[str, Any]] = service.get("deployments") or []
    primary = next((one for one in deployments if one.get("status") == "PRIMARY"), {})
    runs, rollout = str(primary.get("taskDefinition", "nothing")), primary.get("rolloutState", _UNFINISHED)
    if runs != wanted:
        given_up = next((one for one in deployments if one.get("taskDefinition") == wanted), {})
        reason = given_up.get("rolloutStateReason") or "tasks of the new one did not come up"
        return f"runs {_named(runs)} and not {_named(wanted)}, which ECS took back: {reason}", False
    if rollout == "COMPLETED":
        return "", False
    reason = primary.get("rolloutStateReason") or f"{primary.get('runningCount', 0)} of {primary.get('desiredCount', 0)} tasks run"
    if rollout == _UNFINISHED:
        return f"has not rolled {_named(wanted)} out yet: {reason}", True
    return f"could not roll {_named(wanted)} out: {reason}", False


def _named(definition: str) -> str:
    return definition.rpartition("/")[2]
