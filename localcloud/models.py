"""botocore's service models, read once: what a client costs is mostly reading them, and a large one takes tens of megabytes."""

from __future__ import annotations

from botocore.loaders import create_loader

LOADER = create_loader()
"""For all who read models in this process: it keeps what it has read."""
