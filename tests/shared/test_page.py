"""Pages: every kind of bad page gives page, key, value and rule, all at once, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from shared import page as pages
from shared.page import Page, PageError, Settings, from_engine, problem


class Disk(Settings):
    size_gib: Annotated[int, Field(ge=1, le=16)]
    kind: Literal["ssd", "hdd"] = "ssd"


class Machine(Settings):
    name: str
    disks: tuple[Disk, ...] = ()
    first_disk: Disk | None = None


def write(folder: Path, content: str | bytes, name: str = "odd") -> Path:
    path = folder / f"Pulumi.{name}.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def refused(folder: Path, name: str = "odd") -> list[str]:
    with pytest.raises(PageError) as caught:
        pages.read(name, folder)
    return [str(found) for found in caught.value.problems]


def problems(page: Page) -> list[str]:
    with pytest.raises(PageError) as caught:
        page.settings("machine", Machine)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(found) for found in caught.value.problems]


def test_a_page_is_read_as_the_engine_would() -> None:
    page = pages.read("dev")
    assert page.file == "environments/Pulumi.dev.yaml"
    assert page.namespaces() == {"aws", "platform", "networking", "data", "app", "observability"}
    assert page.section("platform")["stage"] == "dev"
    assert set(pages.names()) > {"dev", "staging", "prod"}
    assert pages.names() == sorted(pages.names())


def test_there_is_no_such_page(tmp_path: Path) -> None:
    assert refused(tmp_path) == ["environments/Pulumi.odd.yaml: (file): there is no such page; environments are none yet"]
    write(tmp_path, "config: {}", "real")
    assert refused(tmp_path) == ["environments/Pulumi.odd.yaml: (file): there is no such page; environments are real"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("config: [", "(file): is not YAML: while parsing"),
        ("config:\n\t- x", "(file): is not YAML: while scanning"),
        (b"config: \xff\xfe", "(file): is not YAML: 'utf-8' codec can't decode"),
        ("config: \x07", "(file): is not YAML: unacceptable character"),
        ("!!python/object/apply:os.getcwd []", "(file): is not YAML: could not determine a constructor"),
        ("", "config: must hold the environment's keys"),
        ("just words", "config: must hold the environment's keys"),
        ("- a: list", "config: must hold the environment's keys"),
        ("secretsprovider: passphrase", "config: must hold the environment's keys"),
        ("config: none", "config: must hold the environment's keys"),
        ("config: {stage: dev}", "stage: must be <namespace>:<key>"),
        ("config: {1: dev}", "1: must be <namespace>:<key>"),
        ("config: {2026-11-21 10:00:00: dev}", "2026-11-21 10:00:00: must be <namespace>:<key>"),
        ("config: {null: dev}", "None: must be <namespace>:<key>"),
    ],
)
def test_what_is_no_page_is_said_without_a_traceback(tmp_path: Path, content: str | bytes, told: str) -> None:
    [found] = refused(write(tmp_path, content))
    assert found.startswith(f"environments/Pulumi.odd.yaml: {told}")
    assert "\n" not in found


def test_every_key_without_a_namespace_is_named(tmp_path: Path) -> None:
    assert len(refused(write(tmp_path, "config: {stage: dev, aws:region: x, account: 1}"))) == 2


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | st.text("config: {}[]\n-&*!|>'\"%@`\t", max_size=60).map(str.encode))
def test_no_content_gives_anything_but_a_page_or_its_problems(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    found: list[pages.Problem] = []
    keys: list[str] = []
    try:
        keys = list(pages.read("odd", write(folder, content)).config)
    except PageError as error:
        found = error.problems
    assert all(one.page == "environments/Pulumi.odd.yaml" and one.key and one.rule for one in found)
    assert all(":" in key for key in keys)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, ["machine:name: is required and missing"]),
        ({"name": "a", "disks": [{"kind": "ssd"}]}, ["machine:disks[0].sizeGib: is required and missing"]),
        ({"name": "a", "firstDisk": {"sizeGib": 17}}, ["machine:firstDisk.sizeGib = 17: Input should be less than or equal to 16"]),
        ({"name": "a", "disks": [{"sizeGib": 1}, {"sizeGib": "big"}]}, ['machine:disks[1].sizeGib = "big": Input should be a valid integer']),
        ({"name": "a", "disks": "none"}, ['machine:disks = "none": Input should be a valid tuple']),
        ({"name": "a", "firstDisk": {"sizeGib": 1, "kind": "tape"}}, ["machine:firstDisk.kind = \"tape\": Input should be 'ssd' or 'hdd'"]),
        ({"name": "a", "colour": "red"}, ['machine:colour = "red": unknown key']),
        ({"name": None}, ["machine:name = null: Input should be a valid string"]),
        ({"name": "a", "firstDisk": {"sizeGib": 1, "speed": {"a": "x" * 200}}}, ['machine:firstDisk.speed = {"a": "xxx']),
    ],
)
def test_settings_are_refused_with_key_value_and_rule(keys: dict[str, Any], told: list[str]) -> None:
    found = problems(Page("odd", {f"machine:{key}": value for key, value in keys.items()}))
    assert len(found) == len(told)
    for one, expected in zip(found, told, strict=True):
        assert one.startswith(f"environments/Pulumi.odd.yaml: {expected}")
        assert len(one) < 250


def test_all_that_is_wrong_is_said_at_once_and_other_namespaces_are_none_of_it() -> None:
    page = Page("odd", {"machine:disks": [{"sizeGib": 0}, {}], "machine:colour": 1, "other:name": "x"})
    assert [found.split(": ")[1].split(" = ")[0] for found in problems(page)] == [
        "machine:name",
        "machine:disks[0].sizeGib",
        "machine:disks[1].sizeGib",
        "machine:colour",
    ]


def test_settings_are_camel_case_on_the_page_and_cannot_be_changed() -> None:
    machine = Page("odd", {"machine:name": "a", "machine:firstDisk": {"sizeGib": 4}}).settings("machine", Machine)
    assert machine.first_disk is not None
    assert machine.first_disk.size_gib == 4
    with pytest.raises(ValueError, match="frozen"):
        machine.name = "b"


def test_other_values_make_another_page() -> None:
    page = pages.read("dev")
    changed = page.with_values({"platform:stage": "staging"})
    assert (changed.section("platform")["stage"], page.section("platform")["stage"]) == ("staging", "dev")
    assert changed.name == page.name


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_engine_hands_over_the_same_page_as_strings(name: str) -> None:
    page = pages.read(name)
    handed = from_engine(name, {key: value if isinstance(value, str) else json.dumps(value) for key, value in page.config.items()})
    for namespace in ("networking", "data", "app", "observability"):
        assert handed.section(namespace) == page.section(namespace)


@given(st.text(max_size=20))
def test_a_string_that_looks_like_json_and_is_none_stays_a_string(text: str) -> None:
    [value] = from_engine("odd", {"a:b": "{" + text}).config.values()
    assert value == "{" + text or value == json.loads("{" + text)


def test_an_absent_value_is_not_shown_and_a_null_one_is() -> None:
    assert str(problem("p", "k", "r")) == "p: k: r"
    assert str(problem("p", "k", "r", None)) == "p: k = null: r"


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_committed_pages_hold_configuration_and_nothing_of_the_engines(name: str) -> None:
    document = yaml.safe_load((pages.ENVIRONMENTS / f"Pulumi.{name}.yaml").read_text())
    assert set(document) == {"config"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "config:\n  data:cache:\n  observability:alarms: ~\n",
            [
                ": data:cache = null: holds nothing; give it its settings, or take the key away",
                ": observability:alarms = null: holds nothing; give it its settings, or take the key away",
            ],
        ),
        ("config:\n  a:b: 1\n  a:c: 2\n  a:b: 3\n", [", line 4: a:b: stands in line 2 already, and one of the two would be ignored; take one away"]),
        (
            "config:\n  a:b:\n    c: 1\n    d: [{e: 1}, {e: 2, e: 3}]\n    c: 2\n",
            [
                ", line 4: a:b.d[1].e: stands in line 4 already, and one of the two would be ignored; take one away",
                ", line 5: a:b.c: stands in line 3 already, and one of the two would be ignored; take one away",
            ],
        ),
        ("config: {a:b: 1}\nconfig: {a:c: 1}\n", [", line 2: config: stands in line 1 already, and one of the two would be ignored; take one away"]),
    ],
    ids=["nothing", "a key", "within sections", "the configuration"],
)
def test_what_yaml_would_take_without_a_word_is_refused_with_its_place(tmp_path: Path, text: str, told: list[str]) -> None:
    (tmp_path / "Pulumi.odd.yaml").write_text(text)
    with pytest.raises(PageError) as refused:
        pages.read("odd", tmp_path)
    assert sorted(map(str, refused.value.problems)) == sorted(f"environments/Pulumi.odd.yaml{one}" for one in told)
