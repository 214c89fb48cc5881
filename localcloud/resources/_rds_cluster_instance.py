"""An instance of an Aurora PostgreSQL cluster: the writer, or a reader that takes its place when it fails."""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.aws import Aws
from localcloud.fields import Refusal, flag, number, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _rds_cluster_rules as rules
from localcloud.resources import _rds_rules, _tags
from localcloud.resources._rds_cluster import cluster
from localcloud.resources._rds_common import ARN, IDENTIFIER, retag
from localcloud.resources._rds_instance import AUTHORITIES
from localcloud.resources._rds_parameters import family_of

# Aurora user guide, "Quotas in Amazon Aurora": a writer and 15 readers.
_MOST_INSTANCES = 16

# Pulumi's name: (member of CreateDBInstance, member of DBInstance). ModifyDBInstance takes those of creation that are not in _NOT_MODIFIED.
_MEMBERS = {
    "identifier": ("DBInstanceIdentifier", "DBInstanceIdentifier"),
    "clusterIdentifier": ("DBClusterIdentifier", "DBClusterIdentifier"),
    "engine": ("Engine", "Engine"),
    "instanceClass": ("DBInstanceClass", "DBInstanceClass"),
    "availabilityZone": ("AvailabilityZone", "AvailabilityZone"),
    "promotionTier": ("PromotionTier", "PromotionTier"),
    "publiclyAccessible": ("PubliclyAccessible", "PubliclyAccessible"),
    "autoMinorVersionUpgrade": ("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade"),
    "preferredMaintenanceWindow": ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow"),
    "monitoringInterval": ("MonitoringInterval", "MonitoringInterval"),
    "monitoringRoleArn": ("MonitoringRoleArn", "MonitoringRoleArn"),
    "performanceInsightsKmsKeyId": ("PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId"),
    "performanceInsightsRetentionPeriod": ("PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod"),
    "caCertIdentifier": ("CACertificateIdentifier", "CACertificateIdentifier"),
}
_WRITTEN = {
    "dbSubnetGroupName": "DBSubnetGroupName",
    "dbParameterGroupName": "DBParameterGroupName",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
}
_NOT_MODIFIED = ("identifier", "clusterIdentifier", "engine", "availabilityZone", "dbSubnetGroupName")
_MODIFIED = {name: create for name, create in {**_WRITTEN, **{n: c for n, (c, _) in _MEMBERS.items()}}.items() if name not in _NOT_MODIFIED}
# What moto takes when it modifies an instance, and leaves out when it makes one.
_AFTERWARDS = ("performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod")


def _create(aws: Aws, inputs: Props) -> str:
    rds, identifier = aws.client("rds"), str(inputs["identifier"])
    _fits(aws, inputs)
    names = {**{name: create for name, (create, _) in _MEMBERS.items() if name not in _AFTERWARDS}, **_WRITTEN}
    wanted = {create: inputs[name] for name, create in names.items() if inputs.get(name) is not None}
    rds.create_db_instance(**{"CACertificateIdentifier": AUTHORITIES[0], **wanted}, Tags=_tags.as_list(inputs.get("tags")))
    if afterwards := {_MODIFIED[name]: inputs[name] for name in _AFTERWARDS if inputs.get(name) is not None}:
        with made(identifier):
            rds.modify_db_instance(DBInstanceIdentifier=identifier, **afterwards)
    return identifier


def _fits(aws: Aws, inputs: Props) -> None:
    """What RDS asks of an instance's cluster; moto looks at the engine only."""
    parent, identifier, group = cluster(aws, inputs["clusterIdentifier"]), inputs["identifier"], inputs.get("dbParameterGroupName")
    others = [member["DBInstanceIdentifier"] for member in parent["DBClusterMembers"] if member["DBInstanceIdentifier"] != identifier]
    if len(others) >= _MOST_INSTANCES:
        raise LookupError(f"{identifier} cannot join cluster {parent['DBClusterIdentifier']}: it has {len(others)} instances, the most that Aurora takes")
    if inputs["instanceClass"] == rules.SERVERLESS and not parent.get("ServerlessV2ScalingConfiguration"):
        raise LookupError(f"{identifier} is {rules.SERVERLESS}, and its cluster {parent['DBClusterIdentifier']} has no serverlessv2ScalingConfiguration")
    if group and not group.startswith("default."):
        wanted, found = rules.family(parent["EngineVersion"]), family_of(aws, group)
        if found != wanted:
            raise LookupError(
                f"dbParameterGroupName {group} of {identifier} is of family {found}; a cluster of version {parent['EngineVersion']} takes {wanted}"
            )


def _read(aws: Aws, identifier: str, _: Props) -> Props:
    live = aws.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    parent = cluster(aws, live["DBClusterIdentifier"])
    role = next(member for member in parent["DBClusterMembers"] if member["DBInstanceIdentifier"] == identifier)
    return {
        **{name: live[shown] for name, (_, shown) in _MEMBERS.items() if live.get(shown) not in (None, "")},
        "engineVersion": live["EngineVersion"],
        "engineVersionActual": live["EngineVersion"],
        "dbSubnetGroupName": (live.get("DBSubnetGroup") or {}).get("DBSubnetGroupName") or parent["DBSubnetGroup"],
        "dbParameterGroupName": live["DBParameterGroups"][0]["DBParameterGroupName"],
        "arn": live["DBInstanceArn"],
        "dbiResourceId": live["DbiResourceId"],
        "endpoint": live["Endpoint"]["Address"],
        "port": parent["Port"],
        "networkType": parent["NetworkType"],
        "storageEncrypted": parent["StorageEncrypted"],
        "writer": role["IsClusterWriter"],
        "tags": _tags.as_map(live.get("TagList")),
    }


def _update(aws: Aws, identifier: str, new: Props, old: Props) -> None:
    rds = aws.client("rds")
    _fits(aws, new)
    changes = {member: new[name] for name, member in _MODIFIED.items() if new.get(name) is not None and new[name] != old.get(name)}
    if old.get("monitoringRoleArn") and not new.get("monitoringRoleArn"):
        changes["MonitoringRoleArn"] = ""
    if changes:
        rds.modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=bool(new.get("applyImmediately")), **changes)
    retag(aws, rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]["DBInstanceArn"], new, old)


def _delete(aws: Aws, identifier: str, _: Props) -> None:
    # The cluster's backups are the cluster's; an instance has none of its own.
    aws.client("rds").delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)


def _refusals(inputs: Props) -> Iterator[Refusal]:
    yield from _rds_rules.monitoring(inputs)


CLUSTER_INSTANCE = Kind(
    type="aws:rds/clusterInstance:ClusterInstance",
    client="rds",
    # RDS API reference, CreateDBInstance, as far as it is said to be for Aurora. The cluster has the storage, the backups and the master user.
    inputs={
        "identifier": text(required=True, replaces=True, pattern=IDENTIFIER),
        "clusterIdentifier": text(required=True, replaces=True, pattern=IDENTIFIER),
        "engine": text(required=True, replaces=True, one_of=("aurora-postgresql",)),
        # The cluster's: upgraded with it.
        "engineVersion": text(rule=rules.engine_version),
        "instanceClass": text(required=True, rule=rules.instance_class),
        "availabilityZone": text(replaces=True, pattern=r"[a-z]{2}(-[a-z]+)+-\d[a-z]"),
        "dbSubnetGroupName": text(replaces=True, at_least=1, at_most=255),
        "dbParameterGroupName": text(at_least=1, at_most=255),
        "promotionTier": number(at_least=0, at_most=15),
        "publiclyAccessible": flag(),
        "autoMinorVersionUpgrade": flag(),
        "preferredMaintenanceWindow": text(rule=_rds_rules.maintenance_window),
        "monitoringInterval": number(one_of=(0, 1, 5, 10, 15, 30, 60)),
        "monitoringRoleArn": text(pattern=ARN.format(service="iam")),
        "performanceInsightsEnabled": flag(),
        "performanceInsightsKmsKeyId": text(pattern=ARN.format(service="kms")),
        "performanceInsightsRetentionPeriod": number(rule=_rds_rules.insights_days),
        "caCertIdentifier": text(one_of=AUTHORITIES),
        "applyImmediately": flag(),
    },
    outputs=("arn", "dbiResourceId", "endpoint", "engineVersionActual", "networkType", "port", "storageEncrypted", "writer"),
    tagged=True,
    defaults={"autoMinorVersionUpgrade": True, "monitoringInterval": 0, "performanceInsightsEnabled": False, "promotionTier": 0, "publiclyAccessible": False},
    rule=_refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
