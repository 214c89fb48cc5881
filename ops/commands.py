"""What the tasks do; each answers the exit code. Heavy imports are made when a command needs them, so that listing tasks stays quick."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops import places
from ops.answers import console, refused, say, table, with_session
from ops.options import options
from ops.report import EXIT_FAILED, EXIT_GOOD, EXIT_REFUSED
from shared.page import ROOT

if TYPE_CHECKING:
    from ops.options import TargetName
    from ops.report import Report
    from ops.run import Outcomes, Request
    from ops.session import Session


def deploy(request: Request, *, smoke: bool = False) -> int:
    """Brings the selected stacks up to date, and then their database; smoke: tries the service afterwards, which may fail the deployment."""
    from ops import image_first, migrate, operations, rollout
    from ops.run import run

    operation = operations.deploying(force=request.force)
    if request.target == "aws":
        # On this machine the database runs only while functions are served, which begins with its migration (ops/serve.py).
        operation = migrate.migrating(lambda first: image_first.image_first(operations.deploying(force=request.force, first=first)))
        operation = rollout.rolled_out(operation)
    outcomes = _with_manifest(run(request, operation, packages=_packages(request)))
    if smoke and outcomes.session and outcomes.report.exit_code == EXIT_GOOD:
        return _smoked(request, outcomes.report, outcomes.session)
    code = _show(request, outcomes)
    if code == EXIT_GOOD and outcomes.session and not request.json and not request.stream:
        _after_deployment(outcomes.session)
    return code


def preview(request: Request) -> int:
    """Says what a deployment would change."""
    from ops import operations
    from ops.run import run

    return _show(request, run(request, operations.preview, packages=_packages(request)))


def refresh(request: Request) -> int:
    """Reads the cloud back into the state."""
    from ops import operations
    from ops.run import run

    return _show(request, run(request, operations.refresh))


def drift(request: Request) -> int:
    """Says what was changed in the cloud behind the platform's back."""
    from ops import operations
    from ops.run import run

    return _show(request, run(request, operations.drift, apart=True))


def destroy(request: Request) -> int:
    """Deletes what the selected stacks hold, dependents first."""
    from ops import manifest, operations
    from ops.run import run

    outcomes = run(request, operations.destroy, backwards=True)
    if outcomes.session and outcomes.report.exit_code == EXIT_GOOD and not request.selection:
        manifest.file_of(outcomes.session).unlink(missing_ok=True)
    return _show(request, outcomes)


def outputs(request: Request, *, show_secrets: bool) -> int:
    """The outputs of the selected stacks."""
    from ops.run import selected

    def show(session: Session) -> int:
        chosen = selected(request)
        found = {name: session.stack(name).outputs(show_secrets=show_secrets) for name in _names() if name in chosen}
        deployed = {name: values for name, values in found.items() if values}
        if request.json:
            print(json.dumps(deployed, indent=2))
        else:
            _print_outputs(deployed)
        if missing := [name for name, values in found.items() if not values]:
            named = options(request.env, request.suffix, request.target)
            return refused([f"never deployed: {', '.join(missing)}. Next: invoke deploy {named}{request.selection}"], EXIT_FAILED)
        return EXIT_GOOD

    return with_session(request, show)


def status(request: Request) -> int:
    """Where each stack stands."""
    from ops.status import as_json, standings

    def show(session: Session) -> int:
        found = list(standings(session))
        if request.json:
            print(as_json(found))
            return EXIT_GOOD
        rows = [(s.project, s.stack, s.status, s.detail, str(s.resources), s.deployed) for s in found]
        table(("project", "stack", "status", "", "resources", "deployed"), rows)
        return EXIT_GOOD

    return with_session(request, show)


def unlock(request: Request, *, host: str = "") -> int:
    """Breaks the locks that killed engines left, and says who held them; host: another machine, whose processes are said to be no more."""
    from ops import recovery

    def show(session: Session) -> int:
        found = [(name, one) for name in _names() for one in recovery.unlock(session.stack(name), session.target, host)]
        for name, one in found:
            lock = one.lock
            say(f"{name}: lock of process {lock.pid} on {lock.host} since {lock.since}: {'broken' if one.broken else 'kept'}: {one.why}")
        if session.target.state is None:
            say("this backend keeps its own locks; where one is left: pulumi cancel, in the project's folder")
        elif not found:
            say("no stack is locked")
        return EXIT_GOOD if all(one.broken for _, one in found) else EXIT_FAILED

    return with_session(request, show)


def local_env(request: Request) -> int:
    """Prints what a shell needs to run `pulumi` by hand on the local target: eval "$(invoke local.env)"."""
    import shlex

    from ops import by_hand

    def show(session: Session) -> int:
        cloud = session.target.cloud
        if cloud is None:
            return EXIT_FAILED
        for name in _names():
            if session.state(name) is None:
                session.stack(name).init()
        whole = session.target.environment(session.cli)
        stand_in = by_hand.install(cloud.state / "bin" / session.workspace.stack, session.workspace, session.cli.pulumi)
        whole["PATH"] = f"{stand_in}{os.pathsep}{whole['PATH']}"
        wanted = {name: value for name, value in whole.items() if name not in os.environ or os.environ[name] != value}
        keys = cloud.credentials(session.workspace.environment.account)
        wanted |= {"AWS_ENDPOINT_URL": cloud.endpoint, **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), session.workspace.environment.region), **keys}
        for name, value in sorted(wanted.items()):
            if value or name in os.environ:
                print(f"export {name}={shlex.quote(value)}")
        return EXIT_GOOD

    return with_session(request, show)


def rehearse(names: list[str], suffix: str, to: str) -> int:
    """All programs of an environment in one process, on moto; of all environments, or of several, in a process per core."""
    from ops import package, rehearsal, workspace
    from shared import page

    told = console(stderr=to == "-")
    try:
        if len(names) != 1:
            return _rehearse_each(names or page.names(), suffix, to)
        opened = workspace.open_workspace(names[0], suffix, target="local")
        package.ensure(say)
        done = rehearsal.rehearse(opened, lambda s: told.print(f"  {s.project}: {len(s.run.resources)} resources in {s.seconds:.1f} s"))
    except page.PageError as error:
        return refused(map(str, error.problems))
    except (package.PackageError, rehearsal.RehearsalError) as error:
        return refused([str(error)], EXIT_FAILED)
    if to:
        try:
            rehearsal.write(done, Path(to))
        except OSError as error:
            return refused([f"--json {to}: {error.strerror}; name a file that can be written"])
    return EXIT_GOOD


def _rehearse_each(names: list[str], suffix: str, to: str) -> int:
    from ops import package
    from ops.rehearsals import Rehearsed, rehearse_each

    if to == "-":
        return refused(["--json -: several environments are written to a folder, a file each; name one"])
    package.ensure(say)

    def told(one: Rehearsed) -> None:
        if not one.problems:
            say(f"  {one.name}: {one.resources} resources in {one.seconds:.1f} s")

    done = rehearse_each(names, Path(to) if to else None, told, suffix=suffix)
    problems = [problem for one in done for problem in one.problems]
    return refused(problems, EXIT_FAILED) if problems else EXIT_GOOD


def validate(names: list[str], *, as_json: bool) -> int:
    """Checks pages; all of them when none is named."""
    from ops.validation import validate as check
    from shared import page

    found = check(names or page.names())
    if as_json:
        print(json.dumps([{"page": p.page, "key": p.key, "rule": p.rule, "text": str(p)} for p in found], indent=2))
    elif found:
        refused(map(str, found))
    else:
        say(f"{', '.join(names or page.names())}: nothing wrong")
    return EXIT_REFUSED if found else EXIT_GOOD


def doctor(*, as_json: bool) -> int:
    """What this machine has and lacks."""
    from localcloud import control
    from ops import doctor as doctors

    running = control.find(places.CLOUD)
    report = doctors.checks(lambda: running.endpoint if running else None)
    if as_json:
        print(doctors.as_json(report))
    else:
        doctors.render(report, console(markup=True))
    return EXIT_GOOD if doctors.healthy(report) else EXIT_FAILED


def local_start(port: int, idle: float) -> int:
    """Starts the local cloud."""
    from localcloud import control

    try:
        running, aside = control.start(places.CLOUD, port=port, idle=idle or None)
    except control.LocalCloudError as error:
        return refused([str(error)], EXIT_FAILED)
    for folder in aside:
        say(f"the former cloud's state was set aside: {folder}")
    say(f"local AWS on {running.endpoint} (its own page: {running.endpoint}/moto-api/), process {running.pid}")
    return EXIT_GOOD


def local_stop() -> int:
    """Stops the local cloud."""
    from localcloud import control

    try:
        say("stopped; what was deployed on it is gone" if control.stop(places.CLOUD) else "the local cloud does not run")
    except control.LocalCloudError as error:
        return refused([str(error)], EXIT_FAILED)
    return EXIT_GOOD


def local_status(*, as_json: bool) -> int:
    """Whether the local cloud runs, where, and what it cannot do."""
    from localcloud import control
    from localcloud.gaps import GAPS

    running = control.find(places.CLOUD)
    if as_json:
        about = {"identity": running.identity, "pid": running.pid, "endpoint": running.endpoint, "provider": running.provider} if running else None
        print(json.dumps({"running": about, "gaps": GAPS}, indent=2))
        return EXIT_GOOD
    if running:
        say(f"local AWS {running.identity} on {running.endpoint} (its own page: {running.endpoint}/moto-api/), process {running.pid}")
    else:
        say("the local cloud does not run; `invoke local.start` or `invoke deploy --target local` start it")
    say("\nWhere it does less than AWS:")
    table(("type or input", "what, and what is done instead"), list(GAPS.items()))
    return EXIT_GOOD


def package(*, force: bool, target: TargetName = "local") -> int:
    """Makes the functions' packages for a target, and for the local one what the container's image holds."""
    from ops import package as packages
    from ops import package_container
    from shared.image import image_tag

    platform = packages.for_target(target)
    try:
        made = packages.build(platform, say) if force else packages.ensure(say, platform=platform)
        contained = package_container.ensure(say, again=force) if target == "local" else None
    except packages.PackageError as error:
        return refused([str(error)], EXIT_FAILED)
    for name, path in made.items():
        say(f"{name}: {path.relative_to(ROOT)} ({path.stat().st_size / 1024**2:.1f} MiB)")
    if contained:
        say(f"container: {contained.folder.relative_to(ROOT)} ({contained.size / 1024**2:.1f} MiB, image tag {contained.tag})")
    else:
        say(f"container: docker build --platform linux/arm64 --tag <repositoryUrl of app>:{image_tag()} .")
    return EXIT_GOOD


def _packages(request: Request) -> Callable[[], dict[str, tuple[Path, ...]]]:
    def make() -> dict[str, tuple[Path, ...]]:
        from ops import package as packages
        from ops.run import PackagesError

        try:
            quiet = request.json or request.stream
            made = packages.ensure(None if quiet else lambda said: print(said, file=sys.stderr), platform=packages.for_target(request.target))
        except packages.PackageError as error:
            raise PackagesError(str(error)) from None
        return {"app": tuple(made.values())}

    return make


def _with_manifest(outcomes: Outcomes) -> Outcomes:
    """The outcomes of a deployment; one that ended well leaves the environment's manifest behind, and names it in its report."""
    from ops import manifest
    from ops.engine import EngineError

    session = outcomes.session
    if session is None or outcomes.report.exit_code != EXIT_GOOD:
        return outcomes
    try:
        file = manifest.keep(session)
    except (EngineError, OSError) as error:
        refused([f"deployed, but its manifest could not be written: {error}. Next: invoke manifest"], EXIT_GOOD)
        return outcomes
    return replace(outcomes, report=replace(outcomes.report, manifest=places.shown(file) if file else ""))


def _show(request: Request, outcomes: Outcomes) -> int:
    report = outcomes.report
    if request.json:
        sys.stdout.write(report.to_json())
    elif not request.stream:
        console().print(report)
    return report.exit_code


def _smoked(request: Request, report: Report, session: Session) -> int:
    """Tries the service that was just deployed; one that does not do its job makes the deployment a failed one."""
    from ops.progress.stream import JsonProgress
    from ops.smoke_run import tried

    if not request.json and not request.stream:
        console().print(report)
    found = tried(session)
    whole = replace(report, smoke=found)
    if request.json:
        sys.stdout.write(whole.to_json())
    elif request.stream:
        JsonProgress(sys.stdout).emit("smoke", report=found.as_dict())
    else:
        console().print(found)
        if whole.exit_code == EXIT_GOOD:
            _after_deployment(session)
    return whole.exit_code


def _after_deployment(session: Session) -> None:
    """The outputs, where the local AWS listens, and what to try next."""
    from ops.engine import EngineError
    from ops.state import masked

    try:
        found = {name: state.outputs for name in _names() if (state := session.state(name))}
    except EngineError as error:
        refused([f"deployed, but its outputs could not be read: {error}. Next: invoke outputs"])
        return
    _print_outputs({name: masked(values) for name, values in found.items()})
    env = options(session.workspace.name, session.workspace.suffix)
    if cloud := session.target.cloud:
        say(f"\nThe local AWS listens on {cloud.endpoint}; what it holds: {cloud.endpoint}/moto-api/")
        say(
            "Try next:\n"
            f"  invoke smoke {env} --target local            a payment through what was deployed; `invoke serve {env}` serves it\n"
            f"  invoke status {env} --target local           where each stack stands\n"
            f"  invoke preview {env} --target local          after you changed environments/Pulumi.{session.workspace.name}.yaml\n"
            f'  eval "$(invoke local.env {env})"             then: aws dynamodb list-tables, or pulumi by hand in projects/*\n'
            f"  invoke destroy {env} --target local          and nothing is left"
        )


def _names() -> list[str]:
    from ops.projects import projects

    return list(projects())


def _print_outputs(found: dict[str, dict[str, Any]]) -> None:
    rows = [(project, name, _shown(name, value)) for project, values in found.items() for name, value in values.items() if value is not None]
    table(("project", "output", "value"), rows)


def _shown(name: str, value: Any) -> str:
    from ops.fingerprint import INVENTORY

    if name == INVENTORY and isinstance(value, list):
        return f"{len(value)} resources: invoke outputs --json, or invoke manifest"
    return value if isinstance(value, str) else json.dumps(value)
