"""Reads from the cloud what is deployed: functions, what feeds them, and the APIs in front of them; services and the load balancers in front of those."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from localcloud.aws import Aws, is_missing
from localcloud.serve.cron import ExpressionError, parse
from localcloud.serve.deployed_apis import stages
from localcloud.serve.deployed_balancers import balancers
from localcloud.serve.deployed_containers import services
from localcloud.serve.model import Deployed, Function, QueueMapping, Schedule, ServeError
from localcloud.serve.unpacked import stamp

_UNSUPPORTED = {
    "FilterCriteria": "filters are not applied here",
    "DestinationConfig": "destinations are not served here",
}


def read(aws: Aws, packages: Mapping[str, Path], cluster: str = "") -> Deployed:
    """What is deployed in an account and region around the functions that are named, each with its package for this machine, and around a cluster.

    Everything else there is left alone. Raises ServeError where a function or the cluster is not deployed or a package is missing, and botocore's errors
    where the cloud does not answer.
    """
    functions = {name: _function(aws, name, package) for name, package in packages.items()}
    problems: list[str] = []
    running = tuple(services(aws, cluster, problems)) if cluster else ()
    groups = {group for service in running for group in service.groups}
    return Deployed(
        account=aws.account,
        region=aws.region,
        functions=functions,
        stages=tuple(stages(aws, functions, problems)),
        queues=tuple(_queues(aws, functions, problems)),
        schedules=tuple(_schedules(aws, functions, problems)),
        services=running,
        balancers=tuple(balancers(aws, groups, problems)),
        problems=tuple(problems),
    )


def _function(aws: Aws, name: str, package: Path) -> Function:
    client = aws.client("lambda")
    try:
        live = client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        raise ServeError(f"function {name} is not deployed in account {aws.account}, {aws.region}: deploy the environment first") from None
    if live.get("Layers"):
        raise ServeError(f"function {name} has layers, which are not served here: put what they hold into its package")
    return Function(
        name=name,
        arn=live["FunctionArn"],
        handler=live["Handler"],
        runtime=live["Runtime"],
        timeout=float(live["Timeout"]),
        memory=live["MemorySize"],
        role=live["Role"],
        variables=live.get("Environment", {}).get("Variables", {}),
        package=package,
        stamp=stamp(package),
        reserved=client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions"),
        policy=tuple(_policy(aws, name)),
    )


def _policy(aws: Aws, name: str) -> list[Mapping[str, Any]]:
    client = aws.client("lambda")
    try:
        document = json.loads(client.get_policy(FunctionName=name)["Policy"])
    except client.exceptions.ClientError as error:
        if is_missing(error):
            return []
        raise
    return list(document["Statement"])


def _queues(aws: Aws, functions: Mapping[str, Function], problems: list[str]) -> Iterator[QueueMapping]:
    for page in aws.client("lambda").get_paginator("list_event_source_mappings").paginate():
        for live in page["EventSourceMappings"]:
            name = live["FunctionArn"].split(":")[6]
            if name not in functions or live.get("State") in {"Disabled", "Disabling", "Deleting"}:
                continue
            arn = live["EventSourceArn"]
            if ":sqs:" not in arn:
                problems.append(f"function {name} is fed by {arn}, and queues alone are served here")
                continue
            problems += [f"the mapping of {arn} to function {name}: {what}" for field, what in _UNSUPPORTED.items() if live.get(field)]
            _, _, _, _, account, queue = arn.split(":")
            yield QueueMapping(
                id=live["UUID"],
                function=name,
                queue_url=aws.client("sqs").get_queue_url(QueueName=queue, QueueOwnerAWSAccountId=account)["QueueUrl"],
                queue_arn=arn,
                batch_size=live.get("BatchSize") or 10,
                window=float(live.get("MaximumBatchingWindowInSeconds") or 0),
                partial="ReportBatchItemFailures" in (live.get("FunctionResponseTypes") or []),
                concurrency=(live.get("ScalingConfig") or {}).get("MaximumConcurrency"),
            )


def _schedules(aws: Aws, functions: Mapping[str, Function], problems: list[str]) -> Iterator[Schedule]:
    client = aws.client("events")
    arns = {function.arn: name for name, function in functions.items()}
    for arn, name in arns.items():
        for page in client.get_paginator("list_rule_names_by_target").paginate(TargetArn=arn):
            for rule in page["RuleNames"]:
                live = client.describe_rule(Name=rule)
                if live.get("State") != "ENABLED":
                    continue
                if not live.get("ScheduleExpression"):
                    problems.append(f"rule {rule} calls function {name} on events, and schedules alone are served here")
                    continue
                try:
                    parse(live["ScheduleExpression"])
                except ExpressionError as error:
                    problems.append(f"rule {rule}: {error}")
                    continue
                targets = client.list_targets_by_rule(Rule=rule)["Targets"]
                for target in targets:
                    if target["Arn"] != arn:
                        continue
                    if target.get("InputPath") or target.get("InputTransformer"):
                        problems.append(f"rule {rule}: its target's InputPath or InputTransformer is not served here")
                        continue
                    yield Schedule(rule=rule, arn=live["Arn"], expression=live["ScheduleExpression"], function=name, input=target.get("Input"))
