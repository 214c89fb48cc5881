"""A run: every guard first, then the stacks in the order of their dependencies, and a report in the end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from localcloud import control
from ops import guards, operations, places, queue, target, toolchain, workspace
from ops.operations import Operation
from ops.options import TargetName
from ops.progress import Progress, choose
from ops.projects import graph, projects
from ops.queue import Graph, reversed_graph
from ops.report import TENSES, Outcome, Report, Result, Tense
from ops.session import Session
from ops.target import Target
from ops.validation import problems_on_aws
from shared.page import PageError

_WORKERS = 4

# The tasks that hand the page to the engine; one that only looks must not replace what a deployment is reading.
_CONFIGURED = frozenset({"deploy", "preview", "refresh", "drift", "destroy", "local.env"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    command: str
    env: str
    target: TargetName = "aws"
    suffix: str = ""
    only: tuple[str, ...] = ()
    start: str = ""
    until: str = ""
    force: bool = False
    confirm: str = ""
    json: bool = False
    stream: bool = False

    @property
    def selection(self) -> str:
        """The options that chose among the stacks, as they were given, with a space before each."""
        given = [*(("--only", name) for name in self.only), ("--from", self.start), ("--until", self.until)]
        return "".join(f" {option} {name}" for option, name in given if name)


@dataclass
class Outcomes:
    """A run's report, and its session for whoever wants to show more."""

    report: Report
    session: Session | None = field(default=None)


class SelectionError(ValueError):
    """--only, --from or --until name a project that there is not, or leave none."""


def selected(request: Request) -> set[str]:
    """The projects that the request is about; raises SelectionError."""
    known = list(projects())
    for option, named in (("--only", request.only), ("--from", (request.start,)), ("--until", (request.until,))):
        for name in named:
            if name and name not in known:
                raise SelectionError(f"{option} {name}: no such project; there are {', '.join(known)}")
    chosen = set(request.only) or set(known)
    if request.start:
        chosen &= set(known[known.index(request.start) :])
    if request.until:
        chosen &= set(known[: known.index(request.until) + 1])
    if not chosen:
        raise SelectionError("--only, --from and --until together leave no project")
    return chosen


def run(request: Request, operation: Operation, *, backwards: bool = False, apart: bool = False, packages: Callable[[], Any] | None = None) -> Outcomes:
    """Does `operation` to the selected stacks; raises nothing that a user's mistake can cause.

    backwards: dependents before what they depend on. apart: each stack by itself, whatever becomes of the others.
    packages: makes what programs deploy; answers files by project.
    """
    started, clock = datetime.now(UTC), time.monotonic()

    def report(results: tuple[Result, ...] = (), problems: tuple[str, ...] = ()) -> Report:
        return Report(
            command=request.command,
            environment=request.env,
            suffix=request.suffix,
            selection=request.selection,
            target=request.target,
            started=started,
            seconds=time.monotonic() - clock,
            results=results,
            problems=problems,
        )

    order = list(reversed(list(projects()))) if backwards else list(projects())
    title = f"{request.command} {request.env}{'-' + request.suffix if request.suffix else ''} on {request.target}"
    progress = choose(json=request.json, stream=request.stream, title=title, projects=order, tense=TENSES.get(request.command, Tense.MADE))
    try:
        chosen = selected(request)
        session = prepare(request, progress)
        if packages:
            session.packages = packages()
    except PageError as error:
        return Outcomes(report(problems=tuple(map(str, error.problems))))
    except (SelectionError, guards.GuardError, toolchain.ToolchainError, control.LocalCloudError, PackagesError) as error:
        return Outcomes(report(problems=(str(error),)))
    dependencies = reversed_graph(graph()) if backwards else graph()
    with progress, _interruptible(session.cancelled):
        results = queue.run(
            {name: () if apart else dependencies[name] for name in order},
            _work(session, request, operation, chosen, dependencies, backwards=backwards),
            workers=_WORKERS,
            cancelled=session.cancelled,
            on_start=lambda project: progress.stack_started(project, session.workspace.stack) if project in chosen else None,
            on_done=lambda result: progress.stack_done(_of_chosen(result, chosen)),
            stack=session.workspace.stack,
        )
    return Outcomes(report(tuple(_of_chosen(results[name], chosen) for name in order)), session)


class PackagesError(RuntimeError):
    """What a program deploys beside its code could not be made."""


def prepare(request: Request, progress: Progress) -> Session:
    """Everything that can say no, before anything is touched; then a session.

    Raises PageError, GuardError, ToolchainError or LocalCloudError.
    """
    opened = workspace.open_workspace(request.env, request.suffix, target=request.target)
    if request.target == "aws":
        guards.account(opened)
        if found := problems_on_aws(opened.page):
            raise PageError(found)
    if request.command in {"deploy", "destroy"}:
        guards.confirmed(opened, request.command, request.confirm)
    cli = toolchain.find() or _make_cli()
    if request.command in _CONFIGURED:
        workspace.write_configuration(opened)
    where = _target(request, progress, opened.stack)
    return Session(opened, where, cli, progress, _packages(request.target), selection=request.selection)


def _make_cli() -> toolchain.Cli:
    """Gets the CLI where there is none yet; it takes minutes, and says so."""
    from ops.toolchain.progress import shown

    with shown() as progress:
        return toolchain.ensure(progress)


def _packages(target: TargetName) -> dict[str, tuple[Path, ...]]:
    """The packages as they lie there, for what only looks; none where a deployment would make them anew, which is a change."""
    from ops import package

    platform = package.for_target(target)
    return {"app": tuple(package.paths(platform).values()) if package.fresh(platform) else ()}


def _target(request: Request, progress: Progress, stack: str) -> Target:
    if request.target == "aws":
        return target.aws(confirmed=stack if request.command == "deploy" else "")
    cloud, aside = control.start(places.CLOUD)
    for folder in aside:
        progress.note("", f"the local cloud was restarted and is empty; the state of the former one was set aside: {folder.relative_to(places.LOCAL.parent)}")
    return target.local(cloud)


def _work(session: Session, request: Request, operation: Operation, chosen: set[str], dependencies: Graph, *, backwards: bool) -> Callable[[str], Result]:
    measured = operations.timed(operation)

    def work(project: str) -> Result:
        if project not in chosen:
            return _excluded(project, session.workspace.stack)
        if request.command == "deploy" and (held := _held(session, request, project, chosen)):
            return held
        if backwards and (left := [name for name in dependencies[project] if name not in chosen and session.state(name)]):
            return Result(
                project=project,
                stack=session.workspace.stack,
                outcome=Outcome.HELD,
                cause=f"{' and '.join(left)} would lose what it stands on",
                next=f"select {' and '.join(left)} too, or destroy it first",
            )
        return measured(session, project)

    return work


def _of_chosen(result: Result, chosen: set[str]) -> Result:
    """The result; a stack that was not selected is excluded, whatever became of those that it depends on."""
    return result if result.project in chosen else _excluded(result.project, result.stack)


def _excluded(project: str, stack: str) -> Result:
    return Result(project=project, stack=stack, outcome=Outcome.EXCLUDED, cause="not selected")


def _held(session: Session, request: Request, project: str, chosen: set[str]) -> Result | None:
    """The result of a stack whose upstream was not selected and is not up to date; None when there is nothing to hold it."""
    for name in projects()[project].takes:
        if name in chosen:
            continue
        record = session.record(name)
        if not session.deployed(name):
            cause = f"{name} was never deployed"
        elif record and not request.force and (stale := session.fingerprint(name).differences(record.fingerprint)):
            cause = f"{name} is not up to date ({', '.join(stale)}); --force deploys against what is there"
        else:
            continue
        return Result(project=project, stack=session.workspace.stack, outcome=Outcome.HELD, cause=cause, next=f"select {name} too")
    return None


@contextmanager
def _interruptible(cancelled: threading.Event) -> Generator[None]:
    """Ctrl-C (and SIGTERM) ask the engines to stop, instead of tearing this process down around them."""

    def stop(_: int, __: FrameType | None) -> None:
        cancelled.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
