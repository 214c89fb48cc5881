"""The local cloud's process: one for a folder, found by its own identity, and never met with the state of another."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from localcloud import control
from localcloud.gaps import GAPS


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for a cloud of the test's own, which ends with the test."""
    yield tmp_path / "cloud"
    control.stop(tmp_path / "cloud")


def test_a_cloud_is_started_once_found_again_and_stopped(home: Path) -> None:
    assert control.find(home) is None
    with ThreadPoolExecutor(2) as both:
        (one, _), (other, _) = both.map(lambda _: control.start(home), range(2))
    assert one == other == control.find(home)
    assert one.state.is_dir()
    assert one.gaps() == GAPS

    keys = one.credentials("345678901234")
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"], region_name="us-east-1")
    assert session.client("sts", endpoint_url=one.endpoint).get_caller_identity()["Account"] == "345678901234"
    assert one.creations("urn:pulumi:dev::data::aws:sqs/queue:Queue::work") == []

    with urllib.request.urlopen(f"{one.endpoint}/moto-api/", timeout=10) as page:  # noqa: S310 - a loopback address
        assert page.status == 200

    # Another cloud may have got the port of the one that the file tells of.
    about = (home / "daemon.json").read_text()
    (home / "daemon.json").write_text(about.replace(one.identity, "an-earlier-one"))
    assert control.find(home) is None
    (home / "daemon.json").write_text(about)

    assert control.stop(home)
    assert control.find(home) is None
    assert not control.stop(home)


def test_the_state_of_a_cloud_that_is_gone_is_set_aside_and_the_last_three_are_kept(home: Path) -> None:
    first, aside = control.start(home)
    assert aside == []
    (first.state / "stack.json").write_text("{}")
    control.stop(home)
    shelf = home / "set-aside"
    for number in range(4):
        (shelf / f"older-{number}").mkdir(parents=True)
        os.utime(shelf / f"older-{number}", (number, number))

    second, aside = control.start(home)
    assert second.identity != first.identity
    assert [folder.name for folder in aside] == [first.identity]
    assert (aside[0] / "stack.json").is_file()
    assert not first.state.exists()
    assert list(second.state.iterdir()) == []
    assert {folder.name for folder in shelf.iterdir()} == {first.identity, "older-3", "older-2"}


def test_a_cloud_that_nobody_asks_ends(home: Path) -> None:
    running, _ = control.start(home, idle=0.5)
    deadline = time.monotonic() + 20
    # Looking for it through its page would be asking it.
    while (home / "daemon.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not (home / "daemon.json").exists()
    assert control.find(home) is None
    assert "stopping" in (home / "daemon.log").read_text()
    assert running.state.is_dir()


@pytest.mark.parametrize("content", ["", "{}", '{"identity": "gone", "pid": 1, "endpoint": "http://127.0.0.1:9", "provider": 9, "started": 0}'])
def test_the_file_of_a_cloud_that_does_not_answer_is_no_cloud(tmp_path: Path, content: str) -> None:
    (tmp_path / "daemon.json").write_text(content)
    assert control.find(tmp_path) is None
    assert not control.stop(tmp_path)


def test_a_port_that_is_taken_is_named(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(control.LocalCloudError, match=rf"ended as it started; the end of .*daemon\.log:(?s:.*)Port {port} is in use") as caught:
            control.start(home, port=port)
    assert "Traceback" not in str(caught.value)
    assert not (home / "daemon.json").exists()
