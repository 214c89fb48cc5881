"""The rules that requests and schedules go by: routes, limits, permissions, cron."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.serve.cron import ExpressionError, parse
from localcloud.serve.logs import Line, batches
from localcloud.serve.model import Limit, Method, Quota
from localcloud.serve.permissions import allows
from localcloud.serve.routes import Routes
from localcloud.serve.throttle import Buckets, Quotas, period_begin


class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def _routes(*paths: str) -> Routes:
    return Routes(Method(resource=path, resource_id=path, verb=verb, function="f") for verb, path in (one.split() for one in paths))


@pytest.mark.parametrize(
    ("verb", "path", "found", "parameters"),
    [
        ("GET", "/", "/", {}),
        ("GET", "/things", "/things", {}),
        ("GET", "/things/", "/things", {}),
        ("GET", "/things/1", "/things/{id}", {"id": "1"}),
        ("GET", "/things/a%2Fb", "/things/{id}", {"id": "a/b"}),
        ("GET", "/things/special", "/things/special", {}),
        ("DELETE", "/things/special", None, {}),
        ("GET", "/things/1/parts/2", "/things/{id}/parts/{part}", {"id": "1", "part": "2"}),
        ("PUT", "/files/a/b%20c", "/files/{all+}", {"all": "a/b c"}),
        ("PUT", "/files", None, {}),
        ("POST", "/things", None, {}),
        ("GET", "/things/1/other", None, {}),
        ("GET", "/%7B%7D", None, {}),
    ],
)
def test_the_most_particular_route_is_taken(verb: str, path: str, found: str | None, parameters: dict[str, str]) -> None:
    routes = _routes(
        "GET /", "GET /things", "GET /things/special", "GET /things/{id}", "DELETE /things/{id}", "GET /things/{id}/parts/{part}", "ANY /files/{all+}"
    )
    match = routes.match(verb, path)
    assert (match.method.resource if match else None) == found
    assert (match.parameters if match else {}) == parameters


@given(rate=st.integers(1, 50), burst=st.integers(1, 20), pauses=st.lists(st.floats(0, 2), max_size=60))
def test_a_bucket_never_lets_more_through_than_its_burst_and_its_rate_allow(rate: int, burst: int, pauses: list[float]) -> None:
    clock = _Clock()
    buckets = Buckets(clock)
    limit = Limit(rate=rate, burst=burst)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        if buckets.take(("key",), limit):
            passed.append(clock.now)
    for first, since in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + rate * (passed[last] - since) + 1e-6


def test_a_bucket_fills_again_and_is_its_keys_own() -> None:
    clock = _Clock()
    buckets, limit = Buckets(clock), Limit(rate=2, burst=2)
    assert [buckets.take(("a",), limit) for _ in range(3)] == [True, True, False]
    assert buckets.take(("b",), limit)
    clock.now += 0.5
    assert [buckets.take(("a",), limit) for _ in range(2)] == [True, False]
    clock.now += 100
    assert [buckets.take(("a",), limit) for _ in range(3)] == [True, True, False]
    assert not buckets.take(("c",), Limit(rate=0, burst=0))


def test_a_quota_begins_anew_with_its_period() -> None:
    now = [datetime(2026, 1, 31, 23, 59, tzinfo=UTC)]
    quotas, quota = Quotas(lambda: now[0]), Quota(limit=1, period="MONTH")
    assert [quotas.take("plan", "key", quota) for _ in range(2)] == [True, False]
    assert quotas.take("plan", "other", quota)
    now[0] += timedelta(minutes=2)
    assert quotas.take("plan", "key", quota)


@pytest.mark.parametrize(
    ("period", "begin"), [("DAY", datetime(2026, 3, 4, tzinfo=UTC)), ("WEEK", datetime(2026, 3, 1, tzinfo=UTC)), ("MONTH", datetime(2026, 3, 1, tzinfo=UTC))]
)
def test_periods_begin_at_midnight_on_sunday_and_on_the_first(period: str, begin: datetime) -> None:
    assert period_begin(period, datetime(2026, 3, 4, 12, 30, tzinfo=UTC)) == begin  # a Wednesday
    assert period_begin(period, begin) == begin


_API = "arn:aws:execute-api:us-east-1:123456789012:abc/test/POST/things"


def _statement(**changed: Any) -> dict[str, Any]:
    condition = {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:123456789012:abc/*/POST/things"}}
    whole = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Condition": condition}
    return {**whole, **changed}


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({}, True),
        ({"Condition": {}}, True),
        ({"Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"}}}, True),
        ({"Principal": "*"}, True),
        ({"Action": ["lambda:*"]}, True),
        ({"Effect": "Deny"}, False),
        ({"Action": "lambda:GetFunction"}, False),
        ({"Principal": {"Service": "events.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        ({"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:123456789012:other/*/POST/things"}}}, False),
        ({"Condition": {"StringEquals": {"AWS:SourceAccount": "210987654321"}}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
    ],
)
def test_whom_a_functions_policy_lets_invoke_it(changed: dict[str, Any], allowed: bool) -> None:
    assert allows([_statement(**changed)], "apigateway.amazonaws.com", _API) is allowed
    assert not allows([], "apigateway.amazonaws.com", _API)


_NOW = datetime(2026, 2, 27, 10, 30, 20, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("rate(1 minute)", "2026-02-27 10:31:20"),
        ("rate(2 hours)", "2026-02-27 12:30:20"),
        ("rate(7 days)", "2026-03-06 10:30:20"),
        ("cron(* * * * ? *)", "2026-02-27 10:31:00"),
        ("cron(0/15 * * * ? *)", "2026-02-27 10:45:00"),
        ("cron(15 12 * * ? *)", "2026-02-27 12:15:00"),
        ("cron(0 8 1 * ? *)", "2026-03-01 08:00:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-02-27 18:00:00"),
        ("cron(0 8 ? * FRI-MON *)", "2026-02-28 08:00:00"),
        ("cron(0 8 ? * 2,4 *)", "2026-03-02 08:00:00"),
        ("cron(0 8 L * ? *)", "2026-02-28 08:00:00"),
        ("cron(0 8 LW * ? *)", "2026-03-31 08:00:00"),
        ("cron(0 8 1W * ? *)", "2026-03-02 08:00:00"),
        ("cron(0 8 ? * 6L *)", "2026-03-27 08:00:00"),
        ("cron(0 8 ? * TUE#2 *)", "2026-03-10 08:00:00"),
        ("cron(0 8 ? * L *)", "2026-02-28 08:00:00"),
        ("cron(0 0 29 FEB ? *)", "2028-02-29 00:00:00"),
        ("cron(0 0 1 JAN ? 2030-2040)", "2030-01-01 00:00:00"),
    ],
)
def test_when_a_schedule_comes_next(expression: str, following: str) -> None:
    found = parse(expression)(_NOW)
    assert found is not None
    assert found.strftime("%Y-%m-%d %H:%M:%S") == following


def test_a_schedule_that_never_comes_again() -> None:
    assert parse("cron(0 0 1 1 ? 2020)")(_NOW) is None
    assert parse("cron(0 0 31 2 ? *)")(_NOW) is None


@pytest.mark.parametrize(
    "expression",
    [
        *("", "rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "rate(5 weeks)", "at(2026-01-01T00:00:00)"),
        *("cron(* * * * *)", "cron(* * * * * *)", "cron(* * ? * ? *)", "cron(60 * * * ? *)", "cron(0/0 * * * ? *)", "cron(x * * * ? *)", "cron(0 0 0 * ? *)"),
    ],
)
def test_what_is_no_schedule(expression: str) -> None:
    with pytest.raises(ExpressionError):
        parse(expression)


@given(st.lists(st.tuples(st.integers(0, 100), st.text(max_size=30)), max_size=30))
def test_log_lines_are_in_order_and_none_but_empty_ones_is_left_out(lines: list[Line]) -> None:
    written = [line for batch in batches(lines) for line in batch]
    assert [at for at, _ in written] == sorted(at for at, _ in written)
    kept = [line for line in lines if line[1].encode(errors="replace")]
    assert sorted(written) == sorted(kept)


def test_log_lines_are_cut_and_parted_as_one_call_takes_them() -> None:
    parted = list(batches([(0, "x" * 300_000)] * 5))
    assert [len(batch) for batch in parted] == [4, 1]
    assert {len(text) for batch in parted for _, text in batch} == {256 * 1024 - 26}
    assert [len(batch) for batch in batches([(0, "x")] * 10_001)] == [10_000, 1]
