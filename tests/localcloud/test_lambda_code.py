"""A function's package: the same files give the same bytes, whatever they came in, and a change inside a file is seen."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pulumi.asset import Archive, AssetArchive, FileArchive, FileAsset, RemoteAsset, StringAsset

from localcloud import catalogue, wire
from localcloud.fields import same
from localcloud.resources import _lambda_code
from localcloud.resources._lambda_code import zipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package with a module in a folder and a script."""
    root = tmp_path / "package"
    (root / "payments").mkdir(parents=True)
    (root / "payments/app.py").write_text("x = 1")
    (root / "run.sh").write_text("#!/bin/sh")
    (root / "run.sh").chmod(0o755)
    return root


def content(data: bytes) -> dict[str, int]:
    """The names in a zip, with the permissions of each."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {entry.filename: entry.external_attr >> 16 & 0o777 for entry in packed.infolist()}


def test_a_folder_gives_the_same_bytes_whenever_its_files_were_written(folder: Path) -> None:
    first = zipped(FileArchive(str(folder)))
    os.utime(folder / "run.sh", (0, 0))
    assert zipped(FileArchive(str(folder))) == first
    assert content(first) == {"payments/app.py": 0o644, "run.sh": 0o755}


def test_a_tar_file_gives_the_bytes_of_its_folder_and_a_zip_file_its_own(folder: Path, tmp_path: Path) -> None:
    first = zipped(FileArchive(str(folder)))
    with tarfile.open(tmp_path / "package.tar.gz", "w:gz") as packed:
        packed.add(folder / "payments", "./payments")
        packed.add(folder / "run.sh", "run.sh")
    (tmp_path / "package.zip").write_bytes(first)
    assert zipped(FileArchive(str(tmp_path / "package.tar.gz"))) == first
    assert zipped(FileArchive(str(tmp_path / "package.zip"))) == first


def test_archives_and_assets_are_put_where_their_names_say(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "package.zip").write_bytes(zipped(FileArchive(str(folder))))
    parts: dict[str, Any] = {
        "lib": FileArchive(str(tmp_path / "package.zip")),
        "in": AssetArchive({"note.txt": StringAsset("paid")}),
        "start.sh": FileAsset(str(folder / "run.sh")),
    }
    expected = {"in/note.txt": 0o644, "lib/payments/app.py": 0o644, "lib/run.sh": 0o755, "start.sh": 0o755}
    assert content(zipped(AssetArchive(parts))) == expected


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (FileArchive("nowhere/package"), "no such file or folder; package the function's code first: 'nowhere/package'"),
        (FileArchive("{folder}/run.sh"), "is neither a folder nor a zip or tar file"),
        (AssetArchive({"remote": RemoteAsset("https://example.com/package.zip")}), "RemoteAsset is fetched from elsewhere"),
    ],
    ids=["missing", "no archive", "remote"],
)
def test_what_cannot_be_packed_is_told_with_its_path(folder: Path, archive: Archive, reason: str) -> None:
    if isinstance(archive, FileArchive):
        archive = FileArchive(archive.path.format(folder=folder))
    with pytest.raises(OSError, match=reason):
        zipped(archive)


def test_a_package_that_lambda_would_not_take_is_refused_with_its_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lambda_code, "UNZIPPED_LIMIT", 3 * 2**20)
    (folder / "model.bin").write_bytes(bytes(4 * 2**20))
    with pytest.raises(OSError, match=r"is 4\.0 MB unzipped; Lambda takes at most 3 MB"):
        zipped(FileArchive(str(folder)))


def hashed(path: str, digest: str) -> Any:
    """An archive as the engine sends it: with the hash of its content."""
    message = wire.dump({"code": FileArchive(path)})
    message.fields["code"].struct_value.fields["hash"].string_value = digest
    return wire.load(message)["code"]


def test_the_engines_hash_of_the_content_decides_whether_code_changed() -> None:
    code = catalogue.kind("aws:lambda/function:Function").fields["code"]
    before = hashed("package", "1a")
    assert wire.dump({"code": before}).fields["code"].struct_value.fields["hash"].string_value == "1a"
    assert same(code, before, hashed("elsewhere", "1a"))
    assert not same(code, before, hashed("package", "2b"))
    assert not same(code, FileArchive("package"), FileArchive("elsewhere"))


def test_code_of_which_the_engine_kept_the_hash_alone_is_compared_by_it() -> None:
    """In a state there is no path: what was deployed may have been packed on another machine."""
    message = wire.dump({"code": FileArchive("package")})
    fields = message.fields["code"].struct_value.fields
    del fields["path"]
    fields["hash"].string_value = "1a"
    kept = wire.load(message)["code"]
    code = catalogue.kind("aws:lambda/function:Function").fields["code"]
    assert same(code, kept, hashed("package", "1a"))
    assert not same(code, kept, hashed("package", "2b"))


def test_a_file_archive_that_the_engine_sends_with_an_empty_map_of_assets_is_the_file(folder: Path) -> None:
    message = wire.dump({"code": FileArchive(str(folder))})
    message.fields["code"].struct_value.fields["assets"].struct_value.SetInParent()
    assert zipped(wire.load(message)["code"]) == zipped(FileArchive(str(folder)))
