"""Which sentence of which brief a test is about: `@requirement(22, 23, met=[...])` in `tests/briefs/test_<brief>.py`."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from shared.page import ROOT

T = TypeVar("T", bound=Callable[..., Any])

TEXTS = ROOT / "docs" / "briefs"
"""The customers' words, a file per brief."""

BRIEFS: Mapping[str, tuple[str, ...]] = {
    "pci": ("pci-dev", "pci-prod"),
    "accounts": ("accounts-dev", "accounts-staging", "accounts-prod"),
    "aurora": ("aurora-dev", "aurora-staging", "aurora-prod"),
    "regions": ("regions-dev", "regions-staging", "regions-prod"),
    "containers": ("containers-dev", "containers-staging", "containers-prod"),
}
"""The environments that are one customer's, by the brief."""

# A salutation, a heading, and the title of a numbered group of sentences say nothing that could be met.
_NO_SENTENCE = re.compile(r"\s*(Hey team,|#.*|\d+\. \*\*.*\*\*)?\s*")


@dataclass(frozen=True)
class Requirement:
    """What a test shows.

    lines: of the brief's text, from 1. met: where the sentence is met: files of this repository, or keys of the customer's pages.
    read: how a sentence was read that leaves something open.
    """

    lines: tuple[int, ...]
    met: tuple[str, ...]
    read: str = ""


@dataclass(frozen=True)
class Conflict:
    """Sentences of one brief that cannot all be met as they stand.

    lines: those sentences. won: the line that is met. why: the reason.
    """

    lines: tuple[int, ...]
    won: int
    why: str


@dataclass(frozen=True)
class Shown:
    """A test and what it shows."""

    test: str
    requirement: Requirement


def requirement(*lines: int, met: Sequence[str], read: str = "") -> Callable[[T], T]:
    """Marks a test as the one of these lines of its module's brief."""

    def mark(test: T) -> T:
        test.__dict__["requirement"] = Requirement(lines, tuple(met), read)
        return test

    return mark


def text(brief: str) -> list[str]:
    """The lines of a brief."""
    return (TEXTS / f"{brief}.txt").read_text(encoding="utf-8").splitlines()


def sentences(brief: str) -> dict[int, str]:
    """Each line that says something that can be met, by its number."""
    return {number: line.strip() for number, line in enumerate(text(brief), start=1) if not _NO_SENTENCE.fullmatch(line)}


def headings(brief: str) -> dict[int, str]:
    """The headings, by the number of their line, without their marks."""
    found = {number: re.fullmatch(r"#+ (.*)|\d+\. \*\*(.*)\*\*", line.strip()) for number, line in enumerate(text(brief), start=1)}
    return {number: match[1] or match[2] for number, match in found.items() if match}


@cache
def modules(brief: str) -> Sequence[ModuleType]:
    """The tests of a brief: `test_<brief>.py`, and what was too much for one file beside it."""
    return [importlib.import_module(f"tests.briefs.{path.stem}") for path in sorted(Path(__file__).parent.glob(f"test_{brief}*.py"))]


def shown(brief: str) -> Iterator[Shown]:
    """The tests of a brief that are about a sentence, in the order of the files."""
    for name, value in (one for module in modules(brief) for one in vars(module).items()):
        found = getattr(value, "__dict__", {}).get("requirement")
        if name.startswith("test_") and isinstance(found, Requirement):
            yield Shown(name, found)


def conflicts(brief: str) -> Sequence[Conflict]:
    """What the brief contradicts itself in (`CONFLICTS` of its modules)."""
    return [conflict for module in modules(brief) for conflict in getattr(module, "CONFLICTS", ())]
