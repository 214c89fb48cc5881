"""The smoke test, against a service that is right and against one that is wrong in every way that a check is there for."""

from __future__ import annotations

import dataclasses
import io
import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from localcloud.serve.http1 import Request, Response, Server
from localcloud.stores.certificates import Authority
from ops.report import Outcome
from ops.smoke import Service, smoke
from ops.smoke_report import Check, SmokeReport
from shared.page import ROOT
from tests.ops.smoke_service import KEY, FakeService, serving

CHECKS = (
    "process", "captured", "by reference", "declined", "duplicate", "other body, same key", "bad input", "card number", "unknown payment", "without API key",
    "unknown route",
)  # fmt: skip
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/schemas/smoke.schema.json").read_text())


def tried(service: FakeService, **options: Any) -> dict[str, Check]:
    usual: dict[str, Any] = {"url": service.url, "key": KEY, "patience": 0.3, "pause": 0.01}
    checks = smoke(Service(**usual | options))
    assert tuple(check.name for check in checks) == CHECKS
    return {check.name: check for check in checks}


def failed(checks: dict[str, Check]) -> set[str]:
    return {name for name, check in checks.items() if check.outcome is Outcome.FAILED}


def test_a_service_that_does_its_job_passes_every_check() -> None:
    with serving() as service:
        checks = tried(service)
        assert {name: check.detail for name, check in checks.items() if check.outcome is not Outcome.SUCCEEDED} == {}
        assert checks["captured"].detail == "received → submitted → authorized → captured"
        assert checks["declined"].detail == "received → submitted → declined"
        assert {payment["payment_token"] for payment in service.payments.values()} == {"tok_approve", "tok_decline"}
        assert len(service.payments) == 2
        assert all(payment["reference"].startswith("smoke-") for payment in service.payments.values())


WRONG = [
    ("answers 200", {"process", "declined"}, "process", "answered 200 (application/json), expected 202"),
    ("boasts", {"process", "declined"}, "process", "its state is captured, expected received"),
    ("no worker", {"captured", "declined"}, "captured", "is still received after 0 s, expected captured: does the worker run?"),
    ("declines everything", {"captured"}, "captured", "went received → submitted → declined, expected received → submitted → authorized → captured"),
    ("approves everything", {"declined"}, "declined", "went received → submitted → authorized, expected received → submitted → declined"),
    ("wavers", {"captured", "declined"}, "captured", "was submitted and is received now: a state was shown that was not true"),
    ("other amount", {"captured", "by reference", "declined"}, "captured", "its amount is 10000, expected 100"),
    ("fractions", {"captured", "by reference", "declined"}, "captured", "its amount is 100.0, expected 100"),
    ("state apart", {"captured", "by reference", "declined"}, "captured", "its state is received, but its history ends with submitted"),
    ("no history", {"captured", "by reference", "declined"}, "captured", "its history is to be a list"),
    ("back in time", {"captured", "by reference", "declined"}, "captured", "its history goes back in time"),
    ("forgets keys", {"duplicate", "other body, same key"}, "duplicate", "byte for byte: a second payment may have been made"),
    ("ignores bodies", {"other body, same key"}, "other body, same key", "answered 202 (application/json), expected 422"),
    ("takes anything", {"bad input"}, "bad input", "expected 400"),
    ("drops unknown fields", {"bad input"}, "bad input", "answered 202 (application/json), expected 400"),
    ("takes cards", {"card number"}, "card number", "answered 202 (application/json), expected 400"),
    ("repeats cards", {"card number"}, "card number", "the answer repeats the card number"),
    ("vague", {"card number"}, "card number", "its errors name the fields ['body'], expected payment_token alone"),
    ("invents payments", {"unknown payment"}, "unknown payment", "answered 200 (application/json), expected 404"),
    ("open", {"without API key"}, "without API key", "answered 404 (payment-not-found, correlation id"),
    ("other refusal", {"unknown route"}, "unknown route", "expected urn:payments:problem:no-such-route"),
    ("any route", {"unknown route"}, "unknown route", "answered 200 (application/json), expected 404"),
    (
        "plain problems",
        {"other body, same key", "bad input", "card number", "unknown payment", "without API key"},
        "bad input",
        "its media type is application/json, expected application/problem+json",
    ),
    (
        "no correlation",
        {"other body, same key", "bad input", "card number", "unknown payment", "without API key"},
        "bad input",
        "it has no correlation_id",
    ),
    (
        "other status",
        {"other body, same key", "bad input", "card number", "unknown payment", "without API key"},
        "unknown payment",
        "its member status is 418, expected 404",
    ),
]


@pytest.mark.parametrize(("wrong", "fails", "check", "told"), WRONG, ids=[case[0] for case in WRONG])
def test_what_is_wrong_fails_the_checks_that_are_about_it_and_no_other(wrong: str, fails: set[str], check: str, told: str) -> None:
    with serving(wrong) as service:
        checks = tried(service)
    assert failed(checks) == fails
    assert told in checks[check].detail


def test_every_check_has_been_seen_to_fail() -> None:
    assert {name for _, fails, _, _ in WRONG for name in fails} == set(CHECKS)


def test_a_service_that_was_just_deployed_is_waited_for() -> None:
    with serving("new") as service:
        checks = tried(service)
    assert checks["process"].outcome is Outcome.SUCCEEDED
    assert checks["process"].detail.endswith(", at try 3")


@pytest.mark.parametrize(
    ("wrong", "key", "told"),
    [
        ("down", KEY, "answered 500 (internal-error, correlation id"),
        ("", "another-key", "for 0 s; is the API key right?"),
        ("hangs up", KEY, "nothing answers, for 0 s: is the URL right"),
    ],
)
def test_where_no_payment_is_accepted_what_stands_on_it_is_not_tried(wrong: str, key: str, told: str) -> None:
    with serving(wrong) as service:
        checks = tried(service, key=key)
    assert checks["process"].outcome is Outcome.FAILED
    assert told in checks["process"].detail
    standing = ("captured", "by reference", "duplicate", "other body, same key")
    assert {checks[name].outcome for name in standing} == {Outcome.EARLY_EXIT}
    assert {checks[name].detail for name in standing} == {"not tried: no payment was accepted"}
    assert checks["declined"].outcome is Outcome.FAILED


def test_where_nothing_listens_each_check_says_so() -> None:
    with serving() as service:
        url = service.url
    checks = tried(dataclasses.replace(service, url=url))
    assert "nothing answers" in checks["process"].detail
    assert checks["bad input"].detail.startswith("no answer: ConnectError")


def test_each_check_is_told_when_it_is_done() -> None:
    told: list[str] = []
    with serving() as service:
        smoke(Service(url=service.url + "/", key=KEY, pause=0.01), lambda check: told.append(check.name))
    assert tuple(told) == CHECKS


def test_it_is_asked_by_its_name_with_the_certificate_verified(tmp_path: Path) -> None:
    authority, asked = Authority(tmp_path), list[tuple[str | None, tuple[str, str] | None]]()
    issued = authority.issue(["payments.example.com"])
    (tmp_path / "server.pem").write_bytes(issued.certificate + issued.key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")

    def answer(request: Request) -> Response:
        asked.append((request.header("host"), request.cipher))
        return Response(404, b'{"type": "urn:payments:problem:no-such-route"}', [("Content-Type", "application/json")])

    server = Server(answer, largest=100_000, tls=tls)
    server.start()
    try:
        service = Service(url=f"https://127.0.0.1:{server.port}", key=KEY, host="payments.example.com", trust=authority.certificate, patience=0.1, pause=0.01)
        assert {check.name: check.outcome for check in smoke(service)}["unknown route"] is Outcome.SUCCEEDED
        before = len(asked)
        other = smoke(dataclasses.replace(service, host="other.example.com"))
        assert all(check.outcome is not Outcome.SUCCEEDED for check in other)
    finally:
        server.stop()
    assert {host for host, _ in asked} == {"payments.example.com"}
    assert all(cipher for _, cipher in asked)
    assert len(asked) == before


def report(*checks: Check, **fields: Any) -> SmokeReport:
    usual: dict[str, Any] = {"environment": "dev", "target": "local", "started": datetime(2026, 11, 21, 9, 30, tzinfo=UTC), "seconds": 3.2}
    return SmokeReport(checks=checks, **usual | fields)


PASSED = Check(name="process", outcome=Outcome.SUCCEEDED, detail="payment 1 received", seconds=0.1)
FAILED = Check(name="captured", outcome=Outcome.FAILED, detail="it broke", seconds=1)
NOT_TRIED = Check(name="duplicate", outcome=Outcome.EARLY_EXIT, detail="not tried: no payment was accepted", seconds=0)


@pytest.mark.parametrize(
    ("made", "code"),
    [(report(PASSED), 0), (report(PASSED, FAILED), 1), (report(PASSED, NOT_TRIED), 1), (report(), 2), (report(problems=("never deployed",)), 2)],
)
def test_the_report_for_machines_fits_its_schema_and_says_the_exit_code(made: SmokeReport, code: int) -> None:
    written = json.loads(made.to_json())
    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(written)
    assert written["exit_code"] == made.exit_code == code


@pytest.mark.parametrize("broken", [{"exit_code": 3}, {"checks": [{"name": "x"}]}, {"key": "secret"}, {"target": "mars"}])
def test_the_schema_refuses_what_is_no_report(broken: dict[str, Any]) -> None:
    written: dict[str, Any] = report(PASSED).as_dict()
    assert not Draft202012Validator(SCHEMA).is_valid(written | broken)


def test_the_report_for_people_has_a_line_per_check_and_what_to_do_next() -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(report(PASSED, FAILED, NOT_TRIED, url="http://127.0.0.1:1/dev", suffix="pr42"))
    assert console.export_text().splitlines() == [
        "smoke dev-pr42 on local: 1 passed, 1 failed, 1 not tried in 3.2 s (http://127.0.0.1:1/dev)",
        "  ✓ process      0.1 s  payment 1 received",
        "  ✗ captured     1.0 s  it broke",
        "  » duplicate    0.0 s  not tried: no payment was accepted",
        "  Next: `invoke logs --env dev --suffix pr42 --target local --since 5m` shows what the functions logged.",
    ]


def test_the_key_is_in_no_representation() -> None:
    assert KEY not in repr(Service(url="http://127.0.0.1", key=KEY))
