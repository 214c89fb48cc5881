"""The image of the service: where it is, and what tells one from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shared.page import ROOT

REPOSITORY = "service"
"""What the environment's own repository is called."""

AWAITED = "PAYMENTS_IMAGE_AWAITED"
"""Set by `invoke deploy` where the environment has no services yet, and its repository no image for them."""


def image_tag(root: Path = ROOT) -> str:
    """The tag of the image that this checkout makes: the digest of all that the Dockerfile takes from it.

    Other code is another tag, so that a change of the code is a change of the task definitions, and the same code is not pushed twice.
    """
    digest = hashlib.sha256()
    for path in [root / "Dockerfile", *sorted((root / "payments").rglob("*"))]:
        relative = path.relative_to(root)
        # What .dockerignore keeps from the builder.
        if not path.is_file() or "__pycache__" in relative.parts or relative.parts[:2] == ("payments", "trust"):
            continue
        content = path.read_bytes()
        digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
