"""A new environment's page, made from another one: its own name, stage, suffix and range, and all the rest as it was."""

from __future__ import annotations

import contextlib
import os
import re
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from ops.families import family_of
from ops.page_text import PageTextError, with_title, with_value, without
from ops.validation import logging_set_by, problems_beside, problems_of, range_of
from shared import page as pages
from shared.environment import Environment, Stage, environment_of
from shared.page import Page, PageError, problem

STAGES: tuple[str, ...] = typing.get_args(Stage)

# Of the platform's own pages, which belong to no blueprint.
_OWN_SUFFIX = "main"
_LOGGING = "app:api.accountLogging"
_NAME = re.compile(rf"(?:(?P<blueprint>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)-)?(?P<stage>{'|'.join(STAGES)})")


@dataclass(frozen=True)
class Made:
    """A page that was made: its file, what was chosen for it (by key), and what whoever asked for it should look at."""

    file: Path
    chosen: dict[str, str]
    remarks: list[str]


def make(name: str, source: str, settings: Sequence[str] = ()) -> Made:
    """Writes the page of the environment `name`, from that of `source`; raises PageError, and writes nothing then.

    settings: `KEY=VALUE`, the value as YAML; without a value the key is taken away. What they set is not chosen here, and is checked as everything
    else is.
    """
    blueprint, stage = _parts(name)
    given = dict(_given(settings))
    of = pages.read(source)
    file = pages.ENVIRONMENTS / f"Pulumi.{name}.yaml"
    if file.exists():
        raise _refusal(name, "(file)", "there is such a page already; edit it, or take another name")
    _check_stacks(name)
    if found := problems_of(of):
        raise PageError(found)
    old = environment_of(of)
    chosen = {"platform:stage": stage, "platform:environmentSuffix": _suffix(old, blueprint, stage), "networking:vpc.cidr": str(_range(name, of))}
    values = {**chosen, **given}
    page, text = _page(name, source, values)
    if _LOGGING not in given and any(found.key == _LOGGING for found in problems_beside(page)):
        values[_LOGGING] = False
        page, text = _page(name, source, values)
    if found := problems_of(page) + problems_beside(page) + list(_namesakes(page)):
        raise PageError(found)
    _write(file, text)
    return Made(file, {key: "taken away" if value is None else str(value) for key, value in values.items()}, list(_remarks(page, of)))


def _parts(name: str) -> tuple[str, str]:
    match = _NAME.fullmatch(name)
    if match is None:
        rule = f"an environment is called [<blueprint>-]<stage>: small letters, digits and hyphens, and one of {', '.join(STAGES)} at the end"
        raise _refusal(name, "(name)", rule)
    return match["blueprint"] or "", match["stage"]


def _check_stacks(name: str) -> None:
    """A short-lived copy's stacks are called <environment>-<suffix>, and must not be those of another environment."""
    for other in pages.names():
        short, long = sorted((name, other), key=len)
        if long.startswith(f"{short}-"):
            rule = f"its stacks could be those of a copy: `--env {short} --suffix {long.removeprefix(f'{short}-')}` makes {long}; take another name"
            raise _refusal(name, "(name)", rule)


def _given(settings: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise PageError([problem("--set", setting, "is not KEY=VALUE, such as data:database.multiAz=true")])
        try:
            yield key, yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise PageError([problem("--set", key, f"is not YAML: {' '.join(str(error).split())}", value)]) from None


def _suffix(old: Environment, blueprint: str, stage: str) -> str:
    """The blueprint's name tells its environments from others in the same account; so does the stage, where the naming leaves it out."""
    words = [blueprint or _OWN_SUFFIX] if "{stage}" in old.platform.naming else [*([blueprint] if blueprint else []), stage]
    return "-".join(words)


def _range(name: str, of: Page) -> IPv4Network:
    """The range of the page that it is made from, or the next that no environment of the family has."""
    wanted = range_of(of)
    if wanted is None:
        raise _refusal(name, "networking:vpc.cidr", f"{of.file} has no range")
    family = [pages.read(other) for other in pages.names() if family_of(other) == family_of(name)]
    taken = [found for found in map(range_of, family) if found]
    private = next((block for block in map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")) if wanted.subnet_of(block)), wanted)
    candidates = list(private.subnets(new_prefix=wanted.prefixlen))
    first = candidates.index(wanted)
    for candidate in [*candidates[first:], *candidates[:first]]:
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
    raise _refusal(name, "networking:vpc.cidr", f"the family's environments take all of {private}; say a range yourself: --set networking:vpc.cidr=...")


def _page(name: str, source: str, values: dict[str, Any]) -> tuple[Page, str]:
    """The page, and its text."""
    text = _text(name, source, values)
    return Page(name, yaml.safe_load(text)["config"]), text


def _text(name: str, source: str, values: dict[str, Any]) -> str:
    text = (pages.ENVIRONMENTS / f"Pulumi.{source}.yaml").read_text(encoding="utf-8")
    wanted = yaml.safe_load(text)["config"]
    text = with_title(text, [f"{name}: made from environments/Pulumi.{source}.yaml; what differs from it: {', '.join(values)}."])
    for key, value in values.items():
        try:
            text = without(text, key) if value is None else with_value(text, key, value)
        except PageTextError as error:
            raise PageError([problem("--set", key, str(error).removeprefix(f"{key}: "), value)]) from None
    found = yaml.safe_load(text)["config"]
    left = {key: value for key, value in wanted.items() if key not in {changed.partition(".")[0] for changed in values}}
    if {key: found.get(key) for key in left} != left:
        raise _refusal(name, "(file)", f"environments/Pulumi.{source}.yaml is written in a way that cannot be copied; write the page by hand")
    return text


def _namesakes(page: Page) -> Iterator[Any]:
    """Problems with a page whose resources would have the names of another environment's, in the same account and region."""
    own = _environment(page)
    for name in pages.names() if own else []:
        other = _environment(pages.read(name))
        if own and other and (other.account, other.region, other.names("x")) == (own.account, own.region, own.names("x")):
            rule = f"makes the names of environments/Pulumi.{name}.yaml in the same account; take another: --set platform:environmentSuffix=..."
            yield problem(page.file, "platform:environmentSuffix", rule, own.platform.environment_suffix)


def _environment(page: Page) -> Environment | None:
    """The environment of a page that is right; what is wrong with it is told elsewhere."""
    try:
        return environment_of(page)
    except PageError:
        return None


def _remarks(page: Page, of: Page) -> Iterator[str]:
    for key in ("app:api", "app:containers"):
        section = page.config.get(key)
        domain = section.get("domain") if isinstance(section, dict) else None
        if isinstance(domain, dict) and domain == of.config.get(key, {}).get("domain"):
            yield f"{key}.domain.name is {domain['name']}, as in {of.file}: a domain leads to one environment"
    if page.config.get("app:api", {}).get("accountLogging") is False and (other := logging_set_by(page)):
        yield f"{_LOGGING} is false: API Gateway logs with the role that {other.file} sets; deploy that one before, and destroy it after"
    if (account := environment_of(page).account) == environment_of(of).account:
        yield f"aws:allowedAccountIds is {account}, as in {of.file}"


def _write(file: Path, text: str) -> None:
    """The whole page, or none: it never stands in place of another."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        os.link(new, file)
    except FileExistsError:
        raise _refusal(file.name.split(".")[1], "(file)", "there is such a page already; edit it, or take another name") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()


def _refusal(name: str, key: str, rule: str) -> PageError:
    return PageError([problem(f"environments/Pulumi.{name}.yaml", key, rule)])
