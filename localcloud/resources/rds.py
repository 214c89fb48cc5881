"""Amazon RDS: the subnets of databases; instances, clusters and their parameters have modules beside this one."""

from __future__ import annotations

from typing import Any

from localcloud.aws import Aws
from localcloud.fields import text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags
from localcloud.resources._rds_cluster import CLUSTER
from localcloud.resources._rds_cluster_instance import CLUSTER_INSTANCE
from localcloud.resources._rds_common import live_tags, retag
from localcloud.resources._rds_instance import INSTANCE
from localcloud.resources._rds_parameters import CLUSTER_PARAMETER_GROUP, DESCRIPTION, PARAMETER_GROUP


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
    defaults={"description": DESCRIPTION},
    create=_create_subnet_group,
    read=_read_subnet_group,
    update=_update_subnet_group,
    delete=_delete_subnet_group,
)

KINDS = (SUBNET_GROUP, PARAMETER_GROUP, CLUSTER_PARAMETER_GROUP, INSTANCE, CLUSTER, CLUSTER_INSTANCE)
