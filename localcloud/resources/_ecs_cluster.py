"""Clusters of Amazon ECS, and the capacity that their tasks run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, flag, number, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags
from localcloud.resources._ecs_common import retag
from localcloud.resources._known import entries, members

# --- Cluster ---------------------------------------------------------------------------------------------------------

# Pulumi's name and the API's, of the one member whose names differ.
_ENCRYPTION = ("s3BucketEncryptionEnabled", "s3EncryptionEnabled")


def _configuration(inputs: Props) -> Props:
    """The configuration as the API takes it; one that was dropped is sent empty."""
    return _renamed(inputs.get("configuration") or {}, *_ENCRYPTION)


def _renamed(configuration: Props, before: str, after: str) -> Props:
    execute = configuration.get("executeCommandConfiguration") or {}
    if not execute.get("logConfiguration"):
        return configuration
    logs = {after if name == before else name: value for name, value in execute["logConfiguration"].items()}
    return {**configuration, "executeCommandConfiguration": {**execute, "logConfiguration": logs}}


def _create_cluster(aws: Aws, inputs: Props) -> str:
    wanted: dict[str, Any] = {name: inputs[name] for name in ("settings", "serviceConnectDefaults") if inputs.get(name)}
    if inputs.get("configuration"):
        wanted["configuration"] = _configuration(inputs)
    if inputs.get("tags"):
        wanted["tags"] = _tags.as_list(inputs["tags"], "key", "value")
    return str(aws.client("ecs").create_cluster(clusterName=inputs["name"], **wanted)["cluster"]["clusterArn"])


def _cluster(aws: Aws, name: str) -> Props | None:
    """The cluster with this name or ARN; a deleted one is INACTIVE for a while, which counts as gone."""
    found: list[Props] = aws.client("ecs").describe_clusters(clusters=[name], include=["TAGS", "SETTINGS", "CONFIGURATIONS"])["clusters"]
    return next((cluster for cluster in found if cluster["status"] != "INACTIVE"), None)


def _read_cluster(aws: Aws, arn: str, _: Props) -> Props | None:
    live = _cluster(aws, arn)
    if live is None:
        return None
    return {
        "name": live["clusterName"],
        "settings": live["settings"],
        "configuration": _renamed(live.get("configuration") or {}, *reversed(_ENCRYPTION)) or None,
        "serviceConnectDefaults": live.get("serviceConnectDefaults") or None,
        "arn": live["clusterArn"],
        "tags": _tags.as_map(live.get("tags"), "key", "value"),
    }


def _update_cluster(aws: Aws, arn: str, new: Props, old: Props) -> None:
    wanted = {name: new[name] for name in ("settings", "serviceConnectDefaults") if new.get(name)}
    aws.client("ecs").update_cluster(cluster=arn, configuration=_configuration(new), **wanted)
    retag(aws, arn, new, old)


def _delete_cluster(aws: Aws, arn: str, _: Props) -> None:
    ecs = aws.client("ecs")
    services = [each for page in ecs.get_paginator("list_services").paginate(cluster=arn) for each in page["serviceArns"]]
    states = [each["status"] for arns in services for each in ecs.describe_services(cluster=arn, services=[arns])["services"]]
    # moto lets go of a cluster whatever runs in it.
    if "ACTIVE" in states:
        message = f"cluster {arn} cannot be deleted while {states.count('ACTIVE')} services are active in it; delete these first"
        raise ClientError({"Error": {"Code": "ClusterContainsServicesException", "Message": message}}, "DeleteCluster")
    ecs.delete_cluster(cluster=arn)


def _cluster_refusals(inputs: Props) -> Iterator[Refusal]:
    at = "configuration.executeCommandConfiguration"
    execute = members(members(inputs.get("configuration")).get("executeCommandConfiguration"))
    logs, logging = execute.get("logConfiguration"), execute.get("logging")
    # API reference, ExecuteCommandConfiguration.
    if logging == "OVERRIDE" and not logs:
        yield Refusal(f"{at}.logConfiguration", "it is required and missing; logging is OVERRIDE")
    if logs and logging in (None, "NONE", "DEFAULT"):
        yield Refusal(f"{at}.logging", f"it is {logging}, and must be OVERRIDE for logConfiguration to be used")
    names = [setting.get("name") for setting in entries(inputs.get("settings"))]
    if len(set(names)) < len(names):
        yield Refusal("settings", f"{names[0]} is set more than once")


CLUSTER = Kind(
    type="aws:ecs/cluster:Cluster",
    client="ecs",
    inputs={
        # API reference, CreateCluster, clusterName.
        "name": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_-]{1,255}"),
        "settings": blocks(
            {
                "name": text(required=True, shape="CreateCluster.settings.name"),
                "value": text(required=True, one_of=("enhanced", "enabled", "disabled")),
            },
            unordered=True,
        ),
        "configuration": block(
            {
                "executeCommandConfiguration": block(
                    {
                        "kmsKeyId": text(),
                        "logging": text(shape="CreateCluster.configuration.executeCommandConfiguration.logging"),
                        "logConfiguration": block(
                            {
                                "cloudWatchEncryptionEnabled": flag(),
                                "cloudWatchLogGroupName": text(),
                                "s3BucketEncryptionEnabled": flag(),
                                "s3BucketName": text(),
                                "s3KeyPrefix": text(),
                            }
                        ),
                    }
                ),
                "managedStorageConfiguration": block({"fargateEphemeralStorageKmsKeyId": text(), "kmsKeyId": text()}),
            }
        ),
        "serviceConnectDefaults": block({"namespace": text(required=True, pattern=r"arn:aws[a-z-]*:servicediscovery:.+")}),
    },
    outputs=("arn",),
    tagged=True,
    rule=_cluster_refusals,
    create=_create_cluster,
    read=_read_cluster,
    update=_update_cluster,
    delete=_delete_cluster,
)


# --- ClusterCapacityProviders ----------------------------------------------------------------------------------------


def _put_providers(aws: Aws, inputs: Props) -> str:
    strategy = inputs.get("defaultCapacityProviderStrategies") or []
    name = str(inputs["clusterName"])
    aws.client("ecs").put_cluster_capacity_providers(
        cluster=name, capacityProviders=inputs["capacityProviders"], defaultCapacityProviderStrategy=[strategy_item(each) for each in strategy]
    )
    return name


def strategy_item(item: Props) -> Props:
    """One item of a strategy, as the API takes it."""
    return {name: value for name, value in item.items() if value is not None and not name.startswith("__")}


def shown_strategy(live: list[Props], known: Any) -> list[Props]:
    """A strategy as Pulumi shows it: weights and bases of 0 to those who asked for them."""
    asked = {item.get("capacityProvider"): item for item in entries(known)}
    return [{name: value for name, value in item.items() if value or name in asked.get(item["capacityProvider"], {})} for item in live]


def _read_providers(aws: Aws, name: str, known: Props) -> Props | None:
    live = _cluster(aws, name)
    if live is None or not live.get("capacityProviders"):
        return None
    return {
        "clusterName": live["clusterName"],
        "capacityProviders": live["capacityProviders"],
        "defaultCapacityProviderStrategies": shown_strategy(live.get("defaultCapacityProviderStrategy") or [], known.get("defaultCapacityProviderStrategies")),
    }


def _update_providers(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_providers(aws, new)


def _delete_providers(aws: Aws, name: str, _: Props) -> None:
    aws.client("ecs").put_cluster_capacity_providers(cluster=name, capacityProviders=[], defaultCapacityProviderStrategy=[])


def strategy_refusals(items: Any, at: str) -> Iterator[Refusal]:
    """API reference, CapacityProviderStrategyItem: one base, and a weight above 0 where there are several."""
    strategy = entries(items)
    if len([item for item in strategy if item.get("base")]) > 1:
        yield Refusal(at, "only one of its items may have a base")
    if strategy and not any(item.get("weight") for item in strategy):
        yield Refusal(at, "at least one of its items must have a weight above 0, or no task is placed")


def _provider_refusals(inputs: Props) -> Iterator[Refusal]:
    at = "defaultCapacityProviderStrategies"
    yield from strategy_refusals(inputs.get(at), at)
    for position, item in enumerate(entries(inputs.get(at))):
        if isinstance(inputs["capacityProviders"], list) and item.get("capacityProvider") not in inputs["capacityProviders"]:
            yield Refusal(f"{at}[{position}].capacityProvider", f"{item.get('capacityProvider')} is none of capacityProviders")


# The capacity that AWS itself has; a table with EC2's would have capacity providers of one's own.
PROVIDERS = ("FARGATE", "FARGATE_SPOT")
STRATEGY = {
    "capacityProvider": text(required=True, one_of=PROVIDERS),
    "base": number(at_least=0, at_most=100_000),
    "weight": number(at_least=0, at_most=1000),
}

CAPACITY_PROVIDERS = Kind(
    type="aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    client="ecs",
    inputs={
        "clusterName": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_-]{1,255}"),
        "capacityProviders": texts(text(one_of=PROVIDERS), required=True, at_least=1),
        "defaultCapacityProviderStrategies": blocks(STRATEGY, unordered=True),
    },
    rule=_provider_refusals,
    create=_put_providers,
    read=_read_providers,
    update=_update_providers,
    delete=_delete_providers,
)
