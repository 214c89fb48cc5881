"""Whom the packaged service trusts to speak for its database: the authorities that go into each package as `payments/trust/bundle.pem`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ops.options import TargetName
from shared.files import write_whole
from shared.page import ROOT

if TYPE_CHECKING:
    from localcloud.stores.certificates import Authority

SOURCE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""AWS's authorities for RDS in all commercial regions (RDS user guide, "Using SSL/TLS to encrypt a connection to a DB instance")."""

DIGEST = "e5bb2084ccf45087bda1c9bffdea0eb15ee67f0b91646106e466714f9de3c7e3"
"""SHA-256 of that file: 108 certificates, as published since 2024. When AWS adds an authority the file changes: read what was added, then set this."""

_SECONDS = 20.0
_LARGEST = 1024 * 1024  # bytes; the file has some 160 KiB


class TrustError(RuntimeError):
    """The authorities of a target cannot be had; the text says why and what to do."""


def local_authority(root: Path = ROOT) -> Authority:
    """The authority that signs the certificates of the local target's servers: one per checkout, so that packages stay the same."""
    from localcloud.stores.certificates import Authority

    return Authority(root / ".local" / "ca")


def bundle(target: TargetName, root: Path = ROOT) -> bytes:
    """The authorities for a target (PEM). Raises TrustError."""
    return _of_aws(root) if target == "aws" else _known_local(root) or local_authority(root).certificate.read_bytes()


def known(target: TargetName, root: Path = ROOT) -> str:
    """What tells one bundle from another without fetching or making anything; empty where a bundle was never made."""
    return DIGEST if target == "aws" else hashlib.sha256(_known_local(root)).hexdigest()


def file_of_aws(root: Path = ROOT) -> Path:
    """Where AWS's bundle is kept, and is looked for before it is fetched."""
    return root / ".local" / "trust" / "rds-global-bundle.pem"


def _known_local(root: Path) -> bytes:
    # Read without the authority itself, which would import a cryptography library into commands that only ask whether packages are fresh.
    try:
        return (root / ".local" / "ca" / "authority" / "ca.pem").read_bytes()
    except FileNotFoundError:
        return b""


def _of_aws(root: Path) -> bytes:
    file = file_of_aws(root)
    if file.is_file():
        content = file.read_bytes()
        if _digest(content) != DIGEST:
            raise TrustError(
                f"{file} has the SHA-256 {_digest(content)}, and ops/package_trust.py expects {DIGEST}: the file is damaged, or of another day. "
                "Remove it, and it is fetched again."
            )
        return content
    content = _fetched(file)
    if _digest(content) != DIGEST:
        raise TrustError(
            f"{SOURCE} has the SHA-256 {_digest(content)}, and ops/package_trust.py expects {DIGEST}: AWS has published another bundle, or something on the "
            "way changed it. Fetch it over another network too; if both agree, read which certificates were added and set DIGEST there."
        )
    write_whole(file, content)
    return content


def _fetched(file: Path) -> bytes:
    import http.client
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(SOURCE, timeout=_SECONDS) as answer:
            content: bytes = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as error:
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise TrustError(
            f"the certificates of AWS's authorities for RDS cannot be fetched from {SOURCE}: {reason}\n"
            "Packages for aws hold them, as the service verifies its database's certificate. "
            f"Fetch that file where the network allows it, and put it at {file} (SHA-256 {DIGEST})."
        ) from None
    return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
