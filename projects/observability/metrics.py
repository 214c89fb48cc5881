"""The metrics that AWS and the payment service publish, each with the dimensions that it is published under.

A metric asked for with other dimensions has no data, and CloudWatch says nothing about it, so they are written once, here.
Sources: "CloudWatch metrics" in the guides of Lambda, API Gateway, SQS, RDS, DynamoDB, VPC (NAT gateways), EC2, ECS and Application Load Balancers;
"Amazon ECS Container Insights metrics" (CloudWatch); "Amazon CloudWatch dimensions for Aurora"; "Metrics for Valkey and Redis OSS" (ElastiCache);
"AWS WAF metrics and dimensions".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from payments.functions import METRIC_NAMESPACE, Function, functions_for
from payments.functions import Metric as PaymentMetric
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.environment import Environment
from shared.stack import deploy_command

# CloudWatch, "Create an alarm based on a metric math expression": so many metrics in one.
MOST_IN_ONE_ALARM = 10

SERVICES = ("web", "worker")
"""What containers do, as app names their services."""

INDEXES: Mapping[str, tuple[str, ...]] = {"payments": ("due",)}
"""The indexes of tables, as data makes them: each has a capacity of its own, and one that is short of it holds up the table's writes."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of one resource, and how it is summed up over a period (`Sum`, `Average`, `Maximum`, `p99`...)."""

    namespace: str
    name: str
    stat: str
    dimensions: Mapping[str, pulumi.Input[str]]

    def for_dashboard(self, label: str) -> list[Any]:
        """The metric as a dashboard's body has it."""
        dimensions = [part for dimension in self.dimensions.items() for part in dimension]
        return [self.namespace, self.name, *dimensions, {"stat": self.stat, "label": label}]


def functions(environment: Environment) -> tuple[Function, ...]:
    """The functions that the environment has where it has functions; which ones, where payments are kept decides."""
    return functions_for("relational" if environment.shape.relational else "dynamodb")


def of_function(app: AppOutputs, function: Function, name: str, stat: str) -> Metric:
    """A metric of a Lambda function, all its versions together."""
    physical = app.function_names.apply(lambda names: _named(names, "functionNames", function.name))
    return Metric(namespace="AWS/Lambda", name=name, stat=stat, dimensions={"FunctionName": physical})


def of_api(app: AppOutputs, name: str, stat: str) -> Metric:
    """A metric of the REST API's stage."""
    return Metric(namespace="AWS/ApiGateway", name=name, stat=stat, dimensions={"ApiName": app.api_name, "Stage": app.api_stage})


def of_service(app: AppOutputs, service: str, name: str, stat: str) -> Metric:
    """What ECS itself measures of a service: per cent of the CPU or memory that its tasks have."""
    return Metric(namespace="AWS/ECS", name=name, stat=stat, dimensions=_service(app, service))


def of_tasks(app: AppOutputs, service: str, name: str, stat: str) -> Metric:
    """What Container Insights counts of a service's tasks; the cluster must have it switched on."""
    return Metric(namespace="ECS/ContainerInsights", name=name, stat=stat, dimensions=_service(app, service))


def of_load_balancer(app: AppOutputs, name: str, stat: str) -> Metric:
    """A metric of the load balancer."""
    return Metric(namespace="AWS/ApplicationELB", name=name, stat=stat, dimensions={"LoadBalancer": app.load_balancer_arn_suffix})


def of_targets(app: AppOutputs, name: str, stat: str) -> Metric:
    """A metric of the tasks behind the load balancer."""
    dimensions = {"TargetGroup": app.target_group_arn_suffix, "LoadBalancer": app.load_balancer_arn_suffix}
    return Metric(namespace="AWS/ApplicationELB", name=name, stat=stat, dimensions=dimensions)


def of_web_acl(app: AppOutputs, environment: Environment, name: str) -> Metric:
    """What all rules of the web ACL did; WAF calls an ACL by the metric name in its visibility configuration, which is its name."""
    return Metric(namespace="AWS/WAFV2", name=name, stat="Sum", dimensions={"Region": environment.region, "Rule": "ALL", "WebACL": app.web_acl_name})


def of_queue(queue: pulumi.Input[str], name: str, stat: str) -> Metric:
    """A metric of the SQS queue of that name."""
    return Metric(namespace="AWS/SQS", name=name, stat=stat, dimensions={"QueueName": queue})


def of_database(data: DataOutputs, name: str, stat: str) -> Metric:
    """A metric of the database's instance."""
    return Metric(namespace="AWS/RDS", name=name, stat=stat, dimensions={"DBInstanceIdentifier": data.database_identifier})


def of_cluster(data: DataOutputs, name: str, stat: str) -> Metric:
    """A metric of all instances of the database's cluster."""
    return Metric(namespace="AWS/RDS", name=name, stat=stat, dimensions={"DBClusterIdentifier": data.database_identifier})


def of_writer(data: DataOutputs, name: str, stat: str) -> Metric:
    """A metric of whichever instance of the database's cluster is the writer: idle readers must not hide its load."""
    return Metric(namespace="AWS/RDS", name=name, stat=stat, dimensions={"DBClusterIdentifier": data.database_identifier, "Role": "WRITER"})


def of_reader(data: DataOutputs, name: str, stat: str) -> Metric:
    """A metric of the instances of the database's cluster that are not the writer, taken together."""
    return Metric(namespace="AWS/RDS", name=name, stat=stat, dimensions={"DBClusterIdentifier": data.database_identifier, "Role": "READER"})


def of_cache(data: DataOutputs, name: str, stat: str) -> pulumi.Output[list[Metric]]:
    """A metric of each node of the cache; ElastiCache publishes none of the replication group."""

    def nodes(ids: list[str] | None) -> list[Metric]:
        if not ids:
            raise pulumi.RunError(f"output cacheNodeIds of data is empty, and this code watches each node. Deploy data first: {deploy_command('data')}")
        return [Metric(namespace="AWS/ElastiCache", name=name, stat=stat, dimensions={"CacheClusterId": id_}) for id_ in ids]

    return data.cache_node_ids.apply(nodes)


def of_table(table: pulumi.Input[str], name: str, stat: str, *, index: str = "") -> Metric:
    """A metric of the DynamoDB table of that name without its indexes, or of one of these."""
    return Metric(namespace="AWS/DynamoDB", name=name, stat=stat, dimensions={"TableName": table, **({"GlobalSecondaryIndexName": index} if index else {})})


def tables(environment: Environment, data: DataOutputs) -> dict[str, pulumi.Output[str]]:
    """The names of the tables that the environment has, by their words."""
    found = {"transaction-log": data.transaction_log_table_name}
    if not environment.shape.relational:
        found = {"payments": data.payments_table_name, **found}
    return found if environment.shape.cache else {"sessions": data.sessions_table_name, **found}


def of_payments(environment: Environment, function: Function, metric: PaymentMetric, stat: str = "Sum") -> Metric:
    """What the payment service counts or measures itself, under the name of the function, or of that which a container stands in for."""
    platform = environment.platform
    dimensions = {"service": function.name, "stage": f"{platform.stage}-{platform.environment_suffix}"}
    return Metric(namespace=METRIC_NAMESPACE, name=metric, stat=stat, dimensions=dimensions)


def of_way_out(network: NetworkingOutputs) -> pulumi.Output[list[Metric]]:
    """What is above 0 when the way out fails: connections that got no port and packets that were dropped, or instances that fail their checks.

    How many there are is the network's business, so the list is known when the network's outputs are.
    """

    def gateways(ids: list[str]) -> list[Metric]:
        names = ["ErrorPortAllocation", "PacketsDropCount"]
        # More than five gateways leave room for one metric of each: a connection that is refused outright.
        kept = names if len(ids) * len(names) <= MOST_IN_ONE_ALARM else names[:1]
        return [Metric(namespace="AWS/NATGateway", name=name, stat="Sum", dimensions={"NatGatewayId": id_}) for id_ in ids for name in kept]

    def instances(ids: list[str]) -> list[Metric]:
        return [Metric(namespace="AWS/EC2", name="StatusCheckFailed", stat="Maximum", dimensions={"InstanceId": id_}) for id_ in ids]

    def metrics(both: list[list[str]]) -> list[Metric]:
        found = [*gateways(both[0]), *instances(both[1])]
        if not found:
            raise pulumi.RunError(
                "the page has a way out (networking:egress), and the network neither NAT gateways nor NAT instances. "
                f"Deploy networking first: {deploy_command('networking')}"
            )
        return found

    return pulumi.Output.all(network.nat_gateway_ids, network.nat_instance_ids).apply(metrics)


def _service(app: AppOutputs, service: str) -> dict[str, pulumi.Output[str]]:
    return {"ClusterName": app.cluster_name, "ServiceName": app.service_names.apply(lambda names: _named(names, "serviceNames", service))}


def _named(names: Mapping[str, str], output: str, word: str) -> str:
    if word not in names:
        raise pulumi.RunError(
            f"output {output} of app has {', '.join(names) or 'nothing'}, and not {word}, which this code watches. Deploy app first: {deploy_command('app')}"
        )
    return names[word]
