"""botocore's service models, read once: what a client costs is mostly reading them, and a large one takes tens of megabytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from botocore.loaders import JSONFileLoader, Loader
from pydantic_core import from_json


class _Files(JSONFileLoader):
    """botocore's own reads into ordered dicts, by a function in Python: half a second of every rehearsal. A dict is ordered anyway."""

    def _load_file(self, full_path: str, open_method: Callable[[str, str], BinaryIO]) -> Any:
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as file:
            return from_json(file.read())


class _Loader(Loader):
    """botocore's own looks into each of four hundred folders for each kind of file; what a folder lacks is missed when it is read."""

    @cached_property
    def _folders(self) -> list[str]:
        paths: list[str] = self.search_paths
        return sorted({folder.name for path in map(Path, paths) if path.is_dir() for folder in path.iterdir() if folder.is_dir()})

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's signature
        """See Loader."""
        return self._folders


LOADER: Any = _Loader(file_loader=_Files())
"""For all who read models in this process: it keeps what it has read."""
