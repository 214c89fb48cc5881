"""An environment's page: `environments/Pulumi.<environment>.yaml`, read as typed settings or refused with every reason at once.

The page is an ordinary Pulumi stack configuration: keys are `<namespace>:<key>`. `aws:` belongs to the AWS provider,
`platform:` to all programs, and each project has the namespace of its name. This module reads YAML and knows no Pulumi, so
that tasks can check a page before anything starts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "environments"


class Settings(BaseModel):
    """A part of a page. Unknown keys are refused; keys are camelCase on the page and snake_case here."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


M = TypeVar("M", bound=Settings)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a page: which page, which key, the value found, and the rule it breaks."""

    page: str
    key: str
    value: Any
    rule: str

    def __str__(self) -> str:
        shown = "" if self.value is _ABSENT else f" = {_shown(self.value)}"
        return f"{self.page}: {self.key}{shown}: {self.rule}"


class PageError(ValueError):
    """A page that cannot be used; `problems` has all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


_ABSENT = object()

_EMPTY = "holds nothing; give it its settings, or take the key away"


def problem(page: str, key: str, rule: str, value: Any = _ABSENT) -> Problem:
    """A Problem; leave `value` out when the key is absent."""
    return Problem(page, key, value, rule)


@dataclass(frozen=True)
class Page:
    """The configuration of one environment, as `namespace:key` pairs."""

    name: str
    config: Mapping[str, Any]

    @property
    def file(self) -> str:
        """Where a person finds the page."""
        return f"environments/Pulumi.{self.name}.yaml"

    def namespaces(self) -> set[str]:
        """The namespaces that have at least one key."""
        return {key.split(":", 1)[0] for key in self.config}

    def section(self, namespace: str) -> dict[str, Any]:
        """The keys of one namespace, without it."""
        prefix = f"{namespace}:"
        return {key.removeprefix(prefix): value for key, value in self.config.items() if key.startswith(prefix)}

    def settings(self, namespace: str, model: type[M]) -> M:
        """One namespace as `model`; raises PageError with every problem of that namespace."""
        try:
            return model.model_validate(self.section(namespace))
        except ValidationError as error:
            raise PageError(list(self._problems(namespace, error))) from None

    def with_values(self, values: Mapping[str, Any]) -> Page:
        """The same page with some keys set."""
        return Page(self.name, {**self.config, **values})

    def _problems(self, namespace: str, error: ValidationError) -> Iterator[Problem]:
        for detail in error.errors():
            path = [part for part in detail["loc"] if not str(part).startswith("function-")]
            key = f"{namespace}:{_path(path)}" if path else namespace
            rule = {"extra_forbidden": "unknown key", "missing": "is required and missing"}.get(detail["type"], detail["msg"].removeprefix("Value error, "))
            absent = detail["type"] == "missing" or (not path and isinstance(detail["input"], dict))
            yield Problem(self.file, key, _ABSENT if absent else detail["input"], rule)


def read(name: str, folder: Path = ENVIRONMENTS) -> Page:
    """The page of an environment; raises PageError when there is none, or when it is not a Pulumi stack configuration."""
    path = folder / f"Pulumi.{name}.yaml"
    shown = f"environments/Pulumi.{name}.yaml"
    if not path.is_file():
        raise PageError([problem(shown, "(file)", f"there is no such page; environments are {', '.join(names(folder)) or 'none yet'}")])
    try:
        document, repeated = _parsed_yaml(path.read_text(encoding="utf-8"), shown)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PageError([problem(shown, "(file)", f"is not YAML: {' '.join(str(error).split())}")]) from None
    config: Any = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise PageError([problem(shown, "config", "must hold the environment's keys (namespace:key: value)")])
    malformed = [problem(shown, str(key), "must be <namespace>:<key>") for key in config if not isinstance(key, str) or ":" not in key]
    empty = [problem(shown, str(key), _EMPTY, value) for key, value in config.items() if value is None]
    if found := repeated + malformed + empty:
        raise PageError(found)
    return Page(name, config)


def _parsed_yaml(text: str, shown: str) -> tuple[Any, list[Problem]]:
    """A YAML document, and a problem for each key that it gives twice: YAML's parser takes the last one without a word."""
    loader = yaml.SafeLoader(text)
    try:
        node: Any = loader.get_single_node()
        repeated = list(_repeated(node, shown, "")) if node else []
        document: Any = loader.construct_document(node) if node else None
    finally:
        loader.dispose()
    return document, repeated


def _repeated(node: yaml.Node, shown: str, path: str) -> Iterator[Problem]:
    if isinstance(node, yaml.SequenceNode):
        for number, member in enumerate(node.value):
            yield from _repeated(member, shown, f"{path}[{number}]")
    if not isinstance(node, yaml.MappingNode):
        return
    first: dict[str, int] = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, str(key.value)
        # As all other problems name a key: without the `config` that holds them all.
        here = f"{path}.{name}" if path not in {"", "config"} else name
        if name in first:
            yield problem(f"{shown}, line {line}", here, f"stands in line {first[name]} already, and one of the two would be ignored; take one away")
        first.setdefault(name, line)
        yield from _repeated(value, shown, here)


def names(folder: Path = ENVIRONMENTS) -> list[str]:
    """The environments that have a page, sorted."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in folder.glob("Pulumi.*.yaml"))


def from_engine(stack: str, config: Mapping[str, str]) -> Page:
    """The page as the engine hands it to a program: every value a string, structured ones as JSON."""
    return Page(stack, {key: _parsed(value) for key, value in config.items()})


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _path(parts: list[Any]) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _shown(value: Any) -> str:
    shown = json.dumps(value, default=str)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
