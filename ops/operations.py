"""What is done to one stack: deploy, preview, refresh, drift, destroy. Each answers a Result and leaves nothing half-said."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from ops import fingerprint
from ops import state as states
from ops.engine import EngineError, Stack
from ops.engine_events import Listener, Summary
from ops.fingerprint import Fingerprint, Record
from ops.projects import projects
from ops.recovery import recover
from ops.report import Drift, Outcome, Result
from ops.session import Session
from shared.variables import UNDEPLOYED

Operation = Callable[[Session, str], Result]
First = Callable[[Session, str], Result | None]


def deploying(*, force: bool, first: First = lambda _session, _project: None) -> Operation:
    """Brings a stack up to date; one that provably is already is not started, unless forced.

    first: is done before a stack that is there is changed; a result of it is the stack's, and nothing else is done.
    """

    def deploy(session: Session, project: str) -> Result:
        stack = session.stack(project)
        if refused := recover(stack, session.target, session.progress, session.cancelled):
            return refused
        record = session.record(project)
        before = session.fingerprint(project)
        if record and not force and session.deployed(project) and not before.differences(record.fingerprint):
            state = session.state(project)
            same = {"same": state.resources if state else 0}
            return _result(session, project, Outcome.UNCHANGED, cause=f"nothing changed since {record.at}", changes=same)
        new = session.state(project) is None
        if new:
            stack.init()
        fingerprint.forget(session.target.records, projects()[project], session.workspace.stack)
        if not new and (ended := first(session, project)):
            return ended
        summary = _operate(session, stack, "up")
        if summary.ok:
            known = record if record and record.fingerprint.state == before.state and not _changed(summary) else None
            _keep(session, project, session.fingerprint(project), known.outputs if known else "", fingerprint.now())
        return _summarized(session, project, summary)

    return deploy


def update_only(session: Session, project: str, *names: str) -> Result:
    """Brings the resources of a stack with these logical names up to date, and leaves all others as they are deployed."""
    stack = session.stack(project)
    targets = [f"--target=urn:pulumi:{stack.name}::{project}::**::{name}" for name in names]
    return _summarized(session, project, _operate(session, stack, "up", *targets))


def preview(session: Session, project: str) -> Result:
    """Says what a deployment would do; upstream stacks that were never deployed have unknown outputs."""
    missing = [name for name in projects() if name != project and not session.deployed(name)]
    stack = session.stack(project)
    stack = dataclasses.replace(stack, environment={**stack.environment, UNDEPLOYED: json.dumps(missing)})
    unknown = [name for name in projects()[project].takes if name in missing]
    if unknown:
        session.progress.note(project, f"{' and '.join(unknown)} never deployed: outputs unknown in this preview")
    new = session.state(project) is None
    if new:
        stack.init()
    try:
        return _summarized(session, project, _operate(session, stack, "preview"))
    finally:
        if new:
            stack.remove()


def refresh(session: Session, project: str) -> Result:
    """Reads the cloud back into the state, and says what had drifted."""
    stack = session.stack(project)
    if session.state(project) is None:
        return _result(session, project, Outcome.SUCCEEDED, cause="never deployed: nothing to refresh")
    if refused := recover(stack, session.target, session.progress, session.cancelled):
        return refused
    record, before = session.record(project), session.state(project)
    summary = _operate(session, stack, "refresh")
    if record and before and before.digest == record.fingerprint.state and summary.ok and not _changed(summary):
        # The engine writes the state anew, in other words; it is still what the last deployment left behind.
        _keep(session, project, record.fingerprint, record.outputs, record.at)
    return _summarized(session, project, summary, drift=summary.drift)


def drift(session: Session, project: str) -> Result:
    """Says what is not as the state has it, and leaves state and cloud alone; so it neither breaks a lock nor takes up what was interrupted."""
    stack, state = session.stack(project), session.state(project)
    if state is None:
        return _result(session, project, Outcome.SUCCEEDED, cause="never deployed: nothing to compare")
    if session.target.state and (held := states.locks(stack, session.target.state)):
        cause = f"process {held[0].pid} on {held[0].host} holds the stack since {held[0].since}: what it is changing is no drift"
        return _result(session, project, Outcome.HELD, cause=cause, next="wait until it has ended; `invoke deploy` goes on where it was killed")
    if state.pending:
        cause = f"an earlier run was interrupted with {len(state.pending)} operations under way: what it left is no drift"
        return _result(session, project, Outcome.HELD, cause=cause, next="`invoke deploy` takes them up")
    summary = _operate(session, stack, "refresh", "--preview-only")
    if not summary.ok or not summary.drift:
        return _summarized(session, project, summary)
    found = tuple(_unexpected(summary.drift, states.left_alone(stack, session.target.state)))
    expected = len(summary.drift) - len(found)
    changes = {**summary.changes, "update": summary.changes["update"] - expected, "same": summary.changes["same"] + expected}
    if not found:
        return _result(session, project, Outcome.SUCCEEDED, changes=changes)
    cause = f"{len(found)} resource{'' if len(found) == 1 else 's'} not as the state says"
    return _result(session, project, Outcome.DRIFTED, cause=cause, changes=changes, drift=found)


def _unexpected(found: Iterable[Drift], left_alone: Mapping[str, tuple[str, ...]]) -> Iterator[Drift]:
    """What differs, without the properties that the programs leave to others: a table's capacity that follows its load is no drift."""
    for one in found:
        properties = tuple(path for path in one.properties if not any(re.fullmatch(pattern, path) for pattern in left_alone.get(one.urn, ())))
        if one.gone or properties or not one.properties:
            yield dataclasses.replace(one, properties=properties)


def destroy(session: Session, project: str) -> Result:
    """Deletes all that a stack holds, and then the stack."""
    stack = session.stack(project)
    if session.state(project) is None:
        return _result(session, project, Outcome.UNCHANGED, cause="never deployed, or destroyed before")
    if refused := recover(stack, session.target, session.progress, session.cancelled):
        return refused
    fingerprint.forget(session.target.records, projects()[project], session.workspace.stack)
    summary = _operate(session, stack, "destroy")
    if summary.ok:
        stack.remove()
    return _summarized(session, project, summary)


def _changed(summary: Summary) -> bool:
    return any(count for kind, count in summary.changes.items() if kind != "same")


def _keep(session: Session, project: str, made_from: Fingerprint, outputs: str, at: str) -> None:
    """Records what a stack was made from, with the state as it is now; `outputs`: their digest, where it is known that they did not change."""
    after = session.state(project)
    if after is None:
        return
    left = dataclasses.replace(made_from, state=after.digest)
    record = Record(left, outputs or fingerprint.outputs_of(after.outputs), at)
    fingerprint.save(session.target.records, projects()[project], session.workspace.stack, record)


def _operate(session: Session, stack: Stack, command: str, *arguments: str) -> Summary:
    listener = Listener(stack.project.name, session.progress)
    return stack.operate(command, *arguments, listener=listener, cancelled=session.cancelled)


def _summarized(session: Session, project: str, summary: Summary, drift: tuple[Drift, ...] = ()) -> Result:
    outcome = Outcome.SUCCEEDED if summary.ok else Outcome.INTERRUPTED if summary.interrupted else Outcome.FAILED
    return _result(session, project, outcome, cause=summary.cause, changes=summary.changes, errors=summary.errors, drift=drift)


def _result(session: Session, project: str, outcome: Outcome, **about: object) -> Result:
    return Result(project=project, stack=session.workspace.stack, outcome=outcome, **about)  # type: ignore[arg-type]


def timed(operation: Operation) -> Operation:
    """The operation, with the seconds that it took in its result, and the engine's refusals as results."""

    def measured(session: Session, project: str) -> Result:
        started = time.monotonic()
        try:
            result = operation(session, project)
        except EngineError as error:
            result = _result(session, project, Outcome.FAILED, cause=str(error))
        return dataclasses.replace(result, seconds=time.monotonic() - started)

    return measured
