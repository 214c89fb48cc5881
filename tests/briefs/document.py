"""`python -m tests.briefs.document`: `docs/briefs.md` from the briefs and their tests, on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.briefs.requirements import BRIEFS, conflicts, headings, sentences, shown

_ABOUT = """# The customers' briefs, sentence by sentence

Written by `make docs` from the briefs (`docs/briefs/*.txt`, the customers' words as they came) and the tests (`tests/briefs/test_<brief>.py`): a sentence
without a test, and a test that is about no sentence, fail the suite. *Met by* names files of this repository, and keys of the customer's pages
(`environments/Pulumi.<environment>.yaml`). *Read as* says how something was understood that the sentence leaves open.
"""


def document() -> str:
    """The whole text."""
    return "\n".join([_ABOUT, *(line for brief in BRIEFS for line in _of(brief))]) + "\n"


def _of(brief: str) -> Iterator[str]:
    yield f"## {brief}\n"
    yield f"Environments: {', '.join(f'`{name}`' for name in BRIEFS[brief])}. [The brief](briefs/{brief}.txt).\n"
    if found := conflicts(brief):
        yield "Where the brief contradicts itself:\n"
        yield from (f"- lines {', '.join(map(str, one.lines))}: line {one.won} is met. {one.why}" for one in found)
        yield ""
    tests = list(shown(brief))
    titles, all_sentences = headings(brief), sentences(brief)
    first = True
    for number in sorted({*titles, *all_sentences}):
        if number in titles:
            yield f"\n### {titles[number]}\n"
            first = True
            continue
        if first:
            yield "| line | sentence | met by | read as | test |\n|---|---|---|---|---|"
            first = False
        about = [one for one in tests if number in one.requirement.lines]
        met = dict.fromkeys(f"`{place}`" for one in about for place in one.requirement.met)
        read = dict.fromkeys(one.requirement.read for one in about if one.requirement.read)
        names = ", ".join(f"`{one.test}`" for one in about)
        yield f"| {number} | {_cell(all_sentences[number])} | {', '.join(met)} | {_cell(' '.join(read))} | {names} |"
    yield ""


def _cell(said: str) -> str:
    return said.removeprefix("- ").replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(document())
