"""What keeps the environments of a family from drifting apart: the keys in which their pages may differ, and everything else the same.

`environments/families.yaml` names the keys, each with its reason. A family that is not in it may differ in anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

from ops.page_settings import settings_of
from ops.projects import projects
from shared import page as pages
from shared.environment import environment_of
from shared.page import Page, PageError, Problem, problem

FILE = "environments/families.yaml"

# Which environment it is. The stage is in every name, the range tells the networks apart, and one environment of an account sets its logging role.
_IDENTITY = (
    "app:api.accountLogging",
    "aws:allowedAccountIds",
    "networking:vpc.cidr",
    "platform:copyOf",
    "platform:environmentSuffix",
    "platform:protected",
    "platform:stage",
    "platform:tags",
)

_NOT_THERE = "not there"


def family_of(name: str) -> str:
    """The blueprint that a page belongs to, empty for the platform's own: `aurora` of `aurora-prod`. Customers do not share address plans."""
    return name.rpartition("-")[0]


def others_of(page: Page) -> Iterator[Page]:
    """The other pages of a page's family; those that cannot be read are reported with themselves."""
    for name in pages.names():
        if name != page.name and family_of(name) == family_of(page.name):
            try:
                yield pages.read(name)
            except PageError:
                continue


def drift(page: Page) -> list[Problem]:
    """Each key in which a page differs from another one of its family, and may not; or what is wrong with the file that says so."""
    try:
        allowed = families().get(family_of(page.name))
    except PageError as error:
        return error.problems
    own = said(page) if allowed is not None else None
    if allowed is None or own is None:
        return []
    theirs = {other.name: found for other in others_of(page) if (found := said(other)) is not None}
    return list(_apart(page, own, theirs, (*_IDENTITY, *allowed)))


def _apart(page: Page, own: Mapping[str, Any], theirs: Mapping[str, Mapping[str, Any]], allowed: tuple[str, ...]) -> Iterator[Problem]:
    keys = sorted({key for said in (own, *theirs.values()) for key in said})
    for key in keys:
        value = own.get(key, _NOT_THERE)
        apart = {name: found for name, said in theirs.items() if (found := said.get(key, _NOT_THERE)) != value}
        if apart and not any(key == may or key.startswith(f"{may}.") for may in allowed):
            shown = ", ".join(f"{found if found is _NOT_THERE else json.dumps(found)} in {name}" for name, found in apart.items())
            rule = (
                f"is {shown}, and the environments of {family_of(page.name)} do not differ in it: "
                f"make it the same on all their pages, or allow it in {FILE} with the reason"
            )
            yield problem(page.file, key, rule, value)


def said(page: Page) -> dict[str, Any] | None:
    """Each value that counts, by its key: what the page says, and the default of what it leaves out; None for a page with problems."""
    try:
        sections = {project: settings_of(page, project) for project in projects()}
        platform = environment_of(page).platform
    except PageError:
        return None
    values = {name: settings.model_dump(mode="json", by_alias=True) for name, settings in {"platform": platform, **sections}.items()}
    provider = {f"aws:{key}": value for key, value in page.section("aws").items()}
    return {**provider, **{f"{name}:{key}": value for name, settings in values.items() for key, value in _flat(settings)}}


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from ((f"{key}.{below}", found) for below, found in _flat(value))
        else:
            yield key, value


@cache
def families() -> Mapping[str, Mapping[str, str]]:
    """By family, the keys or sections in which its pages may differ, each with its reason; raises PageError."""
    path = pages.ROOT / FILE
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise PageError([problem(FILE, "(file)", f"cannot be read: {' '.join(str(error).split())}")]) from None
    if not isinstance(document, dict):
        raise PageError([problem(FILE, "(file)", "must name families, each with keys and reasons")])
    wrong = [
        problem(FILE, f"{family}{f'.{key}' if key else ''}", "must be a key of the page or a section of it, with its reason as text", value)
        for family, keys in document.items()
        for key, value in (keys.items() if isinstance(keys, dict) else [("", keys)])
        if not (isinstance(key, str) and ":" in key and isinstance(value, str) and value.strip())
    ]
    if wrong:
        raise PageError(wrong)
    return document
