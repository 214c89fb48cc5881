"""Files are written whole or not at all, whatever goes wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.files import write_whole


@pytest.mark.parametrize("content", ["text, ä", b"\x00bytes"])
def test_a_file_is_written_in_folders_that_are_made_and_replaces_another(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "a" / "b" / "c.json"
    write_whole(file, "before")
    write_whole(file, content)
    assert file.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("taken", ["folder", "folder/file/x.json", "/"])
def test_what_cannot_be_written_is_an_error_and_leaves_nothing_beside(tmp_path: Path, taken: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / taken, "new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "folder" / "file").read_text() == "mine"


def test_a_file_whose_writing_breaks_off_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    write_whole(file, "before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert file.read_text() == "before"


def test_many_that_write_the_same_file_leave_one_of_theirs(tmp_path: Path) -> None:
    file, texts = tmp_path / "a.json", [str(number) * 20_000 for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            list(threads.map(lambda text: write_whole(file, text), texts))
            assert file.read_text() in texts
    assert list(tmp_path.iterdir()) == [file]
