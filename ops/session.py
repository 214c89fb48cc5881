"""All that the operations of one run share: the environment, the target, the engine, and who is told."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops import fingerprint, state
from ops.engine import Stack
from ops.fingerprint import Fingerprint
from ops.progress import Progress
from ops.projects import projects
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import Workspace


@dataclass
class Session:
    """One run.

    packages: by project, the files that its program deploys beside its code. cancelled: set when the run is to stop.
    selection: the options that chose among the stacks, with a space before each, for the commands that a message tells to run.
    """

    workspace: Workspace
    target: Target
    cli: Cli
    progress: Progress
    packages: Mapping[str, tuple[Path, ...]] = field(default_factory=dict[str, tuple[Path, ...]])
    cancelled: threading.Event = field(default_factory=threading.Event)
    selection: str = ""

    def stack(self, project: str) -> Stack:
        """The project's stack in this environment."""
        return Stack(
            projects()[project],
            self.workspace.stack,
            self.workspace.file,
            self.cli,
            self.target.environment(self.cli),
            self.workspace.environment.platform.organization,
        )

    def state(self, project: str) -> state.State | None:
        """The state of the project's stack; None when there is none."""
        return state.read(self.stack(project), self.target.state)

    def deployed(self, project: str) -> bool:
        """Whether the project's stack was deployed to its end at least once: only then has it outputs."""
        found = self.state(project)
        return found is not None and bool(found.outputs)

    def fingerprint(self, project: str) -> Fingerprint:
        """What a deployment of the project would start from now."""
        described = projects()[project]
        own, contained = self.state(project), self.workspace.environment.shape.compute == "containers"
        return Fingerprint(
            code=fingerprint.code_of(described, self.packages.get(project, ()), contained=contained),
            page=fingerprint.page_of(self.workspace.page, described),
            upstream=fingerprint.upstream_of({name: self._outputs(name) for name in described.takes}),
            engine=f"{self.cli.version} {self.cli.host}",
            state=own.digest if own else "",
        )

    def _outputs(self, project: str) -> str:
        """The digest of a stack's outputs; empty when there is none."""
        found, record = self.state(project), self.record(project)
        if found is None:
            return ""
        return record.outputs if record and record.fingerprint.state == found.digest else fingerprint.outputs_of(found.outputs)

    def record(self, project: str) -> fingerprint.Record | None:
        """The last successful deployment of the project's stack that this machine knows of."""
        return fingerprint.load(self.target.records, projects()[project], self.workspace.stack)
