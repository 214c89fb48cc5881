"""Who calls: API keys, as API Gateway's stand in front of the functions."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from payments import errors

HEADER = "x-api-key"
"""Where callers put their key, as they do for API Gateway."""

_MERCHANT = re.compile(r"[\x21-\x7e]{1,64}")
# As long as API Gateway wants its keys (API Gateway, CreateApiKey), and a header can carry.
_KEY = re.compile(r"[\x21-\x7e]{20,128}")


def _keys(text: Any) -> dict[str, str]:
    try:
        found: Any = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found:
        raise _refused("must be a JSON object with a merchant's API key under each merchant's name")
    keys: dict[str, str] = {}
    for merchant, key in found.items():
        if not _MERCHANT.fullmatch(merchant):
            raise _refused("must name each merchant with 1 to 64 visible ASCII characters")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise _refused("must have keys of 20 to 128 visible ASCII characters")
        keys[merchant] = key
    if len(set(keys.values())) < len(keys):
        raise _refused("must not give two merchants the same key")
    return keys


def _refused(rule: str) -> PydanticCustomError:
    # Without the value, which is a secret.
    return PydanticCustomError("api_keys", "{rule}", {"rule": rule})


Keys = Annotated[Mapping[str, str], BeforeValidator(_keys)]
"""API keys by merchant; in the environment a JSON object."""


class Door:
    """Lets in who has a key, and tells whose it is."""

    def __init__(self, *accepted: Mapping[str, str]) -> None:
        self._digests = [(merchant, _digest(key)) for keys in accepted for merchant, key in keys.items()]

    def merchant(self, given: str | None) -> str:
        """Whose key it is; raises the problem for a missing or unknown one.

        Every key is compared, each in a time that does not depend on how much of it was right.
        """
        digest, found = _digest(given or ""), None
        for merchant, known in self._digests:
            if hmac.compare_digest(digest, known):
                found = merchant
        if found is None:
            raise errors.forbidden()
        return found


def _digest(key: str) -> bytes:
    """All of one length, so that not even that can be timed."""
    return hashlib.sha256(key.encode()).digest()
