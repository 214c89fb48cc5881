"""A database instance of Amazon RDS, and the secret that RDS keeps its master password in."""

from __future__ import annotations

from localcloud.aws import Aws
from localcloud.fields import flag, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _rds_rules, _tags
from localcloud.resources._rds_common import ARN, IDENTIFIER, keep_password, last_snapshot, new_password, password_changes, retag, secret_of

# What the AWS provider and RDS take where nothing is said; moto takes something else.
_UNLESS_SAID = {"BackupRetentionPeriod": 0, "CACertificateIdentifier": "rds-ca-rsa2048-g1"}


# Pulumi's name: (member of CreateDBInstance, member of DBInstance). ModifyDBInstance takes those of creation that are in _MODIFIED.
_MEMBERS = {
    "identifier": ("DBInstanceIdentifier", "DBInstanceIdentifier"),
    "instanceClass": ("DBInstanceClass", "DBInstanceClass"),
    "engine": ("Engine", "Engine"),
    "engineVersion": ("EngineVersion", "EngineVersion"),
    "allocatedStorage": ("AllocatedStorage", "AllocatedStorage"),
    "maxAllocatedStorage": ("MaxAllocatedStorage", "MaxAllocatedStorage"),
    "storageType": ("StorageType", "StorageType"),
    "iops": ("Iops", "Iops"),
    "storageThroughput": ("StorageThroughput", "StorageThroughput"),
    "storageEncrypted": ("StorageEncrypted", "StorageEncrypted"),
    "kmsKeyId": ("KmsKeyId", "KmsKeyId"),
    "dbName": ("DBName", "DBName"),
    "username": ("MasterUsername", "MasterUsername"),
    "port": ("Port", "DbInstancePort"),
    "multiAz": ("MultiAZ", "MultiAZ"),
    "availabilityZone": ("AvailabilityZone", "AvailabilityZone"),
    "backupRetentionPeriod": ("BackupRetentionPeriod", "BackupRetentionPeriod"),
    "backupWindow": ("PreferredBackupWindow", "PreferredBackupWindow"),
    "maintenanceWindow": ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow"),
    "autoMinorVersionUpgrade": ("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade"),
    "deletionProtection": ("DeletionProtection", "DeletionProtection"),
    "copyTagsToSnapshot": ("CopyTagsToSnapshot", "CopyTagsToSnapshot"),
    "publiclyAccessible": ("PubliclyAccessible", "PubliclyAccessible"),
    "performanceInsightsKmsKeyId": ("PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId"),
    "performanceInsightsRetentionPeriod": ("PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod"),
    "enabledCloudwatchLogsExports": ("EnableCloudwatchLogsExports", "EnabledCloudwatchLogsExports"),
    "monitoringInterval": ("MonitoringInterval", "MonitoringInterval"),
    "monitoringRoleArn": ("MonitoringRoleArn", "MonitoringRoleArn"),
    "iamDatabaseAuthenticationEnabled": ("EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled"),
    "caCertIdentifier": ("CACertificateIdentifier", "CACertificateIdentifier"),
}

# Inputs that an instance is made and modified with, but shows in another form or not at all.
_WRITTEN = {
    "dbSubnetGroupName": "DBSubnetGroupName",
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
    "parameterGroupName": "DBParameterGroupName",
    "password": "MasterUserPassword",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
}
# Log exports are modified by what is added and what is taken away.
_NOT_MODIFIED = "identifier engine storageEncrypted kmsKeyId dbName username port availabilityZone enabledCloudwatchLogsExports".split()
_MODIFIED = {**_WRITTEN, **{name: create for name, (create, _) in _MEMBERS.items() if name not in _NOT_MODIFIED}}
_WHEN_MODIFIED = {"applyImmediately": "ApplyImmediately", "allowMajorVersionUpgrade": "AllowMajorVersionUpgrade"}

# What moto takes when it modifies an instance, and leaves out when it makes one.
_AFTERWARDS = ("performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod")


def _create(aws: Aws, inputs: Props) -> str:
    rds, identifier = aws.client("rds"), str(inputs["identifier"])
    names = {**{name: create for name, (create, _) in _MEMBERS.items()}, **_WRITTEN}
    wanted = {**_UNLESS_SAID, **{create: inputs[name] for name, create in names.items() if inputs.get(name) is not None}}
    if inputs.get("manageMasterUserPassword"):
        wanted["ManageMasterUserPassword"] = True
    if inputs.get("masterUserSecretKmsKeyId"):
        wanted["MasterUserSecretKmsKeyId"] = inputs["masterUserSecretKmsKeyId"]
    rds.create_db_instance(**wanted, Tags=_tags.as_list(inputs.get("tags")))
    with made(identifier):
        if afterwards := {_MODIFIED[name]: inputs[name] for name in _AFTERWARDS if inputs.get(name) is not None}:
            rds.modify_db_instance(DBInstanceIdentifier=identifier, **afterwards)
        if inputs.get("manageMasterUserPassword"):
            new_password(aws, _instance(aws, identifier)["MasterUserSecret"]["SecretArn"], inputs["username"])
    return identifier


def _instance(aws: Aws, identifier: str) -> Props:
    live: Props = aws.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    return live


def _read(aws: Aws, identifier: str, _: Props) -> Props:
    live = _instance(aws, identifier)
    address, port = live["Endpoint"]["Address"], live["Endpoint"]["Port"]
    return {
        **{name: live[shown] for name, (_, shown) in _MEMBERS.items() if live.get(shown) not in (None, "")},
        "dbSubnetGroupName": (live.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "vpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in live["VpcSecurityGroups"]],
        "parameterGroupName": live["DBParameterGroups"][0]["DBParameterGroupName"],
        **secret_of(live),
        "address": address,
        "endpoint": f"{address}:{port}",
        "arn": live["DBInstanceArn"],
        "engineVersionActual": live["EngineVersion"],
        "licenseModel": live["LicenseModel"],
        "optionGroupName": live["OptionGroupMemberships"][0]["OptionGroupName"],
        "resourceId": live["DbiResourceId"],
        "status": live["DBInstanceStatus"],
        "tags": _tags.as_map(live.get("TagList")),
    }


def _update(aws: Aws, identifier: str, new: Props, old: Props) -> None:
    rds = aws.client("rds")
    changes = {member: new[name] for name, member in _MODIFIED.items() if new.get(name) is not None and new[name] != old.get(name)}
    if old.get("monitoringRoleArn") and not new.get("monitoringRoleArn"):
        changes["MonitoringRoleArn"] = ""
    before, after = set(old.get("enabledCloudwatchLogsExports") or ()), set(new.get("enabledCloudwatchLogsExports") or ())
    if before != after:
        changes["CloudwatchLogsExportConfiguration"] = {"EnableLogTypes": sorted(after - before), "DisableLogTypes": sorted(before - after)}
    changes |= password_changes(old, new)
    if changes:
        when = {member: new[name] for name, member in _WHEN_MODIFIED.items() if new.get(name) is not None}
        rds.modify_db_instance(DBInstanceIdentifier=identifier, **changes, **when)
    live = _instance(aws, identifier)
    keep_password(aws, live, old, new, username=new.get("username"))
    retag(aws, live["DBInstanceArn"], new, old)


def _delete(aws: Aws, identifier: str, state: Props) -> None:
    backups = state.get("deleteAutomatedBackups", True)
    aws.client("rds").delete_db_instance(DBInstanceIdentifier=identifier, DeleteAutomatedBackups=backups, **last_snapshot(state))


# What moto records; the rules on classes and storage are those of PostgreSQL.
_ENGINES = ("postgres", "mysql", "mariadb")
_LOGS = ("audit", "error", "general", "iam-db-auth-error", "postgresql", "slowquery", "upgrade")
AUTHORITIES = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")

INSTANCE = Kind(
    type="aws:rds/instance:Instance",
    client="rds",
    # RDS API reference, CreateDBInstance. The AWS provider changes identifier and port in place; here they replace the instance (`gaps.py`).
    inputs={
        "identifier": text(required=True, replaces=True, pattern=IDENTIFIER),
        "engine": text(required=True, replaces=True, one_of=_ENGINES),
        "engineVersion": text(pattern=r"\d+(\.\d+){0,2}(-R\d+)?"),
        "instanceClass": text(required=True, rule=_rds_rules.instance_class),
        "allocatedStorage": number(required=True, at_most=65_536),
        "maxAllocatedStorage": number(at_least=0, at_most=65_536),
        "storageType": text(one_of=("gp2", "gp3", "io1", "io2", "standard")),
        "iops": number(at_least=1_000),
        "storageThroughput": number(at_least=125),
        "storageEncrypted": flag(replaces=True),
        "kmsKeyId": text(replaces=True, pattern=ARN.format(service="kms")),
        "dbName": text(replaces=True, pattern=r"[A-Za-z][A-Za-z0-9_]{0,62}"),
        "username": text(required=True, replaces=True, pattern=r"[A-Za-z][A-Za-z0-9_]{0,62}", rule=_rds_rules.user),
        "password": text(secret=True, rule=_rds_rules.password),
        "manageMasterUserPassword": flag(),
        "masterUserSecretKmsKeyId": text(pattern=ARN.format(service="kms")),
        "port": number(replaces=True, at_least=1_150, at_most=65_535),
        "multiAz": flag(),
        "availabilityZone": text(replaces=True, pattern=r"[a-z]{2}(-[a-z]+)+-\d[a-z]"),
        "dbSubnetGroupName": text(at_least=1, at_most=255),
        "vpcSecurityGroupIds": texts(text(pattern=r"sg-[0-9a-f]+")),
        "parameterGroupName": text(at_least=1, at_most=255),
        "backupRetentionPeriod": number(at_least=0, at_most=35),
        "backupWindow": text(rule=_rds_rules.backup_window),
        "maintenanceWindow": text(rule=_rds_rules.maintenance_window),
        "autoMinorVersionUpgrade": flag(),
        "deletionProtection": flag(),
        "skipFinalSnapshot": flag(),
        "finalSnapshotIdentifier": text(pattern=r"(?!.*--)[A-Za-z](?:[A-Za-z0-9-]{0,253}[A-Za-z0-9])?"),
        "deleteAutomatedBackups": flag(),
        "copyTagsToSnapshot": flag(),
        "publiclyAccessible": flag(),
        "performanceInsightsEnabled": flag(),
        "performanceInsightsKmsKeyId": text(pattern=ARN.format(service="kms")),
        "performanceInsightsRetentionPeriod": number(rule=_rds_rules.insights_days),
        "enabledCloudwatchLogsExports": texts(text(one_of=_LOGS)),
        "monitoringInterval": number(one_of=(0, 1, 5, 10, 15, 30, 60)),
        "monitoringRoleArn": text(pattern=ARN.format(service="iam")),
        "iamDatabaseAuthenticationEnabled": flag(),
        "caCertIdentifier": text(one_of=AUTHORITIES),
        "applyImmediately": flag(),
        "allowMajorVersionUpgrade": flag(),
    },
    outputs=("address", "arn", "endpoint", "engineVersionActual", "masterUserSecrets", "resourceId", "status"),
    tagged=True,
    defaults={
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": False,
        "deleteAutomatedBackups": True,
        "monitoringInterval": 0,
        "performanceInsightsEnabled": False,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
    },
    rule=_rds_rules.refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
