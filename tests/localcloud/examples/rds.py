"""Examples of Amazon RDS."""

import json

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref

VPC = Example(type="aws:ec2/vpc:Vpc", inputs={"cidrBlock": "10.2.0.0/16"})
KEY = Example(type="aws:kms/key:Key", inputs={"description": "What the database is encrypted with"})
OTHER_KEY = Example(type="aws:kms/key:Key", inputs={"description": "What the password is encrypted with"})
GROUP = Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"vpcId": Ref("vpc"), "name": "database", "description": "Database"})
OTHER_GROUP = Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"vpcId": Ref("vpc"), "name": "replicas", "description": "Replicas"})
ROLE = Example(
    type="aws:iam/role:Role",
    inputs={
        "name": "database-monitoring",
        "assumeRolePolicy": json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"Service": "monitoring.rds.amazonaws.com"}, "Action": "sts:AssumeRole"}],
            }
        ),
    },
)


def _subnet(number: int, zone: str) -> Example:
    return Example(type="aws:ec2/subnet:Subnet", inputs={"vpcId": Ref("vpc"), "cidrBlock": f"10.2.{number}.0/24", "availabilityZone": zone})


SUBNETS = {"vpc": VPC, "a": _subnet(0, "us-east-1a"), "b": _subnet(1, "us-east-1b"), "c": _subnet(2, "us-east-1c")}

SUBNET_GROUP = Example(
    type="aws:rds/subnetGroup:SubnetGroup",
    needs=SUBNETS,
    inputs={"name": "payments", "description": "Private subnets", "subnetIds": [Ref("b"), Ref("a")], "tags": {"Environment": "dev", "Team": "payments"}},
    updates={"description": "Subnets without a way in", "subnetIds": [Ref("a"), Ref("c")], "tags": {"Environment": "prod"}},
    replaces={"name": "other"},
    bad={"name": ("default", "Payments", ""), "subnetIds": (["subnet-0123456789abcdef0"], ["a", "b"]), "subnets": []},
    drift=lambda aws, name: aws.client("rds").remove_tags_from_resource(ResourceName=aws.arn("rds", f"subgrp:{name}"), TagKeys=["Team"]),
    drifts="tags",
)

_TLS = {"name": "rds.force_ssl", "value": "1"}
_LIBRARIES = {"name": "shared_preload_libraries", "value": "pg_stat_statements", "applyMethod": "pending-reboot"}


def _unlogged(aws: Aws, name: str) -> None:
    parameters = [{"ParameterName": "log_min_duration_statement", "ParameterValue": "-1", "ApplyMethod": "immediate"}]
    aws.client("rds").modify_db_parameter_group(DBParameterGroupName=name, Parameters=parameters)


PARAMETER_GROUP = Example(
    type="aws:rds/parameterGroup:ParameterGroup",
    inputs={
        "name": "payments-postgres16",
        "family": "postgres16",
        "description": "TLS only, slow statements logged",
        "parameters": [_TLS, _LIBRARIES, {"name": "log_min_duration_statement", "value": "500", "applyMethod": "immediate"}],
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={"parameters": [{**_TLS, "value": "0"}, {"name": "log_connections", "value": "1"}], "tags": {"Environment": "prod"}},
    replaces={"name": "other", "family": "postgres17", "description": "Another"},
    bad={
        "name": ("Payments", "pay--ments", "payments-", "1payments"),
        "family": ("postgres99", "postgres"),
        "parameters": (
            [{"name": "rds.force_ssl"}],
            [{**_TLS, "applyMethod": "now"}],
            [{**_LIBRARIES, "applyMethod": "immediate"}],
            [_TLS, _TLS],
            [{**_TLS, "apply_method": "immediate"}],
        ),
        "parameter": [],
    },
    drift=_unlogged,
    drifts="parameters",
)

_SMALL_GROUP = Example(type=SUBNET_GROUP.type, inputs={"name": "payments", "subnetIds": [Ref("a"), Ref("b")]})
_OTHER_PARAMETERS = Example(type=PARAMETER_GROUP.type, inputs={"name": "other-postgres16", "family": "postgres16"})

INSTANCE = Example(
    type="aws:rds/instance:Instance",
    needs={
        **SUBNETS,
        "subnets": _SMALL_GROUP,
        "parameters": PARAMETER_GROUP,
        "otherParameters": _OTHER_PARAMETERS,
        "group": GROUP,
        "otherGroup": OTHER_GROUP,
        "key": KEY,
        "otherKey": OTHER_KEY,
        "role": ROLE,
    },
    inputs={
        "identifier": "payments-dev",
        "engine": "postgres",
        "engineVersion": "16.4",
        "instanceClass": "db.t4g.small",
        "allocatedStorage": 20,
        "maxAllocatedStorage": 100,
        "storageType": "gp3",
        "storageEncrypted": True,
        "kmsKeyId": Ref("key", "arn"),
        "dbName": "payments",
        "username": "payments_owner",
        "manageMasterUserPassword": True,
        "masterUserSecretKmsKeyId": Ref("key", "arn"),
        "port": 5432,
        "multiAz": False,
        "availabilityZone": "us-east-1a",
        "dbSubnetGroupName": Ref("subnets", "name"),
        "vpcSecurityGroupIds": [Ref("group")],
        "parameterGroupName": Ref("parameters", "name"),
        "backupRetentionPeriod": 1,
        "backupWindow": "03:00-04:00",
        "maintenanceWindow": "sun:05:00-sun:06:00",
        "autoMinorVersionUpgrade": False,
        "deletionProtection": False,
        "skipFinalSnapshot": True,
        "deleteAutomatedBackups": True,
        "copyTagsToSnapshot": True,
        "publiclyAccessible": False,
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": Ref("key", "arn"),
        "performanceInsightsRetentionPeriod": 7,
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "monitoringInterval": 60,
        "monitoringRoleArn": Ref("role", "arn"),
        "iamDatabaseAuthenticationEnabled": True,
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "applyImmediately": True,
        "allowMajorVersionUpgrade": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "engineVersion": "17.2",
        "instanceClass": "db.m6g.large",
        "allocatedStorage": 400,
        "maxAllocatedStorage": 1_000,
        "iops": 12_000,
        "storageThroughput": 500,
        "masterUserSecretKmsKeyId": Ref("otherKey", "arn"),
        "vpcSecurityGroupIds": [Ref("group"), Ref("otherGroup")],
        "parameterGroupName": Ref("otherParameters", "name"),
        "backupRetentionPeriod": 30,
        "backupWindow": "02:00-03:00",
        "maintenanceWindow": "mon:05:00-mon:06:00",
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": None,
        "publiclyAccessible": True,
        "performanceInsightsRetentionPeriod": 731,
        "enabledCloudwatchLogsExports": ["postgresql", "iam-db-auth-error"],
        "monitoringInterval": 0,
        "monitoringRoleArn": None,
        "iamDatabaseAuthenticationEnabled": False,
        "caCertIdentifier": "rds-ca-ecc384-g1",
        "applyImmediately": False,
        "tags": {"Environment": "prod"},
    },
    replaces={
        "identifier": "other",
        "engine": "mysql",
        "storageEncrypted": False,
        "kmsKeyId": Ref("otherKey", "arn"),
        "dbName": "other",
        "username": "other",
        "port": 5433,
        "availabilityZone": "us-east-1b",
    },
    bad={
        "identifier": ("Payments", "1payments", "pay--ments", "payments-", "p" * 64),
        "engine": "postgresql",
        "engineVersion": "latest",
        "instanceClass": ("t4g.small", "db.t4g.nano", "db.m6g.16gb", "db.z9.large"),
        "allocatedStorage": (19, 65_537, "20"),
        "maxAllocatedStorage": 21,
        "storageType": "ssd",
        "iops": (3_000, 12_000),
        "storageThroughput": 500,
        "username": ("1owner", "admin", "pay-ments"),
        "dbName": "1payments",
        "password": ("long enough, and excluded", "a/b@c"),
        "masterUserSecretKmsKeyId": "alias/payments",
        "port": (80, 65_536),
        "availabilityZone": "a",
        "backupRetentionPeriod": (-1, 36),
        "backupWindow": ("03:00-03:29", "3-4", "soon"),
        "maintenanceWindow": ("sun:05:00-sun:05:29", "sunday", "sun:03:30-sun:04:30", "sun:02:00-sun:03:30"),
        "monitoringInterval": (2, 0),
        "monitoringRoleArn": None,
        "performanceInsightsRetentionPeriod": (6, 30, 744),
        "enabledCloudwatchLogsExports": ["slow"],
        "caCertIdentifier": "rds-ca-2015",
        "finalSnapshotIdentifier": "last-",
        "class": "db.t4g.small",
    },
    drift=lambda aws, identifier: aws.client("rds").modify_db_instance(DBInstanceIdentifier=identifier, DBInstanceClass="db.t4g.micro"),
    drifts="instanceClass",
)

WITH_PASSWORD = Example(
    type="aws:rds/instance:Instance",
    needs={**SUBNETS, "subnets": _SMALL_GROUP},
    inputs={
        "identifier": "reports",
        "engine": "postgres",
        "instanceClass": "db.r7g.xlarge",
        "allocatedStorage": 100,
        "storageType": "io2",
        "iops": 3_000,
        "username": "reports",
        "password": "correct-horse-battery",
        "multiAz": True,
        "dbSubnetGroupName": Ref("subnets", "name"),
        "finalSnapshotIdentifier": "reports-last",
        "deletionProtection": True,
    },
    updates={"password": None, "manageMasterUserPassword": True, "multiAz": False, "deletionProtection": False},
    bad={
        "password": (None, "short", "with space"),
        "masterUserSecretKmsKeyId": "arn:aws:kms:us-east-1:345678901234:key/1234abcd",
        "finalSnapshotIdentifier": None,
        "availabilityZone": "us-east-1a",
        "iops": (None, 999),
        "allocatedStorage": 99,
        "performanceInsightsRetentionPeriod": 7,
        "kmsKeyId": "arn:aws:kms:us-east-1:345678901234:key/1234abcd",
    },
    label="own password",
)

EXAMPLES = (SUBNET_GROUP, PARAMETER_GROUP, INSTANCE, WITH_PASSWORD)
