"""What goes into one function's package: of the installed distributions those that it requires, and of the service's sources those that it reaches."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PathDistribution
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SERVICE = "payments"

_NOT_SHIPPED = ("requirements.in", "requirements.txt", "requirements-container.in", "requirements-container.txt", "bundle.pem")
_RUN_ELSEWHERE = (f"{SERVICE}/container/",)  # the container's own entrance; its image holds the whole service


class ContentsError(RuntimeError):
    """A package's contents cannot be told; the text says why and what to do."""


def files(root: Path) -> dict[str, Path]:
    """The service's own files by their name in a package."""
    found = (path for path in (root / SERVICE).rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): path
        for path in found
        if path.name not in _NOT_SHIPPED and path.suffix != ".pyc" and not any(part.startswith(".") for part in path.relative_to(root).parts)
    }


@dataclass(frozen=True)
class Sources:
    """The service's sources. all: by their name in a package, as `files` gives them."""

    all: Mapping[str, Path]

    def reached(self, module: str) -> dict[str, Path]:
        """What a module imports of the service, at whatever place and time, with the data that these modules name.

        Data are files that are no modules. They go with a module that has the name of their folder in a text of its own (`"migrations"`): that is how
        a module finds them.
        """
        names = self._closure(module)
        texts = {text for name in names for text in self._texts(name)}
        data = {name for name in self._data if PurePosixPath(name).parent.name in texts}
        return {name: self.all[name] for name in sorted(names | data)}

    def _closure(self, module: str) -> set[str]:
        found: set[str] = set()
        waiting = list(self._of_module(module))
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [file for imported in _imports(self._parsed[name], name) for file in self._of_module(imported)]
        return found

    def _of_module(self, module: str) -> Iterator[str]:
        """The files of a module, and of the packages around it, which are imported before it."""
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            base = "/".join(parts[:end])
            yield from (name for name in (f"{base}/__init__.py", f"{base}.py") if name in self.all)

    def _texts(self, name: str) -> Iterator[str]:
        for node in ast.walk(self._parsed[name]):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value

    @property
    def _data(self) -> list[str]:
        return [name for name in self.all if not name.endswith(".py") and not name.startswith(_RUN_ELSEWHERE)]

    @cached_property
    def _parsed(self) -> dict[str, ast.Module]:
        try:
            return {name: ast.parse(path.read_bytes(), name) for name, path in self.all.items() if name.endswith(".py")}
        except SyntaxError as error:
            raise ContentsError(f"{error.filename}, line {error.lineno}: {error.msg}. Correct it; what cannot be read cannot be packed.") from None


def _imports(tree: ast.Module, name: str) -> Iterator[str]:
    """The modules that a file imports; with `from a import b` also `a.b`, which may be one."""
    package = PurePosixPath(name).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            around = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*around, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@dataclass(frozen=True)
class Distributions:
    """What is installed in a folder, for a platform.

    site: that folder. extras: by distribution, what of its optional parts was asked for. environment: the platform's values of the markers of PEP 508.
    """

    site: Path
    extras: Mapping[str, frozenset[str]]
    environment: Mapping[str, str]
    _found: dict[str, PathDistribution] = field(default_factory=dict[str, PathDistribution], init=False)

    def __post_init__(self) -> None:
        for info in self.site.glob("*.dist-info"):
            found = PathDistribution(info)
            self._found[canonicalize_name(found.metadata["Name"])] = found

    def required(self, names: Iterable[str]) -> set[str]:
        """The distributions of these names and all that they require."""
        done: set[str] = set()
        waiting = [(str(canonicalize_name(name)), "payments/functions.py") for name in names]
        while waiting:
            name, wanted_by = waiting.pop()
            if name in done:
                continue
            if name not in self._found:
                raise ContentsError(f"{wanted_by} needs the distribution {name}, which payments/requirements.txt does not bring. Correct one of the two.")
            done.add(name)
            waiting += [(required, name) for required in self._requires(name)]
        return done

    def files(self, names: Iterable[str]) -> dict[str, Path]:
        """The installed files of distributions, by their name in a package. Scripts lie outside of the folder and are left out."""
        listed = (file for name in names for file in self._found[name].files or [])
        return {file.as_posix(): self.site / file for file in listed if not file.is_absolute() and ".." not in file.parts}

    def _requires(self, name: str) -> Iterator[str]:
        for text in self._found[name].requires or []:
            required = Requirement(text)
            extras = {"", *self.extras.get(name, ())}
            if required.marker is None or any(required.marker.evaluate({**self.environment, "extra": extra}) for extra in extras):
                yield canonicalize_name(required.name)


def extras(requirements: str) -> dict[str, frozenset[str]]:
    """The optional parts that a list of requirements asks for, by distribution."""
    lines = (line.partition("#")[0].strip() for line in requirements.splitlines())
    read = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {canonicalize_name(requirement.name): frozenset(requirement.extras) for requirement in read}


def is_wanted(name: str, services: Sequence[str]) -> bool:
    """Whether a file of a distribution is of use to a function that calls these AWS services."""
    match PurePosixPath(name).parts:
        case ("bin", *_) | ("boto3", "data" | "examples", *_):
            return False  # scripts, and what only boto3's resource interface reads
        case (folder, _, *_) if folder.endswith("-stubs"):
            return False  # for type checkers, as are the files that are left out below
        case ("botocore", "data", service, _, *_):
            return service in services
        case (distribution, kind, *_) if distribution.endswith(".dist-info"):
            # Names, versions and licences; the rest (RECORD, INSTALLER, REQUESTED, direct_url.json) tells how and from where it was installed.
            return kind in {"METADATA", "entry_points.txt", "licenses"} or kind.startswith(("LICENSE", "NOTICE"))
        case _:
            return not name.endswith((".pyc", ".pyi", "/py.typed"))
