"""What the doctor sees on machines that have or lack something."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from rich.console import Console

from ops import doctor
from ops.doctor import Check
from ops.toolchain.memory import Memory
from tests.ops.toolchain_fakes import House, house


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A machine without anything: no CLI, no Go, no credentials, no backend, no passphrase."""
    made = house(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", made.environ["PATH"])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return made


def report(home: House, local_cloud: str | None = None, **environ: str) -> dict[str, Check]:
    found = doctor.checks(lambda: local_cloud, home.places, {**os.environ, **environ})
    assert [check.name for check in found] == list(NAMES)
    return {check.name: check for check in found}


NAMES = ("Python", "Pulumi CLI", "Python language host", "Go", "local cloud", "AWS credentials", "backend", "secrets")


def test_a_bare_machine_is_told_what_to_do(home: House) -> None:
    found = report(home)
    assert {name: check.state for name, check in found.items()} == {
        "Python": "ok",
        "Pulumi CLI": "missing",
        "Python language host": "missing",
        "Go": "warning",
        "local cloud": "ok",
        "AWS credentials": "warning",
        "backend": "warning",
        "secrets": "warning",
    }
    assert all(check.mend for check in found.values() if check.state != "ok")
    assert not doctor.healthy(list(found.values()))
    assert "invoke rehearse" in found["Pulumi CLI"].detail


def test_a_cli_makes_the_machine_healthy_and_go_unneeded(home: House) -> None:
    home.put_cli(home.on_path, "3.100.0")
    home.put_cli(home.places.bin, "3.250.0")
    home.memory.keep_own(origin="official", host="3.250.0", pins="")
    found = report(home)
    assert doctor.healthy(list(found.values()))
    assert found["Pulumi CLI"].detail.startswith(f"3.250.0, the project's own copy (official): {home.places.bin / 'pulumi'}")
    assert "3.100.0" in found["Pulumi CLI"].detail
    assert found["Python language host"].detail == f"version 3.250.0, in {home.places.bin}"
    assert (found["Go"].state, found["Go"].mend) == ("ok", "")


def test_a_place_without_a_cli_is_no_news_when_another_has_one(home: House) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    assert "on PATH" not in report(home)["Pulumi CLI"].detail


def test_go_is_reported_with_its_version_or_its_age(home: House) -> None:
    home.put_go(version="1.26.8")
    assert report(home)["Go"].detail.startswith("1.26.8")
    home.put_go(version="1.20.1")
    assert report(home)["Go"].state == "warning"


def test_an_environment_older_than_its_lock_is_reported(home: House) -> None:
    ready, locked = home.places.root / ".venv" / ".ready", home.places.root / "requirements" / "all.txt"
    for file in (ready, locked):
        file.parent.mkdir()
        file.touch()
    os.utime(ready, (1, 1))
    found = report(home)["Python"]
    assert (found.state, found.mend) == ("warning", "make venv")
    os.utime(ready)
    os.utime(locked, (1, 1))
    assert report(home)["Python"].state == "ok"


def test_the_local_cloud_says_where_it_listens(home: House) -> None:
    assert report(home, "127.0.0.1:4566")["local cloud"].detail == "127.0.0.1:4566"
    assert "not running" in report(home)["local cloud"].detail


def test_the_account_behind_the_credentials_is_told(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        found = report(home)["AWS credentials"]
    assert (found.state, found.mend) == ("ok", "")
    assert found.detail.startswith("account 123456789012, as arn:aws:sts::123456789012:")


def test_a_profile_that_does_not_exist_is_a_warning(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    found = report(home)["AWS credentials"]
    assert found.state == "warning"
    assert "nowhere" in found.detail


def test_keys_that_aws_refuses_are_a_warning_with_its_words(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = ClientError({"Error": {"Code": "InvalidClientTokenId", "Message": "The security token is invalid"}}, "GetCallerIdentity")

    def refuse(*_: object, **__: object) -> object:
        raise refusal

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    found = report(home)["AWS credentials"]
    assert (found.state, "The security token is invalid" in found.detail) == ("warning", True)


def test_an_aws_that_does_not_answer_costs_seconds(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "AWS_ANSWERS_WITHIN", 0.2)
    monkeypatch.setattr("boto3.Session.get_credentials", lambda _: time.sleep(5))
    began = time.monotonic()
    found = report(home)["AWS credentials"]
    assert "no answer within 0.2 s" in found.detail
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"PULUMI_BACKEND_URL": "s3://state?region=eu-west-1"}, "s3://state (PULUMI_BACKEND_URL)"),
        ({"PULUMI_BACKEND_URL": "https://user:secret@pulumi.example.org/organization"}, "https://pulumi.example.org/organization (PULUMI_BACKEND_URL)"),
        ({"PULUMI_BACKEND_URL": "file://~"}, "file://~ (PULUMI_BACKEND_URL)"),
        ({"PULUMI_ACCESS_TOKEN": "pul-secret"}, "https://api.pulumi.com (PULUMI_ACCESS_TOKEN)"),
    ],
)
def test_the_backend_is_told_and_never_a_secret(home: House, environ: dict[str, str], shown: str) -> None:
    found = report(home, **environ)["backend"]
    assert (found.state, found.detail) == ("ok", shown)


@pytest.mark.parametrize("variable", ["HOME", "PULUMI_HOME", "PULUMI_CREDENTIALS_PATH"])
def test_a_login_is_found_where_the_cli_keeps_it(home: House, tmp_path: Path, variable: str) -> None:
    folder = tmp_path / "elsewhere"
    file = (folder / ".pulumi" if variable == "HOME" else folder) / "credentials.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"current": "s3://logged-in"}', encoding="utf-8")
    assert report(home, **{variable: str(folder)})["backend"].detail == f"s3://logged-in ({file})"


def test_a_check_that_breaks_is_a_warning_and_the_others_go_on(home: House, tmp_path: Path) -> None:
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi" / "credentials.json").write_text("{", encoding="utf-8")
    found = report(home)
    assert found["backend"].detail.startswith("could not be checked: JSONDecodeError")
    assert found["Python"].state == "ok"


def test_secrets_come_from_a_passphrase_a_backend_or_the_pages(home: House, tmp_path: Path) -> None:
    assert report(home, PULUMI_CONFIG_PASSPHRASE="x")["secrets"].state == "ok"
    absent = tmp_path / "passphrase"
    assert report(home, PULUMI_CONFIG_PASSPHRASE_FILE=str(absent))["secrets"].detail.endswith(f"{absent}, which is no file")
    absent.touch()
    assert report(home, PULUMI_CONFIG_PASSPHRASE_FILE=str(absent))["secrets"].state == "ok"
    assert report(home, PULUMI_BACKEND_URL="https://api.pulumi.com")["secrets"].state == "ok"
    pages = home.places.root / "environments"
    pages.mkdir()
    (pages / "Pulumi.prod.yaml").write_text("secretsprovider: awskms://alias/pages\nconfig: {}\n", encoding="utf-8")
    found = report(home, PULUMI_BACKEND_URL="s3://state")["secrets"]
    assert (found.state, found.detail) == ("ok", "Pulumi.prod.yaml: awskms://alias/pages")
    (pages / "Pulumi.dev.yaml").write_text("config: {}\n", encoding="utf-8")
    found = report(home, PULUMI_BACKEND_URL="s3://state")["secrets"]
    assert (found.state, "Pulumi.dev.yaml" in found.detail, "Pulumi.prod.yaml" in found.detail) == ("warning", True, False)


def test_looking_leaves_the_machine_as_it_was(home: House) -> None:
    before = sorted(home.places.root.rglob("*"))
    report(home)
    assert sorted(home.places.root.rglob("*")) == before
    assert Memory(home.places.memory).own() == {}


def test_the_report_for_machines_and_the_one_for_people_say_the_same() -> None:
    found = [Check(name="one", state="ok", detail="[fine]"), Check(name="two", state="missing", detail="gone", mend="make venv")]
    read = json.loads(doctor.as_json(found))
    assert (read["schema"], read["healthy"]) == (1, False)
    assert read["checks"][1] == {"name": "two", "state": "missing", "detail": "gone", "mend": "make venv"}
    screen = io.StringIO()
    doctor.render(found, Console(file=screen, width=100))
    for part in ("one", "[fine]", "missing", "gone", "make venv"):
        assert part in screen.getvalue()
