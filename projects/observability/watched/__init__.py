"""What is watched, and from when on it is bad."""

from __future__ import annotations

from collections.abc import Iterator

from projects.observability.alarms import Alarm
from projects.observability.settings import AlarmSettings
from projects.observability.watched import containers, firewall, functions, stores, work
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.environment import Environment


def watched(settings: AlarmSettings | None, environment: Environment, *, network: NetworkingOutputs, data: DataOutputs, app: AppOutputs) -> Iterator[Alarm]:
    """All alarms of an environment, none without settings; its shape says what there is to be watched."""
    if settings is None:
        return
    shape = environment.shape
    if shape.compute == "containers":
        yield from containers.watched(settings, app)
    else:
        yield from functions.watched(settings, environment, app)
    if shape.firewall:
        yield firewall.watched(settings, environment, app)
    yield from work.watched(settings, environment, app)
    match shape.database:
        case "rds":
            yield from stores.instance(settings, data)
        case "aurora":
            yield from stores.cluster(settings, data)
        case "aurora-serverless":
            yield from stores.cluster(settings, data)
            yield stores.capacity(settings, data)
        case "dynamodb":
            pass
    if shape.cache:
        yield from stores.cache(settings, data)
    yield from stores.tables(settings, environment, data)
    if shape.way_out != "none":
        yield work.way_out(network)
