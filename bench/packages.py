"""The functions' packages: how large their zips are, and how long importing a handler takes beyond the SDKs that it uses."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.timing import Failed, environment
from ops import package
from payments.functions import FUNCTIONS, Function


@dataclass(frozen=True)
class Import:
    """Milliseconds of importing a handler. sdks: of what is neither the service's own nor Python's; own: all that comes on top of these."""

    own: float
    sdks: float


def run(rounds: int) -> None:
    """Prints a line per function: its size on Lambda, and its import in a fresh interpreter of this machine that finds nothing but the zip's content."""
    sizes = package.ensure(_tell)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for function, zipped in zip(FUNCTIONS, package.ensure(_tell, platform=package.this_machine()).values(), strict=True):
            folder = Path(name, function.name)
            with zipfile.ZipFile(zipped) as content:
                content.extractall(folder)
            size = sizes[function.name].stat().st_size / 1024**2
            # Lambda's folder cannot be written to: each cold start compiles anew.
            compiled = _least(_imported(function, folder, "-B") for _ in range(rounds))
            _imported(function, folder)
            cached = _least(_imported(function, folder) for _ in range(rounds))
            print(
                f"{function.name:17} {size:5.1f} MiB (at most 15); import above its SDKs {cached.own:4.0f} ms (at most 60; SDKs {cached.sdks:.0f}),"
                f" without cached bytecode {compiled.own:.0f} ms (SDKs {compiled.sdks:.0f})"
            )


def _tell(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _least(imports: Iterable[Import]) -> Import:
    """Other work on the machine only ever adds."""
    found = list(imports)
    return Import(min(one.own for one in found), min(one.sdks for one in found))


def _imported(function: Function, folder: Path, *options: str) -> Import:
    """Imports the SDKs first, so that what they share with the service is theirs, and then the handler."""
    known = {path.name.split(".")[0] for path in folder.iterdir()} - {"payments"}
    sdks = _outermost(_times(folder, function.module, *options), known)
    times = _times(folder, ", ".join([*sdks, function.module]), *options)
    own = sum(cumulative for depth, name, cumulative in times if depth == 0 and name.partition(".")[0] == "payments")
    late = _outermost(times, known)
    first = sum(cumulative for depth, name, cumulative in times if depth == 0 and name.partition(".")[0] in known)
    return Import((own - sum(late.values())) / 1000, (first + sum(late.values())) / 1000)


def _times(folder: Path, modules: str, *options: str) -> list[tuple[int, str, int]]:
    """Depth, name and microseconds (with all that it imports) of each module, importers first; of an interpreter without site-packages."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import {modules}"
    command = [sys.executable, "-I", "-S", *options, "-X", "importtime", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), cwd=folder)
    if done.returncode:
        raise Failed(f"importing {modules} failed:\n{done.stderr[-2000:]}")
    # `import time: self | cumulative | name`, the name indented by two spaces for each importer; whoever imports comes after what it imports.
    lines = [line.split("|") for line in reversed(done.stderr.splitlines()) if line.startswith("import time:") and "self [us]" not in line]
    return [((len(name) - len(name.lstrip()) - 1) // 2, name.strip(), int(cumulative)) for _, cumulative, name in lines]


def _outermost(times: list[tuple[int, str, int]], wanted: set[str]) -> dict[str, int]:
    """Microseconds of the modules of these packages that the service imports, but not those that such a module imports itself."""
    found: dict[str, int] = {}
    inside = False
    skipped: int | None = None
    for depth, name, cumulative in times:
        if depth == 0:
            inside, skipped = name.partition(".")[0] == "payments", None
        if skipped is not None and depth > skipped:
            continue
        skipped = None
        if inside and name.partition(".")[0] in wanted:
            found[name] = cumulative
            skipped = depth
    return found
