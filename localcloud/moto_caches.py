"""moto's ElastiCache with what it lacks: parameter groups, changes to subnet and replication groups, and deletions that leave nothing.

The calls are AWS's own, so that whoever speaks to this cloud finds them: the table, the payment service, a developer with boto3.
What moto keeps already stays where it is; parameter groups are kept beside it, in its backend of the account and region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult, PaginatedResult
from moto.elasticache import models, responses
from moto.elasticache.exceptions import CacheSubnetGroupNotFound, ReplicationGroupNotFound

_CHANGED = "_localcloud"
_GROUPS = "_localcloud_parameter_groups"

# Pulumi and the CLI know these; moto keeps them with a replication group as they were sent.
_MODIFIED = {
    "ReplicationGroupDescription": "description",
    "SecurityGroupIds": "security_group_ids",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "NotificationTopicArn": "notification_topic_arn",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "Engine": "engine",
    "EngineVersion": "engine_version",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "CacheNodeType": "cache_node_type",
    "TransitEncryptionEnabled": "transit_encryption_enabled",
    "TransitEncryptionMode": "transit_encryption_mode",
}
_SWITCHED = {"AutomaticFailoverEnabled": "automatic_failover", "MultiAZEnabled": "multi_az"}


class _Refused(ServiceException):
    """An answer in ElastiCache's own words."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def complete() -> None:
    """Gives moto's ElastiCache the calls below; afterwards it changes nothing."""
    service: Any = responses.ElastiCacheResponse
    if hasattr(service, _CHANGED):
        return
    setattr(service, _CHANGED, True)
    service.create_replication_group = _creating(service.create_replication_group)
    for call in (
        *(modify_replication_group, increase_replica_count, decrease_replica_count, delete_replication_group, describe_cache_clusters),
        *(modify_cache_subnet_group, delete_cache_subnet_group),
        *(create_cache_parameter_group, describe_cache_parameter_groups, describe_cache_parameters),
        *(modify_cache_parameter_group, reset_cache_parameter_group, delete_cache_parameter_group),
    ):
        setattr(service, call.__name__, call)
    backend: Any = models.ElastiCacheBackend
    backend.list_tags_for_resource = _tags


def _backend(response: Any) -> Any:
    return response.elasticache_backend


def _tags(backend: Any, arn: str) -> dict[str, list[dict[str, str]]]:
    """The tags of whatever has this ARN; moto refuses those of parameter groups."""
    return backend.tagging_service.list_tags_for_resource(arn)


def _found(things: dict[str, Any], name: str, missing: Callable[[str], Exception]) -> Any:
    if name not in things:
        raise missing(name)
    return things[name]


def _forget(backend: Any, things: dict[str, Any], name: str, arn: str) -> None:
    del things[name]
    backend.tagging_service.delete_all_tags_for_resource(arn)


def _users(backend: Any, attribute: str, name: str) -> list[str]:
    return [group.replication_group_id for group in backend.replication_groups.values() if getattr(group, attribute) == name]


# --- replication groups --------------------------------------------------------------------------------------------------


def _creating(create: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    @wraps(create)
    def create_replication_group(response: Any) -> ActionResult:
        """As moto does it, with as many nodes as were asked for and the endpoint that reads."""
        asked, backend = response._get_params(), _backend(response)  # noqa: SLF001 - how moto's responses read what they were sent
        if group := asked.get("CacheSubnetGroupName"):
            _found(backend.cache_subnet_groups, group, CacheSubnetGroupNotFound)
        create(response)
        made = backend.replication_groups[asked["ReplicationGroupId"]]
        for shard in made.node_groups:
            if "reader_endpoint_address" in shard:
                shard["reader_endpoint"] = {"address": shard["reader_endpoint_address"], "port": made.port}
        if made.cluster_mode == "disabled":
            _resize(made, int(asked.get("NumCacheClusters") or 1))
        return ActionResult({"ReplicationGroup": made})

    return create_replication_group


def _resize(group: Any, nodes: int) -> None:
    """Lets the shard of a group have this many nodes: the first is the primary, the others replicas."""
    shard: dict[str, Any] = group.node_groups[0]
    primary: dict[str, Any] = shard["node_group_members"][0]
    domain = primary["read_endpoint"]["address"].partition(".")[2]
    members = [primary]
    for number in range(2, nodes + 1):
        name = f"{group.replication_group_id}-{number:0>3}"
        endpoint = {"address": f"{name}.{domain}", "port": group.port}
        members.append({**primary, "cache_cluster_id": name, "read_endpoint": endpoint, "current_role": "replica"})
    shard["node_group_members"] = members
    group.member_clusters[:] = [member["cache_cluster_id"] for member in members]


def modify_replication_group(response: Any) -> ActionResult:
    """ModifyReplicationGroup; what is not said stays as it is, and everything is applied at once."""
    asked, backend = response._get_params(), _backend(response)  # noqa: SLF001
    group = _found(backend.replication_groups, asked["ReplicationGroupId"], ReplicationGroupNotFound)
    for member, attribute in _MODIFIED.items():
        if asked.get(member) is not None:
            setattr(group, attribute, asked[member])
    for member, attribute in _SWITCHED.items():
        if asked.get(member) is not None:
            setattr(group, attribute, "enabled" if asked[member] else "disabled")
    if asked.get("AuthToken"):
        group.auth_token_enabled = asked.get("AuthTokenUpdateStrategy") != "DELETE"
    if asked.get("LogDeliveryConfigurations"):
        kept = {each["LogType"]: each for each in [*group.log_delivery_configurations, *asked["LogDeliveryConfigurations"]]}
        wanted = [{name: value for name, value in each.items() if name != "Enabled"} for each in kept.values() if each.get("Enabled", True)]
        group.log_delivery_configurations = [{**each, "Status": "active"} for each in wanted]
    return ActionResult({"ReplicationGroup": group})


def increase_replica_count(response: Any) -> ActionResult:
    """IncreaseReplicaCount, of a group with one shard."""
    asked = response._get_params()  # noqa: SLF001
    group = _found(_backend(response).replication_groups, asked["ReplicationGroupId"], ReplicationGroupNotFound)
    _resize(group, int(asked["NewReplicaCount"]) + 1)
    return ActionResult({"ReplicationGroup": group})


def decrease_replica_count(response: Any) -> ActionResult:
    """DecreaseReplicaCount, of a group with one shard."""
    return increase_replica_count(response)


def delete_replication_group(response: Any) -> ActionResult:
    """DeleteReplicationGroup: moto would keep the group as one that is being deleted, for ever."""
    asked, backend = response._get_params(), _backend(response)  # noqa: SLF001
    name = asked["ReplicationGroupId"]
    group = _found(backend.replication_groups, name, ReplicationGroupNotFound)
    if last := asked.get("FinalSnapshotIdentifier"):
        backend.create_snapshot(snapshot_name=last, replication_group_id=name, cache_cluster_id=None, kms_key_id=group.kms_key_id, tags=[])
    _forget(backend, backend.replication_groups, name, group.arn)
    group.status = "deleting"
    return ActionResult({"ReplicationGroup": group})


def describe_cache_clusters(response: Any) -> ActionResult:
    """DescribeCacheClusters, with the nodes of replication groups, which moto leaves out."""
    asked, backend = response._get_params(), _backend(response)  # noqa: SLF001
    nodes = {node["CacheClusterId"]: node for group in backend.replication_groups.values() for node in _nodes(group)}
    name = asked.get("CacheClusterId")
    if name in nodes:
        return PaginatedResult({"CacheClusters": [nodes[name]]})
    return PaginatedResult({"CacheClusters": [*backend.describe_cache_clusters(cache_cluster_id=name), *(() if name else nodes.values())]})


def _nodes(group: Any) -> Iterable[dict[str, Any]]:
    for shard in group.node_groups:
        for member in shard["node_group_members"]:
            yield {
                "CacheClusterId": member["cache_cluster_id"],
                "ReplicationGroupId": group.replication_group_id,
                "CacheClusterStatus": group.status,
                "CacheNodeType": group.cache_node_type,
                "NumCacheNodes": 1,
                "Engine": group.engine,
                "EngineVersion": group.engine_version,
                "PreferredAvailabilityZone": member["preferred_availability_zone"],
                "PreferredMaintenanceWindow": group.preferred_maintenance_window,
                "CacheParameterGroup": {"CacheParameterGroupName": group.cache_parameter_group_name, "ParameterApplyStatus": "in-sync"},
                "CacheSubnetGroupName": group.cache_subnet_group_name,
                "SecurityGroups": [{"SecurityGroupId": each, "Status": "active"} for each in group.security_group_ids or ()],
                "NotificationConfiguration": {"TopicArn": group.notification_topic_arn, "TopicStatus": "active"} if group.notification_topic_arn else None,
                "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
                "AuthTokenEnabled": group.auth_token_enabled,
                "TransitEncryptionEnabled": group.transit_encryption_enabled,
                "AtRestEncryptionEnabled": group.at_rest_encryption_enabled,
            }


# --- subnet groups -------------------------------------------------------------------------------------------------------


def modify_cache_subnet_group(response: Any) -> ActionResult:
    """ModifyCacheSubnetGroup."""
    asked, backend = response._get_params(), _backend(response)  # noqa: SLF001
    old = _found(backend.cache_subnet_groups, asked["CacheSubnetGroupName"], CacheSubnetGroupNotFound)
    make: Any = models.CacheSubnetGroup
    new = make(
        account_id=backend.account_id,
        region_name=backend.region_name,
        cache_subnet_group_name=old.cache_subnet_group_name,
        cache_subnet_group_description=asked.get("CacheSubnetGroupDescription", old.cache_subnet_group_description),
        subnet_ids=asked.get("SubnetIds", old.subnet_ids),
        tags=old.tags,
    )
    backend.cache_subnet_groups[new.cache_subnet_group_name] = new
    return ActionResult({"CacheSubnetGroup": new})


def delete_cache_subnet_group(response: Any) -> ActionResult:
    """DeleteCacheSubnetGroup; refused while a replication group is in it."""
    backend, name = _backend(response), response._get_params()["CacheSubnetGroupName"]  # noqa: SLF001
    group = _found(backend.cache_subnet_groups, name, CacheSubnetGroupNotFound)
    if users := _users(backend, "cache_subnet_group_name", name):
        raise _Refused("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use by {', '.join(users)}.")
    _forget(backend, backend.cache_subnet_groups, name, group.arn)
    return EmptyResult()


# --- parameter groups ----------------------------------------------------------------------------------------------------


def _parameter_groups(backend: Any) -> dict[str, dict[str, Any]]:
    return vars(backend).setdefault(_GROUPS, {})


def _no_parameter_group(name: str) -> Exception:
    return _Refused("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")


def create_cache_parameter_group(response: Any) -> ActionResult:
    """CreateCacheParameterGroup."""
    asked, backend = response._get_params(), _backend(response)  # noqa: SLF001
    name, groups = asked["CacheParameterGroupName"], _parameter_groups(backend)
    if name in groups:
        raise _Refused("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists")
    groups[name] = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": asked["CacheParameterGroupFamily"],
        "Description": asked["Description"],
        "IsGlobal": False,
        "ARN": f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:parametergroup:{name}",
        "_parameters": {},
    }
    backend.tagging_service.tag_resource(groups[name]["ARN"], asked.get("Tags", []))
    return ActionResult({"CacheParameterGroup": groups[name]})


def describe_cache_parameter_groups(response: Any) -> ActionResult:
    """DescribeCacheParameterGroups: those that somebody made."""
    groups, name = _parameter_groups(_backend(response)), response._get_params().get("CacheParameterGroupName")  # noqa: SLF001
    return PaginatedResult({"CacheParameterGroups": [_found(groups, name, _no_parameter_group)] if name else list(groups.values())})


def describe_cache_parameters(response: Any) -> ActionResult:
    """DescribeCacheParameters: those that somebody set."""
    group = _found(_parameter_groups(_backend(response)), response._get_params()["CacheParameterGroupName"], _no_parameter_group)  # noqa: SLF001
    shown = [{"ParameterName": name, "ParameterValue": value, "Source": "user"} for name, value in group["_parameters"].items()]
    return PaginatedResult({"Parameters": shown})


def modify_cache_parameter_group(response: Any) -> ActionResult:
    """ModifyCacheParameterGroup."""
    asked = response._get_params()  # noqa: SLF001
    group = _found(_parameter_groups(_backend(response)), asked["CacheParameterGroupName"], _no_parameter_group)
    group["_parameters"] |= {each["ParameterName"]: each["ParameterValue"] for each in asked.get("ParameterNameValues", [])}
    return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})


def reset_cache_parameter_group(response: Any) -> ActionResult:
    """ResetCacheParameterGroup: all parameters, or those that are named."""
    asked = response._get_params()  # noqa: SLF001
    group = _found(_parameter_groups(_backend(response)), asked["CacheParameterGroupName"], _no_parameter_group)
    gone = set(group["_parameters"]) if asked.get("ResetAllParameters") else {each["ParameterName"] for each in asked.get("ParameterNameValues", [])}
    group["_parameters"] = {name: value for name, value in group["_parameters"].items() if name not in gone}
    return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})


def delete_cache_parameter_group(response: Any) -> ActionResult:
    """DeleteCacheParameterGroup; refused while a replication group has it."""
    backend, name = _backend(response), response._get_params()["CacheParameterGroupName"]  # noqa: SLF001
    group = _found(_parameter_groups(backend), name, _no_parameter_group)
    if users := _users(backend, "cache_parameter_group_name", name):
        raise _Refused("InvalidCacheParameterGroupState", f"One or more cache clusters of {', '.join(users)} are still members of {name}.")
    _forget(backend, _parameter_groups(backend), name, group["ARN"])
    return EmptyResult()
