"""`invoke serve`: what it refuses, and what it hands to the functions."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.serve.model import ServeError
from ops import package, places, serve
from ops.deployed import Deployed
from ops.report import EXIT_FAILED, EXIT_GOOD, EXIT_REFUSED
from ops.run import Request
from ops.serve import Options
from ops.serve_packages import Packages

_REQUEST = Request(command="serve", env="dev", target="local")


class _Client:
    """A function's deployed code."""

    def __init__(self) -> None:
        self.digest = ""

    def get_function_configuration(self, FunctionName: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        assert FunctionName == "f-dev"
        return {"CodeSha256": self.digest}


def _deployed(client: _Client, **outputs: dict[str, Any]) -> Deployed:
    return Deployed(
        env="dev", suffix="", target="local", stack="dev", outputs=lambda project: outputs.get(project, {}), secrets=lambda _: {}, client=lambda *_: client
    )


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session on a local target in a folder of the test's own, without an engine."""
    monkeypatch.setattr(places, "LOCAL", tmp_path)
    workspace = SimpleNamespace(stack="dev", name="dev", suffix="")
    session = SimpleNamespace(workspace=workspace, target=SimpleNamespace(cloud=None, state=None))
    monkeypatch.setattr(serve, "with_session", lambda _, show: show(session))
    return session


def test_aws_is_not_served_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.serve(replace(_REQUEST, target="aws")) == EXIT_REFUSED
    assert "serving is for the local target" in capsys.readouterr().err


def test_what_is_not_served_is_stopped_already(local: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.serve(_REQUEST, stop=True) == EXIT_GOOD
    assert "dev is not served" in capsys.readouterr().out


def test_an_environment_is_served_once(local: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (places.LOCAL / "serve").mkdir()
    with serve._only_one(places.LOCAL / "serve" / "dev.lock") as alone:
        assert alone
        held = (
            f"from ops import serve; from pathlib import Path\nwith serve._only_one(Path({str(places.LOCAL / 'serve' / 'dev.lock')!r})) as alone: print(alone)"
        )
        assert subprocess.run([sys.executable, "-c", held], capture_output=True, text=True, check=True).stdout == "False\n"
        assert serve.serve(_REQUEST) == EXIT_FAILED
    assert "dev is served already. Next: invoke serve --env dev --stop" in capsys.readouterr().err


def test_what_ends_as_it_begins_in_the_background_is_told(local: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_command", lambda *_: [sys.executable, "-c", "import sys; sys.exit('it cannot be')"])
    assert serve.serve(_REQUEST, background=True) == EXIT_FAILED
    said = capsys.readouterr().err
    assert "serving ended as it began" in said
    assert "it cannot be" in said


def test_the_background_gets_the_same_options_and_ends_by_itself(local: Any) -> None:
    local.workspace.suffix = "pr1"
    command = serve._command(local, Options(port=1234, schedule_every=2.5))
    assert command[2:] == ["invoke", "serve", "--env", "dev", "--suffix", "pr1", "--port=1234", "--schedule-every=2.5", "--idle=1800.0"]


def test_a_functions_log_format_is_its_states(local: Any, tmp_path: Path) -> None:
    file = tmp_path / ".pulumi" / "stacks" / "app" / "dev.json"
    file.parent.mkdir(parents=True)
    logging = {"logFormat": "JSON", "applicationLogLevel": "INFO"}
    resources = [
        {"type": "aws:lambda/function:Function", "outputs": {"name": "f-dev", "loggingConfig": logging}},
        {"type": "aws:lambda/function:Function", "outputs": {"name": "g-dev", "loggingConfig": None}},
        {"type": "aws:sqs/queue:Queue", "outputs": {"name": "q-dev"}},
    ]
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))
    local.target.state = tmp_path
    assert serve._log_formats(local) == {"f-dev": {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}, "g-dev": {}}


def test_a_served_stack_tells_its_port_and_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "dev.json"
    assert serve._former_port(file) == 0
    serve._publish(file, {"pid": 1, "port": 4321})
    assert json.loads(file.read_text())["port"] == 4321
    file.unlink()
    assert serve._former_port(file) == 4321


def test_ctrl_c_is_an_event_and_afterwards_what_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with serve._stopping() as stopping:
        os.kill(os.getpid(), signal.SIGINT)
        assert stopping.wait(5)
    assert signal.getsignal(signal.SIGINT) == before


def test_serving_ends_with_the_local_cloud_and_when_nobody_asks(capsys: pytest.CaptureFixture[str]) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    session: Any = SimpleNamespace(target=SimpleNamespace(cloud=SimpleNamespace(pid=ended.pid)))
    quiet: Any = SimpleNamespace(last_request=0.0)
    stores: Any = SimpleNamespace(keep_passwords=lambda: None)
    serve._wait(session, quiet, stores, Options(), threading.Event())
    assert "the local cloud has stopped" in capsys.readouterr().out
    session.target.cloud.pid = os.getpid()
    serve._wait(session, quiet, stores, Options(idle=5.0), threading.Event())
    assert "no request for 5 s" in capsys.readouterr().out


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Packages, _Client, dict[str, Path]]:
    """Packages for Lambda and for this machine, as `ops.package` has them."""
    made = {name: tmp_path / f"{name}.zip" for name in ("lambda", "here")}
    for name, path in made.items():
        path.write_text(name)
    client = _Client()
    client.digest = base64.b64encode(hashlib.sha256(b"lambda").digest()).decode()
    monkeypatch.setattr(package, "fresh", lambda _: True)
    monkeypatch.setattr(package, "paths", lambda _: {"f": made["lambda"]})
    monkeypatch.setattr(package, "ensure", lambda *_, **__: {"f": made["here"]})
    return Packages(_deployed(client, app={"functionNames": {"f": "f-dev"}}), tmp_path / "kept", lambda _: None), client, made


def test_packages_are_those_of_the_deployment_even_when_others_are_made_later(packages: tuple[Packages, _Client, dict[str, Path]]) -> None:
    asked, _, made = packages
    (path,) = asked().values()
    made["here"].write_text("edited, and not deployed")
    assert asked() == {"f-dev": path}
    assert path.read_text() == "here"


def test_another_deployment_brings_other_packages(packages: tuple[Packages, _Client, dict[str, Path]]) -> None:
    asked, client, made = packages
    asked()
    made["lambda"].write_text("other")
    made["here"].write_text("other here")
    client.digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    (path,) = asked().values()
    assert path.read_text() == "other here"


def test_sources_that_have_moved_on_are_refused(packages: tuple[Packages, _Client, dict[str, Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    asked, client, _ = packages
    client.digest = "another"
    with pytest.raises(ServeError, match=r"f changed since the functions were deployed to dev.*invoke deploy --env dev --target local"):
        asked()
    monkeypatch.setattr(package, "fresh", lambda _: False)
    with pytest.raises(ServeError, match="its sources or their lock changed"):
        asked()


def test_packages_that_cannot_be_made_are_told(packages: tuple[Packages, _Client, dict[str, Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise package.PackageError("no registry")

    monkeypatch.setattr(package, "ensure", fail)
    with pytest.raises(ServeError, match="no registry"):
        packages[0]()
