"""A smoke test of a deployed environment: where its API is, with which key, and for which processor."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops.deployed import NotDeployedError, deployed
from ops.served import Reached, ServedError, functions_of
from ops.smoke import TOKENS, Service, Tokens, smoke
from ops.smoke_report import Check, SmokeReport

if TYPE_CHECKING:
    from ops.run import Request
    from ops.session import Session

# AWS takes a minute to know a new key everywhere, and a first call of a new function in a VPC takes seconds; on this machine neither is so.
_PATIENCE = {"aws": 120.0, "local": 45.0}


def tried(session: Session, told: Callable[[Check], None] = lambda _: None) -> SmokeReport:
    """Tries the service of a session's environment; raises nothing that its state can cause."""
    started, clock = datetime.now(UTC), time.monotonic()
    url, checks, problems = "", (), ()
    where = deployed(session)
    try:
        key = where.secret("app", "apiKey")
        with functions_of(session) as served:
            reached = served.api(where) if served else Reached(where.output("app", "apiUrl"))
            url = reached.url
            service = Service(url=url, key=key, host=reached.host, trust=reached.trust, tokens=_tokens(session), patience=_PATIENCE[where.target])
            checks = smoke(service, told)
    except (NotDeployedError, ServedError) as error:
        problems = (str(error),)
    return SmokeReport(
        environment=where.env,
        suffix=where.suffix,
        target=where.target,
        url=url,
        started=started,
        seconds=time.monotonic() - clock,
        checks=checks,
        problems=problems,
    )


def refusal(request: Request, reasons: list[str]) -> SmokeReport:
    """The report of a smoke test for which there was not even a session."""
    return SmokeReport(environment=request.env, suffix=request.suffix, target=request.target, started=datetime.now(UTC), seconds=0.0, problems=tuple(reasons))


def _tokens(session: Session) -> Tokens:
    """The tokens that the processor on the page knows; without one on the page it is the sandbox."""
    chosen = session.workspace.page.section("app").get("processor") or {}
    return TOKENS[chosen.get("name", "sandbox")]
