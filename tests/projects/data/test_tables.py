"""The tables, as DynamoDB and Application Auto Scaling have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from projects.data.keys import data_key
from projects.data.settings import TableSettings
from projects.data.tables import Tables
from shared.environment import Environment
from tests.projects.harness import Cloud, empty_aws

SESSIONS, LOG, PAYMENTS = "sessions-staging-main", "transaction-log-staging-main", "payments-staging-main"
AUTOSCALED = {"billing": "autoscaled", "read_capacity": 5, "write_capacity": 6, "max_read_capacity": 100, "max_write_capacity": 50}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("staging") as cloud:
        yield cloud


@pytest.fixture
def without_a_database() -> Iterator[Cloud]:
    with empty_aws("staging", **{"data:database": {"kind": "dynamodb"}}) as cloud:
        yield cloud


def make(cloud: Cloud, **settings: Any) -> dict[str, dict[str, Any]]:
    """Makes the tables; answers what DynamoDB says about each."""

    def components(environment: Environment) -> None:
        Tables("tables", environment, TableSettings.model_validate(settings), key_arn=data_key(environment).arn)

    cloud.make(components)
    client = cloud.client("dynamodb")
    return {name: client.describe_table(TableName=name)["Table"] for name in client.list_tables()["TableNames"]}


def test_keys_of_the_tables(cloud: Cloud) -> None:
    tables = make(cloud, billing="on-demand")
    types = {name: {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]} for name, table in tables.items()}
    assert types == {SESSIONS: {"session_id": "S"}, LOG: {"payment_id": "S", "sequence": "N"}}
    assert [(key["AttributeName"], key["KeyType"]) for key in tables[LOG]["KeySchema"]] == [("payment_id", "HASH"), ("sequence", "RANGE")]
    assert [(key["AttributeName"], key["KeyType"]) for key in tables[SESSIONS]["KeySchema"]] == [("session_id", "HASH")]


def test_sessions_end_and_transactions_do_not(cloud: Cloud) -> None:
    make(cloud, billing="on-demand")
    client = cloud.client("dynamodb")
    ends = client.describe_time_to_live(TableName=SESSIONS)["TimeToLiveDescription"]
    assert (ends["TimeToLiveStatus"], ends["AttributeName"]) == ("ENABLED", "expires_at")
    assert client.describe_time_to_live(TableName=LOG)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"


def test_both_are_encrypted_with_the_data_key(cloud: Cloud) -> None:
    tables = make(cloud, billing="on-demand")
    [alias] = [alias for alias in cloud.client("kms").list_aliases()["Aliases"] if alias["AliasName"] == "alias/data-staging-main"]
    for table in tables.values():
        assert (table["SSEDescription"]["Status"], table["SSEDescription"]["SSEType"]) == ("ENABLED", "KMS")
        assert table["SSEDescription"]["KMSMasterKeyArn"].endswith(alias["TargetKeyId"])
        assert not table["DeletionProtectionEnabled"]


@pytest.mark.parametrize(("asked", "status"), [(True, "ENABLED"), (False, "DISABLED")])
def test_point_in_time_recovery_is_the_pages(cloud: Cloud, asked: bool, status: str) -> None:
    for name in make(cloud, billing="on-demand", point_in_time_recovery=asked):
        backups = cloud.client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == status


def test_on_demand_has_no_capacity(cloud: Cloud) -> None:
    assert {table["BillingModeSummary"]["BillingMode"] for table in make(cloud, billing="on-demand").values()} == {"PAY_PER_REQUEST"}


def test_provisioned_has_the_pages_capacity_and_does_not_scale(cloud: Cloud) -> None:
    for table in make(cloud, billing="provisioned", read_capacity=5, write_capacity=6).values():
        assert (table["ProvisionedThroughput"]["ReadCapacityUnits"], table["ProvisionedThroughput"]["WriteCapacityUnits"]) == (5, 6)
    assert cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"] == []


def test_autoscaled_scales_reads_and_writes_of_both_tables(cloud: Cloud) -> None:
    make(cloud, **AUTOSCALED)
    client = cloud.client("application-autoscaling")
    targets = client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert {(one["ResourceId"], one["ScalableDimension"]): (one["MinCapacity"], one["MaxCapacity"]) for one in targets} == {
        (f"table/{name}", f"dynamodb:table:{direction}CapacityUnits"): bounds
        for name in (SESSIONS, LOG)
        for direction, bounds in (("Read", (5, 100)), ("Write", (6, 50)))
    }
    policies = client.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"]
    assert {(one["ResourceId"], one["ScalableDimension"]) for one in policies} == {(one["ResourceId"], one["ScalableDimension"]) for one in targets}
    for policy in policies:
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        direction = "Read" if "Read" in policy["ScalableDimension"] else "Write"
        assert tracking["TargetValue"] == 70.0
        assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == f"DynamoDB{direction}CapacityUtilization"


@pytest.mark.parametrize(("settings", "ignored"), [(AUTOSCALED, True), ({"billing": "provisioned", "read_capacity": 5, "write_capacity": 5}, False)])
def test_a_deployment_does_not_undo_what_autoscaling_did(cloud: Cloud, settings: dict[str, Any], ignored: bool) -> None:
    seen: dict[str, set[str]] = {}

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        if args.type_ == "aws:dynamodb/table:Table":
            seen[args.name] = set(args.opts.ignore_changes or ()) if isinstance(args.opts.ignore_changes, list) else set()

    def components(environment: Environment) -> None:
        pulumi.runtime.register_stack_transformation(look)
        Tables("tables", environment, TableSettings.model_validate(settings), key_arn=data_key(environment).arn)

    cloud.make(components)
    expected = {"read_capacity", "write_capacity"} if ignored else set[str]()
    assert seen == {"sessions": expected, "transaction-log": expected}


def test_payments_are_a_table_where_there_is_no_relational_database(without_a_database: Cloud) -> None:
    tables = make(without_a_database, billing="on-demand")
    assert set(tables) == {SESSIONS, LOG, PAYMENTS}
    payments = tables[PAYMENTS]
    types = {one["AttributeName"]: one["AttributeType"] for one in payments["AttributeDefinitions"]}
    assert types == {"pk": "S", "sk": "S", "due_shard": "S", "due_at": "N"}
    assert [(key["AttributeName"], key["KeyType"]) for key in payments["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    [due] = payments["GlobalSecondaryIndexes"]
    assert (due["IndexName"], due["Projection"]["ProjectionType"]) == ("due", "KEYS_ONLY")
    assert [(key["AttributeName"], key["KeyType"]) for key in due["KeySchema"]] == [("due_shard", "HASH"), ("due_at", "RANGE")]
    ends = without_a_database.client("dynamodb").describe_time_to_live(TableName=PAYMENTS)["TimeToLiveDescription"]
    assert (ends["TimeToLiveStatus"], ends["AttributeName"]) == ("ENABLED", "expires_at")


def test_the_index_has_the_tables_capacity_and_scales_with_it(without_a_database: Cloud) -> None:
    tables = make(without_a_database, **AUTOSCALED)
    [due] = tables[PAYMENTS]["GlobalSecondaryIndexes"]
    assert (due["ProvisionedThroughput"]["ReadCapacityUnits"], due["ProvisionedThroughput"]["WriteCapacityUnits"]) == (5, 6)
    targets = without_a_database.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    of_payments = {(one["ResourceId"], one["ScalableDimension"], one["MinCapacity"], one["MaxCapacity"]) for one in targets if PAYMENTS in one["ResourceId"]}
    assert of_payments == {
        (f"table/{PAYMENTS}{index}", f"dynamodb:{what}:{direction}CapacityUnits", *bounds)
        for index, what in (("", "table"), ("/index/due", "index"))
        for direction, bounds in (("Read", (5, 100)), ("Write", (6, 50)))
    }


def test_the_table_of_payments_may_have_a_capacity_of_its_own(without_a_database: Cloud) -> None:
    own = {"read_capacity": 7, "write_capacity": 8, "max_read_capacity": 700, "max_write_capacity": 800}
    tables = make(without_a_database, **AUTOSCALED, payments=own)
    [due] = tables[PAYMENTS]["GlobalSecondaryIndexes"]
    given = {name: table["ProvisionedThroughput"] for name, table in {**tables, "due": due}.items()}
    assert {name: (one["ReadCapacityUnits"], one["WriteCapacityUnits"]) for name, one in given.items()} == {
        SESSIONS: (5, 6),
        LOG: (5, 6),
        PAYMENTS: (7, 8),
        "due": (7, 8),
    }
    targets = without_a_database.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert {(one["MinCapacity"], one["MaxCapacity"]) for one in targets if PAYMENTS in one["ResourceId"]} == {(7, 700), (8, 800)}
    assert {(one["MinCapacity"], one["MaxCapacity"]) for one in targets if PAYMENTS not in one["ResourceId"]} == {(5, 100), (6, 50)}


def test_sessions_are_no_table_where_a_cache_keeps_them() -> None:
    with empty_aws("containers-dev") as cloud:
        assert set(make(cloud, billing="on-demand")) == {cloud.environment.names("transaction-log")}


def test_roles_of_other_environments_and_accounts_are_refused_by_the_tables_themselves(cloud: Cloud) -> None:
    for table in make(cloud, billing="on-demand").values():
        document = json.loads(cloud.client("dynamodb").get_resource_policy(ResourceArn=table["TableArn"])["Policy"])
        found = {one["Sid"]: one for one in document["Statement"]}
        assert set(found) == {"OnlyThisEnvironment", "OnlyThisSuffix", "OnlyThisAccount"}
        for one in found.values():
            assert (one["Effect"], one["Action"]) == ("Deny", "dynamodb:*")
            assert one["Resource"] == [table["TableArn"], f"{table['TableArn']}/index/*"]
