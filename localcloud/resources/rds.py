"""Amazon RDS: the groups that an instance belongs to; the instance itself has a module beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, blocks, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._known import entries
from localcloud.resources._rds_instance import INSTANCE, live_tags, retag

# What the AWS provider writes when a description is left out.
_DESCRIPTION = "Managed by Pulumi"

# RDS API reference, ModifyDBParameterGroup: "A maximum of 20 parameters can be modified in a single request".
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

_FAMILIES = (
    *(f"postgres{major}" for major in range(11, 19)),
    *(f"aurora-postgresql{major}" for major in range(11, 18)),
    *("mysql5.7", "mysql8.0", "mysql8.4", "aurora-mysql5.7", "aurora-mysql8.0"),
    *("mariadb10.5", "mariadb10.6", "mariadb10.11", "mariadb11.4", "mariadb11.8"),
)


def _create_subnet_group(aws: Aws, inputs: Props) -> str:
    rds, name = aws.client("rds"), str(inputs["name"])
    _two_zones(aws, name, inputs["subnetIds"])
    if _is_there(rds, name):
        raise FileExistsError(f"DB subnet group {name} exists already; choose another name, or delete that one")
    rds.create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription=inputs["description"], SubnetIds=inputs["subnetIds"], Tags=_tags.as_list(inputs.get("tags"))
    )
    return name


def _is_there(rds: Any, name: str) -> bool:
    return any(group["DBSubnetGroupName"] == name for group in rds.describe_db_subnet_groups()["DBSubnetGroups"])


def _two_zones(aws: Aws, name: str, subnets: list[str]) -> None:
    """RDS user guide, "Working with DB subnet groups": subnets in at least two Availability Zones. moto takes any."""
    found = aws.client("ec2").describe_subnets(SubnetIds=sorted(set(subnets)))["Subnets"]
    zones = {subnet["AvailabilityZone"] for subnet in found}
    if len(zones) < 2:
        raise LookupError(f"DB subnet group {name} covers {', '.join(zones)} only; RDS asks for subnets in at least two Availability Zones")


def _read_subnet_group(aws: Aws, name: str, _: Props) -> Props:
    live = aws.client("rds").describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0]
    return {
        "name": live["DBSubnetGroupName"],
        "description": live["DBSubnetGroupDescription"],
        "subnetIds": [subnet["SubnetIdentifier"] for subnet in live["Subnets"]],
        "vpcId": live["VpcId"],
        "arn": live["DBSubnetGroupArn"],
        "tags": live_tags(aws, live["DBSubnetGroupArn"]),
    }


def _update_subnet_group(aws: Aws, name: str, new: Props, old: Props) -> None:
    rds = aws.client("rds")
    if any(new[each] != old[each] for each in ("subnetIds", "description")):
        _two_zones(aws, name, new["subnetIds"])
        wanted = {"DBSubnetGroupName": name, "DBSubnetGroupDescription": new["description"], "SubnetIds": new["subnetIds"]}
        if _is_there(rds, name):
            rds.modify_db_subnet_group(**wanted)
        # moto changes the group for the instances that are in it, and forgets its name.
        if not _is_there(rds, name):
            rds.create_db_subnet_group(**wanted, Tags=_tags.as_list(old.get("tags")))
    retag(aws, rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0]["DBSubnetGroupArn"], new, old)


def _delete_subnet_group(aws: Aws, name: str, _: Props) -> None:
    aws.client("rds").delete_db_subnet_group(DBSubnetGroupName=name)


SUBNET_GROUP = Kind(
    type="aws:rds/subnetGroup:SubnetGroup",
    client="rds",
    inputs={
        # RDS API reference, CreateDBSubnetGroup: stored in lower case, and must not be `default`.
        "name": text(required=True, replaces=True, pattern=r"(?!default$)[a-z0-9 ._-]{1,255}"),
        "description": text(at_least=1, at_most=255),
        "subnetIds": texts(text(pattern="subnet-[0-9a-f]+"), required=True, at_least=2),
    },
    outputs=("arn", "vpcId"),
    tagged=True,
    defaults={"description": _DESCRIPTION},
    create=_create_subnet_group,
    read=_read_subnet_group,
    update=_update_subnet_group,
    delete=_delete_subnet_group,
)


def _create_parameter_group(aws: Aws, inputs: Props) -> str:
    name = str(inputs["name"])
    aws.client("rds").create_db_parameter_group(
        DBParameterGroupName=name,
        DBParameterGroupFamily=inputs["family"],
        Description=inputs["description"],
        Tags=_tags.as_list(inputs.get("tags")),
    )
    with made(name):
        _set_parameters(aws, name, _parameters(inputs))
    return name


def _parameters(inputs: Props) -> list[Props]:
    return [
        {"ParameterName": each["name"], "ParameterValue": each["value"], "ApplyMethod": each.get("applyMethod") or "immediate"}
        for each in entries(inputs.get("parameters"))
    ]


def _set_parameters(aws: Aws, group: str, parameters: list[Props]) -> None:
    for first in range(0, len(parameters), _AT_A_TIME):
        aws.client("rds").modify_db_parameter_group(DBParameterGroupName=group, Parameters=parameters[first : first + _AT_A_TIME])


def _read_parameter_group(aws: Aws, name: str, known: Props) -> Props | None:
    rds = aws.client("rds")
    found = rds.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"]
    if not found:
        return None
    live = found[0]
    # RDS shows `immediate` where nothing was said.
    silent = {each.get("name") for each in entries(known.get("parameters")) if "applyMethod" not in each}
    parameters: list[Props] = []
    for page in rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name, Source="user"):
        parameters += [_read_parameter(each, silent) for each in page["Parameters"] if each.get("ParameterValue")]
    return {
        "name": live["DBParameterGroupName"],
        "family": live["DBParameterGroupFamily"],
        "description": live["Description"],
        "parameters": parameters,
        "arn": live["DBParameterGroupArn"],
        "tags": live_tags(aws, live["DBParameterGroupArn"]),
    }


def _read_parameter(live: Props, silent: set[Any]) -> Props:
    shown = {"name": live["ParameterName"], "value": live["ParameterValue"]}
    if live["ParameterName"] in silent and live["ApplyMethod"] == "immediate":
        return shown
    return {**shown, "applyMethod": live["ApplyMethod"]}


def _update_parameter_group(aws: Aws, name: str, new: Props, old: Props) -> None:
    before, after = _parameters(old), _parameters(new)
    named = {each["ParameterName"] for each in after}
    # moto has no ResetDBParameterGroup; a parameter without a value is one that is not set.
    gone = [{**each, "ParameterValue": ""} for each in before if each["ParameterName"] not in named]
    _set_parameters(aws, name, [*gone, *(each for each in after if each not in before)])
    live = aws.client("rds").describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"][0]
    retag(aws, live["DBParameterGroupArn"], new, old)


def _delete_parameter_group(aws: Aws, name: str, _: Props) -> None:
    aws.client("rds").delete_db_parameter_group(DBParameterGroupName=name)


def _parameter_refusals(inputs: Props) -> Iterator[Refusal]:
    names: list[Any] = []
    for position, each in enumerate(entries(inputs.get("parameters"))):
        name, at = each.get("name"), f"parameters[{position}]"
        if name in names:
            yield Refusal(f"{at}.name", f"{name} is set twice")
        names.append(name)
        if "postgres" in inputs["family"] and name in _STATIC and each.get("applyMethod", "immediate") == "immediate":
            yield Refusal(f"{at}.applyMethod", f"{name} is static: PostgreSQL reads it when it starts, so it takes pending-reboot")


PARAMETER_GROUP = Kind(
    type="aws:rds/parameterGroup:ParameterGroup",
    client="rds",
    inputs={
        # RDS API reference, CreateDBParameterGroup: as an instance's name, but up to 255 characters; stored in lower case.
        "name": text(required=True, replaces=True, pattern=r"(?!.*--)[a-z](?:[a-z0-9-]{0,253}[a-z0-9])?"),
        "family": text(required=True, replaces=True, one_of=_FAMILIES),
        "description": text(replaces=True, at_least=1, at_most=255),
        "parameters": blocks(
            {
                "name": text(required=True, pattern=r"[a-z][a-z0-9_.-]*"),
                "value": text(required=True, at_least=1),
                "applyMethod": text(shape="ModifyDBParameterGroup.Parameters.ApplyMethod"),
            },
            unordered=True,
        ),
    },
    outputs=("arn",),
    tagged=True,
    defaults={"description": _DESCRIPTION},
    rule=_parameter_refusals,
    create=_create_parameter_group,
    read=_read_parameter_group,
    update=_update_parameter_group,
    delete=_delete_parameter_group,
)

KINDS = (SUBNET_GROUP, PARAMETER_GROUP, INSTANCE)
