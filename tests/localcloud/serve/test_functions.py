"""Functions run in processes of their own, which see their package and Lambda's environment, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from localcloud.serve import functions as serving
from localcloud.serve.functions import Functions, UnknownFunctionError
from localcloud.serve.logs import Line
from localcloud.serve.model import Function, ServeError
from localcloud.serve.pool import Outcome, ThrottledError
from localcloud.serve.unpacked import runtime_folder, stamp
from shared.page import ROOT
from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import Deployment

_HANDLER = """
import os, sys, time
print("loaded")
calls = 0

def handler(event, context):
    global calls
    calls += 1
    do = event.get("do")
    if do == "fail":
        raise ValueError("no such thing")
    if do == "exit":
        os._exit(3)
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "child":
        import subprocess
        return subprocess.Popen(["sleep", "60"]).pid
    if do == "large":
        return "x" * (7 * 1024 * 1024)
    if do == "about":
        return {
            "path": sys.path, "variables": dict(os.environ), "id": context.aws_request_id, "arn": context.invoked_function_arn,
            "left": context.get_remaining_time_in_millis(), "stream": context.log_stream_name, "function": context.function_name,
        }
    if do == "import":
        __import__(event["module"])
    print("working on", event)
    return {"pid": os.getpid(), "calls": calls}
"""


class _Log(list[tuple[str, str, Line]]):
    """What is logged, by group and stream."""

    def write(self, group: str, stream: str, lines: list[Line]) -> None:
        self.extend((group, stream, line) for line in lines)

    @property
    def texts(self) -> list[str]:
        return [text for _, _, (_, text) in self]


class _Aws:
    """Credentials, and no cloud."""

    region, endpoint = "eu-west-1", "http://127.0.0.1:1"

    def client(self, _: str) -> _Aws:
        return self

    def assume_role(self, **asked: str) -> dict[str, Any]:
        return {"Credentials": {"AccessKeyId": asked["RoleArn"], "SecretAccessKey": "secret", "SessionToken": "token"}}


class _Made:
    """One function, invoked without a cloud."""

    def __init__(self, folder: Path) -> None:
        self.deployment = Deployment(_Aws(), folder)  # type: ignore[arg-type]
        self.log = _Log()
        self.functions = Functions(_Aws(), folder / "served", self.log, variables=lambda _: {"PLACE": "here"})  # type: ignore[arg-type]

    def serve(self, source: str = _HANDLER, **settings: Any) -> None:
        package = self.deployment.package("f", source)
        made: dict[str, Any] = {
            "name": "f",
            "arn": "arn:aws:lambda:eu-west-1:1:function:f",
            "handler": "app.handler",
            "runtime": "python3.13",
            "timeout": 20.0,
            "memory": 256,
            "role": "arn:aws:iam::1:role/f",
            "variables": {"OWN": "variable", "PLACE": "elsewhere"},
            "package": package,
            "stamp": stamp(package),
        }
        self.functions.update({"f": Function(**{**made, **settings})})

    def call(self, **event: Any) -> Outcome:
        return self.functions.invoke("f", json.dumps(event).encode())


@pytest.fixture
def made(tmp_path: Path) -> Any:
    one = _Made(tmp_path)
    yield one
    one.functions.stop()


def test_a_process_is_kept_for_further_events_and_says_what_it_does_in_the_functions_log(made: _Made) -> None:
    made.serve()
    first, second = made.call(a=1), made.call()
    assert first.cold
    assert not second.cold
    assert (first.error, second.error) == (None, None)
    one, other = json.loads(first.payload), json.loads(second.payload)
    assert one["pid"] == other["pid"] != os.getpid()
    assert (one["calls"], other["calls"]) == (1, 2)
    start, loaded, working, end, report = made.log.texts[:5]
    assert start == f"START RequestId: {first.request_id} Version: $LATEST"
    assert (loaded, working) == ("loaded", "working on {'a': 1}")
    assert end == f"END RequestId: {first.request_id}"
    assert report.startswith(f"REPORT RequestId: {first.request_id}\tDuration: ")
    assert "\tMemory Size: 256 MB\t" in report
    assert "Init Duration" in report
    assert "Init Duration" not in made.log.texts[-1]
    assert {group for group, _, _ in made.log} == {"/aws/lambda/f"}
    assert len({stream for _, stream, _ in made.log}) == 1
    assert b"working on {'a': 1}" in first.tail


def test_platform_lines_are_json_for_a_function_that_logs_json(made: _Made) -> None:
    made.serve(variables={"AWS_LAMBDA_LOG_FORMAT": "JSON"})
    made.call(do="fail")
    lines = [json.loads(text) for text in made.log.texts if text.startswith("{")]
    assert [line.get("type") for line in lines] == ["platform.start", None, "platform.report"]
    assert lines[1]["errorType"] == "ValueError"
    assert lines[2]["record"]["status"] == "error"


def test_a_process_sees_its_package_and_its_own_environment_alone(made: _Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "someone")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made.serve()
    about = json.loads(made.call(do="about").payload)
    assert about["path"][0].startswith(str(made.deployment.folder / "served" / "functions" / "f"))
    assert not [path for path in about["path"] if "site-packages" in path or path == str(ROOT)]
    variables = about["variables"]
    assert "AWS_PROFILE" not in variables
    assert variables["OWN"] == "variable"
    assert variables["PLACE"] == "here"
    assert variables["AWS_ACCESS_KEY_ID"] == "arn:aws:iam::1:role/f"
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == about["function"] == "f"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["HOME"] == variables["TMPDIR"] != os.environ.get("HOME")
    assert about["arn"] == "arn:aws:lambda:eu-west-1:1:function:f"
    assert 15_000 < about["left"] <= 20_000
    assert about["stream"] == made.log[0][1]


@pytest.mark.parametrize("module", ["boto3", "localcloud", "pytest"])
def test_what_is_not_in_the_package_is_not_there(made: _Made, module: str) -> None:
    made.serve()
    outcome = made.call(do="import", module=module)
    assert outcome.error == "Unhandled"
    assert json.loads(outcome.payload)["errorType"] == "ModuleNotFoundError"


def test_an_exception_is_the_answer_and_the_process_stays(made: _Made) -> None:
    made.serve()
    outcome = made.call(do="fail")
    failure = json.loads(outcome.payload)
    assert outcome.error == "Unhandled"
    assert (failure["errorType"], failure["errorMessage"], failure["requestId"]) == ("ValueError", "no such thing", outcome.request_id)
    assert not made.call().cold


def test_a_process_that_ends_is_an_error_and_the_next_event_gets_another(made: _Made) -> None:
    made.serve()
    before = json.loads(made.call().payload)["pid"]
    outcome = made.call(do="exit")
    assert outcome.error == "Unhandled"
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {outcome.request_id} Error: Runtime exited with error: exit status 3",
    }
    after = made.call()
    assert after.cold
    assert json.loads(after.payload)["pid"] != before


def test_a_process_that_died_between_events_costs_no_event(made: _Made, eventually: Callable[..., Any]) -> None:
    made.serve()
    pid = json.loads(made.call().payload)["pid"]
    os.kill(pid, signal.SIGKILL)
    # Its main thread is a zombie before the last of its threads has ended.
    (idle,) = made.functions.pool("f")._idle
    eventually(lambda: not idle.process.alive())
    outcome = made.call()
    assert outcome.error is None
    assert json.loads(outcome.payload)["calls"] == 1


def test_time_over_kills_the_process_and_what_it_started(made: _Made, eventually: Callable[..., Any]) -> None:
    made.serve(timeout=1.0)
    child = json.loads(made.call(do="child").payload)
    began = time.monotonic()
    outcome = made.call(do="sleep", seconds=30)
    assert time.monotonic() - began < 15
    failure = json.loads(outcome.payload)
    assert failure["errorType"] == "Sandbox.Timedout"
    assert failure["errorMessage"].endswith(f"{outcome.request_id} Task timed out after 1.00 seconds")
    assert any(text.endswith("Task timed out after 1.00 seconds") for text in made.log.texts)
    eventually(lambda: not _runs(child))
    assert made.call().cold


@pytest.mark.parametrize(
    ("source", "kind"),
    [("import nothing_like_it", "Runtime.ImportModuleError"), ("def other(): ...", "Runtime.HandlerNotFound"), ("1 +", "Runtime.UserCodeSyntaxError")],
)
def test_code_that_cannot_be_loaded_is_an_error_each_time(made: _Made, source: str, kind: str) -> None:
    made.serve(source)
    for _ in range(2):
        outcome = made.call()
        assert outcome.error == "Unhandled"
        assert json.loads(outcome.payload)["errorType"] == kind


def test_code_that_ends_the_process_while_it_is_loaded_is_an_error(made: _Made) -> None:
    made.serve("import os; print('here'); os._exit(7)")
    outcome = made.call()
    assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"
    assert "exit status 7" in outcome.payload.decode()
    assert "here" in made.log.texts


def test_an_answer_that_is_too_large_is_an_error(made: _Made) -> None:
    made.serve()
    outcome = made.call(do="large")
    assert json.loads(outcome.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert not made.call().cold


def test_events_at_once_have_a_process_each_up_to_the_machines_limit(made: _Made) -> None:
    made.serve()
    with ThreadPoolExecutor(8) as clients:
        outcomes = list(clients.map(lambda _: made.call(do="sleep", seconds=0.3), range(8)))
    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert 1 < len({json.loads(outcome.payload)["pid"] for outcome in outcomes}) <= serving.MOST_PROCESSES


def test_more_than_is_reserved_is_refused(made: _Made) -> None:
    made.serve(reserved=1)
    made.call()
    with ThreadPoolExecutor(1) as client:
        working = client.submit(made.call, do="sleep", seconds=1.0)
        time.sleep(0.3)
        with pytest.raises(ThrottledError, match="1 invocations of f are under way"):
            made.call()
        assert working.result().error is None
    made.serve(reserved=0)
    with pytest.raises(ThrottledError):
        made.call()


def test_another_package_is_served_as_soon_as_it_is_deployed_and_what_is_under_way_ends(made: _Made) -> None:
    made.serve()
    made.call()
    with ThreadPoolExecutor(1) as client:
        working = client.submit(made.call, do="sleep", seconds=0.5)
        time.sleep(0.2)
        made.serve("def handler(event, context): return 'new'")
        assert made.call().payload == b'"new"'
        assert json.loads(working.result().payload)["calls"] == 2


def test_all_processes_end_when_serving_stops_even_those_at_work(made: _Made, eventually: Callable[..., Any]) -> None:
    made.serve()
    pid = json.loads(made.call().payload)["pid"]
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(made.call(do="sleep", seconds=30)))
    thread.start()
    time.sleep(0.3)
    made.functions.stop()
    thread.join(5)
    assert [json.loads(outcome.payload)["errorType"] for outcome in outcomes] == ["Runtime.ExitError"]
    eventually(lambda: not _runs(pid))
    with pytest.raises(UnknownFunctionError, match="no function f is served"):
        made.call()


def test_a_killed_server_takes_its_functions_along(tmp_path: Path, eventually: Callable[..., Any]) -> None:
    program = f"""
import json, os, pathlib, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.localcloud.serve.test_functions import _Made
made = _Made(pathlib.Path({str(tmp_path)!r}))
made.serve()
child = json.loads(made.call(do="child").payload)
print(json.loads(made.call().payload)["pid"], child, flush=True)
made.call(do="sleep", seconds=60)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    time.sleep(0.3)
    assert all(map(_runs, pids))
    process.kill()
    process.wait()
    eventually(lambda: not any(map(_runs, pids)))


def test_a_package_that_is_no_zip_is_named(made: _Made) -> None:
    made.serve()
    package = made.deployment.folder / "broken.zip"
    package.write_text("no zip")
    made.serve(package=package, stamp="broken")
    with pytest.raises(ServeError, match=r"the package of f, .*broken\.zip, cannot be unpacked"):
        made.call()
    with pytest.raises(ServeError, match=r"gone\.zip cannot be read"):
        stamp(made.deployment.folder / "gone.zip")


def test_where_awss_runtime_client_cannot_be_had_functions_run_all_the_same(made: _Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.functions._runtime = runtime_folder(made.deployment.folder, own=True)
    made.serve()
    assert not (made.functions._runtime / "awslambdaric").exists()
    assert [json.loads(made.call().payload)["calls"] for _ in range(2)] == [1, 2]
    about = json.loads(made.call(do="about").payload)
    assert about["function"] == "f"
    assert about["left"] > 15_000
    failure = json.loads(made.call(do="fail").payload)
    assert (failure["errorType"], failure["errorMessage"]) == ("ValueError", "no such thing")
    assert "working on {}" in made.log.texts
    made.serve("import nothing_like_it")
    assert json.loads(made.call().payload)["errorType"] == "Runtime.ModuleNotFoundError"


def test_what_a_function_prints_is_in_its_log_group(deployment: Deployment, serve: Serve, eventually: Callable[..., Any]) -> None:
    deployment.function("talks", "def handler(event, context): print('hello from', event)")
    error, answer = serve().invoke("talks", b'{"a": 1}')
    assert (error, answer) == (None, b"null")
    assert "hello from {'a': 1}" in eventually(lambda: deployment.logged("/aws/lambda/talks"))


def test_a_function_has_its_roles_credentials_in_its_own_account(deployment: Deployment, serve: Serve) -> None:
    deployment.function("who", "import os\ndef handler(event, context): return dict(os.environ)")
    _, answer = serve().invoke("who", b"{}")
    variables = json.loads(answer)
    keys = (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], variables["AWS_SESSION_TOKEN"])
    sts = boto3.Session(*keys, region_name="us-east-1").client("sts", endpoint_url=variables["AWS_ENDPOINT_URL"])
    identity = sts.get_caller_identity()
    assert identity["Account"] == deployment.aws.account
    assert "assumed-role/who-role/" in identity["Arn"]


def test_a_function_that_is_not_deployed_is_named(deployment: Deployment, serve: Serve) -> None:
    deployment.package("absent", "")
    with pytest.raises(ServeError, match=r"function absent is not deployed in account .*deploy the environment first"):
        serve()


def _runs(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
