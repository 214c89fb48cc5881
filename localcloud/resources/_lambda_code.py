"""A function's code as the zip that Lambda takes, made from what Pulumi calls an archive."""

from __future__ import annotations

import errno
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pulumi.asset import Archive, Asset, AssetArchive, FileArchive, FileAsset, StringAsset

# Lambda quotas, "Deployment package (.zip file archive) size": 50 MB zipped for a direct upload, 250 MB unzipped.
ZIPPED_LIMIT = 50 * 1024 * 1024
UNZIPPED_LIMIT = 250 * 1024 * 1024

# The oldest date that a zip can hold: the same files always give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def is_archive(value: Any) -> str | None:
    """Why a value cannot be a function's code, or None when it can."""
    if isinstance(value, FileArchive | AssetArchive):
        return None
    if isinstance(value, Archive | Asset):
        return f"a {type(value).__name__} cannot be a function's code here; use a FileArchive or an AssetArchive"
    return f"must be an archive (pulumi.FileArchive or pulumi.AssetArchive), not {value!r}"


def zipped(archive: Archive) -> bytes:
    """The archive as a zip: a zip file as it is, a folder, a tar file or a map of assets packed reproducibly.

    Raises OSError where a file cannot be read or is no archive, and where the zip is larger than Lambda takes.
    """
    path = Path(archive.path) if isinstance(archive, FileArchive) else None
    if path and path.is_file() and zipfile.is_zipfile(path):
        status = path.stat()
        return _as_it_is(path.resolve(), status.st_mtime_ns, status.st_size)
    return _within_limits(_packed(dict(_files(archive, ""))), path)


@lru_cache(16)
def _as_it_is(path: Path, _changed: int, _size: int) -> bytes:
    """The same object again while the file is the same: environments share their packages of ten megabytes."""
    return _within_limits(path.read_bytes(), path)


def _within_limits(data: bytes, path: Path | None) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as content:
        unzipped = sum(entry.file_size for entry in content.infolist())
    for size, limit, what in ((len(data), ZIPPED_LIMIT, "zipped"), (unzipped, UNZIPPED_LIMIT, "unzipped")):
        if size > limit:
            advice = f"Lambda takes at most {limit // 2**20} MB. Leave files out of it, or use layers"
            raise OSError(errno.EFBIG, f"{path or 'the archive'} is {size / 2**20:.1f} MB {what}; {advice}")
    return data


def _packed(files: Mapping[str, tuple[bytes, bool]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as content:
        for name in sorted(files):
            data, executable = files[name]
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            content.writestr(entry, data)
    return packed.getvalue()


def _files(source: Archive | Asset, at: str) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    """Every file below `at`: its name in the zip, its content, and whether it is executable."""
    if isinstance(source, AssetArchive):
        for name, entry in source.assets.items():
            yield from _files(entry, f"{at}/{name}" if at else name)
    elif isinstance(source, StringAsset):
        yield at, (source.text.encode(), False)
    elif isinstance(source, FileAsset):
        path = Path(source.path)
        yield at, (path.read_bytes(), _is_executable(path))
    elif isinstance(source, FileArchive):
        below = f"{at}/" if at else ""
        for name, content in _in_path(Path(source.path)):
            yield below + name, content
    else:
        raise OSError(errno.EINVAL, f"a {type(source).__name__} is fetched from elsewhere, which the local cloud does not do; use a file", at or "code")


def _in_path(path: Path) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    if path.is_dir():
        return ((file.relative_to(path).as_posix(), (file.read_bytes(), _is_executable(file))) for file in path.rglob("*") if file.is_file())
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "no such file or folder; package the function's code first", str(path))
    if zipfile.is_zipfile(path):
        return _in_zip(path)
    if tarfile.is_tarfile(path):
        return _in_tar(path)
    raise OSError(errno.EINVAL, "is neither a folder nor a zip or tar file", str(path))


def _in_zip(path: Path) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    with zipfile.ZipFile(path) as content:
        for entry in content.infolist():
            if not entry.is_dir():
                yield entry.filename, (content.read(entry), bool(entry.external_attr >> 16 & 0o100))


def _in_tar(path: Path) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    with tarfile.open(path) as content:
        for member in content.getmembers():
            if (data := content.extractfile(member)) is not None:
                yield member.name.removeprefix("./"), (data.read(), bool(member.mode & 0o100))


def _is_executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)
