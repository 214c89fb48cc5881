"""How IAM's wildcards match: `*` is any number of characters, `?` is one."""

from __future__ import annotations

import re
from functools import cache


def text_matches(pattern: str, text: str) -> bool:
    """Of StringLike: a wildcard stands for any characters."""
    return _any(pattern).fullmatch(text) is not None


@cache
def action_matches(pattern: str, action: str) -> bool:
    """Actions are the same in upper and lower case."""
    return pattern == "*" or text_matches(pattern.lower(), action.lower())


def resource_matches(pattern: str, arn: str) -> bool:
    """Of Resource and NotResource: a wildcard stays between two colons, but for a `*` at the end of a segment.

    "If you use (*) as the last character of a resource ARN segment, it can expand to match beyond the colon boundaries" (IAM JSON policy elements:
    Resource).
    """
    return pattern == "*" or _segments(pattern).fullmatch(arn) is not None


def arn_matches(pattern: str, arn: str) -> bool:
    """Of ArnLike and ArnEquals: each of the six components by itself."""
    wanted, given = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(given) and all(text_matches(one, other) for one, other in zip(wanted, given, strict=True))


@cache
def _any(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)


@cache
def _segments(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    for place, letter in enumerate(pattern):
        last = pattern[place + 1 : place + 2] in {"", ":"}
        parts.append({"*": ".*" if last else "[^:]*", "?": "[^:]"}.get(letter, re.escape(letter)))
    return re.compile("".join(parts), re.DOTALL)
