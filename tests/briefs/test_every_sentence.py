"""No sentence of a brief is without a test, no test is about nothing, and what the document says of both is true."""

from __future__ import annotations

import pytest

from shared import page as pages
from shared.page import ROOT
from tests.briefs.document import document
from tests.briefs.requirements import BRIEFS, conflicts, sentences, shown

EACH = pytest.mark.parametrize("brief", BRIEFS)


def test_every_customers_page_is_in_a_family() -> None:
    own = {"dev", "staging", "prod"}
    assert {name for names in BRIEFS.values() for name in names} == set(pages.names()) - own


@EACH
def test_every_sentence_has_a_test(brief: str) -> None:
    cited = {line for one in shown(brief) for line in one.requirement.lines}
    missing = {line: said for line, said in sentences(brief).items() if line not in cited}
    assert missing == {}, f"{len(missing)} sentences of {brief} have no test"
    assert cited <= set(sentences(brief)), "a test cites a line that says nothing"


@EACH
def test_what_meets_a_sentence_is_there(brief: str) -> None:
    keys = {key for name in BRIEFS[brief] for key in _keys(pages.read(name))}
    places = {place for one in shown(brief) for place in one.requirement.met}
    assert places, "no test says where its sentence is met"
    assert {place for place in places if place not in keys and not (ROOT / place).exists()} == set()


@EACH
def test_a_conflict_is_between_sentences_one_of_which_won(brief: str) -> None:
    for conflict in conflicts(brief):
        assert conflict.won in conflict.lines
        assert len(conflict.lines) > 1
        assert set(conflict.lines) <= set(sentences(brief))
        assert conflict.why


def test_the_document_is_what_the_tests_say() -> None:
    assert (ROOT / "docs" / "briefs.md").read_text(encoding="utf-8") == document(), "run `make docs`"


def _keys(page: pages.Page) -> set[str]:
    """The keys of a page, and those within them: `data:database`, `data:database.kind`."""
    found: set[str] = set()
    for key, value in page.config.items():
        found.add(key)
        found |= {f"{key}.{inner}" for inner in value} if isinstance(value, dict) else set()
    return found
