"""The domain that a page gives to the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from shared.environment import Environment
from shared.page import Settings


class DomainSettings(Settings):
    """A domain of the API's own.

    name: the host name. zone_id: the Route 53 hosted zone that it is in; left out, a zone of that name is made, to which its parent must delegate.
    """

    name: Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$", max_length=64)]
    zone_id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,32}$")] | None = None


def copied(domain: DomainSettings, environment: Environment) -> DomainSettings:
    """The domain, or below it the copy's own, as the page's is its original's."""
    platform = environment.platform
    return domain.model_copy(update={"name": f"{platform.environment_suffix}.{domain.name}"}) if platform.copy_of else domain


# RFC 2606: names that documents may use, because nobody can own them; Route 53 and ACM refuse them.
_RESERVED = ("example.com", "example.net", "example.org", "example", "test", "invalid", "localhost")


def is_reserved(name: str) -> bool:
    """Whether it is a name that nobody can own."""
    return any(name == reserved or name.endswith(f".{reserved}") for reserved in _RESERVED)
