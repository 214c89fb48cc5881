"""What the tasks do that work with what is deployed: smoke, logs, dead letters, migrations, audit; each answers the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ops.answers import console, refused, say, table, with_session
from ops.report import EXIT_FAILED, EXIT_GOOD

if TYPE_CHECKING:
    from ops.dead_letters import DeadLetter
    from ops.deployed import Deployed
    from ops.run import Request
    from ops.session import Session


def smoke(request: Request) -> int:
    """Tries the deployed service, as a client does."""
    from ops.guards import confirmed
    from ops.smoke_report import SmokeReport
    from ops.smoke_run import refusal, tried

    def tell(report: SmokeReport) -> int:
        if request.json:
            say(report.to_json().rstrip())
        else:
            console().print(report)
        return report.exit_code

    def show(session: Session) -> int:
        confirmed(session.workspace, request.command, request.confirm)
        return tell(tried(session))

    def refuse(reasons: list[str]) -> int:
        return tell(refusal(request, reasons)) if request.json else refused(reasons)

    return with_session(request, show, refuse)


def logs(request: Request, *, functions: Sequence[str], since: str, follow: bool) -> int:
    """What the functions or containers log; all of them when none is named. since: how far back, as 10m."""
    from datetime import UTC, datetime

    from ops import logs as reading

    try:
        back = reading.since(since)
    except reading.SinceError as error:
        return refused([str(error)])

    def show(where: Deployed) -> int:
        if where.contained:
            tasks = {name: where.definition(name) for name in functions} or where.definitions()
            groups = reading.groups_of_tasks(where.client("ecs"), tasks)
        else:
            groups = reading.groups({name: where.function(name) for name in functions} or where.functions())
        start, client = datetime.now(UTC) - back, where.client("logs")
        width = max(map(len, groups), default=0)
        for event in reading.follow(client, groups, start) if follow else reading.events(client, groups, start):
            say(json.dumps(event.as_dict(), ensure_ascii=False) if request.json else reading.line(event, width))
        return EXIT_GOOD

    try:
        return _with_deployed(request, show)
    except KeyboardInterrupt:
        # How a log that is followed ends.
        return EXIT_GOOD


def dlq(request: Request, *, replay: bool, reason: str) -> int:
    """Shows the messages that were set aside, or gives them back to the work queue."""
    from ops import dead_letters
    from ops.guards import confirmed

    def show(where: Deployed, session: Session) -> int:
        queue, client = where.output("app", "deadLetterQueueUrl"), where.client("sqs")
        if not replay:
            found = dead_letters.show(client, queue)
            _tell_letters(request, [letter for letter in found if reason in {"", letter.reason}])
            if not request.json:
                say(_found(len(found), [letter.reason for letter in found].count(reason), reason))
            return EXIT_GOOD
        confirmed(session.workspace, request.command, request.confirm)
        done = dead_letters.replay(client, queue, where.output("app", "workQueueUrl"), reason=reason)
        _tell_letters(request, done.moved, kept=done.kept)
        if not request.json:
            say(f"{_counted(len(done.moved))} given back to the work queue, {done.kept} left")
        return EXIT_GOOD

    return _with_deployed_session(request, show)


def migrate(request: Request) -> int:
    """Brings the database to what the deployed code needs."""
    from ops import migrate as migrations
    from ops.guards import confirmed
    from ops.served import functions_of

    def show(where: Deployed, session: Session) -> int:
        confirmed(session.workspace, request.command, request.confirm)
        if where.relational:
            with functions_of(session) as served:
                done = migrations.migrate(where, endpoint=served.functions if served else None)
        else:
            done = migrations.migrate(where)  # which says that there is nothing to do
        say(json.dumps({"applied": list(done.applied), "version": done.version or None}) if request.json else str(done))
        return EXIT_GOOD

    return _with_deployed_session(request, show)


def verify_audit(request: Request, day: str) -> int:
    """Checks one day's audit records: all there, none changed."""
    from ops import audit

    try:
        wanted = audit.day_of(day)
    except audit.DayError as error:
        return refused([str(error)])

    def show(where: Deployed) -> int:
        verdict = audit.verify(where, wanted)
        if request.json:
            say(json.dumps(verdict.as_dict(), ensure_ascii=False))
        else:
            for line in verdict.lines():
                say(line)
        return EXIT_GOOD if verdict.good else EXIT_FAILED

    return _with_deployed(request, show)


def _tell_letters(request: Request, found: Sequence[DeadLetter], kept: int | None = None) -> None:
    """Messages: `kept` is how many were left where messages were given back, None where they were only looked at."""
    if request.json:
        about = {"messages": [letter.as_dict() for letter in found]} if kept is None else {"replayed": [letter.as_dict() for letter in found], "kept": kept}
        say(json.dumps(about, indent=2))
        return
    if found:
        rows = [(letter.sent.strftime("%Y-%m-%d %H:%M:%S"), letter.reason, letter.payment_id or "(none)", letter.correlation_id, letter.id) for letter in found]
        table(("set aside (UTC)", "reason", "payment", "correlation id", "message"), rows)


def _found(looked_at: int, with_reason: int, reason: str) -> str:
    """How many messages were looked at, and what --replay would do: it knows no limit, and without --reason no difference."""
    from ops.dead_letters import MOST

    if not looked_at:
        return "no messages: nothing was set aside"
    more = f" (no more than {MOST} are looked at; there may be others)" if looked_at >= MOST else ""
    if not reason:
        return f"{_counted(looked_at)}{more}; --replay gives all that were set aside back to the work queue"
    return f"{with_reason} of {_counted(looked_at)} with the reason {reason}{more}; --replay --reason {reason} gives all of that reason back to the work queue"


def _counted(messages: int) -> str:
    return f"{messages} message{'' if messages == 1 else 's'}"


def _with_deployed(request: Request, show: Callable[[Deployed], int]) -> int:
    return _with_deployed_session(request, lambda where, _: show(where))


def _with_deployed_session(request: Request, show: Callable[[Deployed, Session], int]) -> int:
    """Runs `show` on what is deployed; what fails there is told in words: AWS's own, where it is AWS that refused."""
    from botocore.exceptions import BotoCoreError, ClientError

    from ops.audit import AuditError
    from ops.dead_letters import DeadLetterError
    from ops.deployed import NotDeployedError, deployed
    from ops.lambda_functions import FunctionError
    from ops.served import ServedError
    from ops.tasks_of_ecs import TaskError

    def work(session: Session) -> int:
        try:
            return show(deployed(session), session)
        except (NotDeployedError, FunctionError, TaskError, DeadLetterError, AuditError, ServedError) as error:
            return refused([str(error)], EXIT_FAILED)
        except (ClientError, BotoCoreError) as error:
            return refused([f"AWS refused: {error}" if session.target.name == "aws" else f"the local AWS refused: {error}"], EXIT_FAILED)

    return with_session(request, work)
