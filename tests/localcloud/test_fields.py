"""The words of a refusal: they follow "property P value {V} has a problem: ", say the rule, and show the value unless it is a secret."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud import catalogue
from localcloud.fields import Field, check, flag, json_text, mapping, number, same, text, texts
from tests.localcloud.examples import everything
from tests.localcloud.life import merged, resolve


def reasons(field: Field, value: Any) -> list[str]:
    return [refusal.reason for refusal in check("sqs", {"it": field}, {"it": value})]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (number(), "soon", 'must be a whole number, not "soon"'),
        (number(), 1.5, "must be a whole number, not 1.5"),
        (number(), True, "must be a whole number, not true"),
        (flag(), "true", 'must be true or false, not "true"'),
        (number(at_least=128, at_most=10_240), 99, "must be at least 128, not 99"),
        (number(at_least=128, at_most=10_240), 10_241, "must be at most 10240, not 10241"),
        (text(at_most=3), "long", 'must have at most 3 characters, not 4 (in "long")'),
        (texts(at_least=2), ["a"], 'must have at least 2 entries, not 1 (in ["a"])'),
        (text(one_of=("dev", "prod")), "test", 'must be one of dev, prod, not "test"'),
        (text(pattern="[a-z]+"), "No", 'must match [a-z]+, not "No"'),
        (json_text(), "{", 'must be JSON, not "{": Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'),
        (text(rule=lambda value: f"{value!r} is taken"), "a", "'a' is taken"),
        (text(required=True), None, "it is required and missing"),
    ],
)
def test_a_refusal_says_the_rule_and_shows_the_value(field: Field, value: Any, reason: str) -> None:
    assert reasons(field, value) == [reason]


@pytest.mark.parametrize("field", [text(secret=True, at_least=8), text(secret=True, pattern="[0-9]+"), text(secret=True, one_of=("a",)), number(secret=True)])
def test_a_secret_is_not_shown(field: Field) -> None:
    (reason,) = reasons(field, "hunter2")
    assert "hunter2" not in reason


def test_limits_are_those_of_the_model() -> None:
    memory = {"memorySize": number(shape="CreateFunction.MemorySize"), "runtime": text(shape="CreateFunction.Runtime")}
    least, runtime = check("lambda", memory, {"memorySize": 127, "runtime": "cobol"})
    assert least.reason == "must be at least 128, not 127"
    assert runtime.reason.startswith("must be one of nodejs")
    with pytest.raises(KeyError, match=r"botocore.s lambda has no CreateFunction\.Memory: Memory is not in CreateFunctionRequest"):
        list(check("lambda", {"memory": number(shape="CreateFunction.Memory")}, {"memory": 1}))


def test_refusals_name_the_place() -> None:
    inner = mapping(text(at_most=2))
    found = list(check("sqs", {"tags": inner, "list": texts(text(pattern="a"))}, {"tags": {"k": "long"}, "list": ["a", "b"], "other": 1, "__defaults": []}))
    assert [refusal.path for refusal in found] == ["other", "tags.k", "list[1]"]
    assert found[0].reason == "unknown input; this type takes list, tags"


def test_every_reason_of_the_table_reads_well() -> None:
    """After "has a problem: " comes no sentence without its subject."""
    for example in everything():
        kind = catalogue.kind(example.type)
        inputs = kind.with_defaults(resolve(dict(example.inputs), str))
        for name, values in example.bad.items():
            for value in values if isinstance(values, tuple) else (values,):
                for refusal in kind.refusals(merged(inputs, {name: value})):
                    assert not refusal.reason.startswith(("is ", "are ", "has ", "does ", "takes ", "needs ", "cannot ")), f"{kind.type} {refusal}"


@pytest.mark.parametrize(
    ("field", "left", "right"),
    [
        (json_text(), '{"a": 1, "b": 2}', '{"b":2,"a":1}'),
        (texts(), ["a", "b"], ["b", "a"]),
        (number(), 1, 1.0),
        (texts(), None, []),
        (mapping(), {}, None),
    ],
)
def test_alike_in_meaning_is_the_same(field: Field, left: Any, right: Any) -> None:
    assert same(field, left, right)


@pytest.mark.parametrize(
    ("field", "left", "right"),
    [
        (json_text(), '{"a": 1}', '{"a": 2}'),
        (json_text(), "{", "{}"),
        (texts(unordered=False), ["a", "b"], ["b", "a"]),
        (number(), 0, None),
        (flag(), False, None),
        (texts(), ["a"], ["a", "a"]),
    ],
)
def test_other_in_meaning_is_not(field: Field, left: Any, right: Any) -> None:
    assert not same(field, left, right)


def test_an_empty_object_that_marks_is_not_nothing() -> None:
    action = Field(type=dict, fields={"allow": Field(type=dict, marks=True), "block": Field(type=dict, marks=True)})
    assert same(action, {"allow": {}}, {"allow": {}})
    assert not same(action, {"allow": {}}, {"block": {}})
    assert same(Field(type=dict), {"allow": {}}, {"allow": None})
