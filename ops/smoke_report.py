"""What a smoke test found, for people and for machines (`docs/schemas/smoke.schema.json`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ops.options import options
from ops.report import EXIT_FAILED, EXIT_GOOD, EXIT_REFUSED, Outcome, duration, mark, plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

SCHEMA: Final = 1

OUTCOMES: Final = {Outcome.SUCCEEDED: "passed", Outcome.FAILED: "failed", Outcome.EARLY_EXIT: "not tried"}
"""The outcomes that a check can have, in the words of the report."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check. detail: what was seen, or what was wrong and what was expected; never what was sent. seconds: how long it took."""

    name: str
    outcome: Outcome
    detail: str
    seconds: float

    def line(self, width: int, *, ascii_only: bool) -> tuple[str, str]:
        """The check for people, and its style; `width`: of the column of names."""
        sign, style = mark(self.outcome, ascii_only=ascii_only)
        return f"{sign} {self.name:<{width}}  {duration(self.seconds):>7}  {self.detail}", style

    def as_dict(self) -> dict[str, object]:
        """The check as the schema has it."""
        return {"name": self.name, "outcome": OUTCOMES[self.outcome], "detail": self.detail, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, kw_only=True)
class SmokeReport:
    """A whole smoke test. started: aware. seconds: of the whole run. problems: why nothing was tried at all."""

    environment: str
    target: str
    started: datetime
    seconds: float
    suffix: str = ""
    url: str = ""
    checks: tuple[Check, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: every check passed. 1: one did not. 2: nothing was tried."""
        if self.problems or not self.checks:
            return EXIT_REFUSED
        return EXIT_GOOD if all(check.outcome is Outcome.SUCCEEDED for check in self.checks) else EXIT_FAILED

    def as_dict(self) -> dict[str, object]:
        """The report as the schema has it."""
        return {
            "schema": SCHEMA,
            "command": "smoke",
            "environment": self.environment,
            "suffix": self.suffix,
            "target": self.target,
            "url": self.url,
            "started": self.started.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
            "problems": [plain(problem) for problem in self.problems],
            "checks": [check.as_dict() for check in self.checks],
        }

    def to_json(self) -> str:
        """The report for machines; ends with a newline."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The report for people: `console.print(report)`."""
        from rich.text import Text

        for indent, text, style in self._lines(ascii_only=options.ascii_only):
            for line in Text(text, style=style).wrap(console, options.max_width - indent, overflow="fold"):
                yield Text.assemble(" " * indent, line)

    def _lines(self, *, ascii_only: bool) -> Iterator[tuple[int, str, str]]:
        name = f"{self.environment}-{self.suffix}" if self.suffix else self.environment
        counts = Counter(check.outcome for check in self.checks)
        words = ", ".join(f"{counts[outcome]} {word}" for outcome, word in OUTCOMES.items() if counts[outcome])
        yield 0, f"smoke {name} on {self.target}: {words or 'nothing was tried'} in {duration(self.seconds)}{f' ({self.url})' if self.url else ''}", "bold"
        yield from ((2, f"! {plain(problem)}", "red") for problem in self.problems)
        width = max((len(check.name) for check in self.checks), default=0)
        for check in self.checks:
            text, style = check.line(width, ascii_only=ascii_only)
            yield 2, text, style
        if self.exit_code == EXIT_FAILED:
            named = options(self.environment, self.suffix, self.target)
            yield 2, f"Next: `invoke logs {named} --since 5m` shows what the functions logged.", "bold"
