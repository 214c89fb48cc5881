"""Going on after an engine that was killed: its lock, and what it had begun to create.

An engine writes down what it is about to do before it does it. Killed in between, it leaves a lock, and "pending operations" of
which it cannot know whether the cloud went on with them. An update or deletion may simply be done again. A creation may not: the
resource could be there already. The local cloud outlives the engine and knows; on AWS a person has to look.
"""

from __future__ import annotations

import threading
import time

from ops import state as states
from ops.engine import EngineError, Stack
from ops.engine_events import Listener
from ops.progress import Progress
from ops.report import Outcome, Result
from ops.state import Lock
from ops.target import Target

# How long a live holder of a lock is waited for: an engine that was asked to stop needs this long to write its state.
_PATIENCE_SECONDS = 20.0


def recover(stack: Stack, target: Target, progress: Progress, cancelled: threading.Event) -> Result | None:
    """Makes the stack usable again after an interrupted run; a Result when it cannot be, which says who must do what."""
    if refused := _unlock(stack, target, progress):
        return refused
    state = states.read(stack, target.state)
    if state is None or not state.pending:
        return None
    created = [pending.urn for pending in state.pending if pending.operation == "creating"]
    others = len(state.pending) - len(created)
    progress.note(stack.project.name, f"an earlier run was interrupted with {len(created)} creations and {others} other operations under way")
    if target.cloud is None:
        return _ask_a_person(stack, created) if created else _refresh(stack, [], progress, cancelled)
    imports: list[str] = []
    for urn in created:
        if ids := target.cloud.creations(urn):
            progress.note(stack.project.name, f"{urn.rsplit('::', 1)[-1]} had been created: adopted as {ids[-1]}")
            imports += ["--import-pending-creates", urn, "--import-pending-creates", ids[-1]]
        else:
            progress.note(stack.project.name, f"{urn.rsplit('::', 1)[-1]} had not been created: it will be")
    return _refresh(stack, imports, progress, cancelled)


def unlock(stack: Stack, target: Target) -> list[Lock]:
    """Breaks the locks of a stack whose holders are no more; answers them all, broken or not."""
    found = states.locks(stack, target.state) if target.state else []
    if found and all(lock.stale for lock in found):
        stack.cancel()
    return found


def _unlock(stack: Stack, target: Target, progress: Progress) -> Result | None:
    if target.state is None:
        return None  # another backend keeps its own locks, and says who holds them
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while found := states.locks(stack, target.state):
        if all(lock.stale for lock in found):
            holders = ", ".join(f"process {lock.pid} (since {lock.since})" for lock in found)
            progress.note(stack.project.name, f"broke the lock of {holders}, which is no more")
            stack.cancel()
            return None
        if time.monotonic() > deadline:
            holder = next(lock for lock in found if not lock.stale)
            return Result(
                project=stack.project.name,
                stack=stack.name,
                outcome=Outcome.REFUSED,
                cause=f"process {holder.pid} on {holder.host} holds the stack since {holder.since}",
                next=f"wait until it has ended, or end it (kill -INT {holder.pid}); if that host is gone: invoke unlock --env {stack.name}",
            )
        progress.note(stack.project.name, f"waiting for process {found[0].pid}, which holds the stack")
        time.sleep(1.0)
    return None


def _refresh(stack: Stack, imports: list[str], progress: Progress, cancelled: threading.Event) -> Result | None:
    arguments = ["--clear-pending-creates", "--run-program=false", *imports]
    try:
        summary = stack.operate("refresh", *arguments, listener=Listener(stack.project.name, progress), cancelled=cancelled)
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
            f"look for them in AWS (they bear the environment's tags), then in projects/{stack.project.name}: "
            f"pulumi refresh -s {stack.name} --import-pending-creates URN --import-pending-creates ID for those that exist, "
            "or --clear-pending-creates when none does"
        ),
    )
