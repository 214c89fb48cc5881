"""The table: every resource type and look-up, found by token; a service's module is imported when it is first asked for."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache, lru_cache
from types import ModuleType

from localcloud import resources
from localcloud.kinds import Function, Kind

# Python keywords take an underscore.
_MODULES = {"lambda": "lambda_"}


class UnknownType(LookupError):  # noqa: N818 - says what it is
    """A token that the table does not have."""

    def __init__(self, token: str, known: list[str]) -> None:
        near = f"; of this service it has {', '.join(known)}" if known else ""
        super().__init__(f"the local cloud does not know {token}{near}. Add it to localcloud/resources/ (README, 'How to add a resource'), or deploy to aws")


def kind(token: str) -> Kind:
    """The resource type with this token; raises UnknownType."""
    module = _module(token)
    for entry in module.KINDS if module else ():
        if entry.type == token:
            return entry
    raise UnknownType(token, [entry.type for entry in module.KINDS] if module else [])


def function(token: str) -> Function:
    """The look-up with this token; raises UnknownType."""
    module = _module(token)
    for entry in getattr(module, "FUNCTIONS", ()):
        if entry.type == token:
            return entry
    raise UnknownType(token, [entry.type for entry in getattr(module, "FUNCTIONS", ())])


@cache
def services() -> tuple[str, ...]:
    """The names of the service modules."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(resources.__path__) if not module.name.startswith("_")))


def everything() -> list[Kind]:
    """Every resource type of the table, sorted by token."""
    modules = [importlib.import_module(f"localcloud.resources.{name}") for name in services()]
    return sorted((entry for module in modules for entry in module.KINDS), key=lambda entry: entry.type)


@lru_cache(maxsize=128)
def _module(token: str) -> ModuleType | None:
    service = token.removeprefix("aws:").split("/")[0].split(":")[0].lower()
    name = _MODULES.get(service, service)
    return importlib.import_module(f"localcloud.resources.{name}") if name in services() else None
