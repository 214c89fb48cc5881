"""Where each stack of an environment stands: never deployed, up to date, or what changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from ops import state as states
from ops.projects import projects
from ops.session import Session


@dataclass(frozen=True)
class Standing:
    """One stack: what it is, why, how many resources it holds, and when it was last deployed from here (ISO 8601, UTC)."""

    project: str
    stack: str
    status: str
    detail: str
    resources: int
    deployed: str


def standings(session: Session) -> Iterator[Standing]:
    """The standing of each stack, in the order of dependencies; nothing is started or changed."""
    for project in projects():
        yield _standing(session, project)


def _standing(session: Session, project: str) -> Standing:
    stack = session.workspace.stack
    state = session.state(project)
    held = states.locks(session.stack(project), session.target.state) if session.target.state else []
    if held:
        lock = held[0]
        said = "interrupted" if lock.stale else "being changed" if lock.here else "locked"
        return Standing(project, stack, said, f"lock of process {lock.pid} on {lock.host} since {lock.since}", state.resources if state else 0, "")
    if state is None or (not state.outputs and not state.resources):
        return Standing(project, stack, "never deployed", "", 0, "")
    record = session.record(project)
    if state.pending:
        return Standing(project, stack, "interrupted", f"{len(state.pending)} operations pending; the next deploy takes them up", state.resources, "")
    if not state.outputs:
        return Standing(project, stack, "incomplete", "the last deployment did not get to its end", state.resources, "")
    if record is None:
        return Standing(project, stack, "unknown", "its last deployment failed, or was not made from this machine", state.resources, "")
    changed = session.fingerprint(project).differences(record.fingerprint)
    return Standing(project, stack, _words(changed), ", ".join(changed), state.resources, record.at)


def _words(changed: list[str]) -> str:
    if not changed:
        return "up to date"
    if {"page changed", "code changed"} & set(changed):
        return "page or code changed"
    return f"{changed[0]} since"


def as_json(found: list[Standing]) -> str:
    """The standings for machines."""
    return json.dumps([asdict(standing) for standing in found], indent=2)
