"""Metrics that AWS publishes, with the dimensions that ours are asked for under. CloudWatch accepts any name, and says nothing of one that has no data.

Sources: "Types of metrics for Lambda functions"; "Amazon API Gateway dimensions and metrics"; "Available CloudWatch metrics for Amazon SQS";
"Amazon CloudWatch instance-level metrics for Amazon RDS"; "DynamoDB metrics and dimensions"; "NAT gateway metrics and dimensions";
"CloudWatch metrics that are available for your instances" (EC2); "Amazon ECS CloudWatch metrics"; "Amazon ECS Container Insights metrics";
"CloudWatch metrics for your Application Load Balancer"; "Amazon CloudWatch metrics for Amazon Aurora" and the dimensions after it;
"Host-Level Metrics" and "Metrics for Valkey and Redis OSS" (ElastiCache); "AWS WAF metrics and dimensions".
"""

from __future__ import annotations

from collections.abc import Collection

_BALANCER, _TARGETS = frozenset({"LoadBalancer"}), frozenset({"TargetGroup", "LoadBalancer"})
_INSTANCE, _CLUSTER, _ROLE = frozenset({"DBInstanceIdentifier"}), frozenset({"DBClusterIdentifier"}), frozenset({"DBClusterIdentifier", "Role"})
_SERVICE = frozenset({"ClusterName", "ServiceName"})

# One row a namespace and a set of dimensions: the names that AWS publishes there.
_PUBLISHED: tuple[tuple[str, frozenset[str], str], ...] = (
    ("AWS/Lambda", frozenset({"FunctionName"}), "Invocations Errors Throttles Duration ConcurrentExecutions DeadLetterErrors AsyncEventsDropped"),
    ("AWS/ApiGateway", frozenset({"ApiName", "Stage"}), "4XXError 5XXError CacheHitCount CacheMissCount Count IntegrationLatency Latency"),
    (
        "AWS/SQS",
        frozenset({"QueueName"}),
        "ApproximateAgeOfOldestMessage ApproximateNumberOfMessagesDelayed ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesVisible "
        "NumberOfEmptyReceives NumberOfMessagesDeleted NumberOfMessagesReceived NumberOfMessagesSent SentMessageSize",
    ),
    ("AWS/RDS", _INSTANCE, "CPUUtilization DatabaseConnections FreeableMemory FreeStorageSpace ReadIOPS ReadLatency WriteIOPS WriteLatency"),
    (
        "AWS/RDS",
        _CLUSTER,
        "ACUUtilization AuroraReplicaLagMaximum AuroraReplicaLagMinimum CPUUtilization DatabaseConnections FreeableMemory ServerlessDatabaseCapacity",
    ),
    ("AWS/RDS", _ROLE, "ACUUtilization CPUUtilization DatabaseConnections FreeableMemory ServerlessDatabaseCapacity"),
    (
        "AWS/DynamoDB",
        frozenset({"TableName"}),
        "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents ConditionalCheckFailedRequests",
    ),
    (
        "AWS/DynamoDB",
        frozenset({"TableName", "GlobalSecondaryIndexName"}),
        "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents OnlineIndexThrottleEvents",
    ),
    ("AWS/NATGateway", frozenset({"NatGatewayId"}), "ErrorPortAllocation PacketsDropCount ActiveConnectionCount BytesOutToDestination"),
    ("AWS/EC2", frozenset({"InstanceId"}), "CPUUtilization StatusCheckFailed StatusCheckFailed_Instance StatusCheckFailed_System"),
    ("AWS/ECS", _SERVICE, "CPUUtilization MemoryUtilization"),
    ("ECS/ContainerInsights", _SERVICE, "CpuReserved CpuUtilized DesiredTaskCount MemoryReserved MemoryUtilized PendingTaskCount RunningTaskCount"),
    ("AWS/ApplicationELB", _BALANCER, "ActiveConnectionCount HTTPCode_ELB_4XX_Count HTTPCode_ELB_5XX_Count RejectedConnectionCount RequestCount"),
    (
        "AWS/ApplicationELB",
        _TARGETS,
        "HealthyHostCount HTTPCode_Target_2XX_Count HTTPCode_Target_4XX_Count HTTPCode_Target_5XX_Count RequestCount TargetResponseTime UnHealthyHostCount",
    ),
    ("AWS/WAFV2", frozenset({"Region", "Rule", "WebACL"}), "AllowedRequests BlockedRequests CountedRequests PassedRequests"),
    (
        "AWS/ElastiCache",
        frozenset({"CacheClusterId"}),
        "CacheHitRate CPUUtilization CurrConnections DatabaseMemoryUsagePercentage EngineCPUUtilization Evictions FreeableMemory ReplicationLag",
    ),
)


def is_known(namespace: str, name: str, dimensions: Collection[str]) -> bool:
    """Whether AWS publishes that metric under exactly these dimensions."""
    return any((space, wanted) == (namespace, frozenset(dimensions)) and name in names.split() for space, wanted, names in _PUBLISHED)
