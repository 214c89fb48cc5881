"""An Aurora PostgreSQL cluster: what its instances share, and the secret that RDS keeps its master password in."""

from __future__ import annotations

from typing import Any

from localcloud.aws import Aws
from localcloud.fields import block, decimal, flag, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _rds_cluster_rules as rules
from localcloud.resources import _rds_rules, _tags
from localcloud.resources._known import members
from localcloud.resources._rds_common import ARN, IDENTIFIER, keep_password, last_snapshot, new_password, password_changes, retag, secret_of
from localcloud.resources._rds_parameters import family_of

# Pulumi's name: (member of CreateDBCluster, member of DBCluster). ModifyDBCluster takes those of creation that are not in _NOT_MODIFIED.
_MEMBERS = {
    "clusterIdentifier": ("DBClusterIdentifier", "DBClusterIdentifier"),
    "engine": ("Engine", "Engine"),
    "engineMode": ("EngineMode", "EngineMode"),
    "engineVersion": ("EngineVersion", "EngineVersion"),
    "databaseName": ("DatabaseName", "DatabaseName"),
    "masterUsername": ("MasterUsername", "MasterUsername"),
    "port": ("Port", "Port"),
    "dbSubnetGroupName": ("DBSubnetGroupName", "DBSubnetGroup"),
    "dbClusterParameterGroupName": ("DBClusterParameterGroupName", "DBClusterParameterGroup"),
    "storageEncrypted": ("StorageEncrypted", "StorageEncrypted"),
    "backupRetentionPeriod": ("BackupRetentionPeriod", "BackupRetentionPeriod"),
    "preferredBackupWindow": ("PreferredBackupWindow", "PreferredBackupWindow"),
    "preferredMaintenanceWindow": ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow"),
    "deletionProtection": ("DeletionProtection", "DeletionProtection"),
    "copyTagsToSnapshot": ("CopyTagsToSnapshot", "CopyTagsToSnapshot"),
    "performanceInsightsKmsKeyId": ("PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId"),
    "performanceInsightsRetentionPeriod": ("PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod"),
    "databaseInsightsMode": ("DatabaseInsightsMode", "DatabaseInsightsMode"),
    "monitoringInterval": ("MonitoringInterval", "MonitoringInterval"),
    "monitoringRoleArn": ("MonitoringRoleArn", "MonitoringRoleArn"),
}
# Inputs that a cluster is made and modified with, but shows in another form or not at all.
_WRITTEN = {
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
    "masterPassword": "MasterUserPassword",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
}
_NOT_MODIFIED = "clusterIdentifier engine engineMode databaseName masterUsername dbSubnetGroupName storageEncrypted".split()
_MODIFIED = {**_WRITTEN, **{name: create for name, (create, _) in _MEMBERS.items() if name not in _NOT_MODIFIED}}
_WHEN_MODIFIED = {"applyImmediately": "ApplyImmediately", "allowMajorVersionUpgrade": "AllowMajorVersionUpgrade"}
# What moto takes when it modifies a cluster, and leaves out when it makes one.
_AFTERWARDS = ("performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod", "databaseInsightsMode", "monitoringInterval", "monitoringRoleArn")
# What moto shows of a cluster that was made without a parameter group or a key: neither exists.
_MADE_UP = ("default.aurora8.0", "default_kms_key_id")

_CAPACITY = {"minCapacity": "MinCapacity", "maxCapacity": "MaxCapacity", "secondsUntilAutoPause": "SecondsUntilAutoPause"}


def _capacity(inputs: Props) -> Props:
    wanted = members(inputs.get("serverlessv2ScalingConfiguration"))
    scaling = {member: wanted[name] for name, member in _CAPACITY.items() if wanted.get(name) is not None}
    return {"ServerlessV2ScalingConfiguration": scaling} if scaling else {}


def cluster(aws: Aws, identifier: str) -> Props:
    """The cluster as RDS describes it; raises a ClientError when there is none."""
    live: Props = aws.client("rds").describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0]
    return live


def _create(aws: Aws, inputs: Props) -> str:
    rds, identifier = aws.client("rds"), str(inputs["clusterIdentifier"])
    # moto would put the new cluster in the place of the old.
    if any(live["DBClusterIdentifier"] == identifier for live in rds.describe_db_clusters()["DBClusters"]):
        raise FileExistsError(f"DB cluster {identifier} exists already; choose another identifier, or delete that one")
    _family_fits(aws, inputs)
    if inputs.get("dbSubnetGroupName"):
        rds.describe_db_subnet_groups(DBSubnetGroupName=inputs["dbSubnetGroupName"])
    names = {**{name: create for name, (create, _) in _MEMBERS.items()}, **_WRITTEN, "kmsKeyId": "KmsKeyId"}
    wanted: dict[str, Any] = {create: inputs[name] for name, create in names.items() if inputs.get(name) is not None}
    if inputs.get("enabledCloudwatchLogsExports"):
        wanted["EnableCloudwatchLogsExports"] = inputs["enabledCloudwatchLogsExports"]
    if inputs.get("manageMasterUserPassword"):
        wanted["ManageMasterUserPassword"] = True
        if inputs.get("masterUserSecretKmsKeyId"):
            wanted["MasterUserSecretKmsKeyId"] = inputs["masterUserSecretKmsKeyId"]
    rds.create_db_cluster(**wanted, **_capacity(inputs), Tags=_tags.as_list(inputs.get("tags")))
    with made(identifier):
        if afterwards := {_MODIFIED[name]: inputs[name] for name in _AFTERWARDS if inputs.get(name) is not None}:
            rds.modify_db_cluster(DBClusterIdentifier=identifier, **afterwards)
        if inputs.get("manageMasterUserPassword"):
            new_password(aws, cluster(aws, identifier)["MasterUserSecret"]["SecretArn"], inputs["masterUsername"])
    return identifier


def _family_fits(aws: Aws, inputs: Props) -> None:
    """RDS refuses a parameter group of another family than the engine version's; moto takes any name."""
    group, version = inputs.get("dbClusterParameterGroupName"), inputs.get("engineVersion")
    if group and version and not group.startswith("default."):
        found = family_of(aws, group, cluster=True)
        if found != rules.family(version):
            raise LookupError(f"dbClusterParameterGroupName {group} is of family {found}; a cluster of version {version} takes {rules.family(version)}")


def _read(aws: Aws, identifier: str, _: Props) -> Props:
    live = cluster(aws, identifier)
    scaling = live.get("ServerlessV2ScalingConfiguration") or {}
    return {
        **{name: live[shown] for name, (_, shown) in _MEMBERS.items() if live.get(shown) not in (None, "", *_MADE_UP)},
        "kmsKeyId": live["KmsKeyId"] if live.get("KmsKeyId") not in _MADE_UP else None,
        "vpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in live["VpcSecurityGroups"]],
        "serverlessv2ScalingConfiguration": {name: scaling[member] for name, member in _CAPACITY.items() if member in scaling} or None,
        **secret_of(live),
        "arn": live["DBClusterArn"],
        "clusterMembers": [member["DBInstanceIdentifier"] for member in live["DBClusterMembers"]],
        "clusterResourceId": live["DbClusterResourceId"],
        "availabilityZones": live["AvailabilityZones"],
        "endpoint": live["Endpoint"],
        "readerEndpoint": live["ReaderEndpoint"],
        "hostedZoneId": live["HostedZoneId"],
        "engineVersionActual": live["EngineVersion"],
        "tags": _tags.as_map(live.get("TagList")),
    }


def _update(aws: Aws, identifier: str, new: Props, old: Props) -> None:
    rds = aws.client("rds")
    if any(new.get(name) != old.get(name) for name in ("dbClusterParameterGroupName", "engineVersion")):
        _family_fits(aws, new)
    changes = {member: new[name] for name, member in _MODIFIED.items() if new.get(name) is not None and new[name] != old.get(name)}
    if old.get("monitoringRoleArn") and not new.get("monitoringRoleArn"):
        changes["MonitoringRoleArn"] = ""
    if new.get("serverlessv2ScalingConfiguration") != old.get("serverlessv2ScalingConfiguration"):
        changes |= _capacity(new)
    changes |= password_changes(old, new)
    if changes:
        when = {member: new[name] for name, member in _WHEN_MODIFIED.items() if new.get(name) is not None}
        rds.modify_db_cluster(DBClusterIdentifier=identifier, **changes, **when)
    live = cluster(aws, identifier)
    keep_password(aws, live, old, new, username=new.get("masterUsername"))
    retag(aws, live["DBClusterArn"], new, old)


def _delete(aws: Aws, identifier: str, state: Props) -> None:
    rds = aws.client("rds")
    backups = state.get("deleteAutomatedBackups", True)
    rds.delete_db_cluster(DBClusterIdentifier=identifier, DeleteAutomatedBackups=backups, **last_snapshot(state))
    if backups:
        # moto leaves them.
        for snapshot in rds.describe_db_cluster_snapshots(DBClusterIdentifier=identifier, SnapshotType="automated")["DBClusterSnapshots"]:
            rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot["DBClusterSnapshotIdentifier"])


_NAME = r"[A-Za-z][A-Za-z0-9_]{0,62}"


def _acu(limits: tuple[float, float], **about: Any) -> Any:
    return decimal(at_least=limits[0], at_most=limits[1], rule=rules.half_steps, **about)


CLUSTER = Kind(
    type="aws:rds/cluster:Cluster",
    client="rds",
    # RDS API reference, CreateDBCluster. The table has Aurora PostgreSQL only, whose capacity is that of its instances.
    inputs={
        "clusterIdentifier": text(required=True, replaces=True, pattern=IDENTIFIER),
        "engine": text(required=True, replaces=True, one_of=("aurora-postgresql",)),
        "engineMode": text(replaces=True, one_of=("provisioned",)),
        "engineVersion": text(rule=rules.engine_version),
        "databaseName": text(replaces=True, pattern=_NAME),
        "masterUsername": text(required=True, replaces=True, pattern=_NAME, rule=_rds_rules.user),
        "masterPassword": text(secret=True, rule=_rds_rules.password),
        "manageMasterUserPassword": flag(),
        "masterUserSecretKmsKeyId": text(pattern=ARN.format(service="kms")),
        "port": number(at_least=1_150, at_most=65_535),
        "dbSubnetGroupName": text(replaces=True, at_least=1, at_most=255),
        "vpcSecurityGroupIds": texts(text(pattern=r"sg-[0-9a-f]+")),
        "dbClusterParameterGroupName": text(at_least=1, at_most=255),
        "serverlessv2ScalingConfiguration": block(
            {
                "minCapacity": _acu(rules.MIN_ACU, required=True),
                "maxCapacity": _acu(rules.MAX_ACU, required=True),
                "secondsUntilAutoPause": number(at_least=300, at_most=86_400),
            }
        ),
        "storageEncrypted": flag(replaces=True),
        "kmsKeyId": text(replaces=True, pattern=ARN.format(service="kms")),
        "backupRetentionPeriod": number(at_least=1, at_most=35),
        "preferredBackupWindow": text(rule=_rds_rules.backup_window),
        "preferredMaintenanceWindow": text(rule=_rds_rules.maintenance_window),
        "deletionProtection": flag(),
        "skipFinalSnapshot": flag(),
        "finalSnapshotIdentifier": text(pattern=r"(?!.*--)[A-Za-z](?:[A-Za-z0-9-]{0,253}[A-Za-z0-9])?"),
        "deleteAutomatedBackups": flag(),
        "copyTagsToSnapshot": flag(),
        "enabledCloudwatchLogsExports": texts(text(one_of=("instance", "postgresql", "iam-db-auth-error"))),
        "iamDatabaseAuthenticationEnabled": flag(),
        "performanceInsightsEnabled": flag(),
        "performanceInsightsKmsKeyId": text(pattern=ARN.format(service="kms")),
        "performanceInsightsRetentionPeriod": number(rule=_rds_rules.insights_days),
        "databaseInsightsMode": text(shape="CreateDBCluster.DatabaseInsightsMode"),
        "monitoringInterval": number(one_of=(0, 1, 5, 10, 15, 30, 60)),
        "monitoringRoleArn": text(pattern=ARN.format(service="iam")),
        "applyImmediately": flag(),
        "allowMajorVersionUpgrade": flag(),
    },
    outputs=(
        *("arn", "availabilityZones", "clusterMembers", "clusterResourceId", "endpoint", "readerEndpoint"),
        *("engineVersionActual", "hostedZoneId", "masterUserSecrets"),
    ),
    tagged=True,
    defaults={
        "copyTagsToSnapshot": False,
        "deleteAutomatedBackups": True,
        "engineMode": "provisioned",
        "skipFinalSnapshot": False,
    },
    rule=rules.refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
