"""Names over AWS's limits: what is made is a name that AWS takes, and what the page's check lets pass is never too long."""

from __future__ import annotations

import re
import string
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import naming
from shared.naming import LIMITS, Limit, Names, checked_pattern

ACCOUNT = "123456789012"
PATTERN = "{resource}-{stage}-{suffix}"

# What each service's API reference says of the name, written a second time: alphabet and length (least, most).
AWS = {
    naming.BUCKET: (r"[a-z0-9][a-z0-9.-]*[a-z0-9]", 3, 63),
    naming.DATABASE: (r"[a-z][a-z0-9]*(-[a-z0-9]+)*", 1, 63),
    naming.LOAD_BALANCER: (r"[A-Za-z0-9]+(-+[A-Za-z0-9]+)*", 1, 32),
    naming.CACHE: (r"[a-z][a-z0-9]*(-[a-z0-9]+)*", 1, 40),
    naming.ROLE: (r"[\w+=,.@-]+", 1, 64),
    naming.QUEUE: (r"[A-Za-z0-9_-]+", 1, 80),
    naming.FUNCTION: (r"[A-Za-z0-9_-]+", 1, 64),
    naming.RULE: (r"[A-Za-z0-9_.-]+", 1, 64),
    naming.TABLE: (r"[A-Za-z0-9_.-]+", 3, 255),
    naming.TOPIC: (r"[A-Za-z0-9_-]+", 1, 256),
    naming.LOG_GROUP: (r"[A-Za-z0-9_/.#-]+", 1, 512),
    naming.ALIAS: (r"[A-Za-z0-9/_-]+", 1, 250),
    naming.TRAIL: (r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*", 3, 128),
    naming.ANY: (r"[A-Za-z0-9_/.-]+", 1, 128),
}

limits = st.sampled_from(LIMITS)
stages = st.sampled_from(["dev", "staging", "prod"])
suffixes = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True).filter(lambda suffix: len(suffix) <= 40)
words = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda word: len(word) <= 60) | st.text(string.printable, max_size=70)
patterns = st.sampled_from([PATTERN, "{resource}-{suffix}", "acme-{stage}-{suffix}-{resource}", "{suffix}{stage}{resource}", "{resource}_{stage}.{suffix}"])


def test_every_limit_has_its_rule_here() -> None:
    assert set(AWS) == set(LIMITS)
    for limit, (_, _, most) in AWS.items():
        assert limit.length == most, limit.what
        assert limit.word < limit.length


@given(limits, patterns, stages, suffixes, words)
def test_a_name_is_one_that_aws_takes_or_is_refused(limit: Limit, pattern: str, stage: str, suffix: str, word: str) -> None:
    names = Names(pattern, stage, suffix, ACCOUNT)
    try:
        name = names(word, limit)
    except ValueError:
        return
    alphabet, least, most = AWS[limit]
    assert re.fullmatch(alphabet, name)
    assert least <= len(name) <= most
    assert word in name
    assert suffix in name


@given(limits, patterns, stages, suffixes, st.data())
def test_when_the_page_passes_no_word_within_its_share_is_too_long_or_of_a_wrong_alphabet(
    limit: Limit, pattern: str, stage: str, suffix: str, data: st.DataObject
) -> None:
    names = Names(pattern, stage, suffix, ACCOUNT)
    if list(names.problems()):
        return
    word = data.draw(st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda word: len(word) <= limit.word))
    assert word in names(word, limit)


@given(limits, patterns, stages, suffixes)
def test_what_the_page_is_told_is_true(limit: Limit, pattern: str, stage: str, suffix: str) -> None:
    names = Names(pattern, stage, suffix, ACCOUNT)
    told = [problem for problem in names.problems() if f" one {limit.what} " in problem]
    longest = "x" * limit.word
    if told:
        with pytest.raises(ValueError, match="is no name for one"):
            names(longest, limit)
    else:
        assert names(longest, limit)


@given(limits, patterns, stages, st.lists(suffixes, unique=True, min_size=2, max_size=5), words)
def test_two_suffixes_never_give_the_same_name(limit: Limit, pattern: str, stage: str, different: list[str], word: str) -> None:
    made: list[str] = []
    for suffix in different:
        with suppress(ValueError):
            made.append(Names(pattern, stage, suffix, ACCOUNT)(word, limit))
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.what)
def test_a_word_over_its_share_is_refused_although_it_would_fit(limit: Limit) -> None:
    roomy = replace(limit, length=10_000)
    with pytest.raises(ValueError, match=f"has {limit.word + 1} characters; the word of one {limit.what}'s name may have {limit.word}"):
        Names(PATTERN, "dev", "main", ACCOUNT)("x" * (limit.word + 1), roomy)


@given(patterns, stages, suffixes, words)
def test_a_name_in_camel_case_has_the_words_of_the_other_and_letters_and_digits_alone(pattern: str, stage: str, suffix: str, word: str) -> None:
    names = Names(pattern, stage, suffix, ACCOUNT)
    try:
        name = names(word)
    except ValueError:
        with pytest.raises(ValueError, match="name"):
            names.camel(word)
        return
    # What API Gateway takes as a model's name (API reference, CreateModel).
    assert re.fullmatch("[A-Za-z0-9]+", names.camel(word))
    assert names.camel(word).lower() == re.sub("[^A-Za-z0-9]", "", name).lower()


def test_in_camel_case_each_word_has_a_capital() -> None:
    assert Names(PATTERN, "prod", "pci-pr42", ACCOUNT).camel("process-payment") == "ProcessPaymentProdPciPr42"


def test_only_buckets_bear_the_accounts_number() -> None:
    names = Names(PATTERN, "dev", "main", ACCOUNT)
    assert names("documents", naming.BUCKET) == f"documents-dev-main-{ACCOUNT}"
    assert names("documents", naming.TABLE) == "documents-dev-main"
    assert names("vpc") == "vpc-dev-main"


@pytest.mark.parametrize(
    ("suffix", "problems"),
    [
        ("main", []),
        ("pr-12345678901", []),
        ("pr-123456789012", ["is 1 characters too long for the name of one load balancer or target group (32 characters, 12 of them the resource's)"]),
    ],
)
def test_a_suffix_that_is_too_long_is_said_with_the_limit(suffix: str, problems: list[str]) -> None:
    assert list(Names(PATTERN, "prod", suffix, ACCOUNT).problems()) == problems


def test_a_naming_that_a_service_has_no_letters_for_is_said_with_an_example() -> None:
    told = list(Names("{resource}_{suffix}", "dev", "main", ACCOUNT).problems())
    assert [problem.split("which one ")[1].split(" may not")[0] for problem in told] == [
        "S3 bucket",
        "RDS identifier",
        "load balancer or target group",
        "ElastiCache replication group",
    ]
    assert "such as 'x_main'" in told[1]


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ("{stage}-{suffix}", r"lacks \{resource\}"),
        ("{resource}-{stage}", r"lacks \{suffix\}"),
        ("platform", r"lacks \{resource\}, \{suffix\}"),
        ("{resource}-{suffix}-{team}", "unknown parts team"),
        ("{resource}-{suffix}-{}", "unknown parts"),
        ("{resource.name}-{suffix}", "unknown parts resource.name"),
        ("{resource!r}-{suffix}", "says how resource is to be written"),
        ("{resource:>40}-{suffix}", "says how resource is to be written"),
        ("{resource", "expected '}'"),
    ],
)
def test_a_pattern_that_would_not_tell_names_apart_is_refused(pattern: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        checked_pattern(pattern)


@given(st.text(alphabet="{}resoucstagfix!:-", max_size=40))
def test_a_pattern_that_is_taken_can_be_filled(pattern: str) -> None:
    try:
        checked_pattern(pattern)
    except ValueError:
        return
    names = Names(pattern, "dev", "main", ACCOUNT)
    assert all(problem.startswith(("is ", "with the naming ")) for problem in names.problems())
