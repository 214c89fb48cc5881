"""What this machine has and lacks for running the platform. It only looks: nothing is installed, started or changed, and no check can fail the report."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from ops.toolchain import build, pins
from ops.toolchain.cli import MINIMUM, Cli, show
from ops.toolchain.look import look
from ops.toolchain.memory import Memory
from ops.toolchain.places import HERE, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

_T = TypeVar("_T")
State = Literal["ok", "warning", "missing"]

AWS_ANSWERS_WITHIN = 3.0
"""Seconds for the one question to AWS (`sts:GetCallerIdentity`): a report is worth waiting for that long, and no longer for a network that drops packets."""

_MARKS: dict[State, str] = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "missing": "[red]missing[/]"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report.

    state: `ok`; `warning` when something does not work without it (`detail` says what); `missing` when nothing is deployed without it.
    mend: the command or step that makes it `ok`; empty when nothing has to be done.
    """

    name: str
    state: State
    detail: str
    mend: str = ""


def checks(local_cloud: Callable[[], str | None], places: Places = HERE, environ: Mapping[str, str] | None = None) -> list[Check]:
    """All checks, in the order in which things are needed.

    local_cloud: answers where the local cloud listens, or None when it does not run.
    """
    environ = os.environ if environ is None else environ
    cli, refused = look(places, environ, Memory(places.memory))
    # With a CLI at hand, a place that held none is no news; one whose CLI was passed over is.
    found = "; ".join(str(refusal) for refusal in refused if cli is None or not refusal.absent)
    parts: dict[str, Callable[[], Check]] = {
        "Python": lambda: _python(places),
        "Pulumi CLI": lambda: _cli(cli, found),
        "Python language host": lambda: _host(cli),
        "Go": lambda: _go(cli, places),
        "local cloud": lambda: _local_cloud(local_cloud),
        "AWS credentials": _aws,
        "backend": lambda: _backend(environ),
        "secrets": lambda: _secrets(environ, places),
    }
    return [_guarded(name, check) for name, check in parts.items()]


def healthy(report: list[Check]) -> bool:
    """Whether an environment can be deployed somewhere: nothing is missing."""
    return all(check.state != "missing" for check in report)


def as_json(report: list[Check]) -> str:
    """The report for machines."""
    return json.dumps({"schema": 1, "healthy": healthy(report), "checks": [asdict(check) for check in report]}, indent=2)


def render(report: list[Check], console: Console) -> None:
    """The report for people."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "state", "what was found", "what to do"):
        table.add_column(heading, overflow="fold")
    for check in report:
        table.add_row(check.name, _MARKS[check.state], escape(check.detail), escape(check.mend))
    console.print(table)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one part, the others are still reported, and this one says what it met
        return Check(name=name, state="warning", detail=f"could not be checked: {type(error).__name__}: {error}")


def _python(places: Places) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    detail = f"{version}, {sys.executable}"
    ready, locked = places.root / ".venv" / ".ready", places.root / "requirements" / "all.txt"
    if ready.is_file() and locked.is_file() and ready.stat().st_mtime < locked.stat().st_mtime:
        return Check(name="Python", state="warning", detail=f"{detail}; {locked.relative_to(places.root)} is newer than .venv", mend="make venv")
    return Check(name="Python", state="ok", detail=detail)


def _cli(cli: Cli | None, refused: str) -> Check:
    if cli is None:
        detail = f"none of {show(MINIMUM)} or newer ({refused}); `invoke rehearse` works without it"
        return Check(name="Pulumi CLI", state="missing", detail=detail, mend="make venv")
    detail = f"{cli.version}, {cli.origin}: {cli.pulumi}"
    return Check(name="Pulumi CLI", state="ok", detail=f"{detail} ({refused})" if refused else detail)


def _host(cli: Cli | None) -> Check:
    if cli is None:
        return Check(name="Python language host", state="missing", detail="it comes with the CLI", mend="make venv")
    return Check(name="Python language host", state="ok", detail=f"version {cli.host}, in {cli.path[-1]}")


def _go(cli: Cli | None, places: Places) -> Check:
    state: State = "warning" if cli is None else "ok"
    wrong = build.go_objection((pins.cli(places), pins.host(places)))
    if wrong:
        detail = f"{wrong}, if the CLI is to be built here" if cli is None else f"{wrong}; not needed while there is a CLI"
        return Check(name="Go", state=state, detail=detail, mend="install Go, or the Pulumi CLI itself" if cli is None else "")
    found = build.go_version()
    return Check(name="Go", state="ok", detail=f"{found[0] if found else ''}: can build the CLI where it cannot be downloaded")


def _local_cloud(where: Callable[[], str | None]) -> Check:
    return Check(name="local cloud", state="ok", detail=where() or "not running; `invoke deploy --target local` starts it")


def _aws() -> Check:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    name = "AWS credentials"

    def identity() -> dict[str, Any] | None:
        session = boto3.Session()
        if session.get_credentials() is None:
            return None
        quick = Config(connect_timeout=AWS_ANSWERS_WITHIN, read_timeout=AWS_ANSWERS_WITHIN, retries={"total_max_attempts": 1})
        # Any region answers who is calling; without one the client could not be made.
        return dict(session.client("sts", region_name=session.region_name or "us-east-1", config=quick).get_caller_identity())

    try:
        caller = _within(AWS_ANSWERS_WITHIN, identity)
    except (BotoCoreError, ClientError, TimeoutError) as error:
        return Check(name=name, state="warning", detail=f"configured, but AWS does not know them: {error}", mend="aws sso login, or renew the keys")
    if caller is None:
        detail = "none are configured: the target `aws` needs them, the target `local` does not"
        return Check(name=name, state="warning", detail=detail, mend="aws configure sso, or export AWS_PROFILE")
    return Check(name=name, state="ok", detail=f"account {caller['Account']}, as {caller['Arn']}")


def _backend(environ: Mapping[str, str]) -> Check:
    where, said = _backend_url(environ)
    if where:
        return Check(name="backend", state="ok", detail=f"{_without_secrets(where)} ({said})")
    detail = "none is chosen: the target `aws` needs one, the target `local` keeps its state in .local"
    return Check(name="backend", state="warning", detail=detail, mend="pulumi login s3://<bucket>, or export PULUMI_BACKEND_URL")


def _backend_url(environ: Mapping[str, str]) -> tuple[str, str]:
    """The backend and what says so; where and in which order the CLI looks (a project's own `backend:` aside, which ours do not have)."""
    if environ.get("PULUMI_BACKEND_URL"):
        return environ["PULUMI_BACKEND_URL"], "PULUMI_BACKEND_URL"
    home = Path(environ.get("PULUMI_HOME") or Path(environ.get("HOME") or Path.home()) / ".pulumi")
    file = Path(environ.get("PULUMI_CREDENTIALS_PATH") or home) / "credentials.json"
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    if isinstance(known, dict) and known.get("current"):
        return str(known["current"]), str(file)
    return ("https://api.pulumi.com", "PULUMI_ACCESS_TOKEN") if environ.get("PULUMI_ACCESS_TOKEN") else ("", "")


def _secrets(environ: Mapping[str, str], places: Places) -> Check:
    if environ.get("PULUMI_CONFIG_PASSPHRASE"):
        return Check(name="secrets", state="ok", detail="passphrase in PULUMI_CONFIG_PASSPHRASE")
    if environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        file = Path(environ["PULUMI_CONFIG_PASSPHRASE_FILE"])
        if file.is_file():
            return Check(name="secrets", state="ok", detail=f"passphrase in {file}")
        return Check(name="secrets", state="warning", detail=f"PULUMI_CONFIG_PASSPHRASE_FILE names {file}, which is no file", mend="write it, or name another")
    if _backend_url(environ)[0].startswith("https://"):
        return Check(name="secrets", state="ok", detail="kept by the backend, unless a page names a provider")
    pages = {page.name: _provider(page) for page in sorted((places.root / "environments").glob("Pulumi.*.yaml"))}
    bare = [page for page, provider in pages.items() if not provider]
    if pages and not bare:
        return Check(name="secrets", state="ok", detail="; ".join(f"{page}: {provider}" for page, provider in pages.items()))
    detail = f"no passphrase, and no `secretsprovider` in {', '.join(bare) or 'environments/'}: the target `aws` needs one of them"
    return Check(
        name="secrets",
        state="warning",
        detail=detail,
        mend="export PULUMI_CONFIG_PASSPHRASE_FILE, or write `secretsprovider: awskms://alias/<key>` on the page",
    )


def _provider(page: Path) -> str:
    """The page's secrets provider. It is a key of the first level by itself, so a page with mistakes elsewhere still tells it."""
    match = re.search(r"^secretsprovider:\s*(\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else ""


def _without_secrets(url: str) -> str:
    """A backend's address without user, password and query, any of which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else url


def _within(seconds: float, call: Callable[[], _T]) -> _T:
    """What `call` answers or raises. Raises `TimeoutError` after `seconds`: looking up a name knows no time-out of its own."""
    answer: list[_T] = []
    failure: list[Exception] = []

    def work() -> None:
        try:
            answer.append(call())
        except Exception as error:  # noqa: BLE001 - raised again below, where the caller waits
            failure.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    if failure:
        raise failure[0]
    if not answer:
        message = f"no answer within {seconds:g} s"
        raise TimeoutError(message)
    return answer[0]
