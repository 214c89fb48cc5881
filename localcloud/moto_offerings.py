"""Which instance types EC2 offers where: read when somebody asks, and not when moto's EC2 is imported.

The lists are 150,000 entries of all regions: 100 MiB, half a second, and so many objects more for every garbage collection.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import moto.utilities.utils as moto_utils

_TYPES = "moto.ec2.models.instance_types"
_FOLDER = "resources/instance_type_offerings"


class _Offerings(dict[str, dict[str, list[dict[str, Any]]]]):
    """The lists by kind of location and region; a kind is read when it is first asked for."""

    def __missing__(self, location: str) -> dict[str, list[dict[str, Any]]]:
        types: Any = sys.modules[_TYPES]
        found: dict[str, list[dict[str, Any]]] = {}
        for file in sorted((types.root / _FOLDER / location).iterdir()):
            entries: list[dict[str, Any]] = moto_utils.load_resource(f"ec2/{_FOLDER}/{location}/{file.name}")
            found[file.name.split(".")[0]] = [{**entry, "LocationType": location} for entry in entries]
        self[location] = found
        return found


def read_when_asked() -> None:
    """Before anything of moto's EC2 is imported; afterwards it changes nothing."""
    if _TYPES in sys.modules:
        return
    load = moto_utils.load_resource

    def without_offerings(resource: str) -> Any:
        return [] if _FOLDER in resource else load(resource)

    utils: Any = moto_utils
    utils.load_resource = without_offerings
    try:
        types: Any = importlib.import_module(_TYPES)
    finally:
        utils.load_resource = load
    # moto's modules share this very object; it is emptied so that what was not read is missing, and then filled by asking.
    lazy = _Offerings()
    for module in list(sys.modules.values()):
        if getattr(module, "INSTANCE_TYPE_OFFERINGS", None) is types.INSTANCE_TYPE_OFFERINGS and module is not types:
            module.INSTANCE_TYPE_OFFERINGS = lazy  # type: ignore[attr-defined]
    types.INSTANCE_TYPE_OFFERINGS = lazy
