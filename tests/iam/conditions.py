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


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all of a statement's conditions are met; one without any always is."""
    return all(_met(operator, _texts(values), context.get(key.lower())) for operator, keys in conditions.items() for key, values in keys.items())


def _texts(values: Any) -> list[str]:
    found = [str(value).lower() if isinstance(value, bool) else str(value) for value in (values if isinstance(values, list) else [values])]
    if variables := [value for value in found if "${" in value]:
        raise UnknownError(f"the policy variable in {variables[0]!r} is not evaluated")
    return found


def _met(operator: str, wanted: list[str], given: Sequence[str] | None) -> bool:
    if operator == "Null":
        return (given is None) == (wanted == ["true"])
    quantifier, colon, name = operator.rpartition(":")
    if colon and quantifier not in {"ForAnyValue", "ForAllValues"}:
        raise UnknownError(f"the quantifier {quantifier} is not evaluated")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    compare = _POSITIVE.get(_NEGATED.get(name, name))
    if compare is None:
        raise UnknownError(f"the operator {operator} is not evaluated")
    if given is None:
        # A key that is absent matches nothing, which is what a negated operator asks for; ForAnyValue wants a value that does.
        return if_exists or quantifier == "ForAllValues" or (negated and quantifier != "ForAnyValue")
    # Several values of the policy are alternatives; of a negated operator, none of them may match.
    each = [any(compare(value, one) for value in wanted) != negated for one in given]
    if quantifier == "ForAnyValue":
        return any(each)
    if quantifier == "ForAllValues":
        return all(each)
    return all(each) if negated else any(each)
