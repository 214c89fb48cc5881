"""`invoke deploy` on the local target beside four raw `pulumi up --skip-preview`, one after the other."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.timing import environment, in_turn, ratio, timed
from localcloud import control
from ops import target, toolchain, workspace
from ops.projects import projects

ENV = "dev"
INVOKE = str(Path(sys.executable).with_name("invoke"))


@dataclass(frozen=True)
class Bench:
    """A local cloud of its own (its process), and both ways of deploying to it."""

    cloud: int
    home: Path
    raw: dict[str, str]
    pulumi: str
    page: Path

    def invoke(self, *options: str) -> float:
        """Seconds of `invoke deploy`."""
        return timed([INVOKE, "deploy", "--env", ENV, "--target", "local", *options], environment(PAYMENTS_LOCAL=str(self.home))).seconds

    def ups(self) -> float:
        """Seconds of one `pulumi up` per project, in order."""
        started = time.perf_counter()
        for project in projects().values():
            command = [self.pulumi, "up", "--yes", "--skip-preview", "--non-interactive", "--stack", ENV, "--config-file", str(self.page)]
            timed(command, self.raw, project.folder)
        return time.perf_counter() - started

    def init(self) -> None:
        """Empty stacks for the raw way."""
        from ops.engine import Stack

        cli = _cli()
        for project in projects().values():
            Stack(project, ENV, self.page, cli, self.raw).init()


def _cli() -> toolchain.Cli:
    found = toolchain.find()
    if found is None:
        sys.exit("there is no Pulumi CLI yet: make venv")
    return found


@contextmanager
def cloud() -> Generator[Bench]:
    """A fresh local cloud in a folder of its own, stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        running, _ = control.start(home / "cloud")
        try:
            cli = _cli()
            page = workspace.write_configuration(workspace.open_workspace(ENV), home / "pages")
            yield Bench(running.pid, home, target.local(running).environment(cli), str(cli.pulumi), page)
        finally:
            control.stop(home / "cloud")


def _first(*, raw: bool) -> float:
    with cloud() as bench:
        if raw:
            bench.init()
            return bench.ups()
        return bench.invoke()


def run(rounds: int) -> None:
    """Prints the three ratios."""
    print("First deployment from nothing, a fresh local cloud each:", file=sys.stderr)
    first = in_turn(rounds, deploy=lambda: _first(raw=False), raw=lambda: _first(raw=True))
    print("Again, without any change:", file=sys.stderr)
    with cloud() as bench:
        bench.invoke()
        again = in_turn(rounds, forced=lambda: bench.invoke("--force"), raw=bench.ups, unstarted=lambda: (bench.invoke(), bench.invoke())[1])
    print(f"first deploy / raw:                          {ratio(first, 'deploy', 'raw')}  (at most 1.2)")
    print(f"deploy --force without change / raw:         {ratio(again, 'forced', 'raw')}  (at most 1.1)")
    print(f"deploy without change, not started / raw:    {ratio(again, 'unstarted', 'raw')}  (at most 0.5)")
