"""The API key with which tests call the container."""

from __future__ import annotations

import json

import pytest

from payments import errors
from payments.container.keys import HEADER, Door

KEY = "an-api-key-of-twenty-characters"
MERCHANT = "a-shop"
KEYS = json.dumps({MERCHANT: KEY})
HEADERS = {HEADER: KEY}


def refused(door: Door, given: str | None) -> errors.Problem:
    """The problem that a key is refused with."""
    with pytest.raises(errors.Problem) as problem:
        door.merchant(given)
    return problem.value
