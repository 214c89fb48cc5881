"""The metrics that AWS and the payment service publish, each with the dimensions that it is published under.

A metric asked for with other dimensions has no data, and CloudWatch says nothing about it, so they are written once, here.
Sources: "CloudWatch metrics" in the guides of Lambda, API Gateway, SQS, RDS, DynamoDB, VPC (NAT gateways) and EC2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from payments.functions import METRIC_NAMESPACE, Function
from payments.functions import Metric as PaymentMetric
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.environment import Environment

# CloudWatch, "Create an alarm based on a metric math expression": so many metrics in one.
MOST_IN_ONE_ALARM = 10


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


def of_function(app: AppOutputs, function: Function, name: str, stat: str) -> Metric:
    """A metric of a Lambda function, all its versions together."""

    def physical(names: Mapping[str, str]) -> str:
        if function.name not in names:
            raise pulumi.RunError(
                f"output functionNames of app has {', '.join(names) or 'nothing'}, and not {function.name}, which this code watches. "
                f"Deploy app first: invoke deploy --env {pulumi.get_stack()} --only app"
            )
        return names[function.name]

    return Metric(namespace="AWS/Lambda", name=name, stat=stat, dimensions={"FunctionName": app.function_names.apply(physical)})


def of_api(app: AppOutputs, name: str, stat: str) -> Metric:
    """A metric of the REST API's stage."""
    return Metric(namespace="AWS/ApiGateway", name=name, stat=stat, dimensions={"ApiName": app.api_name, "Stage": app.api_stage})


def of_queue(queue: pulumi.Input[str], name: str, stat: str) -> Metric:
    """A metric of the SQS queue of that name."""
    return Metric(namespace="AWS/SQS", name=name, stat=stat, dimensions={"QueueName": queue})


def of_database(data: DataOutputs, name: str, stat: str) -> Metric:
    """A metric of the database's instance."""
    return Metric(namespace="AWS/RDS", name=name, stat=stat, dimensions={"DBInstanceIdentifier": data.database_identifier})


def of_table(table: pulumi.Input[str], name: str, stat: str) -> Metric:
    """A metric of the DynamoDB table of that name, without its indexes."""
    return Metric(namespace="AWS/DynamoDB", name=name, stat=stat, dimensions={"TableName": table})


def of_payments(environment: Environment, function: Function, metric: PaymentMetric) -> Metric:
    """What a function of the payment service counts itself."""
    platform = environment.platform
    dimensions = {"service": function.name, "stage": f"{platform.stage}-{platform.environment_suffix}"}
    return Metric(namespace=METRIC_NAMESPACE, name=metric, stat="Sum", dimensions=dimensions)


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
                "the network has neither NAT gateways nor NAT instances, so there is no way out to watch: "
                f"say `nat: false` under observability:alarms in environments/Pulumi.{pulumi.get_stack()}.yaml"
            )
        return found

    return pulumi.Output.all(network.nat_gateway_ids, network.nat_instance_ids).apply(metrics)
