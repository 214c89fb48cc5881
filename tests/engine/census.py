"""Everything that an account of the local cloud holds, asked service by service: to find what no state knows of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.aws import Aws

Entry = dict[str, Any]
Census = dict[str, frozenset[str]]


def _always(_: Entry) -> bool:
    return True


@dataclass(frozen=True)
class Listing:
    """One call that lists things, and what makes them count.

    operation: the client's method. found: where its answer has the entries. id: the key of an entry's id; empty when the entry is the id.
    counts: whether an entry is something that a deployment made; the functions that say so give the reason for what they leave out.
    """

    operation: str
    found: str
    id: str
    counts: Callable[[Entry], bool] = _always
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


def _not_main(table: Entry) -> bool:
    """AWS makes a main route table with each VPC, and deletes it with it."""
    return not any(association.get("Main") for association in table.get("Associations", ()))


def _not_default_group(group: Entry) -> bool:
    """AWS makes a security group named default with each VPC, which cannot be deleted alone."""
    return bool(group["GroupName"] != "default")


def _not_default_acl(acl: Entry) -> bool:
    """AWS makes a network ACL with each VPC; moto keeps it when the VPC is deleted (`localcloud/gaps.py`)."""
    return not acl["IsDefault"]


def _not_terminated(reservation: Entry) -> bool:
    """EC2 shows a terminated instance for an hour."""
    return any(instance["State"]["Name"] != "terminated" for instance in reservation["Instances"])


def _not_deleted_gateway(gateway: Entry) -> bool:
    """EC2 shows a deleted NAT gateway for an hour."""
    return bool(gateway["State"] != "deleted")


def _not_deleted_endpoint(endpoint: Entry) -> bool:
    """Deleted endpoints are still shown by moto."""
    return bool(endpoint["State"] not in {"deleting", "deleted"})


def _own_alias(alias: Entry) -> bool:
    """KMS shows the aliases of AWS's own keys in every account."""
    return not alias["AliasName"].startswith("alias/aws/")


def _own_parameter(parameter: Entry) -> bool:
    """AWS publishes what it knows (images, regions) as parameters in every account."""
    return not parameter["Name"].startswith("/aws/")


def _own_parameters(group: Entry) -> bool:
    """RDS makes a parameter group per family, and keeps it."""
    return not group["DBParameterGroupName"].startswith("default.")


def _own_cluster_parameters(group: Entry) -> bool:
    """As for instances."""
    return not group["DBClusterParameterGroupName"].startswith("default.")


def _own_cache_parameters(group: Entry) -> bool:
    """ElastiCache has a default group per family."""
    return not group["CacheParameterGroupName"].startswith("default.")


# By the name of the client that asks; where the table has a service of another name, `CLIENTS` tells.
LISTINGS: Mapping[str, tuple[Listing, ...]] = {
    "acm": (Listing("list_certificates", "CertificateSummaryList", "CertificateArn"),),
    "apigateway": (
        Listing("get_rest_apis", "items", "id"),
        Listing("get_api_keys", "items", "id"),
        Listing("get_usage_plans", "items", "id"),
        Listing("get_domain_names", "items", "domainName"),
    ),
    "application-autoscaling": (
        Listing("describe_scalable_targets", "ScalableTargets", "ResourceId", arguments={"ServiceNamespace": "dynamodb"}),
        Listing("describe_scaling_policies", "ScalingPolicies", "PolicyARN", arguments={"ServiceNamespace": "dynamodb"}),
        Listing("describe_scalable_targets", "ScalableTargets", "ResourceId", arguments={"ServiceNamespace": "ecs"}),
        Listing("describe_scaling_policies", "ScalingPolicies", "PolicyARN", arguments={"ServiceNamespace": "ecs"}),
    ),
    "cloudtrail": (Listing("describe_trails", "trailList", "TrailARN"),),
    "cloudwatch": (Listing("describe_alarms", "MetricAlarms", "AlarmName"), Listing("list_dashboards", "DashboardEntries", "DashboardName")),
    "dynamodb": (Listing("list_tables", "TableNames", ""), Listing("list_backups", "BackupSummaries", "BackupArn")),
    "ec2": (
        Listing("describe_vpcs", "Vpcs", "VpcId"),
        Listing("describe_subnets", "Subnets", "SubnetId"),
        Listing("describe_route_tables", "RouteTables", "RouteTableId", _not_main),
        Listing("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        Listing("describe_nat_gateways", "NatGateways", "NatGatewayId", _not_deleted_gateway),
        Listing("describe_addresses", "Addresses", "AllocationId"),
        Listing("describe_instances", "Reservations", "ReservationId", _not_terminated),
        Listing("describe_volumes", "Volumes", "VolumeId"),
        Listing("describe_security_groups", "SecurityGroups", "GroupId", _not_default_group),
        Listing("describe_network_acls", "NetworkAcls", "NetworkAclId", _not_default_acl),
        Listing("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
        Listing("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", _not_deleted_endpoint),
        Listing("describe_flow_logs", "FlowLogs", "FlowLogId"),
    ),
    "ecr": (Listing("describe_repositories", "repositories", "repositoryArn"),),
    "ecs": (
        Listing("list_clusters", "clusterArns", ""),
        Listing("list_task_definitions", "taskDefinitionArns", "", arguments={"status": "ACTIVE"}),
    ),
    "elasticache": (
        Listing("describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"),
        Listing("describe_cache_subnet_groups", "CacheSubnetGroups", "CacheSubnetGroupName"),
        Listing("describe_cache_parameter_groups", "CacheParameterGroups", "CacheParameterGroupName", _own_cache_parameters),
    ),
    "elbv2": (
        Listing("describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
        Listing("describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ),
    "events": (Listing("list_rules", "Rules", "Name"),),
    "iam": (
        Listing("list_roles", "Roles", "RoleName"),
        Listing("list_policies", "Policies", "Arn", arguments={"Scope": "Local"}),
        Listing("list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
        Listing("list_users", "Users", "UserName"),
    ),
    "kms": (Listing("list_keys", "Keys", "KeyId"), Listing("list_aliases", "Aliases", "AliasName", _own_alias)),
    "lambda": (Listing("list_functions", "Functions", "FunctionName"), Listing("list_event_source_mappings", "EventSourceMappings", "UUID")),
    "logs": (
        Listing("describe_log_groups", "logGroups", "logGroupName"),
        Listing("describe_metric_filters", "metricFilters", "filterName"),
        Listing("describe_resource_policies", "resourcePolicies", "policyName"),
    ),
    "rds": (
        Listing("describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
        Listing("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
        Listing("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName", _own_parameters),
        Listing("describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
        Listing("describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
        Listing("describe_db_cluster_parameter_groups", "DBClusterParameterGroups", "DBClusterParameterGroupName", _own_cluster_parameters),
        Listing("describe_db_cluster_snapshots", "DBClusterSnapshots", "DBClusterSnapshotIdentifier"),
    ),
    "route53": (Listing("list_hosted_zones", "HostedZones", "Id"),),
    "s3": (Listing("list_buckets", "Buckets", "Name"),),
    # Without those that are to be deleted: Secrets Manager keeps a deleted one for its recovery window.
    "secretsmanager": (Listing("list_secrets", "SecretList", "ARN"),),
    "sns": (Listing("list_topics", "Topics", "TopicArn"), Listing("list_subscriptions", "Subscriptions", "SubscriptionArn")),
    "sqs": (Listing("list_queues", "QueueUrls", ""),),
    "ssm": (Listing("describe_parameters", "Parameters", "Name", _own_parameter),),
    "wafv2": (Listing("list_web_acls", "WebACLs", "ARN", arguments={"Scope": "REGIONAL"}),),
}

# The table's services whose things other clients list; `index` makes nothing, it only answers who is calling.
CLIENTS: Mapping[str, tuple[str, ...]] = {
    "appautoscaling": ("application-autoscaling",),
    "cloudwatch": ("cloudwatch", "events", "logs"),
    "lambda_": ("lambda",),
    "lb": ("elbv2",),
    "vpc": ("ec2",),
    "index": (),
}

# What each type's id is called in the census, for types whose id is one.
OF_TYPE: Mapping[str, str] = {
    "aws:cloudwatch/eventRule:EventRule": "events.list_rules",
    "aws:cloudwatch/logGroup:LogGroup": "logs.describe_log_groups",
    "aws:dynamodb/table:Table": "dynamodb.list_tables",
    "aws:ec2/eip:Eip": "ec2.describe_addresses",
    "aws:ec2/flowLog:FlowLog": "ec2.describe_flow_logs",
    "aws:ec2/internetGateway:InternetGateway": "ec2.describe_internet_gateways",
    "aws:ec2/routeTable:RouteTable": "ec2.describe_route_tables",
    "aws:ec2/securityGroup:SecurityGroup": "ec2.describe_security_groups",
    "aws:ec2/subnet:Subnet": "ec2.describe_subnets",
    "aws:ec2/vpc:Vpc": "ec2.describe_vpcs",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "ec2.describe_vpc_endpoints",
    "aws:iam/role:Role": "iam.list_roles",
    "aws:kms/alias:Alias": "kms.list_aliases",
    "aws:kms/key:Key": "kms.list_keys",
    "aws:rds/instance:Instance": "rds.describe_db_instances",
    "aws:rds/parameterGroup:ParameterGroup": "rds.describe_db_parameter_groups",
    "aws:rds/subnetGroup:SubnetGroup": "rds.describe_db_subnet_groups",
    "aws:s3/bucket:Bucket": "s3.list_buckets",
}


def census(aws: Aws, clients: Iterator[str] | None = None) -> Census:
    """The ids of all that the account holds, by the call that listed them; calls that list nothing are left out."""
    found: Census = {}
    for name in clients or LISTINGS:
        for listing in LISTINGS[name]:
            call = f"{name}.{listing.operation}"
            found[call] = found.get(call, frozenset()) | _ids(aws, name, listing)
    return {call: ids for call, ids in found.items() if ids}


def beyond(now: Census, before: Census) -> Census:
    """What the account holds `now` that it did not hold `before`."""
    more = {call: ids - before.get(call, frozenset()) for call, ids in now.items()}
    return {call: ids for call, ids in more.items() if ids}


def known(resources: list[Entry]) -> Census:
    """The ids that states have, under the names of the census, of the types in `OF_TYPE`."""
    found: dict[str, set[str]] = {}
    for entry in resources:
        if call := OF_TYPE.get(entry["type"]):
            found.setdefault(call, set()).add(entry["id"])
    return {call: frozenset(ids) for call, ids in found.items()}


def _ids(aws: Aws, name: str, listing: Listing) -> frozenset[str]:
    client = aws.client(name)
    if client.can_paginate(listing.operation):
        pages = client.get_paginator(listing.operation).paginate(**listing.arguments)
    else:
        pages = [getattr(client, listing.operation)(**listing.arguments)]
    entries = [entry for page in pages for entry in page.get(listing.found) or () if listing.counts(entry)]
    if listing.found == "Keys":
        entries = [entry for entry in entries if _own_key(client, entry["KeyId"])]
    return frozenset(entry[listing.id] if listing.id else str(entry) for entry in entries)


def _own_key(client: Any, key: str) -> bool:
    """A key can only be scheduled for deletion, as KMS waits for seven days at least; and services make keys of AWS's own when they first need one."""
    if client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion":
        return False
    return all(_own_alias(alias) for alias in client.list_aliases(KeyId=key)["Aliases"])
