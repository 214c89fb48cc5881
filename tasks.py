"""The platform's tasks: `invoke --list`. Thin; what they do is in `ops/`."""

from __future__ import annotations

from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from ops.command_line import DAY, MOST_PORT, end, number, quiet_where_nobody_reads, target_of, task

quiet_where_nobody_reads()

_ENV = {
    "env": "the environment: a page in environments/ (dev, staging, prod)",
    "target": "aws, or local: the local AWS on this machine",
    "suffix": "a short-lived copy of the environment, with its own stacks and names",
    "only": "only this project (may be given more than once)",
    "from": "this project and those that come after it",
    "until": "this project and those that come before it",
    "json": "print the report as JSON (docs/schemas/report.schema.json), and nothing else",
    "stream": "print what happens as it happens, one JSON object per line",
    "confirm": "name of the protected environment (for non-interactive use)",
    "force": "start stacks that did not change, and deploy against an upstream that is not up to date",
}
_RUN = {name: _ENV[name] for name in ("env", "target", "suffix", "only", "from", "until", "json", "stream")}
_SHOW = {name: _ENV[name] for name in ("env", "target", "suffix")}
_CHANGE = {**_SHOW, "json": "print JSON", "confirm": _ENV["confirm"]}


def _request(command: str, env: str, target: str, **options: Any) -> Any:
    from ops.run import Request

    if env.startswith("-"):
        raise Exit(f"error: --env {env}: that is an option, not an environment. For help: invoke --help {command}", code=2)
    return Request(command=command, env=env, target=target_of(target), only=tuple(options.pop("only", None) or ()), **options)


@task(
    help={**_RUN, "confirm": _ENV["confirm"], "force": _ENV["force"], "smoke": "test the service afterwards, and fail the deployment when that fails"},
    iterable=["only"],
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
    end(commands.deploy(_request("deploy", env, target, **options), smoke=smoke))


@task(help=_RUN, iterable=["only"])
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

    end(commands.preview(_request("preview", env, target, suffix=suffix, only=only, start=from_, until=until, json=json, stream=stream)))


@task(help={**_RUN, "confirm": _ENV["confirm"]}, iterable=["only"])
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
    end(commands.destroy(_request("destroy", env, target, **options)))


@task(help=_RUN, iterable=["only"])
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

    end(commands.refresh(_request("refresh", env, target, suffix=suffix, only=only, start=from_, until=until, json=json, stream=stream)))


@task(help=_RUN, iterable=["only"])
def drift(
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
    """Say what was changed in the cloud behind the platform's back; exit code 1 when something was. Nothing is touched."""
    from ops import commands

    end(commands.drift(_request("drift", env, target, suffix=suffix, only=only, start=from_, until=until, json=json, stream=stream)))


@task(help={**_SHOW, "only": _ENV["only"], "json": "print JSON", "show-secrets": "secrets in clear text"}, iterable=["only"])
def outputs(_: Context, env: str, target: str = "aws", suffix: str = "", only: list[str] | None = None, json: bool = False, show_secrets: bool = False) -> None:
    """Show the outputs of an environment's stacks."""
    from ops import commands

    end(commands.outputs(_request("outputs", env, target, suffix=suffix, only=only, json=json), show_secrets=show_secrets))


@task(help={**_SHOW, "json": "print JSON"})
def status(_: Context, env: str, target: str = "aws", suffix: str = "", json: bool = False) -> None:
    """Show where each stack stands: never deployed, up to date, or what changed since."""
    from ops import commands

    end(commands.status(_request("status", env, target, suffix=suffix, json=json)))


@task(help={**_SHOW, "host": "break this other host's locks too: you know that its processes are no more"})
def unlock(_: Context, env: str, target: str = "aws", suffix: str = "", host: str = "") -> None:
    """Break the locks that killed engines left, and say who held them."""
    from ops import commands

    end(commands.unlock(_request("unlock", env, target, suffix=suffix), host=host))


@task(
    help={
        "env": "this environment only (may be given more than once); otherwise all",
        "suffix": _ENV["suffix"],
        "json": "write what would be made to this file (- is standard output); for several environments, to files in this folder",
    },
    iterable=["env"],
)
def rehearse(_: Context, env: list[str] | None = None, suffix: str = "", json: str = "") -> None:
    """Run all programs of an environment in one process, on moto: seconds, no engine."""
    from ops import commands

    end(commands.rehearse(env or [], suffix, json))


@task(help={"env": "this page only (may be given more than once); otherwise all", "json": "print JSON"}, iterable=["env"])
def validate(_: Context, env: list[str] | None = None, json: bool = False) -> None:
    """Check the pages: everything that is wrong, at once."""
    from ops import commands

    end(commands.validate(list(env or ()), as_json=json))


@task(help={"json": "print JSON"})
def environments(_: Context, json: bool = False) -> None:
    """Show all environments, and what sets each apart."""
    from ops import looking

    end(looking.environments(as_json=json))


@task(
    name="environment",
    positional=["name"],
    help={
        "name": "[<blueprint>-]<stage>, such as acme-prod",
        "from": "the environment whose page it is made from",
        "set": "KEY=VALUE on the new page, the value as YAML, none takes the key away (may be given more than once)",
    },
    iterable=["set"],
)
def new_environment(_: Context, name: str, from_: str, set: list[str] | None = None) -> None:  # noqa: A002 - the option's name
    """Make the page of a new environment from another one: name, stage, suffix and range are its own."""
    from ops import looking

    end(looking.new_environment(name, from_, set or ()))


@task(help={**_SHOW, "file": "write to this file (- is standard output)"})
def manifest(_: Context, env: str, target: str = "aws", suffix: str = "", file: str = "") -> None:
    """Write the JSON manifest of an environment: all deployed resources and their configurations."""
    from ops import looking

    end(looking.manifest(_request("manifest", env, target, suffix=suffix), file))


@task(
    help={"env": "an environment, whose stacks are named", "security": "its tiers, security groups and rules instead", "json": "print JSON"},
)
def graph(_: Context, env: str = "", security: bool = False, json: bool = False) -> None:
    """Show what the stacks take from one another, or who may talk to whom in an environment's network."""
    from ops import looking

    end(looking.graph(env, security=security, as_json=json))


@task(help={"json": "print JSON"})
def doctor(_: Context, json: bool = False) -> None:
    """Report what this machine has and lacks."""
    from ops import commands

    end(commands.doctor(as_json=json))


@task(help={"force": "also when nothing changed", "target": "for functions on aws, or for those that the local AWS is given"})
def package(_: Context, force: bool = False, target: str = "local") -> None:
    """Build the Lambda packages (reproducible)."""
    from ops import commands

    end(commands.package(force=force, target=target_of(target)))


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
)
def serve(
    _: Context,
    env: str,
    suffix: str = "",
    background: bool = False,
    stop: bool = False,
    port: str = "0",
    schedule_every: str = "0",
    redelivery: str = "0",
    idle: str = "0",
) -> None:
    """Run what is deployed on the local AWS: API, functions, queue, schedules, PostgreSQL."""
    from ops import serve as serving

    options = serving.Options(
        port=number("--port", port, int, 0, MOST_PORT),
        schedule_every=number("--schedule-every", schedule_every, float, 0, DAY),
        redelivery=number("--redelivery", redelivery, int, 0, DAY),
        idle=number("--idle", idle, float, 0, DAY),
    )
    end(serving.serve(_request("serve", env, "local", suffix=suffix), options, background=background, stop=stop))


@task(help={**_CHANGE, "json": "print the report as JSON (docs/schemas/smoke.schema.json), and nothing else"})
def smoke(_: Context, env: str, target: str = "aws", suffix: str = "", json: bool = False, confirm: str = "") -> None:
    """Try the deployed service as a client does: pay, verify, decline, repeat, and what it has to refuse."""
    from ops import operating

    end(operating.smoke(_request("smoke", env, target, suffix=suffix, json=json, confirm=confirm)))


@task(
    help={
        **_SHOW,
        "function": "only this function (may be given more than once), by its short name",
        "since": "how far back: 90s, 10m, 2h, 1d",
        "follow": "go on with what is logged from now on, until Ctrl-C",
        "json": "print one JSON object per line, with the message as it was logged",
    },
    iterable=["function"],
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

    end(operating.logs(_request("logs", env, target, suffix=suffix, json=json), functions=function or (), since=since, follow=follow))


@task(
    help={
        **_CHANGE,
        "replay": "give the messages back to the work queue: all of them, or those with --reason",
        "reason": "only messages that were set aside for this reason",
    },
)
def dlq(_: Context, env: str, target: str = "aws", suffix: str = "", replay: bool = False, reason: str = "", json: bool = False, confirm: str = "") -> None:
    """List dead-lettered messages with the reason, or replay them."""
    from ops import operating

    end(operating.dlq(_request("dlq", env, target, suffix=suffix, json=json, confirm=confirm), replay=replay, reason=reason))


@task(help=_CHANGE)
def migrate(_: Context, env: str, target: str = "aws", suffix: str = "", json: bool = False, confirm: str = "") -> None:
    """Bring the database's schema to what the deployed code needs."""
    from ops import operating

    end(operating.migrate(_request("migrate", env, target, suffix=suffix, json=json, confirm=confirm)))


@task(name="verify", help={**_SHOW, "day": "the day (UTC), as YYYY-MM-DD", "json": "print JSON"})
def audit_verify(_: Context, env: str, day: str, target: str = "aws", suffix: str = "", json: bool = False) -> None:
    """Check a day's audit records: all there, none changed."""
    from ops import operating

    end(operating.verify_audit(_request("audit.verify", env, target, suffix=suffix, json=json), day))


@task(name="env", help={"env": _ENV["env"], "suffix": _ENV["suffix"]})
def local_env(_: Context, env: str, suffix: str = "") -> None:
    """Print what a shell needs for pulumi and aws by hand: eval "$(invoke local.env --env dev)"."""
    from ops import commands

    end(commands.local_env(_request("local.env", env, "local", suffix=suffix)))


@task(
    name="start",
    help={"port": "of the AWS endpoint (a free one otherwise)", "idle": "stop after so many seconds without a request (8 hours)"},
)
def local_start(_: Context, port: str = "0", idle: str = "0") -> None:
    """Start the local AWS."""
    from ops import commands

    end(commands.local_start(number("--port", port, int, 0, MOST_PORT), number("--idle", idle, float, 0, DAY)))


@task(name="stop")
def local_stop(_: Context) -> None:
    """Stop the local AWS; what was deployed on it is gone."""
    from ops import commands

    end(commands.local_stop())


@task(name="status", help={"json": "print JSON"})
def local_status(_: Context, json: bool = False) -> None:
    """Show whether the local AWS runs, where, and where it does less than AWS."""
    from ops import commands

    end(commands.local_status(as_json=json))


_RUNNING = (deploy, preview, destroy, refresh, drift, outputs, status, unlock, package, serve, smoke, logs, dlq, migrate)
_LOOKING = (rehearse, validate, doctor, environments, manifest, graph)
namespace = Collection(*_RUNNING, *_LOOKING)
namespace.add_collection(Collection("new", new_environment))
namespace.add_collection(Collection("audit", audit_verify))
namespace.add_collection(Collection("local", local_env, local_start, local_stop, local_status))
