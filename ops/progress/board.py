"""What a run's events add up to: each project's counts, and what is being worked on now."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ops.report import CHANGES, Result, Tense

# The engine's steps in words: while it runs, and in each tense of the report's.
_WORDS = {
    "create": ("creating", *CHANGES["create"]),
    "update": ("updating", *CHANGES["update"]),
    "replace": ("replacing", *CHANGES["replace"]),
    "delete": ("deleting", *CHANGES["delete"]),
    "same": ("checking", *CHANGES["same"]),
    "refresh": ("refreshing", *["refreshed"] * 3),
    "read": ("reading", *["read"] * 3),
    "import": ("importing", "imported", "to import", "imported"),
    "create-replacement": ("creating the replacement of", "created the replacement of", "to create the replacement of", "replaced"),
    "delete-replaced": ("deleting the replaced", "deleted the replaced", "to delete the replaced", "replaced"),
}
# Nothing in the cloud is different afterwards.
QUIET = frozenset({"same", "refresh", "read"})


def doing(op: str) -> str:
    """The step while it runs: `creating`."""
    return _WORDS[op][0] if op in _WORDS else op


def made(op: str, tense: Tense) -> str:
    """The step when it is done: `created`, or `to create` where a preview plans it."""
    return _WORDS[op][1 + tense] if op in _WORDS else op


def counts_text(counts: Counter[str], tense: Tense) -> str:
    """The counts in words, in the order of the table above: `5 created, 12 unchanged`."""
    known = [op for op in _WORDS if counts[op]]
    others = [op for op in counts if op not in _WORDS]
    return ", ".join(f"{counts[op]} {made(op, tense)}" for op in (*known, *others))


@dataclass(frozen=True)
class Step:
    """A resource that is being worked on."""

    urn: str
    type: str
    name: str
    op: str
    since: float

    @property
    def text(self) -> str:
        """`creating aws:sqs/queue:Queue work`."""
        return f"{doing(self.op)} {self.label}"

    @property
    def label(self) -> str:
        """The resource's type and name."""
        return f"{self.type} {self.name}".strip()


@dataclass
class Row:
    """One project: since and ended are clock readings, None until it starts or ends."""

    project: str
    stack: str = ""
    since: float | None = None
    ended: float | None = None
    counts: Counter[str] = field(default_factory=Counter[str])
    running: dict[str, Step] = field(default_factory=dict[str, Step])
    failed: list[Step] = field(default_factory=list[Step])
    result: Result | None = None

    def copy(self) -> Row:
        """As it is now, for a reader in another thread."""
        return Row(self.project, self.stack, self.since, self.ended, Counter(self.counts), dict(self.running), list(self.failed), self.result)

    def elapsed(self, now: float) -> float:
        """Seconds since it started, to its end or to now."""
        if self.since is None:
            return 0.0
        return (self.ended if self.ended is not None else now) - self.since


class Board:
    """The rows of a run; events come in from many threads."""

    def __init__(self, projects: Sequence[str] = (), clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with these projects waiting, in this order; others follow as they appear."""
        self.clock = clock
        self.began = clock()
        self._lock = threading.Lock()
        self._rows = {project: Row(project) for project in projects}

    def rows(self) -> list[Row]:
        """All projects as they are now."""
        with self._lock:
            return [row.copy() for row in self._rows.values()]

    def start(self, project: str, stack: str) -> None:
        """The project's stack begins."""
        with self._lock:
            row = self._row(project)
            row.stack, row.since = stack, self.clock()

    def begin(self, project: str, step: Step) -> None:
        """A step on a resource begins; a resource has one at a time."""
        with self._lock:
            self._row(project).running[step.urn] = step

    def end(self, project: str, urn: str, op: str, *, failed: bool) -> tuple[Step, float]:
        """A step is over; the step, and the seconds that it took. One that was never seen to begin took none."""
        with self._lock:
            row, now = self._row(project), self.clock()
            step = row.running.pop(urn, None) or Step(urn, *_parts(urn), op, now)
            if failed:
                row.failed.append(step)
            # A replacement is reported as its parts as well: the `replace` among them is what counts.
            elif not op.endswith(("-replacement", "-replaced")):
                row.counts[op] += 1
            return step, now - step.since

    def close(self, result: Result) -> None:
        """The project's stack has ended."""
        with self._lock:
            row = self._row(result.project)
            row.result, row.ended, row.stack = result, self.clock(), result.stack or row.stack
            row.running.clear()
            if any(result.changes.values()):
                row.counts = Counter({op: n for op, n in result.changes.items() if n})

    def _row(self, project: str) -> Row:
        return self._rows.setdefault(project, Row(project))


def _parts(urn: str) -> tuple[str, str]:
    """A resource's type and name as its URN has them: `urn:pulumi:<stack>::<project>::<types, $ between>::<name>`."""
    parts = urn.split("::", 3)
    return (parts[2].rsplit("$", 1)[-1], parts[3]) if len(parts) == 4 else ("", urn)
