"""Which PostgreSQL is taken: one with TLS, the one that was named before any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.stores import binaries
from localcloud.stores.kept import StoreError


@pytest.fixture(autouse=True)
def unknown(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is known of earlier looks, nor after the test of its own."""
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    binaries.find.cache_clear()
    yield
    binaries.find.cache_clear()


def made(folder: Path, configured: str, version: str = "PostgreSQL 17.4", *, code: int = 0) -> Path:
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres", "pg_config"):
        (folder / name).write_text(f"#!/bin/sh\necho '{version}'\necho \"{configured}\"\nexit {code}\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_variable_names_the_one_to_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path / "bin", "'--with-openssl'")
    monkeypatch.setenv(binaries.VARIABLE, str(folder))
    found = binaries.find()
    assert (found.folder, found.major, found.program("pgbench")) == (folder, 17, str(folder / "pgbench"))


def test_of_what_the_system_has_the_newest_with_tls_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_WHEELS", ("no_such_wheel",))
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", "")
    made(tmp_path / "9" / "bin", "'--with-openssl'", "PostgreSQL 9.6.1")
    made(tmp_path / "16" / "bin", "'--with-openssl'", "PostgreSQL 16.4")
    made(tmp_path / "18" / "bin", "'--without-icu'", "PostgreSQL 18.1")
    assert binaries.find().major == 16
    assert binaries.find().folder == tmp_path / "16" / "bin"


def test_where_there_is_none_each_that_was_looked_at_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_WHEELS", ())
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(made(tmp_path / "path", "'--without-ldap'")))
    (tmp_path / "15").mkdir()
    made(tmp_path / "14" / "bin", "", "pg_config: cannot run", code=1)
    (tmp_path / "path" / "x").touch()
    with pytest.raises(StoreError) as error:
        binaries.find()
    said = str(error.value)
    assert f"{tmp_path / 'path'}: was built without TLS" in said
    assert f"{tmp_path / '15' / 'bin'}: has no initdb and no postgres and no pg_config" in said
    assert f"{tmp_path / '14' / 'bin'}: does not run here: pg_config: cannot run" in said
    assert binaries.VARIABLE in said
