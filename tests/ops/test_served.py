"""What serves on this machine: found, started for a while, ended, and never taken for something else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.control import Running
from localcloud.stores.certificates import Authority
from ops import places, served
from ops.progress import Silent
from ops.served import Reached, Served, ServedError, find, functions_of, stop
from ops.session import Session
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace
from tests.ops.somewhere import deployed

# Stands for what serves: it answers as that does, and ends when it is asked to (or not, where `deaf`).
PROGRAM = """
import http.server, json, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {"pid": os.getpid(), "endpoint": f"http://127.0.0.1:{server.server_port}", "urls": {"payments-dev/dev": "http://127.0.0.1/api/dev"}}
        body = json.dumps(said).encode() if self.path == "/_serve" else b"?"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as file:
    json.dump({"pid": os.getpid() if "other" not in sys.argv else 1, "port": server.server_port}, file)
print("ready", flush=True)
server.serve_forever()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "LOCAL", tmp_path)
    (tmp_path / "serve").mkdir()
    return tmp_path / "serve" / "dev.json"


@pytest.fixture
def start(file: Path) -> Iterator[Start]:
    """Starts a process that serves, or one that is wrong in a way that is named."""
    started: list[subprocess.Popen[str]] = []

    def go(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(file), *words], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield go
    for process in started:
        process.kill()
        process.communicate()


def session(tmp_path: Path, *, local: bool = True, suffix: str = "") -> Session:
    cloud = Running("identity", 1, "http://127.0.0.1:1", 2, 0.0, tmp_path) if local else None
    cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
    return Session(open_workspace("dev", suffix, target="local"), Target("local" if local else "aws", {}, tmp_path, cloud), cli, Silent())


def nobody(_: Session) -> None:
    pytest.fail("nothing is to be started")


def test_on_aws_lambda_runs_the_functions(tmp_path: Path) -> None:
    with functions_of(session(tmp_path, local=False), start=nobody) as found:
        assert found is None


def test_what_serves_already_is_used_and_goes_on(tmp_path: Path, start: Start) -> None:
    process = start()
    with functions_of(session(tmp_path), start=nobody) as found:
        assert found is not None
        assert (found.pid, found.urls) == (process.pid, {"payments-dev/dev": "http://127.0.0.1/api/dev"})
        assert found.functions.startswith("http://127.0.0.1:")
    assert process.poll() is None


@pytest.mark.parametrize("breaks", [True, False])
def test_what_was_started_for_a_while_is_ended_whatever_happens(tmp_path: Path, start: Start, breaks: bool) -> None:
    started: list[subprocess.Popen[str]] = []

    def use() -> None:
        with functions_of(session(tmp_path), start=lambda _: started.append(start())) as found:
            assert found is not None
            assert started[0].poll() is None
            if breaks:
                raise KeyboardInterrupt

    if breaks:
        with pytest.raises(KeyboardInterrupt):
            use()
    else:
        use()
    assert started[0].wait(timeout=10) != 0


def test_what_was_started_and_does_not_answer_is_told(tmp_path: Path, file: Path) -> None:
    with (
        pytest.raises(ServedError, match=r"serve dev does not answer\. Next: invoke serve --env dev shows why"),
        functions_of(session(tmp_path), start=lambda _: None),
    ):
        pytest.fail("nothing serves")


def test_a_copy_is_served_on_its_own(tmp_path: Path, start: Start) -> None:
    start()
    asked: list[str] = []
    with (
        pytest.raises(ServedError, match="--env dev --suffix pr42"),
        functions_of(session(tmp_path, suffix="pr42"), start=lambda at: asked.append(at.workspace.stack)),
    ):
        pytest.fail("that one serves the original")
    assert asked == ["dev-pr42"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1, "port": "x"}', '{"pid": 1, "port": 1}'])
def test_a_file_that_was_left_behind_finds_nothing(file: Path, text: str) -> None:
    assert find(file) is None
    file.write_text(text)
    assert find(file) is None


def test_another_process_on_the_port_is_not_taken_for_it(file: Path, start: Start) -> None:
    start("other")
    assert find(file) is None


def test_one_that_does_not_end_is_told_with_its_process(file: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start("deaf")
    monkeypatch.setattr(served, "_STOP_SECONDS", 0.2)
    found = find(file)
    assert found is not None
    with pytest.raises(ServedError, match=rf"process {process.pid}, which serves, does not end within 0 s\. Next: kill -9 {process.pid}"):
        stop(found)


def test_one_that_is_gone_already_needs_no_stopping(start: Start) -> None:
    process = start()
    process.kill()
    process.wait()
    stop(Served(process.pid, "", {}))


def test_an_api_is_found_by_name_and_stage_or_told() -> None:
    serving = Served(7, "http://127.0.0.1:1", {"payments-dev/dev": "http://127.0.0.1:1/a/dev"})
    assert serving.api(deployed({"app": {"apiName": "payments-dev", "apiStage": "dev"}})) == Reached("http://127.0.0.1:1/a/dev")
    with pytest.raises(ServedError, match="process 7 serves payments-dev/dev, and not payments-prod/dev"):
        serving.api(deployed({"app": {"apiName": "payments-prod", "apiStage": "dev"}}))


def test_a_load_balancer_is_found_by_its_port_and_asked_by_the_domains_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setattr(served, "local_authority", lambda: authority)
    serving = Served(7, "http://127.0.0.1:1", {"front/443": "https://127.0.0.1:2", "front/8080": "http://127.0.0.1:3"})
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/front/0123456789abcdef"

    def reached(url: str) -> Reached:
        return serving.api(deployed({"app": {"clusterName": "c", "loadBalancerArn": arn, "apiUrl": url}}))

    assert reached("https://payments.example.com") == Reached("https://127.0.0.1:2", "payments.example.com", authority.certificate)
    assert reached("http://front.elb.amazonaws.com:8080") == Reached("http://127.0.0.1:3", "front.elb.amazonaws.com")
    with pytest.raises(ServedError, match="and not front/80"):
        reached("http://payments.example.com")


def test_serve_is_started_in_the_background_and_its_refusal_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command[1:])
        return subprocess.CompletedProcess(command, 2)

    monkeypatch.setattr(subprocess, "run", run)
    with capfd.disabled(), pytest.raises(ServedError, match=r"deployed to dev-pr42 cannot be served \(invoke serve ended with 2\)"):
        served._start(session(tmp_path, suffix="pr42"))
    assert commands == [["-m", "invoke", "serve", "--env", "dev", "--suffix", "pr42", "--background"]]


def test_the_file_holds_what_is_asked_for(file: Path, start: Start) -> None:
    process = start()
    assert set(json.loads(file.read_text())) == {"pid", "port"}
    found = find(file)
    assert found is not None
    assert found.pid == process.pid
