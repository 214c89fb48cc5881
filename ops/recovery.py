"""Going on after an engine that was killed: its lock, and what it had begun to create.

An engine writes down what it is about to do before it does it. Killed in between, it leaves a lock, and "pending operations" of
which it cannot know whether the cloud went on with them. An update or deletion may simply be done again. A creation may not: the
resource could be there already. The local cloud outlives the engine and knows; on AWS a person has to look.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from localcloud.control import Running
from ops import state as states
from ops.engine import EngineError, Stack
from ops.engine_events import Listener
from ops.progress import Progress
from ops.report import Outcome, Result
from ops.state import Lock
from ops.target import Target

# How long a live holder of a lock is waited for: an engine that was asked to stop needs this long to write its state.
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.2


def recover(stack: Stack, target: Target, progress: Progress, cancelled: threading.Event) -> Result | None:
    """Makes the stack usable again after an interrupted run; a Result when it cannot be, which says who must do what."""
    if refused := _unlock(stack, target, progress, cancelled):
        return refused
    state = states.read(stack, target.state)
    if state is None or not state.pending:
        return None
    created = [pending.urn for pending in state.pending if pending.operation == "creating"]
    others = len(state.pending) - len(created)
    progress.note(stack.project.name, f"an earlier run was interrupted with {len(created)} creations and {others} other operations under way")
    if created and target.cloud is None:
        return _ask_a_person(stack, created)
    if created and target.cloud is not None:
        _adopt(stack, target.cloud, progress)
    return _refresh(stack, progress, cancelled)


def _adopt(stack: Stack, cloud: Running, progress: Progress) -> None:
    """Moves each pending creation that the cloud knows to have happened to the stack's resources, with its id; the others are dropped.

    `pulumi refresh --import-pending-creates` is meant for this, but up to the engine's 3.250 what it marks as imported is dropped with the state's
    next writing, and so made twice.
    """
    exported = stack.export()
    if exported is None:
        return
    deployment: dict[str, Any] = exported["deployment"]
    resources: list[dict[str, Any]] = deployment.setdefault("resources", [])
    kept: list[dict[str, Any]] = []
    for operation in deployment.pop("pending_operations"):
        if operation["type"] != "creating":
            kept.append(operation)
            continue
        resource: dict[str, Any] = operation["resource"]
        name = resource["urn"].rsplit("::", 1)[-1]
        earlier = [entry for entry in resources if entry["urn"] == resource["urn"]]
        ids = [id_ for id_ in cloud.creations(resource["urn"]) if id_ not in {entry.get("id") for entry in earlier}]
        if not ids:
            progress.note(stack.project.name, f"{name} had not been created: it will be")
            continue
        progress.note(stack.project.name, f"{name} had been created: adopted as {ids[-1]}")
        for entry in earlier:
            entry["delete"] = True  # it was being replaced; as after every replacement, the old one goes last
        resources.append({**resource, "id": ids[-1], "outputs": {}})
    stack.load({**exported, "deployment": {**deployment, "pending_operations": kept}})


@dataclass(frozen=True)
class Unlocked:
    """What became of a lock: broken or not, and why, in words."""

    lock: Lock
    broken: bool
    why: str


def unlock(stack: Stack, target: Target, host: str = "") -> list[Unlocked]:
    """Breaks the locks of a stack whose holders are no more; answers them all, broken or not.

    host: another machine (or this one under an earlier name), whose processes the caller says are no more: nobody here can tell.
    The engine breaks all locks of a stack or none, so one that has to stay keeps the others.
    """
    found = states.locks(stack, target.state) if target.state else []
    gone = [lock.stale or (not lock.here and lock.host == host) for lock in found]
    broken = bool(found) and all(gone)
    if target.state and broken:
        states.tidy(stack, target.state)
        stack.cancel()
    return [Unlocked(lock, broken, _why(lock, gone=one, broken=broken)) for lock, one in zip(found, gone, strict=True)]


def _why(lock: Lock, *, gone: bool, broken: bool) -> str:
    if broken:
        return "its process is no more" if lock.stale else f"as --host {lock.host} says that its process is no more"
    if gone:
        return "its process is no more, but another lock on the same stack has to stay, and the engine breaks all or none"
    if lock.here:
        return f"its process is at work on this machine. Next: wait until it has ended, or end it (kill -INT {lock.pid})"
    return f"it was made on another host, and nobody here can tell whether its process is alive. Once you know that it is not, add: --host {lock.host}"


def _unlock(stack: Stack, target: Target, progress: Progress, cancelled: threading.Event) -> Result | None:
    if target.state is None:
        return None  # another backend keeps its own locks, and says who holds them
    told = False
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while found := states.locks(stack, target.state):
        if all(lock.stale for lock in found):
            holders = ", ".join(f"process {lock.pid} (since {lock.since})" for lock in found)
            states.tidy(stack, target.state)
            stack.cancel()
            progress.note(stack.project.name, f"broke the lock of {holders}, which is no more")
            return None
        if time.monotonic() > deadline:
            holder = next(lock for lock in found if not lock.stale)
            end = f"or end it (kill -INT {holder.pid})" if holder.here else f"or, if it is no more: invoke unlock --host {holder.host}"
            return Result(
                project=stack.project.name,
                stack=stack.name,
                outcome=Outcome.REFUSED,
                cause=f"process {holder.pid} on {holder.host} holds the stack since {holder.since}",
                next=f"wait until it has ended, {end}{'' if holder.here else ', for the same environment and target'}",
            )
        if not told:
            progress.note(stack.project.name, f"waiting for process {found[0].pid}, which holds the stack")
        told = True
        if cancelled.wait(_POLL_SECONDS):
            cause = f"interrupted while it waited for process {found[0].pid}, which holds the stack"
            return Result(project=stack.project.name, stack=stack.name, outcome=Outcome.INTERRUPTED, cause=cause)
    return None


def _refresh(stack: Stack, progress: Progress, cancelled: threading.Event) -> Result | None:
    """Reads the cloud back: what was adopted gets its outputs, and updates and deletions that were under way are seen as far as they came."""
    try:
        summary = stack.operate("refresh", "--run-program=false", listener=Listener(stack.project.name, progress), cancelled=cancelled)
    except EngineError as error:
        return Result(project=stack.project.name, stack=stack.name, outcome=Outcome.FAILED, cause=str(error))
    if summary.ok:
        return None
    outcome = Outcome.INTERRUPTED if summary.interrupted else Outcome.FAILED
    return Result(project=stack.project.name, stack=stack.name, outcome=outcome, cause=summary.cause, errors=summary.errors)


def _ask_a_person(stack: Stack, created: list[str]) -> Result:
    named = ", ".join(urn.rsplit("::", 1)[-1] for urn in created)
    return Result(
        project=stack.project.name,
        stack=stack.name,
        outcome=Outcome.REFUSED,
        cause=f"an earlier run was killed while it created {named}; AWS may or may not have made them, and making them again could double them",
        next=(
            f"look for them in AWS (they bear the environment's tags) and delete those that are there, "
            f"then in projects/{stack.project.name}: pulumi refresh -s {stack.name} --clear-pending-creates"
        ),
    )
