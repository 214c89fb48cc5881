"""The `data:` keys: what the pages may say, and what is refused with which key and rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.data.database_settings import RdsSettings
from projects.data.settings import DataSettings, problems
from projects.data.throughput import PAYMENT
from projects.data.windows import DAY, WEEK, Window, overlap
from shared import page as pages
from shared.environment import environment_of
from shared.page import Page, PageError


def page(section: str, **changed: Any) -> Page:
    """The prod page with some keys of one section changed; None takes a key away."""
    prod = pages.read("prod")
    keys = {**prod.config[f"data:{section}"], **changed}
    return prod.with_values({f"data:{section}": {key: value for key, value in keys.items() if value is not None}})


def refusals(of: Page) -> list[str]:
    with pytest.raises(PageError) as caught:
        of.settings("data", DataSettings)
    return [f"{found.key}: {found.rule}" for found in caught.value.problems]


@pytest.mark.parametrize("name", pages.names())
def test_the_pages_are_accepted(name: str) -> None:
    of = pages.read(name)
    settings = of.settings("data", DataSettings)
    assert settings.database.kind == environment_of(of).shape.database
    assert list(problems(settings, environment_of(of))) == []


@pytest.mark.parametrize(
    ("section", "changed", "key", "rule"),
    [
        ("database", {"instanceClass": "m6g.large"}, "data:database.instanceClass", "must be db.<family>.<size>"),
        ("database", {"instanceClass": "db.m6g"}, "data:database.instanceClass", "must be db.<family>.<size>"),
        ("database", {"instanceClass": "db.t2.micro"}, "data:database.instanceClass", "no PostgreSQL on t2"),
        ("database", {"instanceClass": "db.m6g.small"}, "data:database.instanceClass", "m6g has no size small"),
        ("database", {"instanceClass": "db.x2idn.16xlarge"}, "data:database.instanceClass", "no PostgreSQL on x2idn"),
        ("database", {"instanceClass": "db.serverless"}, "data:database.instanceClass", "must be db.<family>.<size>"),
        ("database", {"kind": "mysql"}, "data:database.kind", "'rds', 'aurora', 'aurora-serverless' or 'dynamodb'"),
        ("database", {"key": "mine"}, "data:database.key", "'customer' or 'aws'"),
        ("database", {"instances": 2}, "data:database.instances", "unknown key"),
        ("database", {"backupRetentionDays": 0}, "data:database.backupRetentionDays", "greater than or equal to 1"),
        ("database", {"backupRetentionDays": 36}, "data:database.backupRetentionDays", "less than or equal to 35"),
        ("database", {"backupRetentionDays": None}, "data:database.backupRetentionDays", "is required and missing"),
        ("database", {"monitoringSeconds": 2}, "data:database.monitoringSeconds", "0, 1, 5, 10, 15, 30 or 60"),
        ("database", {"multiAz": "perhaps"}, "data:database.multiAz", "valid boolean"),
        ("database", {"engineVersion": "13.4"}, "data:database.engineVersion", "a major version of PostgreSQL that RDS has"),
        ("database", {"engineVersion": True}, "data:database.engineVersion", "a major version of PostgreSQL that RDS has"),
        ("database", {"storageGib": 19}, "data:database.storageGib", "greater than or equal to 20"),
        ("database", {"storageGib": 100, "maxStorageGib": 109}, "data:database", "at least 10 % more than storageGib"),
        ("database", {"backupWindow": "3:00-4:00"}, "data:database.backupWindow", "hh:mm-hh:mm"),
        ("database", {"backupWindow": "03:00-03:29"}, "data:database.backupWindow", "has 29 minutes"),
        ("database", {"maintenanceWindow": "sunday:05:00-sunday:06:00"}, "data:database.maintenanceWindow", "ddd:hh:mm-ddd:hh:mm"),
        ("database", {"maintenanceWindow": "sun:05:00-mon:05:00"}, "data:database.maintenanceWindow", "shorter than a day"),
        ("database", {"maintenanceWindow": "sun:03:59-sun:05:00"}, "data:database", "overlaps with maintenanceWindow"),
        ("database", {"deletionProtection": True}, "data:database.deletionProtection", "unknown key"),
        ("tables", {"billing": "free"}, "data:tables.billing", "'on-demand', 'provisioned' or 'autoscaled'"),
        ("tables", {"billing": "on-demand"}, "data:tables", "has no readCapacity, writeCapacity, maxReadCapacity, maxWriteCapacity"),
        ("tables", {"billing": "provisioned"}, "data:tables", "has no maxReadCapacity, maxWriteCapacity"),
        ("tables", {"maxWriteCapacity": None}, "data:tables", "billing autoscaled needs maxWriteCapacity"),
        ("tables", {"maxReadCapacity": 5}, "data:tables", "maxReadCapacity must be more than readCapacity; this page has 5 and 5"),
        ("tables", {"readCapacity": 0}, "data:tables.readCapacity", "greater than or equal to 1"),
        ("tables", {"maxReadCapacity": 40_001}, "data:tables.maxReadCapacity", "less than or equal to 40000"),
        ("tables", {"payments": {"readCapacity": 1, "writeCapacity": 1}}, "data:tables", "payments: billing autoscaled needs maxReadCapacity"),
        ("tables", {"payments": {"reads": 1}}, "data:tables.payments.reads", "unknown key"),
        ("buckets", {"expireDays": 0}, "data:buckets.expireDays", "greater than or equal to 1"),
        ("buckets", {"glacierDays": 30}, "data:buckets", "glacierDays must be more than intelligentTieringDays"),
        ("buckets", {"expireDays": 90}, "data:buckets", "expireDays must be more than glacierDays; this page has 90 and 90"),
        ("buckets", {"glacierDays": None, "expireDays": 30}, "data:buckets", "expireDays must be more than intelligentTieringDays"),
        ("buckets", {"auditExpireDays": 0}, "data:buckets.auditExpireDays", "greater than or equal to 1"),
        ("buckets", {"auditExpireDays": 90}, "data:buckets", "auditExpireDays must be more than glacierDays; this page has 90 and 90"),
        ("buckets", {"glacierDays": None, "auditExpireDays": 30}, "data:buckets", "auditExpireDays must be more than intelligentTieringDays"),
    ],
)
def test_a_page_that_aws_would_refuse_is_refused_with_key_and_rule(section: str, changed: dict[str, Any], key: str, rule: str) -> None:
    [refused] = refusals(page(section, **changed))
    assert refused.startswith(f"{key}: ")
    assert rule in refused


def test_all_that_is_wrong_is_said_at_once() -> None:
    of = page("database", instanceClass="db.x1.large", backupRetentionDays=99).with_values({"data:buckets": {"expireDays": -1}, "data:cash": {}})
    assert [refused.split(":")[1] for refused in refusals(of)] == [
        "database.backupRetentionDays",
        "database.instanceClass",
        "buckets.expireDays",
        "cash",
    ]


@pytest.mark.parametrize(("written", "major"), [(16, 16), (17.5, 17), ("17", 17), ("18.1", 18)])
def test_versions_may_stand_on_the_page_without_quotes(written: object, major: int) -> None:
    database = page("database", engineVersion=written).settings("data", DataSettings).database
    assert isinstance(database, RdsSettings)
    assert database.major_version == major


@pytest.mark.parametrize(("asked", "given", "found"), [(True, True, []), (False, False, []), (True, False, [("database.multiAz", False)])])
def test_high_availability_needs_a_standby(asked: bool, given: bool, found: list[tuple[str, bool]]) -> None:
    of = page("database", multiAz=given).with_values({"platform:highAvailability": asked})
    refused = list(problems(of.settings("data", DataSettings), environment_of(of)))
    assert [(key, value) for key, value, _ in refused] == found


# What a payment takes, and what the 50 do that the API of accounts-dev lets in within a second.
READS, WRITES = PAYMENT["payments"].read, PAYMENT["payments"].write
OF_PAYMENTS = {"readCapacity": 50 * READS, "writeCapacity": 50 * WRITES}


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        ({"billing": "on-demand"}, []),
        ({"writeCapacity": 200, "payments": OF_PAYMENTS}, []),
        ({"writeCapacity": 199, "payments": OF_PAYMENTS}, [("tables.writeCapacity", 199, "transaction-log: 200 or more, or a rateLimit of 49.75 or less")]),
        (
            {"writeCapacity": 200, "payments": {**OF_PAYMENTS, "readCapacity": 50 * READS - 1}},
            [("tables.payments.readCapacity", 50 * READS - 1, f"payments: {50 * READS} or more")],
        ),
        ({"writeCapacity": 50 * WRITES}, [("tables.readCapacity", 5, f"payments: {50 * READS} or more, or a rateLimit of {5 / READS:.4g} or less")]),
        (
            {"writeCapacity": 200, "maxReadCapacity": 50 * READS, "maxWriteCapacity": 25 * WRITES},
            [("tables.maxWriteCapacity", 25 * WRITES, f"payments: {50 * WRITES} or more, or a rateLimit of 25 or less")],
        ),
    ],
)
def test_capacities_carry_what_the_api_lets_in(tables: dict[str, Any], found: list[tuple[str, int, str]]) -> None:
    billing = "autoscaled" if "maxReadCapacity" in tables else "provisioned"
    given = tables if tables.get("billing") else {"billing": billing, "readCapacity": 5, **tables}
    dev = pages.read("accounts-dev").with_values({"data:tables": given})
    assert environment_of(dev).shape.request_rate == 50
    refused = list(problems(dev.settings("data", DataSettings), environment_of(dev)))
    assert [(key, value) for key, value, _ in refused] == [(key, value) for key, value, _ in found]
    assert all(rule in said for (_, _, said), (_, _, rule) in zip(refused, found, strict=True))


def test_capacities_of_payments_want_a_table_of_payments() -> None:
    own = {"readCapacity": 5, "writeCapacity": 5, "maxReadCapacity": 10, "maxWriteCapacity": 10}
    of = page("tables", payments=own)
    [(key, _, rule)] = problems(of.settings("data", DataSettings), environment_of(of))
    assert (key, "data:database.kind dynamodb" in rule) == ("tables.payments", True)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    period = draw(st.sampled_from([DAY, WEEK]))
    return Window(draw(st.integers(0, period - 1)), draw(st.integers(30, DAY - 1)), period)


@given(windows(), windows())
def test_windows_overlap_when_one_begins_within_the_other(one: Window, other: Window) -> None:
    def begins_within(inner: Window, outer: Window) -> bool:
        starts = range(inner.start, WEEK, inner.period)
        return any((start - begin) % WEEK < outer.minutes for start in starts for begin in range(outer.start, WEEK, outer.period))

    assert overlap(one, other) == overlap(other, one) == (begins_within(one, other) or begins_within(other, one))


def test_a_window_may_pass_midnight_and_the_end_of_the_week() -> None:
    assert overlap(Window.daily("23:30-00:30"), Window.weekly("sun:23:45-mon:00:15"))
    assert not overlap(Window.daily("23:30-00:30"), Window.weekly("mon:00:30-mon:01:00"))
