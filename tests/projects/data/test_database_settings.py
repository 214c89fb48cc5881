"""The `data:database` and `data:cache` keys: each kind has its own, and is refused what AWS does not have for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.data import versions
from projects.data.database_settings import AuroraServerlessSettings, AuroraSettings, DynamodbSettings
from projects.data.settings import DataSettings, problems
from shared import page as pages
from shared.environment import environment_of
from shared.page import PageError

AURORA = {"kind": "aurora", "instanceClass": "db.r7g.large", "instances": 2, "backupRetentionDays": 7}
SERVERLESS = {"kind": "aurora-serverless", "minCapacity": 0.5, "maxCapacity": 8, "readers": 1, "backupRetentionDays": 7}
CACHE = {"nodeType": "cache.t4g.micro", "replicas": 1}


def settings(*, high_availability: bool = False, **sections: Any) -> DataSettings:
    """The settings of the dev page with other sections; PageError with what is wrong, also across sections."""
    values = {f"data:{section}": value for section, value in sections.items()}
    of = pages.read("dev").with_values({**values, "platform:highAvailability": high_availability})
    return of.settings("data", DataSettings)


def refusals(**sections: Any) -> list[str]:
    with pytest.raises(PageError) as caught:
        settings(**sections)
    return [f"{found.key}: {found.rule}" for found in caught.value.problems]


def test_each_kind_is_its_own_model() -> None:
    assert isinstance(settings(database=AURORA).database, AuroraSettings)
    assert isinstance(settings(database=SERVERLESS).database, AuroraServerlessSettings)
    assert isinstance(settings(database={"kind": "dynamodb"}).database, DynamodbSettings)
    assert settings().database.kind == "rds"
    assert settings().cache is None


@pytest.mark.parametrize(
    ("kind", "changed", "key", "rule"),
    [
        (AURORA, {"instanceClass": "db.t3.small"}, ".instanceClass", "no PostgreSQL on t3.small; t3 has no size small, sizes are medium, large"),
        (AURORA, {"instanceClass": "db.m6g.large"}, ".instanceClass", "Aurora has no PostgreSQL on m6g"),
        (AURORA, {"instanceClass": "db.serverless"}, ".instanceClass", "is for kind aurora-serverless"),
        (AURORA, {"instances": 0}, ".instances", "greater than or equal to 1"),
        (AURORA, {"instances": 17}, ".instances", "less than or equal to 16"),
        (AURORA, {"multiAz": True}, ".multiAz", "unknown key"),
        (AURORA, {"storageGib": 20}, ".storageGib", "unknown key"),
        (AURORA, {"backupRetentionDays": 0}, ".backupRetentionDays", "greater than or equal to 1"),
        (AURORA, {"engineVersion": "13"}, ".engineVersion", "a major version of PostgreSQL that Aurora has"),
        (AURORA, {"engineVersion": "19"}, ".engineVersion", "a major version of PostgreSQL that Aurora has"),
        (AURORA, {"engineVersion": 18.2}, ".engineVersion", "begin with 18.3 and leave out 18.5"),
        (AURORA, {"engineVersion": "18.5"}, ".engineVersion", "begin with 18.3 and leave out 18.5"),
        (AURORA, {"engineVersion": "17.8"}, ".engineVersion", "begin with 17.4 and leave out 17.8"),
        (AURORA, {"engineVersion": 16.5}, ".engineVersion", "Aurora has no PostgreSQL 16.5"),
        (AURORA, {"maintenanceWindow": "sun:03:30-sun:04:30"}, "", "overlaps with maintenanceWindow"),
        (SERVERLESS, {"instanceClass": "db.serverless"}, ".instanceClass", "unknown key"),
        (SERVERLESS, {"minCapacity": 0.7}, ".minCapacity", "multiple of 0.5"),
        (SERVERLESS, {"maxCapacity": 0.5}, ".maxCapacity", "greater than or equal to 1"),
        (SERVERLESS, {"maxCapacity": 256.5}, ".maxCapacity", "less than or equal to 256"),
        (SERVERLESS, {"minCapacity": 9}, "", "maxCapacity must be at least minCapacity; this page has 8 and 9"),
        (SERVERLESS, {"engineVersion": "16.2", "minCapacity": 0}, "", "Aurora PostgreSQL 16.2 has 0.5 to 256 ACU; this page has minCapacity 0"),
        (SERVERLESS, {"engineVersion": "15.4", "maxCapacity": 200}, "", "Aurora PostgreSQL 15.4 has 0.5 to 128 ACU"),
        (SERVERLESS, {"readers": 16}, ".readers", "less than or equal to 15"),
        ({"kind": "dynamodb"}, {"key": "aws"}, ".key", "unknown key"),
        ({"kind": "dynamodb"}, {"backupRetentionDays": 7}, ".backupRetentionDays", "unknown key"),
    ],
)
def test_a_database_that_aws_has_not_is_refused_with_key_and_rule(kind: dict[str, Any], changed: dict[str, Any], key: str, rule: str) -> None:
    [refused] = refusals(database={**kind, **changed})
    assert refused.startswith(f"data:database{key}: ")
    assert rule in refused


@pytest.mark.parametrize(("written", "version"), [(18, "18"), ("18.3", "18.3"), (18.4, "18.4"), ("18.6", "18.6"), (17.4, "17.4")])
def test_aurora_has_the_newest_majors_with_all_that_serverless_offers(written: object, version: str) -> None:
    database = settings(database={**SERVERLESS, "engineVersion": written, "minCapacity": 0, "maxCapacity": 256}).database
    assert isinstance(database, AuroraServerlessSettings)
    assert (database.engine_version, database.min_capacity, database.max_capacity) == (version, 0, 256)


@pytest.mark.parametrize("value", [None, 7, ["rds"], "aurora"])
def test_a_database_without_keys_is_refused_in_one_sentence(value: Any) -> None:
    [refused] = refusals(database=value)
    assert refused == "data:database: must hold the database's keys: kind (rds, aurora, aurora-serverless, dynamodb) and those of its kind"


@pytest.mark.parametrize(
    ("changed", "key", "rule"),
    [
        ({"nodeType": "t4g.micro"}, ".nodeType", "must be cache.<family>.<size>, such as cache.t4g.micro"),
        ({"nodeType": "cache.r6gd.xlarge"}, ".nodeType", "ElastiCache has no Redis on r6gd"),
        ({"nodeType": "cache.t4g.large"}, ".nodeType", "t4g has no size large, sizes are micro, small, medium"),
        ({"replicas": 6}, ".replicas", "less than or equal to 5"),
        ({"replicas": -1}, ".replicas", "greater than or equal to 0"),
        ({"engineVersion": "6.2"}, ".engineVersion", '"7.0" or "7.1"'),
        ({"engineVersion": 8.0}, ".engineVersion", '"7.0" or "7.1"'),
        ({"backupRetentionDays": 36}, ".backupRetentionDays", "less than or equal to 35"),
        ({"backupWindow": "03:00-03:30"}, ".backupWindow", "has 30 minutes; AWS wants a window of at least 60"),
        ({"maintenanceWindow": "sun:05:00-sun:05:59"}, ".maintenanceWindow", "has 59 minutes"),
        ({"maintenanceWindow": "sun:03:30-sun:04:30"}, "", "ElastiCache wants them apart"),
        ({"authToken": "secret"}, ".authToken", "unknown key"),
    ],
)
def test_a_cache_that_aws_has_not_is_refused_with_key_and_rule(changed: dict[str, Any], key: str, rule: str) -> None:
    [refused] = refusals(cache={**CACHE, **changed})
    assert refused.startswith(f"data:cache{key}: ")
    assert rule in refused


@pytest.mark.parametrize("written", [7.0, 7.1, "7.1"])
def test_versions_of_redis_may_stand_on_the_page_without_quotes(written: object) -> None:
    cache = settings(cache={**CACHE, "engineVersion": written}).cache
    assert cache is not None
    assert cache.engine_version == str(written)


@pytest.mark.parametrize(
    ("sections", "found"),
    [
        ({"database": AURORA, "cache": CACHE}, []),
        ({"database": {**AURORA, "instances": 1}}, [("database.instances", 1)]),
        ({"database": SERVERLESS}, []),
        ({"database": {**SERVERLESS, "readers": 0}}, [("database.readers", 0)]),
        ({"database": {"kind": "dynamodb"}}, []),
        ({"database": {"kind": "dynamodb"}, "cache": {**CACHE, "replicas": 0}}, [("cache.replicas", 0)]),
    ],
)
@pytest.mark.parametrize("asked", [True, False])
def test_high_availability_wants_somebody_who_takes_over(asked: bool, sections: dict[str, Any], found: list[tuple[str, object]]) -> None:
    values = {f"data:{section}": value for section, value in sections.items()}
    of = pages.read("dev").with_values({**values, "platform:highAvailability": asked})
    refused = [(key, value) for key, value, _ in problems(of.settings("data", DataSettings), environment_of(of))]
    assert refused == (found if asked else [])


@given(st.sampled_from(["14", "15", "16", "17", "18"]), st.integers(1, 40))
def test_a_later_minor_is_offered_no_less_capacity(major: str, minor: int) -> None:
    earlier, later, newest = (versions.capacity(version) for version in (f"{major}.{minor}", f"{major}.{minor + 1}", major))
    assert newest.least <= later.least <= earlier.least
    assert earlier.most <= later.most <= newest.most
