"""Metrics that AWS publishes, with the dimensions that ours are asked for under. CloudWatch accepts any name, and says nothing of one that has no data.

Sources: "Types of metrics for Lambda functions"; "Amazon API Gateway dimensions and metrics"; "Available CloudWatch metrics for Amazon SQS";
"Amazon CloudWatch instance-level metrics for Amazon RDS"; "DynamoDB metrics and dimensions"; "NAT gateway metrics and dimensions";
"CloudWatch metrics that are available for your instances" (EC2).
"""

from __future__ import annotations

from collections.abc import Collection

KNOWN: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "AWS/Lambda": (
        frozenset({"FunctionName"}),
        frozenset({"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions", "DeadLetterErrors", "AsyncEventsDropped"}),
    ),
    "AWS/ApiGateway": (
        frozenset({"ApiName", "Stage"}),
        frozenset({"4XXError", "5XXError", "CacheHitCount", "CacheMissCount", "Count", "IntegrationLatency", "Latency"}),
    ),
    "AWS/SQS": (
        frozenset({"QueueName"}),
        frozenset(
            {
                "ApproximateAgeOfOldestMessage",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesVisible",
                "NumberOfEmptyReceives",
                "NumberOfMessagesDeleted",
                "NumberOfMessagesReceived",
                "NumberOfMessagesSent",
                "SentMessageSize",
            }
        ),
    ),
    "AWS/RDS": (
        frozenset({"DBInstanceIdentifier"}),
        frozenset({"CPUUtilization", "DatabaseConnections", "FreeableMemory", "FreeStorageSpace", "ReadIOPS", "ReadLatency", "WriteIOPS", "WriteLatency"}),
    ),
    "AWS/DynamoDB": (
        frozenset({"TableName"}),
        frozenset({"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents", "ConditionalCheckFailedRequests"}),
    ),
    "AWS/NATGateway": (frozenset({"NatGatewayId"}), frozenset({"ErrorPortAllocation", "PacketsDropCount", "ActiveConnectionCount", "BytesOutToDestination"})),
    "AWS/EC2": (frozenset({"InstanceId"}), frozenset({"CPUUtilization", "StatusCheckFailed", "StatusCheckFailed_Instance", "StatusCheckFailed_System"})),
}
"""By namespace: the dimensions, and the names."""


def is_known(namespace: str, name: str, dimensions: Collection[str]) -> bool:
    """Whether AWS publishes that metric under exactly these dimensions."""
    wanted, names = KNOWN.get(namespace, (frozenset(), frozenset()))
    return name in names and frozenset(dimensions) == wanted
