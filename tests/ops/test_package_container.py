"""What the container's image holds, for this machine: all of the service and its lock, started as the Dockerfile says, from a folder per version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops import package, package_container
from ops.package import PackageError
from ops.package_container import Packed, declared, ensure, find
from shared.image import image_tag

IMPORTS = """
import importlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
for file in sorted((root / 'payments').rglob('*.py')):
    if file.name != '__main__.py' and 'migrations' not in file.parts:
        importlib.import_module('.'.join(file.relative_to(root).with_suffix('').parts).removesuffix('.__init__'))
inside = lambda module: getattr(module, '__file__', None) is None or module.__file__.startswith((sys.argv[1], sys.base_prefix))
print(sorted(name for name, module in sys.modules.items() if not inside(module)))
"""


@pytest.fixture(scope="module")
def packed() -> Packed:
    """Of this checkout. The wheels come from uv's cache, or from the registry."""
    return ensure()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small service with a lock that installs nothing."""
    (tmp_path / "payments" / "container").mkdir(parents=True)
    (tmp_path / "payments" / "__init__.py").write_text("VERSION = 1\n")
    (tmp_path / "payments" / "requirements-container.txt").write_text("")
    shutil.copy(package.ROOT / "Dockerfile", tmp_path)

    def install(_: object, site: Path, root: Path, lock: str) -> None:
        assert (root / lock).is_file()
        site.mkdir()
        (site / "dependency.py").write_text("")

    monkeypatch.setattr(package, "install", install)
    return tmp_path


def test_all_of_the_service_can_be_imported_from_it_alone(packed: Packed, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(packed.folder), "PYTHONPYCACHEPREFIX": str(tmp_path), "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run([sys.executable, "-S", "-P", "-c", IMPORTS, str(packed.folder)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_it_is_started_as_the_image_is(packed: Packed) -> None:
    assert (packed.entry_point, packed.command) == (("python", "-m", "payments.container"), ("web",))
    assert packed.environment["PYTHONUNBUFFERED"] == "1"
    assert {"PATH", "PYTHONPATH"}.isdisjoint(packed.environment)
    assert packed.tag == image_tag()
    assert (packed.folder / "payments" / "trust" / "bundle.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert not (packed.folder / "payments" / "requirements-container.txt").exists()


def test_the_same_code_is_packed_once_and_other_code_leaves_it_as_it_is(tree: Path) -> None:
    told: list[str] = []
    first = ensure(told.append, root=tree)
    assert ensure(told.append, root=tree) == first
    assert len(told) == 1
    (tree / "payments" / "__init__.py").write_text("VERSION = 2\n")
    second = ensure(told.append, root=tree)
    assert second.folder != first.folder
    assert (first.folder / "payments" / "__init__.py").read_text() == "VERSION = 1\n"
    assert find(first.tag, root=tree) == first
    assert find("0" * 16, root=tree) is None


def test_versions_that_nobody_uses_are_forgotten(tree: Path) -> None:
    made: list[Packed] = []
    for number in range(7):
        (tree / "payments" / "__init__.py").write_text(f"VERSION = {number}\n")
        made.append(ensure(root=tree))
        if number:
            os.utime(made[-1].folder, (number, number))
        find(made[0].tag, root=tree)
    assert [version.folder.exists() for version in made] == [True, False, False, True, True, True, True]


def test_half_a_package_is_made_again(tree: Path) -> None:
    packed = ensure(root=tree)
    (packed.folder / ".packed.json").write_text("{")
    assert ensure(root=tree) == packed


def test_sources_that_change_meanwhile_are_packed_under_no_name(tree: Path) -> None:
    def change(_: str) -> None:
        (tree / "payments" / "more.py").write_text("")

    with pytest.raises(PackageError, match="changed while they were packed"):
        ensure(change, root=tree)
    assert find(image_tag(tree), root=tree) is None


@pytest.mark.parametrize("text", ["FROM a\nENTRYPOINT python -m app\n", "FROM a\nCMD ['web']\n"])
def test_an_image_that_a_shell_would_start_is_refused(text: str) -> None:
    with pytest.raises(PackageError, match="ENTRYPOINT"):
        declared(text)


def test_the_last_stage_alone_says_how_the_image_starts() -> None:
    build = 'ARG A=1\nFROM a AS build\nENV X=build\nENTRYPOINT ["no"]\n'
    last = 'FROM a\nENV PATH=/opt:$PATH \\\n    Y=2\n# CMD ["no"]\nHEALTHCHECK CMD ["no"]\nENTRYPOINT ["yes"]\n'
    text = build + last
    assert declared(text) == {"entry_point": ["yes"], "command": [], "environment": {"Y": "2"}}


def test_another_version_of_what_the_image_takes_is_another_tag(tree: Path) -> None:
    first = image_tag(tree)
    (tree / "payments" / "__pycache__").mkdir()
    (tree / "payments" / "__pycache__" / "x.pyc").write_bytes(b"")
    (tree / "payments" / "trust").mkdir()
    (tree / "payments" / "trust" / "bundle.pem").write_text("")
    assert image_tag(tree) == first
    (tree / "Dockerfile").write_text("FROM other\n")
    assert image_tag(tree) != first
    assert package_container.LOCK in {path.relative_to(tree).as_posix() for path in (tree / "payments").iterdir()}
