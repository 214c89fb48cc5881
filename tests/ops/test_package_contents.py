"""What goes into a package: what a function's module reaches and what its distributions require, and what cannot be told is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.package import LAMBDA, this_machine
from ops.package_contents import ContentsError, Distributions, Sources, extras, files, is_wanted


def tree(root: Path, written: dict[str, str]) -> Sources:
    for name, text in written.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Sources(files(root))


def test_a_module_brings_what_it_imports_anywhere_and_the_packages_around_that(tmp_path: Path) -> None:
    sources = tree(
        tmp_path,
        {
            "payments/__init__.py": "",
            "payments/a/__init__.py": "from payments import around",
            "payments/a/start.py": "import payments.b.plain, json\nfrom . import sibling\nfrom ..b import module\ndef f():\n    from payments.late import Late",
            "payments/a/sibling.py": "",
            "payments/a/other.py": "import payments.unused",
            "payments/around.py": "",
            "payments/b/__init__.py": "",
            "payments/b/plain.py": "import payments.a.start",
            "payments/b/module.py": "",
            "payments/late.py": "",
            "payments/unused.py": "",
        },
    )
    left_out = {"payments/a/other.py", "payments/unused.py"}
    assert set(sources.reached("payments.a.start")) == set(sources.all) - left_out
    assert sources.reached("payments.a.start")["payments/late.py"] == tmp_path / "payments" / "late.py"


def test_data_go_with_the_modules_that_name_their_folder(tmp_path: Path) -> None:
    sources = tree(
        tmp_path,
        {
            "payments/__init__.py": "",
            "payments/one.py": "FOLDER = __file__ + 'migrations'\nOTHER = ['migrations']",
            "payments/two.py": "'''migrations are not here'''",
            "payments/migrations/1.sql": "",
            "payments/container/migrations/1.sql": "",
            "payments/requirements.in": "",
            "payments/trust/bundle.pem": "a working copy's own",
        },
    )
    assert set(sources.reached("payments.one")) == {"payments/__init__.py", "payments/one.py", "payments/migrations/1.sql"}
    assert set(sources.reached("payments.two")) == {"payments/__init__.py", "payments/two.py"}


def test_a_file_that_python_cannot_read_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ContentsError, match=r"payments/x\.py, line 2: "):
        tree(tmp_path, {"payments/x.py": "a = 1\nb = = 2\n"}).reached("payments.x")


def installed(site: Path, **required: tuple[str, ...]) -> Path:
    for name, requirements in required.items():
        folder = site / f"{name}-1.dist-info"
        folder.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name.replace('_', '-').upper()}", "Version: 1", *(f"Requires-Dist: {text}" for text in requirements)]
        (folder / "METADATA").write_text("\n".join(lines) + "\n")
        (folder / "RECORD").write_text(f"{name}/__init__.py,,\n{name}-1.dist-info/METADATA,,\n../../bin/{name},,\n")
    return site


def test_what_is_required_there_is_followed_through_markers_and_the_extras_that_were_asked_for(tmp_path: Path) -> None:
    site = installed(
        tmp_path,
        start=("middle>=1", "windows; sys_platform == 'win32'", "old; python_version < '3.12'", "arm; platform_machine == 'aarch64'"),
        middle=("Under_Score", "asked; extra == 'asked'", "unasked; extra == 'unasked'"),
        under_score=("start",),
        **dict.fromkeys(("windows", "old", "arm", "asked", "unasked"), ()),
    )
    asked = extras("# of ours\nstart\nmiddle[asked]~=1.0  # why\n-r other.in\n\n")
    assert Distributions(site, asked, LAMBDA.markers).required(["Start"]) == {"start", "middle", "under-score", "arm", "asked"}
    here = Distributions(site, {}, {**this_machine().markers, "python_version": "3.11", "platform_machine": "x86_64"})
    assert here.required(["start"]) == {"start", "middle", "under-score", "old"}
    assert set(here.files(["middle"])) == {"middle/__init__.py", "middle-1.dist-info/METADATA"}


def test_what_the_lock_does_not_bring_is_named_with_whoever_wants_it(tmp_path: Path) -> None:
    found = Distributions(installed(tmp_path, start=("gone",)), {}, LAMBDA.markers)
    with pytest.raises(ContentsError, match=r"start needs the distribution gone, which payments/requirements\.txt does not bring"):
        found.required(["start"])
    with pytest.raises(ContentsError, match=r"payments/functions\.py needs the distribution absent"):
        found.required(["absent"])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("boto3/session.py", True),
        ("boto3/data/sqs/2012/resources-1.json", False),
        ("boto3/examples/x.rst", False),
        ("botocore/data/sqs/2012/service-2.json.gz", True),
        ("botocore/data/ec2/2016/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("wrapt-stubs/__init__.pyi", False),
        ("x/__init__.pyi", False),
        ("x/y.pyc", False),
        ("x.py", True),
        ("x-1.dist-info/METADATA", True),
        ("x-1.dist-info/RECORD", False),
        ("x-1.dist-info/licenses/LICENSE", True),
        ("x-1.dist-info/NOTICE.txt", True),
        ("x-1.dist-info/direct_url.json", False),
        ("psycopg_binary.libs/libpq.so.5", True),
    ],
)
def test_what_is_of_use_when_the_function_runs(name: str, *, wanted: bool) -> None:
    assert is_wanted(name, ("sqs",)) == wanted
