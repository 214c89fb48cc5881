"""Whom the service trusts to speak for its database.

`bundle.pem`, the certificates of these authorities, is no source file: packaging puts in AWS's own bundle for RDS, or for the local target the
local authority's certificate.
"""

from __future__ import annotations

from pathlib import Path

BUNDLE = Path(__file__).with_name("bundle.pem")
"""PEM certificates of the authorities, for `sslrootcert` with `sslmode=verify-full`."""
