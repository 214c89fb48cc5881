"""The build from the Go modules that are pinned under `tools/`: for machines that reach module registries and nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ops.toolchain import pins
from ops.toolchain.child import ChildError, run
from ops.toolchain.cli import parse
from ops.toolchain.look import EXECUTOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.toolchain.memory import Memory
    from ops.toolchain.pins import Module
    from ops.toolchain.places import Places
    from ops.toolchain.progress import Progress

ORIGIN = "built from tools/"

_CHOOSES_ITS_TOOLCHAIN = (1, 21, 0)
"""The first Go that fetches the newer Go that a go.mod asks for (https://go.dev/doc/toolchain)."""


def build(places: Places, memory: Memory, progress: Progress) -> str:
    """Build CLI and language host into `.local/bin`; the answer is empty, or why it could not be done."""
    cli, host = pins.cli(places), pins.host(places)
    try:
        go = _go(cli, host)
        progress.say(f"Building Pulumi {cli.version} from its Go modules: 3 to 5 minutes on 2 cores (and 4 GB in Go's caches), once.")
        places.bin.mkdir(parents=True, exist_ok=True)
        # Beside its destination, so that moving it there is a rename: a half of it is never found in place.
        with tempfile.TemporaryDirectory(prefix="build-", dir=places.local) as stage:
            made = [_compile(go, module, Path(stage, module.command), progress) for module in (cli, host)]
            made.append(_executor(go, cli, Path(stage, EXECUTOR)))
            run([made[0], "version"], cwd=places.root, environ=_environment())
            # The CLI last: it is what is looked for first.
            for file in reversed(made):
                file.replace(places.bin / file.name)
    except ChildError as error:
        return str(error)
    memory.keep_own(origin=ORIGIN, host=host.version, pins=pins.fingerprint(places))
    return ""


def go_version() -> tuple[str, str] | None:
    """The installed Go's version (`1.26.8`) and its GOTOOLCHAIN; None without Go. Raises `ChildError` when it does not answer."""
    go = shutil.which("go")
    if go is None:
        return None
    # Away from any go.mod: inside one, Go would fetch the Go that it asks for before it answers.
    lines = run([go, "env", "GOVERSION", "GOTOOLCHAIN"], cwd=Path(tempfile.gettempdir()), environ=_environment(), within=30)
    return lines[0].removeprefix("go"), lines[1] if len(lines) > 1 else ""


def go_objection(modules: Iterable[Module]) -> str:
    """Why the installed Go cannot build `modules`; empty when it can. Raises `ChildError` when Go does not answer."""
    needed = max((module.go for module in modules), key=_numbers)
    found = go_version()
    if found is None:
        return f"there is no `go` on PATH; {needed} or newer is needed"
    version, toolchain = found
    if _numbers(version) >= _numbers(needed):
        return ""
    if _numbers(version) < _CHOOSES_ITS_TOOLCHAIN:
        return f"Go {version} is too old: {needed} or newer is needed"
    if toolchain == "local":
        return f"Go {version} is too old: {needed} or newer is needed, and GOTOOLCHAIN=local keeps it from fetching that"
    return ""


def _go(*modules: Module) -> str:
    wrong = go_objection(modules)
    if wrong:
        raise ChildError(wrong)
    return shutil.which("go") or "go"


def _compile(go: str, module: Module, output: Path, progress: Progress) -> Path:
    """Compile one command, with every package counted."""
    fetched = total = done = 0

    def fetching(line: str) -> bool:
        nonlocal fetched, total
        if line.startswith("go: downloading "):
            fetched += 1
            progress.step(fetched, None, line.removeprefix("go: downloading "))
            return True
        total += not line.startswith("go: ")
        return not line.startswith("go: ")

    def compiling(line: str) -> bool:
        nonlocal done
        # `go build -v` writes import paths; whatever has a blank in it is a message.
        if " " in line:
            return False
        done += 1
        progress.step(done, max(total, done), line)
        return True

    progress.phase(f"Fetching the modules of {module.command} {module.version}")
    # Naming all packages fetches their modules, and says how many there are to compile.
    run([go, "list", *_listing(module.flags), "-deps", module.package], cwd=module.folder, environ=_environment(), on_line=fetching)
    progress.phase(f"Compiling {module.command} {module.version}")
    run([go, "build", "-v", *module.flags, "-o", output, module.package], cwd=module.folder, environ=_environment(), on_line=compiling)
    progress.say(f"{module.command} {module.version} is built.")
    return output


def _listing(flags: list[str]) -> list[str]:
    """The flags that decide which packages a build has."""
    return [flag for flag in flags if flag.startswith("-mod")] + ["-tags", flags[flags.index("-tags") + 1]]


def _executor(go: str, cli: Module, output: Path) -> Path:
    """The script with which the language host runs a program: it belongs to the engine's version, and stands in the SDK's module."""
    folder = run([go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"], cwd=cli.folder, environ=_environment())
    output.write_bytes((Path(folder[-1]) / "python" / "cmd" / EXECUTOR).read_bytes())
    output.chmod(0o755)
    return output


def _environment() -> dict[str, str]:
    """This machine's Go settings, for this machine's processor and without C: the user's workspace or cross-compilation must not leak in."""
    kept = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH")}
    return {**kept, "CGO_ENABLED": "0", "GOWORK": "off"}


def _numbers(version: str) -> tuple[int, int, int]:
    """`1.26` and `1.26.8` and `1.27rc1` as comparable numbers."""
    return parse(version) or parse(f"{version.partition('rc')[0]}.0") or (0, 0, 0)
