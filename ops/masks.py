"""Values without the secrets in them, for files and screens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

MASK = "[secret]"

# What is shorter could be part of any word; it is masked only where it is all that there is.
_LEAST_WITHIN = 8


class Masks:
    """Masks some secrets in any value: texts and numbers that are one, and texts with one in them, also as JSON or an address spells it.

    secrets: texts and numbers, or lists and objects with such. Empty texts, 0, true and false tell nothing, and are not masked.
    """

    def __init__(self, secrets: Iterable[Any]) -> None:
        self._hidden = {leaf for secret in secrets for leaf in _leaves(secret) if leaf}
        texts = {text for text in self._hidden if isinstance(text, str) and len(text) >= _LEAST_WITHIN}
        self._within = {spelled for text in texts for spelled in (text, json.dumps(text)[1:-1], quote(text, safe=""))}

    def __call__(self, value: Any) -> Any:
        """The value without any of the secrets in it."""
        if isinstance(value, dict):
            return {MASK if self._has_one(name) else name: self(entry) for name, entry in value.items()}
        if isinstance(value, list):
            return [self(entry) for entry in value]
        return MASK if self._has_one(value) or (_tells(value) and value in self._hidden) else value

    def _has_one(self, value: Any) -> bool:
        return isinstance(value, str) and any(text in value for text in self._within)


def _tells(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _leaves(secret: Any) -> Iterator[str | int | float]:
    if isinstance(secret, dict | list):
        for entry in secret.values() if isinstance(secret, dict) else secret:
            yield from _leaves(entry)
    elif _tells(secret):
        yield secret
