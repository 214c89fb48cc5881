"""Functions' code for a moto in this process: handed over by reference.

As boto3 hands it over, in base64 within JSON, the ten megabytes of a function's code are copied, encoded and parsed half a dozen times on their way from
one module of this process to another, which is an eighth of a rehearsal. moto keeps the same bytes either way.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

_MARK = b"localcloud-code:"
_LENGTH = len(base64.b64encode(_MARK + hashlib.sha256().digest()))
_HELD: dict[bytes, bytes] = {}


@cache
def by_reference(code: bytes) -> bytes:
    """What to give to `create_function` and `update_function_code` as `ZipFile` instead of `code`, where moto is in this process."""
    reference = _MARK + hashlib.sha256(code).digest()
    _HELD[reference] = code
    return reference


def taken_by_reference() -> None:
    """Makes the moto of this process look behind a reference; once is enough."""
    from moto.awslambda import models  # after moto_offerings, as all that imports moto's EC2

    moto: Any = models
    read: Callable[[str | bytes], tuple[bytes, int, str, str]] = moto._zipfile_content  # noqa: SLF001 - the one place where moto decodes code
    if read.__module__ == __name__:
        return

    def content(zip_file: str | bytes) -> tuple[bytes, int, str, str]:
        reference = base64.b64decode(zip_file) if len(zip_file) == _LENGTH else b""
        code = _HELD.get(reference)
        if code is None:
            return read(zip_file)
        digest = reference.removeprefix(_MARK)
        return code, len(code), base64.b64encode(digest).decode(), digest.hex()

    moto._zipfile_content = content  # noqa: SLF001
