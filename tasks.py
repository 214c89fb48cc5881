"""The platform's tasks: `invoke --list`. Thin; what they do is in `ops/`."""

from __future__ import annotations

from typing import Any, Literal

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
_CHANGE = {**_SHOW, "json": "print JSON", "confirm": _ENV["confirm"]}


def _end(code: int) -> None:
    if code:
        raise Exit(code=code)


def _request(command: str, env: str, target: str, **options: Any) -> Any:
    from ops.run import Request

    if env.startswith("-"):
        raise Exit(f"error: --env {env}: that is an option, not an environment. For help: invoke --help {command}", code=2)
    return Request(command=command, env=env, target=_target(target), only=tuple(options.pop("only", None) or ()), **options)


def _target(named: str) -> Literal["aws", "local"]:
    if named not in {"aws", "local"}:
        raise Exit(f"error: --target {named}: there are aws and local", code=2)
    return "local" if named == "local" else "aws"


@task(
    help={**_RUN, "confirm": _ENV["confirm"], "force": _ENV["force"], "smoke": "try the service afterwards, and fail when it does not do its job"},
    iterable=["only"],
    auto_shortflags=False,
)
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
    smoke: bool = False,
) -> None:
    """Deploy an environment: every stack, in the order of its dependencies."""
    from ops import commands

    options = {"suffix": suffix, "only": only, "start": from_, "until": until, "json": json, "stream": stream, "confirm": confirm, "force": force}
    _end(commands.deploy(_request("deploy", env, target, **options), smoke=smoke))


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


@task(
    help={
        "env": "this environment only (may be given more than once); otherwise all",
        "suffix": _ENV["suffix"],
        "json": "write what would be made to this file (- is standard output); for several environments, to files in this folder",
    },
    iterable=["env"],
    auto_shortflags=False,
)
def rehearse(_: Context, env: list[str] | None = None, suffix: str = "", json: str = "") -> None:
    """Run all programs of an environment in one process, on moto: seconds, no engine."""
    from ops import commands

    _end(commands.rehearse(env or [], suffix, json))


@task(help={"env": "this page only (may be given more than once); otherwise all", "json": "print JSON"}, iterable=["env"], auto_shortflags=False)
def validate(_: Context, env: list[str] | None = None, json: bool = False) -> None:
    """Check the pages: everything that is wrong, at once."""
    from ops import commands

    _end(commands.validate(list(env or ()), as_json=json))


@task(help={"json": "print JSON"}, auto_shortflags=False)
def environments(_: Context, json: bool = False) -> None:
    """Show all environments, and what sets each apart."""
    from ops import looking

    _end(looking.environments(as_json=json))


@task(
    name="environment",
    positional=["name"],
    help={
        "name": "[<blueprint>-]<stage>, such as acme-prod",
        "from": "the environment whose page it is made from",
        "set": "KEY=VALUE on the new page, the value as YAML, none takes the key away (may be given more than once)",
    },
    iterable=["set"],
    auto_shortflags=False,
)
def new_environment(_: Context, name: str, from_: str, set: list[str] | None = None) -> None:  # noqa: A002 - the option's name
    """Make the page of a new environment from another one: name, stage, suffix and range are its own."""
    from ops import looking

    _end(looking.new_environment(name, from_, set or ()))


@task(help={**_SHOW, "file": "write to this file (- is standard output)"}, auto_shortflags=False)
def manifest(_: Context, env: str, target: str = "aws", suffix: str = "", file: str = "") -> None:
    """Write the JSON manifest of an environment: all deployed resources and their configurations."""
    from ops import looking

    _end(looking.manifest(_request("manifest", env, target, suffix=suffix), file))


@task(
    help={"env": "an environment, whose stacks are named", "security": "its tiers, security groups and rules instead", "json": "print JSON"},
    auto_shortflags=False,
)
def graph(_: Context, env: str = "", security: bool = False, json: bool = False) -> None:
    """Show what the stacks take from one another, or who may talk to whom in an environment's network."""
    from ops import looking

    _end(looking.graph(env, security=security, as_json=json))


@task(help={"json": "print JSON"}, auto_shortflags=False)
def doctor(_: Context, json: bool = False) -> None:
    """Report what this machine has and lacks."""
    from ops import commands

    _end(commands.doctor(as_json=json))


@task(help={"force": "also when nothing changed", "target": "for functions on aws, or for those that the local AWS is given"}, auto_shortflags=False)
def package(_: Context, force: bool = False, target: str = "local") -> None:
    """Make the functions' packages: the same bytes from the same sources."""
    from ops import commands

    _end(commands.package(force=force, target=_target(target)))


@task(
    help={
        "env": _ENV["env"],
        "suffix": _ENV["suffix"],
        "background": "return as soon as it is served, by a process that ends after half an hour without a request",
        "stop": "end what serves it",
        "port": "of the API and of Lambda's endpoint (the one that it had before, otherwise)",
        "schedule-every": "seconds between two runs of each schedule, in place of its own",
        "redelivery": "seconds until a message that failed comes again, in place of the queue's visibility timeout",
        "idle": "end after so many seconds without a request",
    },
    auto_shortflags=False,
)
def serve(
    _: Context,
    env: str,
    suffix: str = "",
    background: bool = False,
    stop: bool = False,
    port: int = 0,
    schedule_every: float = 0.0,
    redelivery: int = 0,
    idle: float = 0.0,
) -> None:
    """Run what is deployed on the local AWS: API, functions, queue, schedules, PostgreSQL."""
    from ops import serve as serving

    options = serving.Options(port=port, schedule_every=schedule_every, redelivery=redelivery, idle=idle)
    _end(serving.serve(_request("serve", env, "local", suffix=suffix), options, background=background, stop=stop))


@task(help={**_CHANGE, "json": "print the report as JSON (docs/schemas/smoke.schema.json), and nothing else"}, auto_shortflags=False)
def smoke(_: Context, env: str, target: str = "aws", suffix: str = "", json: bool = False, confirm: str = "") -> None:
    """Try the deployed service as a client does: pay, verify, decline, repeat, and what it has to refuse."""
    from ops import operating

    _end(operating.smoke(_request("smoke", env, target, suffix=suffix, json=json, confirm=confirm)))


@task(
    help={
        **_SHOW,
        "function": "only this function (may be given more than once), by its short name",
        "since": "how far back: 90s, 10m, 2h, 1d",
        "follow": "go on with what is logged from now on, until Ctrl-C",
        "json": "print one JSON object per line, with the message as it was logged",
    },
    iterable=["function"],
    auto_shortflags=False,
)
def logs(
    _: Context,
    env: str,
    target: str = "aws",
    suffix: str = "",
    function: list[str] | None = None,
    since: str = "10m",
    follow: bool = False,
    json: bool = False,
) -> None:
    """Show what the functions log, all of them in the order of time."""
    from ops import operating

    _end(operating.logs(_request("logs", env, target, suffix=suffix, json=json), functions=function or (), since=since, follow=follow))


@task(
    help={**_CHANGE, "replay": "give the messages back to the work queue", "reason": "only messages that were set aside for this reason"},
    auto_shortflags=False,
)
def dlq(_: Context, env: str, target: str = "aws", suffix: str = "", replay: bool = False, reason: str = "", json: bool = False, confirm: str = "") -> None:
    """Show the messages that the worker could not work on, with the reason; or give them back to it."""
    from ops import operating

    _end(operating.dlq(_request("dlq", env, target, suffix=suffix, json=json, confirm=confirm), replay=replay, reason=reason))


@task(help=_CHANGE, auto_shortflags=False)
def migrate(_: Context, env: str, target: str = "aws", suffix: str = "", json: bool = False, confirm: str = "") -> None:
    """Bring the database's schema to what the deployed code needs."""
    from ops import operating

    _end(operating.migrate(_request("migrate", env, target, suffix=suffix, json=json, confirm=confirm)))


@task(name="verify", help={**_SHOW, "day": "the day (UTC), as YYYY-MM-DD", "json": "print JSON"}, auto_shortflags=False)
def audit_verify(_: Context, env: str, day: str, target: str = "aws", suffix: str = "", json: bool = False) -> None:
    """Check a day's audit records: all there, none changed."""
    from ops import operating

    _end(operating.verify_audit(_request("audit.verify", env, target, suffix=suffix, json=json), day))


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


_RUNNING = (deploy, preview, destroy, refresh, outputs, status, unlock, package, serve, smoke, logs, dlq, migrate)
_LOOKING = (rehearse, validate, doctor, environments, manifest, graph)
namespace = Collection(*_RUNNING, *_LOOKING)
namespace.add_collection(Collection("new", new_environment))
namespace.add_collection(Collection("audit", audit_verify))
namespace.add_collection(Collection("local", local_env, local_start, local_stop, local_status))
