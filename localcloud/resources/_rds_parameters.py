"""Parameter groups of Amazon RDS: those of instances and those of Aurora clusters, which differ in the names of their calls only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Field, Refusal, blocks, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._known import entries
from localcloud.resources._rds_common import live_tags, retag

# What the AWS provider writes when a description is left out.
DESCRIPTION = "Managed by Pulumi"

# RDS API reference, ModifyDBParameterGroup and ModifyDBClusterParameterGroup: "A maximum of 20 parameters can be modified in a single request".
_AT_A_TIME = 20

# PostgreSQL reads these when it starts (context `postmaster` in pg_settings): RDS calls them static, and refuses `immediate`.
_STATIC = frozenset(
    (
        "autovacuum_freeze_max_age autovacuum_max_workers autovacuum_multixact_freeze_max_age event_source hot_standby huge_pages "
        "logging_collector max_connections max_files_per_process max_locks_per_transaction max_logical_replication_workers max_pred_locks_per_transaction "
        "max_prepared_transactions max_replication_slots max_wal_senders max_worker_processes old_snapshot_threshold port rds.logical_replication "
        "shared_buffers shared_preload_libraries superuser_reserved_connections track_activity_query_size track_commit_timestamp "
        "unix_socket_directories wal_buffers wal_level"
    ).split()
)

_AURORA = (*(f"aurora-postgresql{major}" for major in range(11, 19)), "aurora-mysql5.7", "aurora-mysql8.0", "aurora-mysql8.4")
_INSTANCES = (
    *(f"postgres{major}" for major in range(11, 19)),
    *("mysql5.7", "mysql8.0", "mysql8.4"),
    *("mariadb10.5", "mariadb10.6", "mariadb10.11", "mariadb11.4", "mariadb11.8"),
)


@dataclass(frozen=True)
class _Calls:
    """How RDS names the calls about one kind of group, and their members."""

    prefix: str
    member: str

    def name(self, group: str) -> dict[str, str]:
        return {f"{self.member}Name": group}

    def call(self, aws: Aws, verb: str, noun: str = "parameter_group", **given: Any) -> Any:
        return getattr(aws.client("rds"), f"{verb}_{self.prefix}_{noun}")(**given)

    def find(self, aws: Aws, group: str) -> Props | None:
        found = self.call(aws, "describe", "parameter_groups", **self.name(group))[f"{self.member}s"]
        return found[0] if found else None

    def arn(self, live: Props) -> str:
        return str(live[f"{self.member}Arn"])


_OF_INSTANCES = _Calls("db", "DBParameterGroup")
_OF_CLUSTERS = _Calls("db_cluster", "DBClusterParameterGroup")


def family_of(aws: Aws, group: str, *, cluster: bool = False) -> str:
    """The family of a group that somebody made, as `postgres16`; raises a ClientError where there is no such group."""
    found = (_OF_CLUSTERS if cluster else _OF_INSTANCES).find(aws, group)
    if found is None:
        raise LookupError(f"there is no DB parameter group {group}")
    return str(found["DBParameterGroupFamily"])


def _create(calls: _Calls, aws: Aws, inputs: Props) -> str:
    name = str(inputs["name"])
    calls.call(
        aws, "create", **calls.name(name), DBParameterGroupFamily=inputs["family"], Description=inputs["description"], Tags=_tags.as_list(inputs.get("tags"))
    )
    with made(name):
        _set(calls, aws, name, _parameters(inputs))
    return name


def _parameters(inputs: Props) -> list[Props]:
    return [
        {"ParameterName": each["name"], "ParameterValue": each["value"], "ApplyMethod": each.get("applyMethod") or "immediate"}
        for each in entries(inputs.get("parameters"))
    ]


def _set(calls: _Calls, aws: Aws, group: str, parameters: list[Props]) -> None:
    for first in range(0, len(parameters), _AT_A_TIME):
        calls.call(aws, "modify", **calls.name(group), Parameters=parameters[first : first + _AT_A_TIME])


def _read(calls: _Calls, aws: Aws, name: str, known: Props) -> Props | None:
    live = calls.find(aws, name)
    if live is None:
        return None
    # RDS shows `immediate` where nothing was said.
    silent = {each.get("name") for each in entries(known.get("parameters")) if "applyMethod" not in each}
    parameters: list[Props] = []
    for page in aws.client("rds").get_paginator(f"describe_{calls.prefix}_parameters").paginate(**calls.name(name), Source="user"):
        parameters += [_read_parameter(each, silent) for each in page["Parameters"] if each.get("ParameterValue")]
    return {
        "name": live[f"{calls.member}Name"],
        "family": live["DBParameterGroupFamily"],
        "description": live["Description"],
        "parameters": parameters,
        "arn": calls.arn(live),
        "tags": live_tags(aws, calls.arn(live)),
    }


def _read_parameter(live: Props, silent: set[Any]) -> Props:
    shown = {"name": live["ParameterName"], "value": live["ParameterValue"]}
    if live["ParameterName"] in silent and live["ApplyMethod"] == "immediate":
        return shown
    return {**shown, "applyMethod": live["ApplyMethod"]}


def _update(calls: _Calls, aws: Aws, name: str, new: Props, old: Props) -> None:
    before, after = _parameters(old), _parameters(new)
    named = {each["ParameterName"] for each in after}
    # moto has no ResetDBParameterGroup; a parameter without a value is one that is not set.
    gone = [{**each, "ParameterValue": ""} for each in before if each["ParameterName"] not in named]
    _set(calls, aws, name, [*gone, *(each for each in after if each not in before)])
    live = calls.find(aws, name)
    if live:
        retag(aws, calls.arn(live), new, old)


def _refusals(inputs: Props) -> Iterator[Refusal]:
    names: list[Any] = []
    for position, each in enumerate(entries(inputs.get("parameters"))):
        name, at = each.get("name"), f"parameters[{position}]"
        if name in names:
            yield Refusal(f"{at}.name", f"{name} is set twice")
        names.append(name)
        if "postgres" in inputs["family"] and name in _STATIC and each.get("applyMethod", "immediate") == "immediate":
            yield Refusal(f"{at}.applyMethod", f"{name} is static: PostgreSQL reads it when it starts, so it takes pending-reboot")


def _inputs(families: tuple[str, ...], operation: str) -> dict[str, Field]:
    return {
        # RDS API reference, CreateDBParameterGroup: as an instance's name, but up to 255 characters; stored in lower case.
        "name": text(required=True, replaces=True, pattern=r"(?!.*--)[a-z](?:[a-z0-9-]{0,253}[a-z0-9])?"),
        "family": text(required=True, replaces=True, one_of=families),
        "description": text(replaces=True, at_least=1, at_most=255),
        "parameters": blocks(
            {
                "name": text(required=True, pattern=r"[a-z][a-z0-9_.-]*"),
                "value": text(required=True, at_least=1),
                "applyMethod": text(shape=f"{operation}.Parameters.ApplyMethod"),
            },
            unordered=True,
        ),
    }


def _kind(type_: str, calls: _Calls, families: tuple[str, ...], operation: str) -> Kind:
    return Kind(
        type=type_,
        client="rds",
        inputs=_inputs(families, operation),
        outputs=("arn",),
        tagged=True,
        defaults={"description": DESCRIPTION},
        rule=_refusals,
        create=lambda aws, inputs: _create(calls, aws, inputs),
        read=lambda aws, name, known: _read(calls, aws, name, known),
        update=lambda aws, name, new, old: _update(calls, aws, name, new, old),
        delete=lambda aws, name, _: calls.call(aws, "delete", **calls.name(name)),
    )


PARAMETER_GROUP = _kind("aws:rds/parameterGroup:ParameterGroup", _OF_INSTANCES, (*_INSTANCES, *_AURORA), "ModifyDBParameterGroup")
CLUSTER_PARAMETER_GROUP = _kind("aws:rds/clusterParameterGroup:ClusterParameterGroup", _OF_CLUSTERS, _AURORA, "ModifyDBClusterParameterGroup")
