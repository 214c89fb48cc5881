"""Whom connections to databases and caches trust to say who the server is."""

from __future__ import annotations

from pathlib import Path

TRUST_BUNDLE = Path(__file__).parents[1] / "trust" / "bundle.pem"
"""Certificates of the authorities by which a server may prove its name; put there when the package is made."""
