"""The Condition element, after the IAM user guide: "Condition operators" and "Creating a condition with multiple keys or values"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.iam.wildcards import arn_matches, text_matches

Context = Mapping[str, Sequence[str]]
"""What AWS knows of a request: the values of each condition key, which is in lower case here."""


class UnknownError(Exception):
    """A policy uses what is not evaluated here."""


def known(values: Mapping[str, str | Sequence[str]]) -> Context:
    """The context of these keys and values; AWS's keys are the same in upper and lower case."""
    return {key.lower(): [value] if isinstance(value, str) else value for key, value in values.items()}


def _equal(wanted: str, given: str) -> bool:
    return wanted == given


def _equal_but_for_case(wanted: str, given: str) -> bool:
    return wanted.lower() == given.lower()


_POSITIVE: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_but_for_case,
    "StringLike": text_matches,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "Bool": _equal_but_for_case,
    "NumericEquals": lambda wanted, given: float(given) == float(wanted),
    "NumericLessThan": lambda wanted, given: float(given) < float(wanted),
    "NumericLessThanEquals": lambda wanted, given: float(given) <= float(wanted),
    "NumericGreaterThan": lambda wanted, given: float(given) > float(wanted),
    "NumericGreaterThanEquals": lambda wanted, given: float(given) >= float(wanted),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


def read(conditions: Mapping[str, Mapping[str, Any]]) -> list[Callable[[Context], bool]]:
    """A test for each key of a Condition element; UnknownError for what is not evaluated here."""
    return [_test(operator, key.lower(), _texts(values)) for operator, keys in conditions.items() for key, values in keys.items()]


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all of a statement's conditions are met; one without any always is."""
    return all(test(context) for test in read(conditions))


def _texts(values: Any) -> list[str]:
    found = [str(value).lower() if isinstance(value, bool) else str(value) for value in (values if isinstance(values, list) else [values])]
    if variables := [value for value in found if "${" in value]:
        raise UnknownError(f"the policy variable in {variables[0]!r} is not evaluated")
    return found


def _test(operator: str, key: str, wanted: list[str]) -> Callable[[Context], bool]:
    if operator == "Null":
        return lambda context: (key not in context) == (wanted == ["true"])
    quantifier, colon, name = operator.rpartition(":")
    if colon and quantifier not in {"ForAnyValue", "ForAllValues"}:
        raise UnknownError(f"the quantifier {quantifier} is not evaluated")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    compare = _POSITIVE.get(_NEGATED.get(name, name))
    if compare is None:
        raise UnknownError(f"the operator {operator} is not evaluated")
    # A key that is absent matches nothing, which is what a negated operator asks for; ForAnyValue wants a value that does.
    absent = if_exists or quantifier == "ForAllValues" or (negated and quantifier != "ForAnyValue")
    together = any if quantifier == "ForAnyValue" or (not quantifier and not negated) else all

    def met(context: Context) -> bool:
        given = context.get(key)
        # Several values of the policy are alternatives; of a negated operator, none of them may match.
        return absent if given is None else together([any(compare(value, one) for value in wanted) != negated for one in given])

    return met
