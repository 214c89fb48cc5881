"""What can be wrong with one place of a page that is otherwise right: each with the key and the words that its refusal must have."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.page import Page


@dataclass(frozen=True)
class Broken:
    """A page with one thing wrong. key: of the page, as the refusal names it. value: what it shows of it; None for a key that is not there, or a section.

    rule: words that the refusal says, in which a person recognizes what is wanted.
    """

    page: Page
    key: str
    value: Any
    rule: str


Path = tuple[str, ...]


def breaks(page: Page) -> Iterator[Broken]:
    """Every way in which one place of the page can be broken, as far as they are known here."""
    config: dict[str, Any] = copy.deepcopy(dict(page.config))
    yield from _strangers(page, config)
    for path, value in _places(config):
        yield from _of_another_type(page, config, path, value)
        yield from _beyond_bounds(page, config, path, value)
    yield from _missing(page, config)
    yield from _alone(page, config)


def _places(config: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each section and each value, by the names that lead to it."""
    for name, value in config.items():
        yield (*above, name), value
        if isinstance(value, dict):
            yield from _places(value, (*above, name))


def _with(page: Page, config: Mapping[str, Any], path: Path, value: Any) -> Page:
    """The page with another value at a place, or without the place (`...`)."""
    changed: dict[str, Any] = copy.deepcopy(dict(config))
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return Page(page.name, changed)


def _strangers(page: Page, config: Mapping[str, Any]) -> Iterator[Broken]:
    for path in (path for path, value in _places(config) if isinstance(value, dict)):
        yield Broken(_with(page, config, (*path, "surprise"), 1), ".".join((*path, "surprise")), 1, "unknown key")
    for namespace in sorted({key.split(":")[0] for key in config}):
        yield Broken(_with(page, config, (f"{namespace}:surprise",), 1), f"{namespace}:surprise", 1, "unknown key")
    yield Broken(_with(page, config, ("netwroking:vpc",), {}), "netwroking:", None, "unknown namespace")


def _of_another_type(page: Page, config: Mapping[str, Any], path: Path, value: Any) -> Iterator[Broken]:
    wrong: Any = "surprise" if isinstance(value, dict | list) else {"a": 1}
    yield Broken(_with(page, config, path, wrong), ".".join(path), wrong, "")
    if isinstance(value, bool):
        yield Broken(_with(page, config, path, "perhaps"), ".".join(path), "perhaps", "valid boolean")
    elif isinstance(value, int | float):
        yield Broken(_with(page, config, path, "many"), ".".join(path), "many", "")


def _beyond_bounds(page: Page, config: Mapping[str, Any], path: Path, value: Any) -> Iterator[Broken]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Which memory there is, is said of it and the processors together.
        sized = path[0] == "app:containers" and path[-1] == "memory"
        yield Broken(_with(page, config, path, -1), ".".join(path[:-1] if sized else path), None if sized else -1, "")
    if (name := path[-1]) in _WORDS:
        yield Broken(_with(page, config, path, _WORDS[name]), ".".join(path), _WORDS[name], "")


# What AWS has none of, where a page has to choose one of several.
_WORDS = {
    "platform:stage": "qa",
    "aws:region": "Ohio",
    "kind": "surprise",
    "billing": "free",
    "key": "mine",
    "instanceClass": "db.t2.micro",
    "nodeType": "cache.t1.micro",
    "cidr": "10.0.0.0/8",
}


# Keys that their section cannot be without.
_REQUIRED = (
    "aws:region",
    "aws:allowedAccountIds",
    "platform:stage",
    "platform:environmentSuffix",
    "platform:logRetentionDays",
    "platform:tags",
    "platform:tags.Team",
    "networking:vpc",
    "networking:vpc.cidr",
    "networking:egress",
    "networking:egress.kind",
    "data:database",
    "data:database.backupRetentionDays",
    "data:database.instanceClass",
    "data:database.instances",
    "data:database.minCapacity",
    "data:database.maxCapacity",
    "data:tables",
    "data:tables.billing",
    "data:buckets",
    "data:buckets.expireDays",
    "data:cache.nodeType",
    "data:cache.replicas",
    "app:functions.memory",
    "app:functions.timeout",
    "app:api.rateLimit",
    "app:api.domain.name",
    "app:containers.web",
    "app:containers.worker.cpu",
    "app:containers.domain",
    "app:containers.domain.name",
    "app:containers.rateLimit",
    "observability:notifications",
    "observability:notifications.paging",
)


def _missing(page: Page, config: Mapping[str, Any]) -> Iterator[Broken]:
    places = {".".join(path): path for path, _ in _places(config)}
    for key in _REQUIRED:
        if key in places:
            yield Broken(_with(page, config, places[key], ...), key, None, "is required and missing")


def _alone(page: Page, config: Mapping[str, Any]) -> Iterator[Broken]:
    """What wants a companion, and has lost it."""
    tables = config["data:tables"]
    for name in ("readCapacity", "writeCapacity", "maxReadCapacity", "maxWriteCapacity"):
        if name in tables:
            yield Broken(_with(page, config, ("data:tables", name), ...), "data:tables", None, f"billing {tables['billing']} needs {name}")
    for name, other in (("app:functions", "app:api"), ("app:api", "app:functions")):
        if name in config:
            yield Broken(_with(page, config, (name,), ...), "app", None, f"the page has {other}")
    if "app:containers" in config:
        yield Broken(_with(page, config, ("app:api",), {"rateLimit": 1, "burstLimit": 1}), "app", None, "or else app:containers")
        web = config["app:containers"]["web"]
        path = ("app:containers", "web", "memory")
        yield Broken(_with(page, config, path, web["memory"] + 1), "app:containers.web", None, "Fargate has")
    if "secretArn" in config["app:processor"]:
        yield Broken(_with(page, config, ("app:processor", "secretArn"), ...), "app:processor", None, "name stripe needs secretArn")
    if config["networking:egress"]["kind"] == "none":
        yield from _shut_in(page, config)
    if config.get("platform:highAvailability"):
        yield from _not_available(page, config)


def _shut_in(page: Page, config: Mapping[str, Any]) -> Iterator[Broken]:
    """What a page without a way out cannot do without."""
    endpoints = config["networking:endpoints"]
    less = [one for one in endpoints["interface"] if one != "sqs"]
    yield Broken(_with(page, config, ("networking:endpoints", "interface"), less), "networking:endpoints.interface", less, "add sqs")
    yield Broken(_with(page, config, ("networking:endpoints", "gateway"), ["s3"]), "networking:endpoints.gateway", ["s3"], "add dynamodb")
    for path in (("networking:endpoints", "processor"), ("app:processor", "endpoint")):
        if path[1] in config[path[0]]:
            yield Broken(_with(page, config, path, ...), "app:processor.name", "stripe", ".".join(path))


def _not_available(page: Page, config: Mapping[str, Any]) -> Iterator[Broken]:
    """What a page that is to survive the loss of a zone has only one of."""
    rule = "platform:highAvailability"
    yield Broken(_with(page, config, ("observability:notifications", "paging"), False), "observability:notifications.paging", False, rule)
    yield Broken(_with(page, config, ("observability:alarms",), ...), "observability:alarms", None, rule)
    if config["networking:egress"]["kind"] == "nat-gateway":
        yield Broken(_with(page, config, ("networking:egress", "perZone"), False), "networking:egress", "nat-gateway", rule)
    single = {
        ("data:database", "multiAz"): False,
        ("data:database", "instances"): 1,
        ("data:database", "readers"): 0,
        ("data:cache", "replicas"): 0,
        ("app:containers", "web", "minTasks"): 1,
    }
    places = {path for path, _ in _places(config)}
    for path, value in single.items():
        if path in places:
            yield Broken(_with(page, config, path, value), ".".join(path), value, rule)
