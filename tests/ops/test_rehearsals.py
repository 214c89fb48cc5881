"""Rehearsals of many environments at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ops import commands, package, rehearsals
from ops.rehearsals import Rehearsed, rehearse_each
from shared import page

Capture = pytest.CaptureFixture[str]


def test_one_that_is_no_page_stops_no_other(tmp_path: Path) -> None:
    # The one test that starts the processes, each of which imports what a rehearsal needs.
    told: list[str] = []
    dev, none = rehearse_each(["dev", "qa"], tmp_path, lambda one: told.append(one.name))
    assert (dev.name, dev.problems) == ("dev", ())
    assert dev.resources > 100
    assert "there is no such page" in none.problems[0]
    assert sorted(told) == ["dev", "qa"]
    assert json.loads((tmp_path / "dev.json").read_text())["environment"] == "dev"
    assert not (tmp_path / "qa.json").exists()


def test_several_environments_are_rehearsed_at_once_and_written_to_a_folder(monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> None:
    asked: list[tuple[list[str], Path | None, str]] = []

    def rehearse_each(names: list[str], folder: Path | None, on_end: Callable[[Rehearsed], None], *, suffix: str) -> list[Rehearsed]:
        asked.append((names, folder, suffix))
        done = [Rehearsed("dev", 150, 2.5), Rehearsed("qa", problems=("no such page", "no such key"))]
        for one in done:
            on_end(one)
        return done

    monkeypatch.setattr(package, "ensure", lambda _: {})
    monkeypatch.setattr(rehearsals, "rehearse_each", rehearse_each)
    assert commands.rehearse(["dev", "qa"], "pr42", str(tmp_path)) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("  dev: 150 resources in 2.5 s\n", "error: no such page\nerror: no such key\n")
    assert asked == [(["dev", "qa"], tmp_path, "pr42")]
    commands.rehearse([], "", "")
    assert asked[-1] == (page.names(), None, "")
    assert commands.rehearse([], "", "-") == 2
    assert "--json -: several environments are written to a folder" in capsys.readouterr().err
