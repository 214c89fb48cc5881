"""The functions' packages: the same bytes each time, for the platform that was asked for, with what the function needs and nothing else."""

from __future__ import annotations

import os
import shutil
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

from ops import package
from ops.package import LAMBDA, PackageError, Platform, build, ensure, for_target, fresh, paths
from payments.functions import FUNCTIONS, PYTHON_VERSION, Function

each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
AARCH64 = 0xB7  # e_machine of an ELF file


def copied(folder: Path, like: Path | None = None) -> Path:
    """The tree of the service at another place, written in another order and with what a working copy has besides. like: with that tree's authority."""
    if like is not None:
        shutil.copytree(like / ".local" / "ca", folder / ".local" / "ca")
    for path in sorted((package.ROOT / "payments").rglob("*"), reverse=True):
        if path.suffix in {".py", ".txt", ".in", ".sql"}:
            target = folder / path.relative_to(package.ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            target.chmod(0o600)
    (folder / "payments" / "__pycache__").mkdir()
    (folder / "payments" / "__pycache__" / "x.cpython-311.pyc").write_bytes(os.urandom(8))
    (folder / "payments" / ".cache").mkdir()
    (folder / "payments" / ".cache" / "left").write_bytes(os.urandom(8))
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with packages for Lambda. The wheels come from uv's cache, or from the registry."""
    root = copied(tmp_path_factory.mktemp("one"))
    build(root=root)
    return root


@pytest.fixture
def tree(built: Path, tmp_path: Path) -> Path:
    """A copy of that tree, to be changed."""
    return Path(shutil.copytree(built, tmp_path / "tree"))


@pytest.fixture
def no_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a package was built")

    monkeypatch.setattr(package, "install", refused)


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_a_second_build_at_another_place_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    told: list[str] = []
    again = build(progress=told.append, root=copied(tmp_path, built))
    assert {name: path.read_bytes() for name, path in again.items()} == {name: path.read_bytes() for name, path in paths(root=built).items()}
    assert len(told) == 1 + len(FUNCTIONS)
    assert {path.name for path in again["verify-payment"].parent.iterdir()} == {*(f"{function.name}.zip" for function in FUNCTIONS), "stamp.json"}


@each
def test_entries_bear_nothing_of_the_time_and_the_machine(built: Path, function: Function) -> None:
    with zipfile.ZipFile(paths(root=built)[function.name]) as archive:
        entries = archive.infolist()
    listed = [entry.filename for entry in entries]
    assert listed == sorted(set(listed))
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.create_system for entry in entries} == {3}
    for entry in entries:
        assert entry.external_attr >> 16 == (0o100755 if entry.filename.endswith(".so") else 0o100644)
        assert not entry.filename.startswith((".", "/", "bin/"))
        assert PurePosixPath(entry.filename).suffix not in {".pyc", ".pyi", ".in"}
        assert PurePosixPath(entry.filename).name not in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "requirements.txt"}


@each
def test_a_package_is_small_enough_for_a_quick_cold_start(built: Path, function: Function) -> None:
    assert paths(root=built)[function.name].stat().st_size <= package.LARGEST


@each
def test_libraries_are_for_lambdas_processor_and_python(built: Path, function: Function) -> None:
    with zipfile.ZipFile(paths(root=built)[function.name]) as archive:
        libraries = {name: archive.read(name)[:20] for name in archive.namelist() if ".so" in PurePosixPath(name).suffixes}
    assert {name.split("/")[0] for name in libraries} >= {"psycopg_binary", "psycopg_binary.libs", "pydantic_core"}
    for name, header in libraries.items():
        assert (header[:4], struct.unpack("<H", header[18:20])[0]) == (b"\x7fELF", AARCH64), name
        if name.endswith(".so"):
            assert f"cpython-{PYTHON_VERSION.replace('.', '')}-aarch64" in name


@each
def test_only_the_functions_own_services_and_handler_are_in(built: Path, function: Function) -> None:
    listed = names(paths(root=built)[function.name])
    services = {PurePosixPath(name).parts[2] for name in listed if name.startswith("botocore/data/") and len(PurePosixPath(name).parts) > 3}
    handlers = {name for name in listed if name.startswith("payments/handlers/")}
    assert services == set(function.services)
    assert handlers == {"payments/handlers/__init__.py", f"{function.module.replace('.', '/')}.py"}
    assert not [name for name in listed if name.startswith("payments/container/")]
    # What is compared with the database's state are the migrations' names.
    assert any(name.endswith(".sql") for name in listed) == ("payments/storage/postgres/schema.py" in listed)


def distributions(path: Path, file: str = "METADATA") -> set[str]:
    """The distributions whose dist-info has a file of that name, as the lock writes them."""
    found = (name.partition(".dist-info/") for name in names(path))
    return {folder.rpartition("-")[0].replace("_", "-").lower() for folder, _, rest in found if rest.upper().split("/")[-1].startswith(file)}


def test_the_distributions_that_a_function_requires_are_in_with_their_licences_and_no_others(built: Path) -> None:
    lock = (built / "payments" / "requirements.txt").read_text()
    pins = [Requirement(line.removesuffix(" \\")) for line in lock.splitlines() if "==" in line]
    locked = {pin.name for pin in pins if pin.marker is None or pin.marker.evaluate({"python_full_version": f"{PYTHON_VERSION}.0", "sys_platform": "linux"})}
    held = {function.name: distributions(paths(root=built)[function.name]) for function in FUNCTIONS}
    assert set().union(*held.values()) == locked
    for function in FUNCTIONS:
        assert held[function.name] >= set(function.distributions)
        licensed = distributions(paths(root=built)[function.name], "LICENSE") | distributions(paths(root=built)[function.name], "COPYING")
        assert held[function.name] - licensed <= {"lazy-importer"}  # says its licence in METADATA alone
    assert {name for name, found in held.items() if "stripe" in found} == {"payment-worker"}
    assert {name for name, found in held.items() if "yoyo-migrations" in found} == {"migrate-database"}


def test_the_lock_pins_everything_by_hash_and_names_no_index() -> None:
    lock = (package.ROOT / "payments" / "requirements.txt").read_text()
    pins = [block for block in lock.replace("\\\n", " ").splitlines() if block and not block.lstrip().startswith("#")]
    assert pins
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in lock
    assert "--index" not in lock


@pytest.mark.usefixtures("no_install")
def test_what_is_fresh_is_not_built_again(built: Path, tmp_path: Path) -> None:
    assert fresh(root=built)
    assert ensure(root=built) == paths(root=built)
    assert not fresh(root=tmp_path)
    assert not fresh(replace(LAMBDA, python="3.12"), root=built)
    assert not fresh(for_target("aws"), root=built)


def test_of_those_that_want_them_at_once_one_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_by_hand(monkeypatch)
    root = copied(tmp_path)
    told: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: ensure(told.append, root=root), range(4)))
    assert all(path.is_file() for path in found[0].values())
    assert len(told) == 1 + len(FUNCTIONS)


@pytest.mark.parametrize(
    "changed", ["payments/http.py", "payments/requirements.txt", "payments/requirements.in", "payments/new.sql", ".local/ca/authority/ca.pem"]
)
def test_a_changed_input_makes_packages_stale(built: Path, changed: str) -> None:
    assert fresh(root=built)
    path = built / changed
    before = path.read_bytes() if path.exists() else None
    try:
        path.write_bytes((before or b"") + b"\n# changed\n")
        assert not fresh(root=built)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
    assert fresh(root=built)


@pytest.mark.parametrize("damage", ["missing", "truncated", "no stamp", "broken stamp"])
def test_damaged_packages_are_stale(built: Path, damage: str) -> None:
    victim = paths(root=built)["verify-payment"]
    stamp = victim.with_name("stamp.json")
    kept = victim.with_name("kept")
    path = victim if damage in {"missing", "truncated"} else stamp
    path.rename(kept)
    try:
        if damage == "truncated":
            victim.write_bytes(kept.read_bytes()[:-1])
        if damage == "broken stamp":
            stamp.write_text("{")
        assert not fresh(root=built)
    finally:
        kept.replace(path)
    assert fresh(root=built)


def test_a_change_of_one_handler_leaves_the_other_packages_alone(built: Path, tmp_path: Path) -> None:
    before = {name: path.read_bytes() for name, path in paths(root=built).items()}
    root = copied(tmp_path, built)
    handler = root / "payments" / "handlers" / "verify_payment.py"
    handler.write_text(handler.read_text() + "\n# changed\n")
    after = {name: path.read_bytes() for name, path in build(root=root).items()}
    assert {name for name in after if after[name] != before[name]} == {"verify-payment"}


def test_without_uv_the_error_says_what_installs_it(tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(package.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match="make venv"):
        build(root=tree)


def test_without_a_lock_the_error_says_how_to_make_it(tree: Path) -> None:
    (tree / "payments" / "requirements.txt").unlink()
    with pytest.raises(PackageError, match=r"uv pip compile .*--generate-hashes"):
        ensure(root=tree)


def test_a_refused_hash_stops_the_build_and_leaves_the_old_packages(tree: Path) -> None:
    before = {name: path.read_bytes() for name, path in paths(root=tree).items()}
    (tree / "payments" / "requirements.txt").write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(PackageError, match=r"cannot be installed for lambda-arm64(.|\n)*make it anew"):
        build(root=tree)
    assert {name: path.read_bytes() for name, path in paths(root=tree).items()} == before
    assert not list(paths(root=tree)["verify-payment"].parent.glob(".building-*"))


def installed_by_hand(monkeypatch: pytest.MonkeyPatch, size: int = 1) -> None:
    """Dependencies that are there at once: each brings one file of some size that cannot be compressed, boto3 also what botocore says of services."""

    def install(_platform: Platform, site: Path, _root: Path) -> None:
        for name in sorted({name for function in FUNCTIONS for name in function.distributions}):
            files = {f"{name}.py": os.urandom(size), f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n".encode()}
            if name == "boto3":
                services = {service for function in FUNCTIONS for service in function.services}
                files |= {f"botocore/data/{service}/2012/service-2.json": b"{}" for service in services}
            for file, content in files.items():
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                (site / file).write_bytes(content)
            (site / f"{name}.dist-info" / "RECORD").write_text("".join(f"{file},,\n" for file in files))

    monkeypatch.setattr(package, "install", install)


def test_a_package_that_grew_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "LARGEST", 1024 * 1024)
    installed_by_hand(monkeypatch, 300 * 1024)
    with pytest.raises(PackageError, match=r"the package of process-payment has 1\.\d MiB; 1 MiB are allowed"):
        build(root=copied(tmp_path))
    assert not any(path.exists() for path in paths(root=tmp_path).values())


def test_a_declared_handler_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_by_hand(monkeypatch)
    root = copied(tmp_path)
    (root / "payments" / "handlers" / "payment_worker.py").unlink()
    with pytest.raises(PackageError, match=r"function payment-worker: .*payments/handlers/payment_worker.py"):
        build(root=root)


def test_an_interrupted_build_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_by_hand(monkeypatch)
    root = copied(tmp_path)

    def interrupt(text: str) -> None:
        if text == "packing verify-payment":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(progress=interrupt, root=root)
    assert list((root / ".local" / "packages" / LAMBDA.name).iterdir()) == []
    assert not fresh(root=root)


def test_what_a_killed_build_left_is_removed_later_and_a_running_one_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_by_hand(monkeypatch)
    root = copied(tmp_path)
    folder = root / ".local" / "packages" / LAMBDA.name
    for name, age in ((".building-old", 7200), (".building-now", 0)):
        (folder / name).mkdir(parents=True)
        begun = (folder / name).stat().st_mtime - age
        os.utime(folder / name, (begun, begun))
    build(root=root)
    assert [path.name for path in folder.glob(".building-*")] == [".building-now"]
