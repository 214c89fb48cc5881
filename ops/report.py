"""What a run did: each stack's outcome with its cause and seconds, for people and for machines (`docs/schemas/report.schema.json`).

It holds outcomes, counts and the engine's diagnostics, never a stack's inputs or outputs, so that no secret can be in it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from ops.options import options

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from ops.smoke_report import SmokeReport

SCHEMA: Final = 1
TARGETS: Final = ("aws", "local")


class Tense(IntEnum):
    """How a change is told of: it was made, a preview plans it, or somebody else made it."""

    MADE = 0
    PLANNED = 1
    FOUND = 2


TENSES: Final = {"preview": Tense.PLANNED, "drift": Tense.FOUND}
"""The tasks that make no change."""

# The kinds of change that a report counts, with the words of each tense.
CHANGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "create": ("created", "to create", "new"),
    "update": ("updated", "to update", "changed"),
    "replace": ("replaced", "to replace", "replaced"),
    "delete": ("deleted", "to delete", "gone"),
    "same": ("unchanged", "unchanged", "as they were"),
}

EXIT_GOOD: Final = 0
EXIT_FAILED: Final = 1
EXIT_REFUSED: Final = 2
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell reports it

# Terminal escapes (ECMA-48 CSI and OSC), the engine's own colour marks (`<{%reset%}>`), and control characters but tab and newline.
_NOISE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|<\{%.*?%\}>|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Outcome(StrEnum):
    """How a stack ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNCHANGED = "unchanged"
    EXCLUDED = "excluded"
    EARLY_EXIT = "early exit"
    HELD = "held"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"
    DRIFTED = "drifted"

    @property
    def good(self) -> bool:
        """Whether stacks that depend on this one may go on."""
        return self in _GOOD


_GOOD = frozenset({Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.EXCLUDED})
_STYLES: Final[Mapping[Outcome, tuple[str, str, str]]] = {  # style, mark, mark where there is only ASCII
    Outcome.SUCCEEDED: ("green", "✓", "+"),
    Outcome.FAILED: ("bold red", "✗", "x"),
    Outcome.UNCHANGED: ("green", "=", "="),
    Outcome.EXCLUDED: ("dim", "-", "-"),
    Outcome.EARLY_EXIT: ("yellow", "»", ">"),
    Outcome.HELD: ("yellow", "‖", "|"),
    Outcome.REFUSED: ("bold red", "!", "!"),
    Outcome.INTERRUPTED: ("yellow", "■", "#"),
    Outcome.DRIFTED: ("yellow", "~", "~"),
}


def plain(text: str) -> str:
    """The text without terminal escapes, colour marks and control characters: a message must not paint or move the reader's screen."""
    return _NOISE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def duration(seconds: float) -> str:
    """Seconds as people read them: `3.4 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def changes_text(changes: Mapping[str, int], tense: Tense = Tense.MADE) -> str:
    """The counts that are not zero, in words: `3 created, 60 unchanged`, or `3 to create, 60 unchanged`."""
    return ", ".join(f"{changes[kind]} {words[tense]}" for kind, words in CHANGES.items() if changes.get(kind))


def mark(outcome: Outcome, *, ascii_only: bool) -> tuple[str, str]:
    """The sign and the style (rich's words) that stand for an outcome."""
    style, sign, plain_sign = _STYLES[outcome]
    return (plain_sign if ascii_only else sign), style


@dataclass(frozen=True, kw_only=True)
class ResourceError:
    """A resource that failed, with the engine's own message about it."""

    urn: str
    type: str
    name: str
    message: str

    def __post_init__(self) -> None:
        """Keep the message plain."""
        object.__setattr__(self, "message", plain(self.message) or "the engine gave no message")

    @property
    def summary(self) -> str:
        """The resource and the first line of its message."""
        return f"{self.type} {self.name}: {self.message.splitlines()[0]}"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A resource that is not as the state says. gone: it is no more. properties: the paths of those that differ, never their values."""

    urn: str
    type: str
    name: str
    gone: bool = False
    properties: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The resource, and what is different."""
        return f"{self.type} {self.name}: {'gone' if self.gone else ', '.join(self.properties) or 'changed'}"

    def as_dict(self) -> dict[str, object]:
        """The drift as the report's schema has it."""
        return {"urn": self.urn, "type": self.type, "name": self.name, "change": "gone" if self.gone else "changed", "properties": list(self.properties)}


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one stack ended.

    cause: why, in a sentence. Needed for every outcome that is not good; left out, it is the first error.
    because_of: the project whose outcome caused an early exit.
    seconds: how long it took; 0 for what never started.
    changes: how many resources were changed, by kind (`CHANGES`); in a preview, how many would be. Kinds left out are 0.
    drift: what a refresh took into the state, or a look for drift found to differ from it.
    next: what to do about it, where that is more than to run the command again.
    """

    project: str
    stack: str
    outcome: Outcome
    cause: str = ""
    because_of: str | None = None
    seconds: float = 0.0
    changes: Mapping[str, int] = field(default_factory=dict[str, int])
    errors: tuple[ResourceError, ...] = ()
    drift: tuple[Drift, ...] = ()
    next: str = ""

    def __post_init__(self) -> None:
        """Hold the rules of the schema where the mistake is made, rather than where the report is read."""
        where = f"result of {self.project}"
        cause = plain(self.cause) or (self.errors[0].summary if self.errors else "")
        if not cause and not self.outcome.good:
            raise ValueError(f"{where}: outcome is {self.outcome}, cause is empty; say why it is {self.outcome}")
        if (self.because_of is None) is (self.outcome is Outcome.EARLY_EXIT):
            raise ValueError(f"{where}: outcome is {self.outcome}, because_of is {self.because_of!r}; an early exit names a project, and nothing else does")
        if unknown := sorted(set(self.changes) - set(CHANGES)):
            raise ValueError(f"{where}: changes has {', '.join(unknown)}; it counts {', '.join(CHANGES)}: fold the engine's other steps into these")
        object.__setattr__(self, "cause", cause)
        object.__setattr__(self, "errors", tuple(self.errors))
        object.__setattr__(self, "next", plain(self.next))

    def as_dict(self) -> dict[str, object]:
        """The result as the report's schema has it."""
        return {
            "project": self.project,
            "stack": self.stack,
            "outcome": self.outcome.value,
            "cause": self.cause,
            "because_of": self.because_of,
            "seconds": round(self.seconds, 3),
            "changes": {kind: self.changes.get(kind, 0) for kind in CHANGES},
            "errors": [{"urn": e.urn, "type": e.type, "name": e.name, "message": e.message} for e in self.errors],
            "drift": [drift.as_dict() for drift in self.drift],
            "next": self.next,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole run.

    command: the task, `deploy`.
    environment: the page, `prod`; suffix: of a short-lived copy; selection: the options that chose among its stacks, with a space before each.
    target: `aws` or `local`.
    results: in dependency order.
    started: an aware time; seconds: of the whole run, which is less than the sum where stacks ran side by side.
    problems: why the run was refused before any stack was looked at (bad configuration, the wrong account), each a sentence.
    smoke: of the service that was deployed, where it was asked for.
    manifest: the file that says what is deployed now (ops/manifest.py), where the deployment wrote one.
    """

    command: str
    environment: str
    target: str
    started: datetime
    seconds: float
    results: tuple[Result, ...] = ()
    suffix: str = ""
    selection: str = ""
    problems: tuple[str, ...] = ()
    smoke: SmokeReport | None = None
    manifest: str = ""

    def __post_init__(self) -> None:
        """Refuse a target that is none and a time of unknown zone."""
        if self.target not in TARGETS:
            raise ValueError(f"report of {self.command}: target is {self.target!r}; it is one of {', '.join(TARGETS)}")
        if self.started.tzinfo is None:
            raise ValueError(f"report of {self.command}: started is {self.started.isoformat()}, which has no time zone; use datetime.now(UTC)")
        object.__setattr__(self, "results", tuple(self.results))
        object.__setattr__(self, "problems", tuple(plain(p) for p in self.problems))

    @property
    def exit_code(self) -> int:
        """0 all is well; 130 interrupted; 1 something failed or drifted; 2 refused or held back, and nothing failed."""
        outcomes = {r.outcome for r in self.results}
        if Outcome.INTERRUPTED in outcomes:
            return EXIT_INTERRUPTED
        if Outcome.FAILED in outcomes:
            return EXIT_FAILED
        if self.problems or outcomes & {Outcome.REFUSED, Outcome.HELD}:
            return EXIT_REFUSED
        if self.smoke and self.smoke.exit_code:
            return EXIT_FAILED
        return EXIT_GOOD if all(o.good for o in outcomes) else EXIT_FAILED

    @property
    def again(self) -> str:
        """The command that goes on from where this run ended."""
        return self._invoke(self.command)

    def as_dict(self) -> dict[str, object]:
        """The report as its schema has it."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "environment": self.environment,
            "suffix": self.suffix,
            "target": self.target,
            "started": self.started.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
            "problems": list(self.problems),
            "results": [result.as_dict() for result in self.results],
            "smoke": self.smoke.as_dict() if self.smoke else None,
            "manifest": self.manifest or None,
        }

    def to_json(self) -> str:
        """The report for machines, as `docs/schemas/report.schema.json` describes it; ends with a newline."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The report for people: `console.print(report)`."""
        from rich.text import Text

        for indent, text, style in self._lines(options.max_width, ascii_only=options.ascii_only):
            for line in Text(_NOISE.sub("", text), style=style).wrap(console, options.max_width - indent, overflow="fold"):
                yield Text.assemble(" " * indent, line)

    def _lines(self, width: int, *, ascii_only: bool) -> Iterator[tuple[int, str, str]]:
        """Each line (which may wrap) with its indentation and style."""
        name = f"{self.environment}-{self.suffix}" if self.suffix else self.environment
        yield 0, f"{self.command} {name} on {self.target}: {self._summary()} in {duration(self.seconds)}", "bold"
        for problem in self.problems:
            yield 2, f"! {problem}", "red"
        yield from self._table(width, ascii_only=ascii_only)
        for result in self.results:
            if result.errors:
                yield from _failure(result)
        if self.manifest:
            yield 2, f"what is deployed: {self.manifest}", ""
        yield from ((2, line, "bold") for line in self._next_steps())

    def _invoke(self, command: str) -> str:
        return f"invoke {command} {options(self.environment, self.suffix, self.target)}{self.selection}"

    def _summary(self) -> str:
        counts = Counter(result.outcome for result in self.results)
        words = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
        return words or ("refused" if self.problems else "nothing to do")

    def _table(self, width: int, *, ascii_only: bool) -> Iterator[tuple[int, str, str]]:
        projects = max((len(r.project) for r in self.results), default=0)
        outcomes = max((len(r.outcome) for r in self.results), default=0)
        times = {r.project: duration(r.seconds) if r.seconds else "" for r in self.results}
        longest = max(map(len, times.values()), default=0)
        for result in self.results:
            sign, style = mark(result.outcome, ascii_only=ascii_only)
            row = f"{sign} {result.project:<{projects}}  {result.outcome:<{outcomes}}  {times[result.project]:>{longest}}"
            changes = changes_text(result.changes, TENSES.get(self.command, Tense.MADE))
            if changes and 2 + len(row) + 2 + len(changes) <= width:
                row, changes = f"{row}  {changes}", ""
            yield 2, row.rstrip(), style
            if changes:
                yield 4, changes, style
            if result.cause and not result.errors:
                yield 4, result.cause, style
            yield from ((6, drift.summary, style) for drift in result.drift)
            if result.next and not result.errors:
                yield 4, f"Next: {result.next}", ""

    def _next_steps(self) -> Iterator[str]:
        """What to do now, for the run as a whole; nothing when all is well."""
        outcomes = {r.outcome for r in self.results}
        if Outcome.FAILED in outcomes:
            yield f"Next: mend what failed, then `{self.again}` goes on from there."
        elif Outcome.INTERRUPTED in outcomes:
            yield f"Next: `{self.again}` goes on from there."
        elif self.problems or Outcome.REFUSED in outcomes:
            yield f"Next: mend what was refused, then `{self.again}`."
        elif Outcome.HELD in outcomes:
            yield f"Next: do what the held stacks ask for, then `{self.again}`."
        elif Outcome.DRIFTED in outcomes:
            yield f"Next: `{self._invoke('refresh')}` and then `{self._invoke('deploy')}` put it back; what is to stay: page or program first."


def _failure(result: Result) -> Iterator[tuple[int, str, str]]:
    """The failed resources of a stack, each with its own message."""
    yield 0, "", ""
    own_cause = "" if result.cause == result.errors[0].summary else f": {result.cause}"
    yield 2, f"{result.project} ({result.stack}) {result.outcome}{own_cause}", "bold red"
    for error in result.errors:
        yield 4, f"{error.type} {error.name}", "red"
        yield 6, error.message, ""
    if result.next:
        yield 4, f"Next: {result.next}", ""
