"""The tasks that work with what is deployed: what each prints, on which stream, its exit code, and who is asked first."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ops import audit, commands, dead_letters, logs, migrate, operating, smoke_run
from ops import deployed as deploying
from ops import run as runs
from ops import served as serving
from ops.audit import Audit
from ops.guards import GuardError
from ops.lambda_functions import FunctionError
from ops.migrate import Migrated
from ops.progress import Silent
from ops.report import Outcome, Report, Result
from ops.run import Outcomes, Request
from ops.served import Served, ServedError
from ops.session import Session
from ops.smoke import TOKENS, Service
from ops.smoke_report import Check, SmokeReport
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace
from payments.service.auditing import Verdict
from tests.ops.pages import Pages
from tests.ops.somewhere import client, deployed

Capture = pytest.CaptureFixture[str]
PASSED = Check(name="process", outcome=Outcome.SUCCEEDED, detail="payment 1 received", seconds=0.1)
FAILED = Check(name="captured", outcome=Outcome.FAILED, detail="it broke", seconds=1)


def asked(command: str, env: str = "dev", **options: Any) -> Request:
    usual: dict[str, Any] = {"target": "local"}
    return Request(command=command, env=env, **usual | options)


def opened(tmp_path: Path, env: str = "dev") -> Session:
    cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
    return Session(open_workspace(env, target="local"), Target("local", {}, tmp_path), cli, Silent())


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runs, "prepare", lambda request, _: opened(tmp_path, request.env))


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What app is deployed with, on moto."""
    with mock_aws():
        sqs = client("sqs")
        outputs = {
            "functionNames": {"payment-worker": "payment-worker-dev", "migrate-database": "migrate-database-dev"},
            "workQueueUrl": sqs.create_queue(QueueName="work")["QueueUrl"],
            "deadLetterQueueUrl": sqs.create_queue(QueueName="dead")["QueueUrl"],
            "apiUrl": "https://api",
            "apiKey": "the key",
            "apiName": "payments-dev",
            "apiStage": "dev",
        }
        data = {"transactionLogTableName": "log", "databaseUrl": "postgresql://db:5432/payments?sslmode=verify-full"}
        monkeypatch.setattr(deploying, "deployed", lambda _: deployed({"app": outputs, "data": data}))
        monkeypatch.setattr(smoke_run, "deployed", lambda _: deployed({"app": outputs, "data": data}))
        yield outputs


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What serves; the list says when it was asked for and let go."""
    said: list[str] = []

    @contextmanager
    def functions_of(_: Session) -> Generator[Served]:
        said.append("found")
        yield Served(7, "http://127.0.0.1:9000", {"payments-dev/dev": "http://127.0.0.1:9000/a/dev"})
        said.append("left")

    monkeypatch.setattr(serving, "functions_of", functions_of)
    monkeypatch.setattr(smoke_run, "functions_of", functions_of)
    return said


# smoke


def smoked(*checks: Check, problems: tuple[str, ...] = ()) -> SmokeReport:
    return SmokeReport(environment="dev", target="local", started=datetime.now(UTC), seconds=1.0, checks=checks, problems=problems)


@pytest.mark.parametrize(("report", "code"), [(smoked(PASSED), 0), (smoked(PASSED, FAILED), 1), (smoked(problems=("never deployed",)), 2)])
def test_a_smoke_tests_exit_code_is_its_reports(monkeypatch: pytest.MonkeyPatch, capsys: Capture, report: SmokeReport, code: int) -> None:
    monkeypatch.setattr(smoke_run, "tried", lambda _: report)
    assert operating.smoke(asked("smoke")) == code
    assert "smoke dev on local: " in capsys.readouterr().out
    assert operating.smoke(asked("smoke", json=True)) == code
    assert json.loads(capsys.readouterr().out)["exit_code"] == code


def test_a_smoke_test_that_is_refused_is_a_report_for_machines(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def refuse(*_: Any) -> Session:
        raise GuardError("another account")

    monkeypatch.setattr(runs, "prepare", refuse)
    assert operating.smoke(asked("smoke", json=True)) == 2
    assert json.loads(capsys.readouterr().out)["problems"] == ["another account"]
    assert operating.smoke(asked("smoke")) == 2
    assert capsys.readouterr().err == "error: another account\n"


@pytest.mark.parametrize(
    "work",
    [
        lambda: operating.smoke(asked("smoke", "prod")),
        lambda: operating.migrate(asked("migrate", "prod")),
        lambda: operating.dlq(asked("dlq", "prod"), replay=True, reason=""),
    ],
)
def test_what_changes_a_protected_environment_asks_for_its_name_first(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, app: dict[str, Any], work: Callable[[], int]
) -> None:
    for module, name in ((smoke_run, "tried"), (migrate, "migrate"), (dead_letters, "replay")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("it was not confirmed"))
    assert work() == 2
    assert "pass --confirm prod to" in capsys.readouterr().err


def test_the_service_is_tried_where_it_is_served_with_its_key_and_its_processors_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, app: dict[str, Any], served: list[str]
) -> None:
    tried: list[Service] = []

    def smoke(service: Service, _: Any) -> tuple[Check, ...]:
        assert served == ["found"]
        tried.append(service)
        return (PASSED,)

    monkeypatch.setattr(smoke_run, "smoke", smoke)
    report = smoke_run.tried(opened(tmp_path))
    assert (report.exit_code, report.url, report.checks, served) == (0, "http://127.0.0.1:9000/a/dev", (PASSED,), ["found", "left"])
    assert (tried[0].url, tried[0].key, tried[0].tokens) == (report.url, "clear apiKey", TOKENS["sandbox"])


def test_on_aws_the_service_is_tried_at_its_own_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    where = deployed({"app": {"apiUrl": "https://api", "apiKey": "x"}}, target="aws")
    monkeypatch.setattr(smoke_run, "deployed", lambda _: where)
    monkeypatch.setattr(smoke_run, "smoke", lambda *_: (PASSED,))
    assert smoke_run.tried(opened(tmp_path)).url == "https://api"


def test_a_page_with_stripe_is_tried_with_stripes_test_cards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, app: dict[str, Any], served: list[str]) -> None:
    session = opened(tmp_path)
    page = session.workspace.page.with_values({"app:processor": {"name": "stripe", "secretArn": "arn"}})
    session.workspace = SimpleNamespace(**{**vars(session.workspace), "page": page})  # type: ignore[assignment]
    tried: list[Service] = []
    monkeypatch.setattr(smoke_run, "smoke", lambda service, _: tried.append(service) or (PASSED,))
    smoke_run.tried(session)
    assert tried[0].tokens == TOKENS["stripe"]


def test_what_is_not_deployed_or_not_served_is_a_problem_and_no_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, app: dict[str, Any]) -> None:
    @contextmanager
    def nothing(_: Session) -> Generator[Served]:
        raise ServedError("no PostgreSQL")
        yield

    monkeypatch.setattr(smoke_run, "functions_of", nothing)
    assert smoke_run.tried(opened(tmp_path)).problems == ("no PostgreSQL",)
    monkeypatch.setattr(smoke_run, "deployed", lambda _: deployed({}))
    report = smoke_run.tried(opened(tmp_path))
    assert (report.exit_code, report.problems) == (2, ("app was never deployed to dev on local. Next: invoke deploy --env dev --target local",))


# deploy --smoke


def deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: Outcome = Outcome.SUCCEEDED) -> None:
    result = Result(project="app", stack="dev", outcome=outcome, cause="" if outcome.good else "it broke")
    report = Report(command="deploy", environment="dev", target="local", started=datetime.now(UTC), seconds=1.0, results=(result,))
    monkeypatch.setattr(runs, "run", lambda *_, **__: Outcomes(report, opened(tmp_path)))
    monkeypatch.setattr(commands, "_after_deployment", lambda _: print("what to try next"))


@pytest.mark.parametrize(("check", "code"), [(PASSED, 0), (FAILED, 1)])
def test_a_service_that_does_not_do_its_job_fails_the_deployment(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path, check: Check, code: int
) -> None:
    deployment(monkeypatch, tmp_path)
    monkeypatch.setattr(smoke_run, "tried", lambda _: smoked(check))
    assert commands.deploy(asked("deploy"), smoke=True) == code
    said = capsys.readouterr().out
    assert said.index("deploy dev on local") < said.index("smoke dev on local")
    assert ("what to try next" in said) is (code == 0)
    assert commands.deploy(asked("deploy", json=True), smoke=True) == code
    report = json.loads(capsys.readouterr().out)
    assert (report["exit_code"], report["smoke"]["exit_code"]) == (code, code)
    assert commands.deploy(asked("deploy", stream=True), smoke=True) == code
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["report"]["exit_code"]) == ("smoke", code)


@pytest.mark.parametrize("smoke", [True, False])
def test_a_deployment_is_tried_only_when_asked_for_and_only_when_it_went_well(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path, smoke: bool
) -> None:
    deployment(monkeypatch, tmp_path, Outcome.FAILED if smoke else Outcome.SUCCEEDED)
    monkeypatch.setattr(smoke_run, "tried", lambda _: pytest.fail("not to be tried"))
    assert commands.deploy(asked("deploy", json=True), smoke=smoke) == int(smoke)
    assert json.loads(capsys.readouterr().out)["smoke"] is None


# logs


def test_logs_are_lines_for_people_and_json_for_machines(app: dict[str, Any], capsys: Capture) -> None:
    cloudwatch = client("logs")
    for name in app["functionNames"].values():
        cloudwatch.create_log_group(logGroupName=f"/aws/lambda/{name}")
        cloudwatch.create_log_stream(logGroupName=f"/aws/lambda/{name}", logStreamName="1")
    now = int(datetime.now(UTC).timestamp() * 1000)
    cloudwatch.put_log_events(logGroupName="/aws/lambda/payment-worker-dev", logStreamName="1", logEvents=[{"timestamp": now, "message": "worked"}])
    cloudwatch.put_log_events(logGroupName="/aws/lambda/migrate-database-dev", logStreamName="1", logEvents=[{"timestamp": now, "message": "migrated"}])
    assert operating.logs(asked("logs"), functions=(), since="10m", follow=False) == 0
    assert {line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()} == {"payment-worker    worked", "migrate-database  migrated"}
    assert operating.logs(asked("logs", json=True), functions=("payment-worker",), since="10m", follow=False) == 0
    [event] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (event["function"], event["message"]) == ("payment-worker", "worked")


def test_following_ends_well_with_ctrl_c(monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], capsys: Capture) -> None:
    def follow(*_: Any) -> Generator[logs.Event]:
        yield logs.Event(datetime.now(UTC), "payment-worker", "1", "worked")
        raise KeyboardInterrupt

    monkeypatch.setattr(logs, "follow", follow)
    assert operating.logs(asked("logs"), functions=(), since="10m", follow=True) == 0
    assert "worked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ({"functions": (), "since": "yesterday"}, 2, "--since yesterday: a length of time"),
        ({"functions": ("refund",), "since": "1m"}, 1, "has no function 'refund'; there are migrate-database, payment-worker"),
    ],
)
def test_logs_that_cannot_be_are_told(app: dict[str, Any], capsys: Capture, options: dict[str, Any], code: int, told: str) -> None:
    assert operating.logs(asked("logs"), **options, follow=False) == code
    assert told in capsys.readouterr().err


# dlq


def set_aside(app: dict[str, Any], reason: str) -> str:
    payment = str(uuid.uuid4())
    attributes = {"reason": {"DataType": "String", "StringValue": reason}}
    client("sqs").send_message(QueueUrl=app["deadLetterQueueUrl"], MessageBody=json.dumps({"payment_id": payment}), MessageAttributes=attributes)
    return payment


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty queues are not waited for."""
    for name in ("show", "replay"):
        whole = getattr(dead_letters, name)
        monkeypatch.setattr(dead_letters, name, lambda *arguments, _whole=whole, **options: _whole(*arguments, **options, wait=0))


@pytest.mark.usefixtures("at_once")
def test_dead_letters_are_shown_with_their_reasons(monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], capsys: Capture) -> None:
    assert operating.dlq(asked("dlq"), replay=False, reason="") == 0
    assert capsys.readouterr().out == "no messages: nothing was set aside\n"
    payment = set_aside(app, "unknown_payment")
    set_aside(app, "not_work")
    assert operating.dlq(asked("dlq"), replay=False, reason="") == 0
    said = capsys.readouterr().out
    assert payment in said
    assert said.endswith("2 messages; --replay gives all that were set aside back to the work queue\n")
    assert operating.dlq(asked("dlq"), replay=False, reason="not_work") == 0
    told = "1 of 2 messages with the reason not_work; --replay --reason not_work gives all of that reason back to the work queue"
    assert capsys.readouterr().out.splitlines()[-1] == told
    monkeypatch.setattr(dead_letters, "MOST", 2)
    for reason in ("", "not_work", "no_such"):
        assert operating.dlq(asked("dlq"), replay=False, reason=reason) == 0
        assert "(no more than 2 are looked at; there may be others)" in capsys.readouterr().out.splitlines()[-1]
    assert operating.dlq(asked("dlq", json=True), replay=False, reason="unknown_payment") == 0
    assert [message["payment_id"] for message in json.loads(capsys.readouterr().out)["messages"]] == [payment]


@pytest.mark.usefixtures("at_once")
def test_dead_letters_are_given_back(monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], capsys: Capture) -> None:
    payment = set_aside(app, "processor_unavailable")
    set_aside(app, "not_work")
    assert operating.dlq(asked("dlq", json=True), replay=True, reason="processor_unavailable") == 0
    said = json.loads(capsys.readouterr().out)
    assert ([message["payment_id"] for message in said["replayed"]], said["kept"]) == ([payment], 1)
    assert operating.dlq(asked("dlq"), replay=True, reason="") == 0
    assert capsys.readouterr().out.endswith("1 message given back to the work queue, 0 left\n")


def test_what_aws_refuses_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], capsys: Capture) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no sqs:ReceiveMessage"}}, "ReceiveMessage")

    monkeypatch.setattr(dead_letters, "show", refuse)
    assert operating.dlq(asked("dlq"), replay=False, reason="") == 1
    assert capsys.readouterr().err.startswith("error: the local AWS refused: An error occurred (AccessDenied)")


# migrate


def test_the_database_is_migrated_where_the_functions_are_served(
    monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], served: list[str], capsys: Capture
) -> None:
    asked_at: list[Any] = []
    monkeypatch.setattr(migrate, "migrate", lambda _, endpoint: asked_at.append(endpoint) or Migrated(("0004.audit-chain",), "0004.audit-chain"))
    assert operating.migrate(asked("migrate")) == 0
    assert capsys.readouterr().out == "database at 0004.audit-chain: applied 0004.audit-chain\n"
    assert operating.migrate(asked("migrate", json=True)) == 0
    assert json.loads(capsys.readouterr().out) == {"applied": ["0004.audit-chain"], "version": "0004.audit-chain"}
    assert asked_at == ["http://127.0.0.1:9000"] * 2
    assert served == ["found", "left"] * 2


def test_a_migration_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], served: list[str], capsys: Capture) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise FunctionError("function migrate-database-dev failed: no route")

    monkeypatch.setattr(migrate, "migrate", fail)
    assert operating.migrate(asked("migrate")) == 1
    assert capsys.readouterr().err == "error: function migrate-database-dev failed: no route\n"


# audit.verify


@pytest.mark.parametrize(("faults", "code"), [((), 0), (("record 2 was changed",), 1)])
def test_a_broken_chain_ends_with_1(monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], capsys: Capture, faults: tuple[str, ...], code: int) -> None:
    day = date(2026, 11, 21)
    monkeypatch.setattr(audit, "verify", lambda _, wanted: Audit(Verdict(wanted, 4, faults, "hash"), date(2026, 11, 22)))
    assert operating.verify_audit(asked("audit.verify"), "2026-11-21") == code
    assert ("the chain holds" in capsys.readouterr().out) is (code == 0)
    assert operating.verify_audit(asked("audit.verify", json=True), "2026-11-21") == code
    written = json.loads(capsys.readouterr().out)
    assert (written["day"], written["intact"], written["faults"]) == (day.isoformat(), code == 0, list(faults))


def test_a_day_that_is_none_is_refused_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(runs, "prepare", lambda *_: pytest.fail("nothing is to be prepared"))
    assert operating.verify_audit(asked("audit.verify"), "yesterday") == 2
    assert "--day yesterday" in capsys.readouterr().err


def test_an_unknown_page_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    Pages(tmp_path, monkeypatch)
    assert operating.migrate(asked("migrate", "qa")) == 2
    assert "there is no such page" in capsys.readouterr().err
