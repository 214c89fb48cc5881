"""Amazon DynamoDB: tables with their indexes, streams, expiry and backups; their policies have a module beside this one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, flag, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._dynamodb_policy import RESOURCE_POLICY
from localcloud.resources._known import entries, members

_ON_DEMAND = "PAY_PER_REQUEST"


def _capacity(inputs: Props) -> Props:
    """The throughput of a table or an index; nothing when it is on demand."""
    if inputs.get("readCapacity") is None:
        return {}
    return {"ProvisionedThroughput": {"ReadCapacityUnits": inputs["readCapacity"], "WriteCapacityUnits": inputs["writeCapacity"]}}


def _keys(hash_key: str, range_key: str | None) -> list[Props]:
    pairs = ((hash_key, "HASH"), (range_key, "RANGE"))
    return [{"AttributeName": name, "KeyType": kind} for name, kind in pairs if name]


def _attributes(inputs: Props) -> list[Props]:
    return [{"AttributeName": attribute["name"], "AttributeType": attribute["type"]} for attribute in inputs["attributes"]]


def _index(index: Props, hash_key: str) -> Props:
    others = {"NonKeyAttributes": index["nonKeyAttributes"]} if index.get("nonKeyAttributes") else {}
    return {
        "IndexName": index["name"],
        "KeySchema": _keys(hash_key, index.get("rangeKey")),
        "Projection": {"ProjectionType": index["projectionType"], **others},
    }


def _global_index(index: Props) -> Props:
    return {**_index(index, index["hashKey"]), **_capacity(index)}


def _stream(inputs: Props) -> Props:
    view = {"StreamViewType": inputs["streamViewType"]} if inputs.get("streamViewType") else {}
    return {"StreamEnabled": True, **view} if inputs.get("streamEnabled") else {"StreamEnabled": False}


def _encryption(inputs: Props) -> Props:
    wanted = members(inputs.get("serverSideEncryption"))
    key = {"KMSMasterKeyId": wanted["kmsKeyArn"]} if wanted.get("kmsKeyArn") else {}
    return {"Enabled": True, "SSEType": "KMS", **key} if wanted.get("enabled") else {}


def _create(aws: Aws, inputs: Props) -> str:
    name = str(inputs["name"])
    wanted = {
        "GlobalSecondaryIndexes": [_global_index(index) for index in entries(inputs.get("globalSecondaryIndexes"))],
        "LocalSecondaryIndexes": [_index(index, inputs["hashKey"]) for index in entries(inputs.get("localSecondaryIndexes"))],
        "SSESpecification": _encryption(inputs),
        "StreamSpecification": _stream(inputs) if inputs.get("streamEnabled") else {},
        "TableClass": inputs.get("tableClass"),
        "DeletionProtectionEnabled": inputs.get("deletionProtectionEnabled"),
        "Tags": _tags.as_list(inputs.get("tags")),
    }
    aws.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=_attributes(inputs),
        KeySchema=_keys(inputs["hashKey"], inputs.get("rangeKey")),
        BillingMode=inputs["billingMode"],
        **_capacity(inputs),
        **{member: value for member, value in wanted.items() if value},
    )
    with made(name):
        if members(inputs.get("ttl")).get("attributeName"):
            _expire(aws, name, inputs["ttl"])
        if inputs.get("pointInTimeRecovery"):
            _back_up(aws, name, inputs["pointInTimeRecovery"])
    return name


def _expire(aws: Aws, name: str, ttl: Props) -> None:
    specification = {"Enabled": bool(ttl.get("enabled")), "AttributeName": ttl["attributeName"]}
    aws.client("dynamodb").update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def _back_up(aws: Aws, name: str, recovery: Props) -> None:
    days = {"RecoveryPeriodInDays": recovery["recoveryPeriodInDays"]} if recovery.get("recoveryPeriodInDays") else {}
    aws.client("dynamodb").update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": bool(recovery.get("enabled")), **days}
    )


def _throughput(live: Props, *, on_demand: bool) -> Props:
    capacity = live.get("ProvisionedThroughput")
    if on_demand or not capacity:
        return {}
    return {"readCapacity": capacity["ReadCapacityUnits"], "writeCapacity": capacity["WriteCapacityUnits"]}


def _key_names(live: Props) -> Props:
    names = {key["KeyType"]: key["AttributeName"] for key in live["KeySchema"]}
    return {ours: names[kind] for ours, kind in (("hashKey", "HASH"), ("rangeKey", "RANGE")) if kind in names}


def _read_index(live: Props) -> Props:
    projection = live["Projection"]
    others = {"nonKeyAttributes": projection["NonKeyAttributes"]} if projection.get("NonKeyAttributes") else {}
    return {"name": live["IndexName"], **_key_names(live), "projectionType": projection["ProjectionType"], **others}


def _read_local_index(live: Props) -> Props:
    # Its hash key is the table's, and no input of its own.
    return {name: value for name, value in _read_index(live).items() if name != "hashKey"}


def _read_encryption(live: Props, known: Props) -> Props:
    if live.get("Status") != "ENABLED":
        return {"enabled": False}
    # Where no key is named, AWS shows its own, which nobody asked for.
    named = members(known.get("serverSideEncryption")).get("kmsKeyArn")
    return {"enabled": True, **({"kmsKeyArn": live["KMSMasterKeyArn"]} if named else {})}


def _read_ttl(live: Props) -> Props:
    attribute = {"attributeName": live["AttributeName"]} if live.get("AttributeName") else {}
    return {"enabled": live["TimeToLiveStatus"] == "ENABLED", **attribute}


def _read_recovery(live: Props, known: Props) -> Props:
    recovery = live["PointInTimeRecoveryDescription"]
    # 35 days unless another period is named.
    named = members(known.get("pointInTimeRecovery")).get("recoveryPeriodInDays")
    days = {"recoveryPeriodInDays": recovery["RecoveryPeriodInDays"]} if named and "RecoveryPeriodInDays" in recovery else {}
    return {"enabled": recovery["PointInTimeRecoveryStatus"] == "ENABLED", **days}


def _read(aws: Aws, name: str, known: Props) -> Props:
    dynamodb = aws.client("dynamodb")
    live = dynamodb.describe_table(TableName=name)["Table"]
    on_demand = live["BillingModeSummary"]["BillingMode"] == _ON_DEMAND
    stream = live.get("StreamSpecification") or {}
    return {
        "name": name,
        "arn": live["TableArn"],
        "billingMode": live["BillingModeSummary"]["BillingMode"],
        **_throughput(live, on_demand=on_demand),
        **_key_names(live),
        "attributes": [{"name": each["AttributeName"], "type": each["AttributeType"]} for each in live["AttributeDefinitions"]],
        "globalSecondaryIndexes": [{**_read_index(index), **_throughput(index, on_demand=on_demand)} for index in live.get("GlobalSecondaryIndexes") or ()],
        "localSecondaryIndexes": [_read_local_index(index) for index in live.get("LocalSecondaryIndexes") or ()],
        "serverSideEncryption": _read_encryption(live.get("SSEDescription") or {}, known),
        "ttl": _read_ttl(dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]),
        "pointInTimeRecovery": _read_recovery(dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"], known),
        "streamEnabled": bool(stream.get("StreamEnabled")),
        "streamViewType": stream.get("StreamViewType", ""),
        "streamArn": live.get("LatestStreamArn", ""),
        "streamLabel": live.get("LatestStreamLabel", ""),
        "deletionProtectionEnabled": bool(live.get("DeletionProtectionEnabled")),
        "tags": _tags.as_map(dynamodb.list_tags_of_resource(ResourceArn=live["TableArn"]).get("Tags")),
    }


def _index_updates(new: Props, old: Props) -> list[Props]:
    """The calls that lead from the old global indexes to the new: one that differs in more than its capacity is made anew."""
    before = {index["name"]: index for index in entries(old.get("globalSecondaryIndexes"))}
    after = {index["name"]: index for index in entries(new.get("globalSecondaryIndexes"))}
    same_shape = {name for name in set(before) & set(after) if _index(before[name], before[name]["hashKey"]) == _index(after[name], after[name]["hashKey"])}
    deletes = [{"Delete": {"IndexName": name}} for name in before if name not in same_shape]
    changes = [
        {"Update": {"IndexName": name, **_capacity(after[name])}}
        for name in sorted(same_shape)
        if _capacity(after[name]) and _capacity(after[name]) != _capacity(before[name])
    ]
    creates = [{"Create": _global_index(after[name])} for name in after if name not in same_shape]
    return [*deletes, *changes, *creates]


def _update(aws: Aws, name: str, new: Props, old: Props) -> None:
    dynamodb = aws.client("dynamodb")
    for change in _changes(new, old):
        dynamodb.update_table(TableName=name, **change)
    before, after = members(old.get("ttl")), members(new.get("ttl"))
    if before != after and before.get("enabled"):
        _expire(aws, name, {**before, "enabled": False})
    if before != after and after.get("enabled"):
        _expire(aws, name, after)
    if new.get("pointInTimeRecovery") != old.get("pointInTimeRecovery"):
        _back_up(aws, name, members(new.get("pointInTimeRecovery")))
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: dynamodb.tag_resource(ResourceArn=arn, Tags=_tags.as_list(tags)),
        untag=lambda names: dynamodb.untag_resource(ResourceArn=arn, TagKeys=names),
    )


def _changes(new: Props, old: Props) -> Iterator[Props]:
    """UpdateTable's calls, one after the other, as AWS takes one kind of change at a time and one index that is made or deleted."""

    def differs(*inputs: str) -> bool:
        return any(new.get(each) != old.get(each) for each in inputs)

    if differs("billingMode", "readCapacity", "writeCapacity"):
        yield {"BillingMode": new["billingMode"], **_capacity(new)}
    for index in _index_updates(new, old):
        yield {"AttributeDefinitions": _attributes(new), "GlobalSecondaryIndexUpdates": [index]}
    if differs("streamEnabled", "streamViewType"):
        if old.get("streamEnabled"):
            yield {"StreamSpecification": {"StreamEnabled": False}}
        if new.get("streamEnabled"):
            yield {"StreamSpecification": _stream(new)}
    if differs("tableClass"):
        yield {"TableClass": new.get("tableClass") or "STANDARD"}
    if differs("deletionProtectionEnabled"):
        yield {"DeletionProtectionEnabled": bool(new.get("deletionProtectionEnabled"))}


def _delete(aws: Aws, name: str, _: Props) -> None:
    aws.client("dynamodb").delete_table(TableName=name)


def _refusals(inputs: Props) -> Iterator[Refusal]:
    yield from _attribute_refusals(inputs)
    yield from _capacity_refusals(inputs)
    indexes = [(kind, index) for kind in ("globalSecondaryIndexes", "localSecondaryIndexes") for index in entries(inputs.get(kind))]
    for name, count in Counter(str(index.get("name")) for _, index in indexes if index.get("name") != UNKNOWN).items():
        if count > 1:
            yield Refusal("globalSecondaryIndexes", f"{name} is the name of {count} indexes of this table")
    for kind, index in indexes:
        if (index.get("projectionType") == "INCLUDE") != bool(index.get("nonKeyAttributes")) and index.get("projectionType") != UNKNOWN:
            yield Refusal(kind, f"{index.get('name')}: nonKeyAttributes goes with projectionType INCLUDE, and only with it")
    if inputs.get("localSecondaryIndexes") and not inputs.get("rangeKey"):
        yield Refusal("localSecondaryIndexes", "a table without a rangeKey has none")
    if inputs.get("streamEnabled") is True and not inputs.get("streamViewType"):
        yield Refusal("streamViewType", "it is required when streamEnabled is true")
    if inputs.get("streamViewType") and not inputs.get("streamEnabled"):
        yield Refusal("streamViewType", "it is taken only when streamEnabled is true")
    if (ttl := members(inputs.get("ttl"))).get("enabled") is True and not ttl.get("attributeName"):
        yield Refusal("ttl.attributeName", "it is required when ttl is enabled")


def _attribute_refusals(inputs: Props) -> Iterator[Refusal]:
    """DynamoDB: the attributes that a table declares are those of its keys and of its indexes' keys, all of them and no other."""
    indexes = [*entries(inputs.get("globalSecondaryIndexes")), *entries(inputs.get("localSecondaryIndexes"))]
    lists = [inputs.get(name) for name in ("attributes", "globalSecondaryIndexes", "localSecondaryIndexes")]
    keys = {owner[key] for owner in (inputs, *indexes) for key in ("hashKey", "rangeKey") if owner.get(key)}
    declared = [attribute.get("name", UNKNOWN) for attribute in entries(inputs.get("attributes"))]
    if UNKNOWN in keys or UNKNOWN in declared or any(value == UNKNOWN or UNKNOWN in cast("list[Any]", value or []) for value in lists):
        return
    for name in sorted(keys - set(declared)):
        yield Refusal("attributes", f"{name} is a key of the table or of an index, and must be declared with its type")
    for name in sorted(set(declared) - keys):
        yield Refusal("attributes", f"{name} is no key of the table nor of an index; only keys are declared")
    for name in sorted(name for name, count in Counter(declared).items() if count > 1):
        yield Refusal("attributes", f"{name} is declared more than once")


def _capacity_refusals(inputs: Props) -> Iterator[Refusal]:
    mode = inputs.get("billingMode")
    indexes = [(f"globalSecondaryIndexes[{i}].", index) for i, index in enumerate(entries(inputs.get("globalSecondaryIndexes")))]
    # An index that is not known yet has no members.
    for at, owner in (("", inputs), *((at, index) for at, index in indexes if index)):
        for name in ("readCapacity", "writeCapacity"):
            if mode == _ON_DEMAND and owner.get(name) is not None:
                yield Refusal(f"{at}{name}", f"it is not taken with billingMode {_ON_DEMAND}")
            if mode == "PROVISIONED" and owner.get(name) is None:
                yield Refusal(f"{at}{name}", "it is required with billingMode PROVISIONED")


_KEY = "CreateTable.AttributeDefinitions.AttributeName"
_PROJECTION = {
    "name": text(required=True, shape="CreateTable.GlobalSecondaryIndexes.IndexName"),
    "projectionType": text(required=True, shape="CreateTable.GlobalSecondaryIndexes.Projection.ProjectionType"),
    "nonKeyAttributes": texts(shape="CreateTable.GlobalSecondaryIndexes.Projection.NonKeyAttributes"),
}
_CAPACITY = {
    "readCapacity": number(shape="CreateTable.ProvisionedThroughput.ReadCapacityUnits"),
    "writeCapacity": number(shape="CreateTable.ProvisionedThroughput.WriteCapacityUnits"),
}

TABLE = Kind(
    type="aws:dynamodb/table:Table",
    client="dynamodb",
    inputs={
        # Developer guide, "Naming rules"; botocore's shape takes an ARN, too, which creation does not. Quotas: 20 global indexes, 5 local ones.
        "name": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_.-]{3,255}"),
        "billingMode": text(shape="CreateTable.BillingMode"),
        "hashKey": text(required=True, replaces=True, shape=_KEY),
        "rangeKey": text(replaces=True, shape=_KEY),
        "attributes": blocks(
            {"name": text(required=True, shape=_KEY), "type": text(required=True, shape="CreateTable.AttributeDefinitions.AttributeType")},
            unordered=True,
            required=True,
        ),
        **_CAPACITY,
        "globalSecondaryIndexes": blocks(
            {**_PROJECTION, **_CAPACITY, "hashKey": text(required=True, shape=_KEY), "rangeKey": text(shape=_KEY)}, unordered=True, at_most=20
        ),
        "localSecondaryIndexes": blocks({**_PROJECTION, "rangeKey": text(required=True, shape=_KEY)}, unordered=True, replaces=True, at_most=5),
        "ttl": block({"enabled": flag(), "attributeName": text(shape="UpdateTimeToLive.TimeToLiveSpecification.AttributeName")}),
        "pointInTimeRecovery": block(
            {
                "enabled": flag(required=True),
                "recoveryPeriodInDays": number(shape="UpdateContinuousBackups.PointInTimeRecoverySpecification.RecoveryPeriodInDays"),
            }
        ),
        # The AWS provider changes the key in place; moto cannot (`gaps.py`).
        "serverSideEncryption": block({"enabled": flag(required=True), "kmsKeyArn": text(pattern=r"arn:aws[a-z-]*:kms:.+")}, replaces=True),
        "streamEnabled": flag(),
        "streamViewType": text(shape="CreateTable.StreamSpecification.StreamViewType"),
        "tableClass": text(shape="CreateTable.TableClass"),
        "deletionProtectionEnabled": flag(),
    },
    outputs=("arn", "streamArn", "streamLabel"),
    tagged=True,
    defaults={"billingMode": "PROVISIONED"},
    rule=_refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)

KINDS = (RESOURCE_POLICY, TABLE)
