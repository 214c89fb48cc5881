"""moto's transactions, as a service that relies on them needs them: all or nothing, on conditions, and nobody sees half of one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

TABLE = "table"
ONCE = "attribute_not_exists(pk)"


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client: Any = boto3.Session("a", "b", region_name="us-east-1").client("dynamodb")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield client


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "x"}}


def put(name: str, condition: str | None = ONCE, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {**key(name), **more}, **({"ConditionExpression": condition} if condition else {})}}


def names(dynamodb: Any) -> set[str]:
    return {item["pk"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}


def reasons(error: ClientError) -> list[str]:
    response: dict[str, Any] = error.response
    return [reason["Code"] for reason in response["CancellationReasons"]]


def test_a_transaction_whose_condition_fails_does_nothing_and_says_which(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[put("a", note={"S": "first"})])
    asking = put("a")
    asking["Put"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    with pytest.raises(ClientError) as refused:
        dynamodb.transact_write_items(TransactItems=[put("b"), asking, put("c")])
    assert reasons(refused.value) == ["None", "ConditionalCheckFailed", "None"]
    response: dict[str, Any] = refused.value.response
    assert response["CancellationReasons"][1]["Item"] == {**key("a"), "note": {"S": "first"}}
    assert names(dynamodb) == {"a"}


def test_every_kind_of_action_is_done_with_the_others(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[put(name, number={"N": "1"}) for name in ("a", "b", "c")])
    more = {"UpdateExpression": "SET #n = #n + :one", "ExpressionAttributeNames": {"#n": "number"}, "ExpressionAttributeValues": {":one": {"N": "1"}}}
    check = {"TableName": TABLE, "Key": key("c"), "ConditionExpression": "attribute_exists(pk)"}
    dynamodb.transact_write_items(
        TransactItems=[{"Update": {"TableName": TABLE, "Key": key("a"), **more}}, {"Delete": {"TableName": TABLE, "Key": key("b")}}, {"ConditionCheck": check}]
    )
    assert dynamodb.get_item(TableName=TABLE, Key=key("a"))["Item"]["number"] == {"N": "2"}
    assert names(dynamodb) == {"a", "c"}


def test_what_fails_while_it_is_written_is_undone(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[put("a", text={"S": "kept"})])
    wrong = {"UpdateExpression": "SET #t = #t + :one", "ExpressionAttributeNames": {"#t": "text"}, "ExpressionAttributeValues": {":one": {"N": "1"}}}
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(TransactItems=[put("b"), {"Update": {"TableName": TABLE, "Key": key("a"), **wrong}}])
    assert names(dynamodb) == {"a"}
    assert dynamodb.get_item(TableName=TABLE, Key=key("a"))["Item"]["text"] == {"S": "kept"}


def test_two_actions_on_one_item_are_refused(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="multiple operations on one item"):
        dynamodb.transact_write_items(TransactItems=[put("a"), put("a")])


def test_of_transactions_at_the_same_instant_each_is_whole_and_one_has_each_item(dynamodb: Any) -> None:
    callers, rounds = 6, 20
    together = threading.Barrier(callers)

    def call(caller: int) -> int:
        won = 0
        for number in range(rounds):
            together.wait()
            try:
                dynamodb.transact_write_items(TransactItems=[put(f"own-{caller}-{number}"), put(f"shared-{number}")])
            except ClientError:
                continue
            won += 1
        return won

    with ThreadPoolExecutor(callers) as pool:
        assert sum(pool.map(call, range(callers))) == rounds
    found = names(dynamodb)
    assert {name for name in found if name.startswith("shared")} == {f"shared-{number}" for number in range(rounds)}
    assert len({name for name in found if name.startswith("own")}) == rounds
