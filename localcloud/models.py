"""botocore's service models, read once: what a client costs is mostly reading them, and a large one takes tens of megabytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from botocore.loaders import JSONFileLoader, create_loader
from pydantic_core import from_json


class _Files(JSONFileLoader):
    """botocore's own reads into ordered dicts, by a function in Python: half a second of every rehearsal. A dict is ordered anyway."""

    def _load_file(self, full_path: str, open_method: Callable[[str, str], BinaryIO]) -> Any:
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as file:
            return from_json(file.read())


def _loader() -> Any:
    loader: Any = create_loader()
    loader.file_loader = _Files()
    return loader


LOADER = _loader()
"""For all who read models in this process: it keeps what it has read."""
