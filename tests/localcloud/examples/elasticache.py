"""Examples of Amazon ElastiCache."""

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.rds import GROUP, KEY, OTHER_GROUP, OTHER_KEY, SUBNETS

SUBNET_GROUP = Example(
    type="aws:elasticache/subnetGroup:SubnetGroup",
    needs=SUBNETS,
    inputs={"name": "sessions", "description": "Private subnets", "subnetIds": [Ref("b"), Ref("a")], "tags": {"Environment": "dev", "Team": "payments"}},
    updates={"description": "Subnets without a way in", "subnetIds": [Ref("a"), Ref("c")], "tags": {"Environment": "prod"}},
    replaces={"name": "other"},
    bad={"name": ("default", "Sessions", "with space", ""), "subnetIds": ([], ["a"], None), "subnets": []},
    drift=lambda aws, name: aws.client("elasticache").remove_tags_from_resource(ResourceName=aws.arn("elasticache", f"subnetgroup:{name}"), TagKeys=["Team"]),
    drifts="tags",
)

PARAMETER_GROUP = Example(
    type="aws:elasticache/parameterGroup:ParameterGroup",
    inputs={
        "name": "sessions-redis7",
        "family": "redis7",
        "description": "Sessions that are forgotten first",
        "parameters": [{"name": "maxmemory-policy", "value": "volatile-ttl"}, {"name": "timeout", "value": "300"}],
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "parameters": [{"name": "maxmemory-policy", "value": "allkeys-lru"}, {"name": "notify-keyspace-events", "value": ""}],
        "tags": {"Environment": "prod"},
    },
    replaces={"name": "other", "family": "valkey8", "description": "Another"},
    bad={
        "name": ("Sessions", "ses--sions", "sessions-", "1sessions"),
        "family": ("redis9", "redis", "memcached1.6"),
        "parameters": ([{"name": "timeout"}], [{"name": "maxmemory-policy", "value": "lru"}], [{"name": "timeout", "value": "1"}] * 2),
        "parameter": [],
    },
    drift=lambda aws, name: aws.client("elasticache").modify_cache_parameter_group(
        CacheParameterGroupName=name, ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "1"}]
    ),
    drifts="parameters",
)

_SUBNETS = Example(type=SUBNET_GROUP.type, inputs={"name": "sessions", "subnetIds": [Ref("a"), Ref("b")]})
_OTHER_PARAMETERS = Example(type=PARAMETER_GROUP.type, inputs={"name": "other-redis7", "family": "redis7"})
_TOPIC = Example(type="aws:sns/topic:Topic", inputs={"name": "caches"})


def _delivery(kind: str, group: str) -> dict[str, str]:
    return {"logType": kind, "logFormat": "json", "destinationType": "cloudwatch-logs", "destination": group}


REPLICATION_GROUP = Example(
    type="aws:elasticache/replicationGroup:ReplicationGroup",
    needs={
        **SUBNETS,
        "subnets": _SUBNETS,
        "parameters": PARAMETER_GROUP,
        "otherParameters": _OTHER_PARAMETERS,
        "group": GROUP,
        "otherGroup": OTHER_GROUP,
        "key": KEY,
        "otherKey": OTHER_KEY,
        "topic": _TOPIC,
    },
    inputs={
        "replicationGroupId": "payment-sessions-dev",
        "description": "Sessions",
        "engine": "redis",
        "engineVersion": "7.0",
        "nodeType": "cache.t4g.small",
        "numCacheClusters": 2,
        "port": 6379,
        "parameterGroupName": Ref("parameters", "name"),
        "subnetGroupName": Ref("subnets", "name"),
        "securityGroupIds": [Ref("group")],
        "automaticFailoverEnabled": True,
        "multiAzEnabled": True,
        "atRestEncryptionEnabled": True,
        "kmsKeyId": Ref("key", "arn"),
        "transitEncryptionEnabled": True,
        "transitEncryptionMode": "preferred",
        "authToken": "correct-horse-battery-staple",
        "authTokenUpdateStrategy": "ROTATE",
        "autoMinorVersionUpgrade": True,
        "maintenanceWindow": "sun:05:00-sun:06:00",
        "snapshotRetentionLimit": 1,
        "snapshotWindow": "03:00-04:00",
        "notificationTopicArn": Ref("topic", "arn"),
        "logDeliveryConfigurations": [_delivery("slow-log", "/cache/slow"), _delivery("engine-log", "/cache/engine")],
        "applyImmediately": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "description": "Sessions of payers",
        "engineVersion": "7.1",
        "nodeType": "cache.r7g.large",
        "numCacheClusters": 3,
        "parameterGroupName": Ref("otherParameters", "name"),
        "securityGroupIds": [Ref("group"), Ref("otherGroup")],
        "transitEncryptionMode": "required",
        "authToken": "another-horse-battery-staple",
        "authTokenUpdateStrategy": "SET",
        "autoMinorVersionUpgrade": False,
        "maintenanceWindow": "mon:05:00-mon:06:00",
        "snapshotRetentionLimit": 35,
        "snapshotWindow": "02:00-03:30",
        "notificationTopicArn": None,
        "logDeliveryConfigurations": [_delivery("slow-log", "/cache/other")],
        "applyImmediately": False,
        "tags": {"Environment": "prod"},
    },
    replaces={
        "replicationGroupId": "other",
        "port": 6380,
        "subnetGroupName": "other",
        "atRestEncryptionEnabled": False,
        "kmsKeyId": Ref("otherKey", "arn"),
        "transitEncryptionEnabled": False,
    },
    bad={
        "replicationGroupId": ("Sessions", "1sessions", "ses--sions", "sessions-", "s" * 41),
        "description": ("", None),
        "engine": ("memcached", "Redis"),
        "engineVersion": ("7.9", "8.0", "latest"),
        "nodeType": ("cache.t4g.large", "t4g.small", "cache.r6gd.large", "cache.z9.small"),
        "numCacheClusters": (0, 7),
        "port": (80, 65_536),
        "automaticFailoverEnabled": "yes",
        "multiAzEnabled": "yes",
        "kmsKeyId": "alias/cache",
        "transitEncryptionMode": "optional",
        "authToken": ("short", "correct horse battery staple", "correct/horse@battery", "x" * 129),
        "authTokenUpdateStrategy": "KEEP",
        "maintenanceWindow": ("sun:05:00-sun:05:59", "sunday", "sun:03:30-sun:04:30"),
        "snapshotRetentionLimit": (-1, 36),
        "snapshotWindow": ("03:00-03:59", "soon"),
        "subnetGroupName": None,
        "logDeliveryConfigurations": (
            [_delivery("slow-log", "/cache/a"), _delivery("slow-log", "/cache/b")],
            [_delivery("audit-log", "/cache/a")],
            [{**_delivery("slow-log", "/cache/a"), "logFormat": "xml"}],
            [{"logType": "slow-log"}],
        ),
        "numNodeGroups": 1,
    },
    drift=lambda aws, name: aws.client("elasticache").modify_replication_group(ReplicationGroupId=name, SnapshotRetentionLimit=7),
    drifts="snapshotRetentionLimit",
)

VALKEY = Example(
    type=REPLICATION_GROUP.type,
    needs={**SUBNETS, "subnets": _SUBNETS},
    inputs={
        "replicationGroupId": "valkey",
        "description": "One node",
        "engine": "valkey",
        "engineVersion": "8.0",
        "nodeType": "cache.t4g.micro",
        "subnetGroupName": Ref("subnets", "name"),
        "transitEncryptionEnabled": True,
        "finalSnapshotIdentifier": "valkey-last",
    },
    updates={"numCacheClusters": 2, "automaticFailoverEnabled": True, "authToken": "correct-horse-battery-staple"},
    bad={
        "transitEncryptionEnabled": None,
        "automaticFailoverEnabled": True,
        "multiAzEnabled": True,
        "kmsKeyId": "arn:aws:kms:us-east-1:345678901234:key/1234abcd",
        "authTokenUpdateStrategy": "SET",
        "engineVersion": "7.1",
    },
    label="valkey",
)

PLAIN = Example(
    type=REPLICATION_GROUP.type,
    inputs={"replicationGroupId": "plain", "description": "In the clear", "engineVersion": "6.0", "nodeType": "cache.t3.micro", "numCacheClusters": 3},
    updates={"numCacheClusters": 1},
    bad={
        "authToken": "correct-horse-battery-staple",
        "transitEncryptionMode": "required",
        "snapshotRetentionLimit": "1",
        "logDeliveryConfigurations": [_delivery("engine-log", "/cache/a")],
    },
    label="plain",
)

EXAMPLES = (SUBNET_GROUP, PARAMETER_GROUP, REPLICATION_GROUP, VALKEY, PLAIN)
