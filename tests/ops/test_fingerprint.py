"""What a stack was deployed from: each part alone changes the verdict, and what a program does not read does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops import fingerprint
from ops.fingerprint import INVENTORY, Fingerprint, Record, code_of, forget, load, outputs_of, page_of, save, upstream_of
from ops.image_first import PROJECT
from ops.projects import Project, projects
from shared import page as pages
from shared.image import image_tag
from shared.inventory import INVENTORY_OUTPUT

SOME = Fingerprint(code="code", page="page", upstream="upstream", engine="engine", state="state")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A small checkout with one project."""
    files = {
        "projects/app/__main__.py": "print(1)",
        "projects/app/Pulumi.yaml": "name: app",
        "shared/page.py": "x = 1",
        "requirements/all.txt": "pulumi==3.272",
        "payments/functions.py": "y = 1",
        "tests/test_app.py": "z = 1",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    return Project("app", tmp_path / "projects" / "app", "AppOutputs", ("data",))


def code(project: Project, *packages: Path, contained: bool = False) -> str:
    """The digest of the code as it is now; within one run it is only looked at once."""
    fingerprint._tree.cache_clear()
    fingerprint._reads_payments.cache_clear()
    fingerprint._names_the_image.cache_clear()
    return code_of(project, packages, contained=contained)


@pytest.mark.parametrize(
    ("name", "word"),
    [("code", "code changed"), ("page", "page changed"), ("upstream", "upstream outputs changed"), ("engine", "engine changed"), ("state", "state changed")],
)
def test_each_part_alone_is_a_difference_of_its_own(name: str, word: str) -> None:
    assert SOME.differences(SOME) == []
    changed: dict[str, Any] = {name: "other"}
    assert SOME.differences(dataclasses.replace(SOME, **changed)) == [word]


def test_all_that_differs_is_named() -> None:
    assert len(SOME.differences(Fingerprint("", "", "", "", ""))) == len(dataclasses.fields(Fingerprint))


def edit(path: str) -> Callable[[Path], object]:
    return lambda root: (root / path).write_text("changed")


def add(path: str) -> Callable[[Path], object]:
    return lambda root: (root / path).write_text("")


@pytest.mark.parametrize(
    "change",
    [
        edit("projects/app/__main__.py"),
        edit("projects/app/Pulumi.yaml"),
        edit("shared/page.py"),
        edit("requirements/all.txt"),
        add("projects/app/new.py"),
        add("shared/new.json"),
        lambda root: (root / "projects/app/__main__.py").rename(root / "projects/app/main.py"),
        lambda root: (root / "shared/page.py").unlink(),
    ],
)
def test_what_a_program_is_made_of_counts(checkout: Project, change: Callable[[Path], object]) -> None:
    before = code(checkout)
    assert code(checkout) == before
    change(checkout.folder.parent.parent)
    assert code(checkout) != before


@pytest.mark.parametrize(
    "change",
    [
        edit("tests/test_app.py"),
        edit("payments/functions.py"),
        add("projects/app/notes.md"),
        add("shared/page.pyc"),
        lambda root: (root / "projects/app/__main__.py").touch(),
    ],
)
def test_what_it_is_not_made_of_does_not(checkout: Project, change: Callable[[Path], object]) -> None:
    before = code(checkout)
    change(checkout.folder.parent.parent)
    assert code(checkout) == before


def test_the_payment_services_code_counts_for_programs_that_read_it(checkout: Project) -> None:
    (checkout.folder / "__main__.py").write_text("from payments.functions import y\n")
    before = code(checkout)
    edit("payments/functions.py")(checkout.folder.parent.parent)
    assert code(checkout) != before


@pytest.mark.parametrize(
    "name", ["Dockerfile", "payments/requirements-container.txt", "payments/functions.py", "payments/migrations/0001.sql", "payments/model"]
)
def test_all_that_is_in_the_image_counts_where_containers_run_it(checkout: Project, name: str) -> None:
    root = checkout.folder.parent.parent
    (root / "Dockerfile").write_text("FROM scratch")
    (root / "payments/migrations").mkdir()
    (checkout.folder / "image.py").write_text("from shared.image import image_tag\n")
    before, functions, tag = code(checkout, contained=True), code(checkout), image_tag(root)
    edit(name)(root)
    assert image_tag(root) != tag
    assert code(checkout, contained=True) != before
    assert code(checkout) == functions
    (checkout.folder / "image.py").write_text("")
    without = code(checkout, contained=True)
    edit("payments/another")(root)
    assert code(checkout, contained=True) == without


def test_the_program_that_runs_the_image_is_known_by_its_tag() -> None:
    assert [name for name, project in projects().items() if fingerprint._names_the_image(project.folder)] == [PROJECT]


def test_packages_count_by_their_bytes(checkout: Project, tmp_path: Path) -> None:
    package = tmp_path / "app.zip"
    package.write_bytes(b"one")
    before = code(checkout, package)
    assert before != code(checkout)
    package.touch()
    assert code(checkout, package) == before
    package.write_bytes(b"two")
    assert code(checkout, package) != before


@pytest.mark.parametrize("project", ["networking", "data", "app", "observability"])
def test_of_a_page_only_what_the_program_reads_counts(project: str) -> None:
    page, described = pages.read("dev"), projects()[project]
    before = page_of(page, described)
    for key in ("aws:region", "platform:protected", f"{project}:anything"):
        assert page_of(page.with_values({key: "other"}), described) != before
    for other in set(projects()) - {project}:
        assert page_of(page.with_values({f"{other}:anything": "other"}), described) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"data:database": {"kind": "aurora"}},
        {"data:database": {"key": "aws"}},
        {"data:cache": {}},
        {"app:containers": {}},
        {"networking:egress": {"kind": "none"}},
    ],
)
def test_the_shape_counts_for_every_program(changed: dict[str, Any]) -> None:
    page = pages.read("dev")
    for project in projects().values():
        assert page_of(page.with_values(changed), project) != page_of(page, project)


def test_the_order_of_keys_on_a_page_does_not_count() -> None:
    page = pages.read("dev")
    turned = pages.Page("dev", {key: page.config[key] for key in reversed(list(page.config))})
    assert page_of(turned, projects()["data"]) == page_of(page, projects()["data"])


def test_upstream_counts_by_project_and_value() -> None:
    one = {"networking": outputs_of({"vpcId": "vpc-1"})}
    assert upstream_of(one) == upstream_of({"networking": outputs_of({"vpcId": "vpc-1"})})
    assert upstream_of(one) != upstream_of({"networking": outputs_of({"vpcId": "vpc-2"})})
    assert upstream_of(one) != upstream_of({"data": one["networking"]})
    assert upstream_of(one) != upstream_of({})


def test_the_inventory_of_an_upstream_does_not_count() -> None:
    assert INVENTORY == INVENTORY_OUTPUT
    one = outputs_of({"vpcId": "vpc-1", INVENTORY: [{"type": "aws:ec2/vpc:Vpc", "name": "network", "id": "vpc-1"}]})
    assert one == outputs_of({"vpcId": "vpc-1", INVENTORY: []}) == outputs_of({"vpcId": "vpc-1"})


def test_a_record_is_kept_for_its_stack_until_it_is_forgotten(tmp_path: Path) -> None:
    project = projects()["data"]
    record = Record(SOME, "outputs", fingerprint.now())
    save(tmp_path, project, "dev", record)
    assert load(tmp_path, project, "dev") == record
    assert load(tmp_path, project, "dev-pr42") is None
    assert load(tmp_path, projects()["app"], "dev") is None
    assert [path.name for path in tmp_path.rglob("*.json")] == ["dev.json"]
    forget(tmp_path, project, "dev")
    forget(tmp_path, project, "dev")
    assert load(tmp_path, project, "dev") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", "{}", '{"fingerprint": {"code": "1"}, "outputs": "", "at": ""}', '{"fingerprint": 1, "outputs": "", "at": ""}']
)
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    project = projects()["data"]
    save(tmp_path, project, "dev", Record(SOME, "outputs", "now"))
    next(tmp_path.rglob("dev.json")).write_text(content)
    assert load(tmp_path, project, "dev") is None
