"""The platform's tasks: `invoke --list`. Thin; what they do is in `ops/`."""

from __future__ import annotations

from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

_ENV = {
    "env": "the environment: a page in environments/ (dev, staging, prod)",
    "target": "aws, or local: the local AWS on this machine",
    "suffix": "a short-lived copy of the environment, with its own stacks and names",
    "only": "only this project (may be given more than once)",
    "from": "this project and those that come after it",
    "until": "this project and those that come before it",
    "json": "print the report as JSON (docs/schemas/report.schema.json), and nothing else",
    "stream": "print what happens as it happens, one JSON object per line",
    "confirm": "the name of a protected environment, where nobody can type it",
    "force": "start stacks that did not change, and deploy against an upstream that is not up to date",
}
_RUN = {name: _ENV[name] for name in ("env", "target", "suffix", "only", "from", "until", "json", "stream")}


_SHOW = {name: _ENV[name] for name in ("env", "target", "suffix")}


def _end(code: int) -> None:
    if code:
        raise Exit(code=code)


def _request(command: str, env: str, target: str, **options: Any) -> Any:
    from ops.run import Request

    if env.startswith("-"):
        raise Exit(f"error: --env {env}: that is an option, not an environment. For help: invoke --help {command}", code=2)
    if target not in {"aws", "local"}:
        raise Exit(f"error: --target {target}: there are aws and local", code=2)
    where = "local" if target == "local" else "aws"
    return Request(command=command, env=env, target=where, only=tuple(options.pop("only", None) or ()), **options)


@task(help={**_RUN, "confirm": _ENV["confirm"], "force": _ENV["force"]}, iterable=["only"], auto_shortflags=False)
def deploy(
    _: Context,
    env: str,
    target: str = "aws",
    suffix: str = "",
    only: list[str] | None = None,
    from_: str = "",
    until: str = "",
    json: bool = False,
    stream: bool = False,
    confirm: str = "",
    force: bool = False,
) -> None:
    """Deploy an environment: every stack, in the order of its dependencies."""
    from ops import commands

    options = {"suffix": suffix, "only": only, "start": from_, "until": until, "json": json, "stream": stream, "confirm": confirm, "force": force}
    _end(commands.deploy(_request("deploy", env, target, **options)))


@task(help=_RUN, iterable=["only"], auto_shortflags=False)
def preview(
    _: Context,
    env: str,
    target: str = "aws",
    suffix: str = "",
    only: list[str] | None = None,
    from_: str = "",
    until: str = "",
    json: bool = False,
    stream: bool = False,
) -> None:
    """Say what a deployment would change; also for an environment that was never deployed."""
    from ops import commands

    _end(commands.preview(_request("preview", env, target, suffix=suffix, only=only, start=from_, until=until, json=json, stream=stream)))


@task(help={**_RUN, "confirm": _ENV["confirm"]}, iterable=["only"], auto_shortflags=False)
def destroy(
    _: Context,
    env: str,
    target: str = "aws",
    suffix: str = "",
    only: list[str] | None = None,
    from_: str = "",
    until: str = "",
    json: bool = False,
    stream: bool = False,
    confirm: str = "",
) -> None:
    """Delete all that an environment holds, dependents first."""
    from ops import commands

    options = {"suffix": suffix, "only": only, "start": from_, "until": until, "json": json, "stream": stream, "confirm": confirm}
    _end(commands.destroy(_request("destroy", env, target, **options)))


@task(help=_RUN, iterable=["only"], auto_shortflags=False)
def refresh(
    _: Context,
    env: str,
    target: str = "aws",
    suffix: str = "",
    only: list[str] | None = None,
    from_: str = "",
    until: str = "",
    json: bool = False,
    stream: bool = False,
) -> None:
    """Read the cloud back into the state, and say what had drifted."""
    from ops import commands

    _end(commands.refresh(_request("refresh", env, target, suffix=suffix, only=only, start=from_, until=until, json=json, stream=stream)))


@task(help={**_SHOW, "only": _ENV["only"], "json": "print JSON", "show-secrets": "secrets in clear text"}, iterable=["only"], auto_shortflags=False)
def outputs(_: Context, env: str, target: str = "aws", suffix: str = "", only: list[str] | None = None, json: bool = False, show_secrets: bool = False) -> None:
    """Show the outputs of an environment's stacks."""
    from ops import commands

    _end(commands.outputs(_request("outputs", env, target, suffix=suffix, only=only, json=json), show_secrets=show_secrets))


@task(help={**_SHOW, "json": "print JSON"}, auto_shortflags=False)
def status(_: Context, env: str, target: str = "aws", suffix: str = "", json: bool = False) -> None:
    """Show where each stack stands: never deployed, up to date, or what changed since."""
    from ops import commands

    _end(commands.status(_request("status", env, target, suffix=suffix, json=json)))


@task(help=_SHOW, auto_shortflags=False)
def unlock(_: Context, env: str, target: str = "aws", suffix: str = "") -> None:
    """Break the locks that killed engines left, and say who held them."""
    from ops import commands

    _end(commands.unlock(_request("unlock", env, target, suffix=suffix)))


@task(help={"env": _ENV["env"], "suffix": _ENV["suffix"], "json": "write what would be made to this file (- is standard output)"}, auto_shortflags=False)
def rehearse(_: Context, env: str, suffix: str = "", json: str = "") -> None:
    """Run all programs of an environment in this process, on moto: seconds, no engine."""
    from ops import commands

    _end(commands.rehearse(env, suffix, json))


@task(help={"env": "this page only (may be given more than once); otherwise all", "json": "print JSON"}, iterable=["env"], auto_shortflags=False)
def validate(_: Context, env: list[str] | None = None, json: bool = False) -> None:
    """Check the pages: everything that is wrong, at once."""
    from ops import commands

    _end(commands.validate(list(env or ()), as_json=json))


@task(help={"json": "print JSON"}, auto_shortflags=False)
def doctor(_: Context, json: bool = False) -> None:
    """Report what this machine has and lacks."""
    from ops import commands

    _end(commands.doctor(as_json=json))


@task(help={"force": "also when nothing changed"}, auto_shortflags=False)
def package(_: Context, force: bool = False) -> None:
    """Make the functions' packages: the same bytes from the same sources."""
    from ops import commands

    _end(commands.package(force=force))


@task(name="env", help={"env": _ENV["env"], "suffix": _ENV["suffix"]}, auto_shortflags=False)
def local_env(_: Context, env: str, suffix: str = "") -> None:
    """Print what a shell needs for pulumi and aws by hand: eval "$(invoke local.env --env dev)"."""
    from ops import commands

    _end(commands.local_env(_request("local.env", env, "local", suffix=suffix)))


@task(
    name="start",
    help={"port": "of the AWS endpoint (a free one otherwise)", "idle": "stop after so many seconds without a request (8 hours)"},
    auto_shortflags=False,
)
def local_start(_: Context, port: int = 0, idle: float = 0.0) -> None:
    """Start the local AWS."""
    from ops import commands

    _end(commands.local_start(port, idle))


@task(name="stop")
def local_stop(_: Context) -> None:
    """Stop the local AWS; what was deployed on it is gone."""
    from ops import commands

    _end(commands.local_stop())


@task(name="status", help={"json": "print JSON"}, auto_shortflags=False)
def local_status(_: Context, json: bool = False) -> None:
    """Show whether the local AWS runs, where, and where it does less than AWS."""
    from ops import commands

    _end(commands.local_status(as_json=json))


namespace = Collection(deploy, preview, destroy, refresh, outputs, status, unlock, rehearse, validate, doctor, package)
namespace.add_collection(Collection("local", local_env, local_start, local_stop, local_status))
