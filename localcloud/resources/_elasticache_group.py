"""A replication group of Amazon ElastiCache: a primary and its replicas, with Redis OSS or Valkey."""

from __future__ import annotations

from typing import Any

from localcloud.aws import Aws
from localcloud.fields import blocks, flag, number, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _elasticache_rules as rules
from localcloud.resources import _tags
from localcloud.resources._known import entries

# Pulumi's name: (member of CreateReplicationGroup, member of ReplicationGroup, or of the nodes' CacheCluster where the group does not show it).
_GROUP = {
    "description": ("ReplicationGroupDescription", "Description"),
    "engine": ("Engine", "Engine"),
    "nodeType": ("CacheNodeType", "CacheNodeType"),
    "atRestEncryptionEnabled": ("AtRestEncryptionEnabled", "AtRestEncryptionEnabled"),
    "kmsKeyId": ("KmsKeyId", "KmsKeyId"),
    "transitEncryptionEnabled": ("TransitEncryptionEnabled", "TransitEncryptionEnabled"),
    "transitEncryptionMode": ("TransitEncryptionMode", "TransitEncryptionMode"),
    "autoMinorVersionUpgrade": ("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade"),
    "snapshotRetentionLimit": ("SnapshotRetentionLimit", "SnapshotRetentionLimit"),
    "snapshotWindow": ("SnapshotWindow", "SnapshotWindow"),
}
_NODES = {
    "engineVersion": ("EngineVersion", "EngineVersion"),
    "subnetGroupName": ("CacheSubnetGroupName", "CacheSubnetGroupName"),
    "maintenanceWindow": ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow"),
}
_WRITTEN = {
    "port": "Port",
    "parameterGroupName": "CacheParameterGroupName",
    "securityGroupIds": "SecurityGroupIds",
    "notificationTopicArn": "NotificationTopicArn",
    "automaticFailoverEnabled": "AutomaticFailoverEnabled",
    "multiAzEnabled": "MultiAZEnabled",
}
_NOT_MODIFIED = ("port", "subnetGroupName", "atRestEncryptionEnabled", "kmsKeyId", "transitEncryptionEnabled")
_CREATED = {**{name: create for name, (create, _) in {**_GROUP, **_NODES}.items()}, **_WRITTEN}
_MODIFIED = {name: member for name, member in _CREATED.items() if name not in _NOT_MODIFIED}

# What AWS calls the detail of each destination of logs.
_DESTINATIONS = {"cloudwatch-logs": ("CloudWatchLogsDetails", "LogGroup"), "kinesis-firehose": ("KinesisFirehoseDetails", "DeliveryStream")}


def _deliveries(inputs: Props) -> list[Props]:
    wanted: list[Props] = []
    for each in entries(inputs.get("logDeliveryConfigurations")):
        details, name = _DESTINATIONS[each["destinationType"]]
        wanted.append(
            {
                "LogType": each["logType"],
                "LogFormat": each["logFormat"],
                "DestinationType": each["destinationType"],
                "DestinationDetails": {details: {name: each["destination"]}},
            }
        )
    return wanted


def _read_delivery(live: Props) -> Props:
    details, name = _DESTINATIONS[live["DestinationType"]]
    return {
        "logType": live["LogType"],
        "logFormat": live["LogFormat"],
        "destinationType": live["DestinationType"],
        "destination": live["DestinationDetails"][details][name],
    }


def _create(aws: Aws, inputs: Props) -> str:
    identifier = str(inputs["replicationGroupId"])
    _fits(aws, inputs)
    wanted: Props = {member: inputs[name] for name, member in _CREATED.items() if inputs.get(name) is not None}
    more = {"NumCacheClusters": inputs.get("numCacheClusters"), "AuthToken": inputs.get("authToken"), "LogDeliveryConfigurations": _deliveries(inputs)}
    aws.client("elasticache").create_replication_group(
        ReplicationGroupId=identifier,
        **wanted,
        **{member: value for member, value in more.items() if value},
        Tags=_tags.as_list(inputs.get("tags")),
    )
    return identifier


def _fits(aws: Aws, inputs: Props) -> None:
    """What ElastiCache asks of the groups that a replication group names; moto takes any."""
    cache, identifier = aws.client("elasticache"), inputs["replicationGroupId"]
    group, version = inputs.get("parameterGroupName"), inputs.get("engineVersion")
    if group and version and not group.startswith("default."):
        found = cache.describe_cache_parameter_groups(CacheParameterGroupName=group)["CacheParameterGroups"][0]["CacheParameterGroupFamily"]
        wanted = rules.family(inputs["engine"], version)
        if found != wanted:
            raise LookupError(f"parameterGroupName {group} of {identifier} is of family {found}; {inputs['engine']} {version} takes {wanted}")
    if inputs.get("multiAzEnabled") and inputs.get("subnetGroupName"):
        live = cache.describe_cache_subnet_groups(CacheSubnetGroupName=inputs["subnetGroupName"])["CacheSubnetGroups"][0]
        subnets = [subnet["SubnetIdentifier"] for subnet in live["Subnets"]]
        zones = {subnet["AvailabilityZone"] for subnet in aws.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]}
        if len(zones) < 2:
            raise LookupError(f"{identifier} is multiAzEnabled, and its subnetGroupName {inputs['subnetGroupName']} covers {', '.join(zones)} only")


def _read(aws: Aws, identifier: str, _: Props) -> Props:
    cache = aws.client("elasticache")
    live = cache.describe_replication_groups(ReplicationGroupId=identifier)["ReplicationGroups"][0]
    node = cache.describe_cache_clusters(CacheClusterId=live["MemberClusters"][0])["CacheClusters"][0]
    shard = live["NodeGroups"][0]
    return {
        **{name: live[shown] for name, (_, shown) in _GROUP.items() if live.get(shown) not in (None, "")},
        **{name: node[shown] for name, (_, shown) in _NODES.items() if node.get(shown) not in (None, "")},
        "replicationGroupId": identifier,
        "numCacheClusters": len(live["MemberClusters"]),
        "memberClusters": live["MemberClusters"],
        "automaticFailoverEnabled": live["AutomaticFailover"] == "enabled",
        "multiAzEnabled": live["MultiAZ"] == "enabled",
        "parameterGroupName": (node.get("CacheParameterGroup") or {}).get("CacheParameterGroupName"),
        "securityGroupIds": [group["SecurityGroupId"] for group in node.get("SecurityGroups", [])],
        "notificationTopicArn": (node.get("NotificationConfiguration") or {}).get("TopicArn"),
        "logDeliveryConfigurations": [_read_delivery(each) for each in live.get("LogDeliveryConfigurations", [])],
        "port": shard["PrimaryEndpoint"]["Port"],
        "arn": live["ARN"],
        "clusterEnabled": live["ClusterEnabled"],
        "engineVersionActual": node.get("EngineVersion", ""),
        "primaryEndpointAddress": shard["PrimaryEndpoint"]["Address"],
        "readerEndpointAddress": shard["ReaderEndpoint"]["Address"],
        "tags": _tags.as_map(cache.list_tags_for_resource(ResourceName=live["ARN"])["TagList"]),
    }


def _update(aws: Aws, identifier: str, new: Props, old: Props) -> None:
    cache = aws.client("elasticache")
    _fits(aws, new)
    # A group grows before failover is switched on, and shrinks after it was switched off.
    before, after = int(old.get("numCacheClusters") or 1), int(new.get("numCacheClusters") or 1)
    if after > before:
        cache.increase_replica_count(ReplicationGroupId=identifier, NewReplicaCount=after - 1, ApplyImmediately=True)
    changes: dict[str, Any] = {member: new[name] for name, member in _MODIFIED.items() if new.get(name) is not None and new[name] != old.get(name)}
    if old.get("notificationTopicArn") and not new.get("notificationTopicArn"):
        changes["NotificationTopicArn"] = ""
    if new.get("authToken") != old.get("authToken"):
        changes |= _new_token(new)
    if deliveries := _changed_deliveries(new, old):
        changes["LogDeliveryConfigurations"] = deliveries
    if changes:
        cache.modify_replication_group(ReplicationGroupId=identifier, ApplyImmediately=True, **changes)
    if after < before:
        cache.decrease_replica_count(ReplicationGroupId=identifier, NewReplicaCount=after - 1, ApplyImmediately=True)
    arn = cache.describe_replication_groups(ReplicationGroupId=identifier)["ReplicationGroups"][0]["ARN"]
    retag(aws, arn, new, old)


def _new_token(new: Props) -> Props:
    if not new.get("authToken"):
        return {}
    return {"AuthToken": new["authToken"], "AuthTokenUpdateStrategy": new.get("authTokenUpdateStrategy") or "ROTATE"}


def _changed_deliveries(new: Props, old: Props) -> list[Props]:
    """Those that are new or differ, and for those that are gone the word that ends them."""
    before, after = _deliveries(old), _deliveries(new)
    named = {each["LogType"] for each in after}
    gone = [{"LogType": each["LogType"], "Enabled": False} for each in before if each["LogType"] not in named]
    return [*gone, *({**each, "Enabled": True} for each in after if each not in before)]


def _delete(aws: Aws, identifier: str, state: Props) -> None:
    last = {"FinalSnapshotIdentifier": state["finalSnapshotIdentifier"]} if state.get("finalSnapshotIdentifier") else {}
    aws.client("elasticache").delete_replication_group(ReplicationGroupId=identifier, **last)


def retag(aws: Aws, arn: str, new: Props, old: Props) -> None:
    """Brings the tags of anything in ElastiCache from the old inputs' to the new."""
    cache = aws.client("elasticache")
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: cache.add_tags_to_resource(ResourceName=arn, Tags=_tags.as_list(tags)),
        untag=lambda names: cache.remove_tags_from_resource(ResourceName=arn, TagKeys=names),
    )


_LOGS = "CreateReplicationGroup.LogDeliveryConfigurations"
_ARN = r"arn:aws[a-z-]*:{service}:.+"

REPLICATION_GROUP = Kind(
    type="aws:elasticache/replicationGroup:ReplicationGroup",
    client="elasticache",
    # ElastiCache API reference, CreateReplicationGroup; one shard (cluster mode disabled).
    inputs={
        "replicationGroupId": text(required=True, replaces=True, pattern=r"(?!.*--)[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?"),
        "description": text(required=True, at_least=1),
        "engine": text(one_of=("redis", "valkey")),
        "engineVersion": text(pattern=r"\d+(\.(\d+|x))*"),
        "nodeType": text(rule=rules.node_type),
        "numCacheClusters": number(at_least=1, at_most=6),
        "port": number(replaces=True, at_least=1_150, at_most=65_535),
        "parameterGroupName": text(at_least=1, at_most=255),
        "subnetGroupName": text(replaces=True, at_least=1, at_most=255),
        "securityGroupIds": texts(text(pattern=r"sg-[0-9a-f]+")),
        "automaticFailoverEnabled": flag(),
        "multiAzEnabled": flag(),
        "atRestEncryptionEnabled": flag(replaces=True),
        "kmsKeyId": text(replaces=True, pattern=_ARN.format(service="kms")),
        "transitEncryptionEnabled": flag(replaces=True),
        "transitEncryptionMode": text(shape="CreateReplicationGroup.TransitEncryptionMode"),
        "authToken": text(secret=True, rule=rules.auth_token),
        "authTokenUpdateStrategy": text(shape="ModifyReplicationGroup.AuthTokenUpdateStrategy"),
        "autoMinorVersionUpgrade": flag(),
        "maintenanceWindow": text(rule=rules.maintenance_window),
        "snapshotRetentionLimit": number(at_least=0, at_most=35),
        "snapshotWindow": text(rule=rules.snapshot_window),
        "finalSnapshotIdentifier": text(pattern=r"(?!.*--)[A-Za-z](?:[A-Za-z0-9-]{0,253}[A-Za-z0-9])?"),
        "notificationTopicArn": text(pattern=_ARN.format(service="sns")),
        "logDeliveryConfigurations": blocks(
            {
                "destination": text(required=True, at_least=1),
                "destinationType": text(required=True, shape=f"{_LOGS}.DestinationType"),
                "logFormat": text(required=True, shape=f"{_LOGS}.LogFormat"),
                "logType": text(required=True, shape=f"{_LOGS}.LogType"),
            },
            unordered=True,
            at_most=2,
        ),
        "applyImmediately": flag(),
    },
    outputs=("arn", "clusterEnabled", "engineVersionActual", "memberClusters", "primaryEndpointAddress", "readerEndpointAddress"),
    tagged=True,
    defaults={"automaticFailoverEnabled": False, "engine": "redis", "multiAzEnabled": False},
    rule=rules.refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
