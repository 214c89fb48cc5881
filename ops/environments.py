"""All pages side by side: what sets each environment apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from ops.families import family_of
from shared import page as pages
from shared.environment import environment_of
from shared.page import Page


@dataclass(frozen=True, kw_only=True)
class Described:
    """An environment, as its page describes it.

    blueprint: the family that the page belongs to, empty for the platform's own. compute, database, cache, way_out: what it is made of, with the
    sizes that the page gives; cache and domain are empty where there is none. alarms: whether anything is watched.
    """

    name: str
    blueprint: str
    stage: str
    suffix: str
    account: str
    region: str
    protected: bool
    high_availability: bool
    range: str
    zones: int
    compute: str
    database: str
    cache: str
    way_out: str
    domain: str
    alarms: bool

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


HEADERS = ("environment", "account", "region", "stage", "range", "compute", "database", "cache", "way out", "domain", "alarms", "asks")


def row(one: Described) -> tuple[str, ...]:
    """The environment for people, under `HEADERS`; `asks` is whether deploy and destroy ask for its name."""
    network = f"{one.range}, {one.zones} zones"
    answers = tuple("yes" if value else "-" for value in (one.alarms, one.protected))
    return (one.name, one.account, one.region, one.stage, network, one.compute, one.database, one.cache or "-", one.way_out, one.domain or "-", *answers)


def everything(names: Iterable[str] = ()) -> list[Described]:
    """The named environments, or all that have a page; raises PageError."""
    return [described(pages.read(name)) for name in names or pages.names()]


def described(page: Page) -> Described:
    """What a page says; raises PageError where it does not even say which environment it is."""
    environment = environment_of(page)
    platform, shape = environment.platform, environment.shape
    network = _section(page, "networking:vpc")
    zones = network.get("availabilityZones")
    return Described(
        name=page.name,
        blueprint=family_of(page.name),
        stage=platform.stage,
        suffix=platform.environment_suffix,
        account=environment.account,
        region=environment.region,
        protected=platform.protected,
        high_availability=platform.high_availability,
        range=str(network.get("cidr", "")),
        zones=zones if isinstance(zones, int) else 0,
        compute=_containers(page) if shape.compute == "containers" else f"lambda, {_section(page, 'app:functions').get('memory')} MiB",
        database=_database(page, shape.database),
        cache=_cache(_section(page, "data:cache")) if shape.cache else "",
        way_out=shape.way_out + (" per zone" if _section(page, "networking:egress").get("perZone") else ""),
        domain=_domain(page),
        alarms=shape.alarms,
    )


def _section(page: Page, key: str) -> Mapping[str, Any]:
    found = page.config.get(key)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _containers(page: Page) -> str:
    parts = _section(page, "app:containers")
    said = [f"{parts[name].get('minTasks')} to {parts[name].get('maxTasks')} {name}" for name in ("web", "worker") if isinstance(parts.get(name), dict)]
    return f"containers, {', '.join(said)}"


def _database(page: Page, kind: str) -> str:
    of = _section(page, "data:database")
    managed = ", keys of AWS" if of.get("key") == "aws" else ""
    match kind:
        case "dynamodb":
            return f"dynamodb, {_section(page, 'data:tables').get('billing')}"
        case "aurora":
            return f"aurora, {of.get('instances')} {of.get('instanceClass')}{managed}"
        case "aurora-serverless":
            return f"aurora-serverless, {of.get('minCapacity')} to {of.get('maxCapacity')} ACU, {of.get('readers', 0)} readers{managed}"
        case _:
            return f"rds, {of.get('instanceClass')}{', two zones' if of.get('multiAz') else ''}{managed}"


def _cache(of: Mapping[str, Any]) -> str:
    return f"redis, {of.get('nodeType')}, {of.get('replicas', 0)} replicas"


def _domain(page: Page) -> str:
    for key in ("app:api", "app:containers"):
        domain = _section(page, key).get("domain")
        if isinstance(domain, dict):
            return str(cast("dict[str, Any]", domain).get("name", ""))
    return ""
