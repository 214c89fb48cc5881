"""A page with one thing wrong is refused: the refusal says which page, which key, which value, and the rule."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ops.validation import problems_of
from shared.page import Page
from tests.pages.breaking import Broken, breaks
from tests.pages.crossing import covering, drawn_pages, page_of


def unsaid(broken: Broken) -> str:
    """What no refusal of the page says, or nothing."""
    found = problems_of(broken.page)
    if not any(problem.key == broken.key and broken.rule in problem.rule for problem in found):
        return f"{broken.key} = {broken.value!r}: none says {broken.rule!r} of it, but {list(map(str, found))}"
    said = next(problem for problem in found if problem.key == broken.key and broken.rule in problem.rule)
    value = json.dumps(broken.value)
    # A person knows a value by its beginning.
    value = value if len(value) <= 80 else f"{value[:77]}..."
    begins = f"environments/Pulumi.any.yaml: {broken.key}" + ("" if broken.value is None else f" = {value}: ")
    return (
        "" if said.rule and str(said).startswith(begins) and str(said).endswith(f": {said.rule}") else f"{said} does not begin with {begins!r}, or has no rule"
    )


@given(st.data())
@settings(max_examples=150)
def test_one_broken_place_is_refused_with_page_key_value_and_rule(data: st.DataObject) -> None:
    page = data.draw(drawn_pages())
    assert not unsaid(data.draw(st.sampled_from(list(breaks(page)))))


def test_each_known_way_to_break_the_crosses_is_refused() -> None:
    """All of them, where the property test draws some."""
    tried: Counter[str] = Counter()
    for number, cross in enumerate(covering()):
        page: Page = page_of(cross, Random(number).choice)  # noqa: S311 - no secret
        for broken in breaks(page):
            tried[broken.rule] += 1
            assert not unsaid(broken)
    assert {"unknown key", "unknown namespace", "is required and missing", "valid boolean", "platform:highAvailability", "add sqs", "Fargate has"} <= set(tried)
    assert sum(tried.values()) > 1000
