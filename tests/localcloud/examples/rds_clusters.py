"""Examples of Amazon Aurora PostgreSQL."""

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.rds import GROUP, KEY, OTHER_GROUP, OTHER_KEY, ROLE, SUBNET_GROUP, SUBNETS

_TLS = {"name": "rds.force_ssl", "value": "1"}
_LIBRARIES = {"name": "shared_preload_libraries", "value": "pg_stat_statements", "applyMethod": "pending-reboot"}


def _unlogged(aws: Aws, name: str) -> None:
    parameters = [{"ParameterName": "log_min_duration_statement", "ParameterValue": "-1", "ApplyMethod": "immediate"}]
    aws.client("rds").modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=parameters)


CLUSTER_PARAMETERS = Example(
    type="aws:rds/clusterParameterGroup:ClusterParameterGroup",
    inputs={
        "name": "payments-aurora-postgresql16",
        "family": "aurora-postgresql16",
        "description": "TLS only, slow statements logged",
        "parameters": [_TLS, _LIBRARIES, {"name": "log_min_duration_statement", "value": "500", "applyMethod": "immediate"}],
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={"parameters": [{**_TLS, "value": "0"}, {"name": "log_connections", "value": "1"}], "tags": {"Environment": "prod"}},
    replaces={"name": "other", "family": "aurora-postgresql17", "description": "Another"},
    bad={
        "name": ("Payments", "pay--ments", "payments-", "1payments"),
        "family": ("postgres16", "aurora-postgresql99"),
        "parameters": ([{"name": "rds.force_ssl"}], [{**_TLS, "applyMethod": "now"}], [{**_LIBRARIES, "applyMethod": "immediate"}], [_TLS, _TLS]),
        "parameter": [],
    },
    drift=_unlogged,
    drifts="parameters",
)
_OTHER_CLUSTER_PARAMETERS = Example(type=CLUSTER_PARAMETERS.type, inputs={"name": "other-aurora-postgresql16", "family": "aurora-postgresql16"})
_SMALL_GROUP = Example(type=SUBNET_GROUP.type, inputs={"name": "payments", "subnetIds": [Ref("a"), Ref("b")]})

CLUSTER = Example(
    type="aws:rds/cluster:Cluster",
    needs={
        **SUBNETS,
        "subnets": _SMALL_GROUP,
        "parameters": CLUSTER_PARAMETERS,
        "otherParameters": _OTHER_CLUSTER_PARAMETERS,
        "group": GROUP,
        "otherGroup": OTHER_GROUP,
        "key": KEY,
        "otherKey": OTHER_KEY,
        "role": ROLE,
    },
    inputs={
        "clusterIdentifier": "payments-dev",
        "engine": "aurora-postgresql",
        "engineMode": "provisioned",
        "engineVersion": "16.6",
        "databaseName": "payments",
        "masterUsername": "payments_owner",
        "manageMasterUserPassword": True,
        "masterUserSecretKmsKeyId": Ref("key", "arn"),
        "port": 5432,
        "dbSubnetGroupName": Ref("subnets", "name"),
        "vpcSecurityGroupIds": [Ref("group")],
        "dbClusterParameterGroupName": Ref("parameters", "name"),
        "serverlessv2ScalingConfiguration": {"minCapacity": 0.5, "maxCapacity": 4},
        "storageEncrypted": True,
        "kmsKeyId": Ref("key", "arn"),
        "backupRetentionPeriod": 7,
        "preferredBackupWindow": "03:00-04:00",
        "preferredMaintenanceWindow": "sun:05:00-sun:06:00",
        "deletionProtection": False,
        "skipFinalSnapshot": True,
        "deleteAutomatedBackups": True,
        "copyTagsToSnapshot": True,
        "enabledCloudwatchLogsExports": ["postgresql"],
        "iamDatabaseAuthenticationEnabled": True,
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": Ref("key", "arn"),
        "performanceInsightsRetentionPeriod": 7,
        "databaseInsightsMode": "standard",
        "monitoringInterval": 60,
        "monitoringRoleArn": Ref("role", "arn"),
        "applyImmediately": True,
        "allowMajorVersionUpgrade": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "engineVersion": "16.8",
        "masterUserSecretKmsKeyId": Ref("otherKey", "arn"),
        "port": 5433,
        "vpcSecurityGroupIds": [Ref("group"), Ref("otherGroup")],
        "dbClusterParameterGroupName": Ref("otherParameters", "name"),
        "serverlessv2ScalingConfiguration": {"minCapacity": 2, "maxCapacity": 16.5},
        "backupRetentionPeriod": 35,
        "preferredBackupWindow": "02:00-03:00",
        "preferredMaintenanceWindow": "mon:05:00-mon:06:00",
        "copyTagsToSnapshot": None,
        "enabledCloudwatchLogsExports": ["postgresql", "iam-db-auth-error"],
        "iamDatabaseAuthenticationEnabled": False,
        "performanceInsightsRetentionPeriod": 465,
        "databaseInsightsMode": "advanced",
        "monitoringInterval": 0,
        "monitoringRoleArn": None,
        "applyImmediately": False,
        "tags": {"Environment": "prod"},
    },
    replaces={
        "clusterIdentifier": "other",
        "databaseName": "other",
        "masterUsername": "other",
        "dbSubnetGroupName": "other",
        "storageEncrypted": False,
        "kmsKeyId": Ref("otherKey", "arn"),
    },
    bad={
        "clusterIdentifier": ("Payments", "1payments", "pay--ments", "payments-", "p" * 64),
        "engine": ("postgres", "aurora"),
        "engineMode": "serverless",
        "engineVersion": ("latest", "12.9", "16.5", "16.6.1", "99"),
        "databaseName": "1payments",
        "masterUsername": ("1owner", "rdsadmin", "pay-ments", None),
        "masterPassword": "long enough, and excluded",
        "masterUserSecretKmsKeyId": "alias/payments",
        "port": (80, 65_536),
        "serverlessv2ScalingConfiguration": (
            {"minCapacity": 0.5},
            {"minCapacity": 0.7, "maxCapacity": 4},
            {"minCapacity": 8, "maxCapacity": 4},
            {"minCapacity": 0.5, "maxCapacity": 0.5},
            {"minCapacity": 0.5, "maxCapacity": 257},
            {"minCapacity": 0.5, "maxCapacity": 4, "secondsUntilAutoPause": 300},
            {"minCapacity": 0, "maxCapacity": 4, "secondsUntilAutoPause": 299},
        ),
        "backupRetentionPeriod": (0, 36),
        "preferredBackupWindow": ("03:00-03:29", "soon"),
        "preferredMaintenanceWindow": ("sunday", "sun:03:30-sun:04:30"),
        "finalSnapshotIdentifier": "last-",
        "enabledCloudwatchLogsExports": ["upgrade"],
        "performanceInsightsRetentionPeriod": (6, 30),
        "databaseInsightsMode": ("advanced", "full"),
        "monitoringInterval": (2, 0),
        "monitoringRoleArn": None,
        "instanceClass": "db.r6g.large",
    },
    drift=lambda aws, identifier: aws.client("rds").modify_db_cluster(DBClusterIdentifier=identifier, BackupRetentionPeriod=1),
    drifts="backupRetentionPeriod",
)

WITH_PASSWORD = Example(
    type="aws:rds/cluster:Cluster",
    inputs={
        "clusterIdentifier": "reports",
        "engine": "aurora-postgresql",
        "engineVersion": "16.2",
        "masterUsername": "reports",
        "masterPassword": "correct-horse-battery",
        "finalSnapshotIdentifier": "reports-last",
        "deletionProtection": True,
    },
    updates={"masterPassword": None, "manageMasterUserPassword": True, "deletionProtection": False, "tags": {"Environment": "dev"}},
    bad={
        "masterPassword": (None, "short", "with space"),
        "masterUserSecretKmsKeyId": "arn:aws:kms:us-east-1:345678901234:key/1234abcd",
        "finalSnapshotIdentifier": None,
        "kmsKeyId": "arn:aws:kms:us-east-1:345678901234:key/1234abcd",
        "serverlessv2ScalingConfiguration": {"minCapacity": 0, "maxCapacity": 4},
    },
    label="own password",
)

_PLAIN_CLUSTER = Example(
    type=CLUSTER.type,
    inputs={
        "clusterIdentifier": "payments-dev",
        "engine": "aurora-postgresql",
        "engineVersion": "16.6",
        "masterUsername": "payments_owner",
        "manageMasterUserPassword": True,
        "dbSubnetGroupName": Ref("subnets", "name"),
        "serverlessv2ScalingConfiguration": {"minCapacity": 0.5, "maxCapacity": 4},
        "storageEncrypted": True,
        "skipFinalSnapshot": True,
    },
)
_PARAMETERS = Example(type="aws:rds/parameterGroup:ParameterGroup", inputs={"name": "payments-writer", "family": "aurora-postgresql16"})

WRITER = Example(
    type="aws:rds/clusterInstance:ClusterInstance",
    needs={**SUBNETS, "subnets": _SMALL_GROUP, "cluster": _PLAIN_CLUSTER, "parameters": _PARAMETERS, "key": KEY, "role": ROLE},
    inputs={
        "identifier": "payments-dev-1",
        "clusterIdentifier": Ref("cluster", "clusterIdentifier"),
        "engine": "aurora-postgresql",
        "engineVersion": Ref("cluster", "engineVersionActual"),
        "instanceClass": "db.serverless",
        "availabilityZone": "us-east-1a",
        "dbSubnetGroupName": Ref("subnets", "name"),
        "promotionTier": 1,
        "publiclyAccessible": False,
        "autoMinorVersionUpgrade": False,
        "preferredMaintenanceWindow": "sun:05:00-sun:06:00",
        "monitoringInterval": 60,
        "monitoringRoleArn": Ref("role", "arn"),
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": Ref("key", "arn"),
        "performanceInsightsRetentionPeriod": 7,
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "applyImmediately": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "instanceClass": "db.r7g.large",
        "dbParameterGroupName": Ref("parameters", "name"),
        "promotionTier": 0,
        "publiclyAccessible": True,
        "autoMinorVersionUpgrade": True,
        "preferredMaintenanceWindow": "mon:05:00-mon:06:00",
        "monitoringInterval": 0,
        "monitoringRoleArn": None,
        "performanceInsightsRetentionPeriod": 731,
        "caCertIdentifier": "rds-ca-ecc384-g1",
        "applyImmediately": False,
        "tags": {"Environment": "prod"},
    },
    replaces={"identifier": "other", "clusterIdentifier": "other", "availabilityZone": "us-east-1b", "dbSubnetGroupName": "other"},
    bad={
        "identifier": ("Payments", "1payments", "p" * 64),
        "clusterIdentifier": None,
        "engine": "postgres",
        "instanceClass": ("db.t3.small", "db.m6g.large", "db.r6gd.large", "r6g.large", "serverless", None),
        "availabilityZone": "a",
        "promotionTier": (-1, 16),
        "preferredMaintenanceWindow": "sunday",
        "monitoringInterval": (2, 0),
        "monitoringRoleArn": None,
        "performanceInsightsRetentionPeriod": 30,
        "performanceInsightsEnabled": "yes",
        "caCertIdentifier": "rds-ca-2015",
        "allocatedStorage": 20,
    },
    drift=lambda aws, identifier: aws.client("rds").modify_db_instance(DBInstanceIdentifier=identifier, PromotionTier=9),
    drifts="promotionTier",
)

READER = Example(
    type=WRITER.type,
    needs={
        **SUBNETS,
        "subnets": _SMALL_GROUP,
        "cluster": _PLAIN_CLUSTER,
        "writer": Example(
            type=WRITER.type,
            inputs={"identifier": "payments-dev-1", "clusterIdentifier": Ref("cluster"), "engine": "aurora-postgresql", "instanceClass": "db.t4g.medium"},
        ),
    },
    inputs={"identifier": "payments-dev-2", "clusterIdentifier": Ref("cluster"), "engine": "aurora-postgresql", "instanceClass": "db.t4g.medium"},
    updates={"promotionTier": 2},
    label="reader",
)

EXAMPLES = (CLUSTER_PARAMETERS, CLUSTER, WITH_PASSWORD, WRITER, READER)
