"""Amazon VPC: flow logs, to CloudWatch Logs and to S3."""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, flag, number, text
from localcloud.kinds import Kind, Props
from localcloud.resources._ec2_common import an_id, exactly_one, first, only_tags, tag_specification
from localcloud.resources._tags import as_map

# Pulumi's name: (EC2's type of resource, how its ids start).
_SOURCES = {"vpcId": ("VPC", "vpc-"), "subnetId": ("Subnet", "subnet-"), "eniId": ("NetworkInterface", "eni-")}
_LOGS = "cloud-watch-logs"


def _destination(inputs: Props) -> dict[str, str]:
    """Where the records go. A log group goes by its name, which AWS takes as well and by which moto looks whether it is there."""
    arn = str(inputs["logDestination"])
    if inputs["logDestinationType"] == _LOGS:
        return {"LogGroupName": arn.split(":log-group:", 1)[-1].removesuffix(":*")}
    return {"LogDestination": arn}


def _create(aws: Aws, inputs: Props) -> str:
    source = next(name for name in _SOURCES if inputs.get(name))
    given = {
        "DeliverLogsPermissionArn": inputs.get("iamRoleArn"),
        "LogFormat": inputs.get("logFormat"),
        "MaxAggregationInterval": int(inputs["maxAggregationInterval"]),
    }
    answer = aws.client("ec2").create_flow_logs(
        ResourceIds=[inputs[source]],
        ResourceType=_SOURCES[source][0],
        TrafficType=inputs["trafficType"],
        LogDestinationType=inputs["logDestinationType"],
        **_destination(inputs),
        **{name: value for name, value in given.items() if value},
        **tag_specification("vpc-flow-log", inputs.get("tags")),
    )
    # Refusals come in the answer, not as an error.
    for refused in answer.get("Unsuccessful", ()):
        raise LookupError(f"{refused['ResourceId']} got no flow log to {inputs['logDestination']}: {refused['Error']['Message']}")
    return str(answer["FlowLogIds"][0])


def _read(aws: Aws, id_: str, _: Props) -> Props | None:
    live = first(aws.client("ec2").describe_flow_logs(FlowLogIds=[id_])["FlowLogs"])
    if live is None:
        return None
    group = live.get("LogGroupName")
    return {
        **{name: live["ResourceId"] for name, (_, start) in _SOURCES.items() if live["ResourceId"].startswith(start)},
        "trafficType": live["TrafficType"],
        "logDestinationType": live["LogDestinationType"],
        "logDestination": aws.arn("logs", f"log-group:{group}") if group else live["LogDestination"],
        "iamRoleArn": live.get("DeliverLogsPermissionArn"),
        "logFormat": live["LogFormat"],
        "maxAggregationInterval": live["MaxAggregationInterval"],
        "arn": aws.arn("ec2", f"vpc-flow-log/{id_}"),
        "tags": as_map(live.get("Tags")),
    }


def _delete(aws: Aws, id_: str, _: Props) -> None:
    aws.client("ec2").delete_flow_logs(FlowLogIds=[id_])


def _rule(inputs: Props) -> Iterator[Refusal]:
    yield from exactly_one(*_SOURCES)(inputs)
    # EC2 API reference, CreateFlowLogs: the permission is required for CloudWatch Logs and not taken for S3.
    to_logs = inputs["logDestinationType"] == _LOGS
    if to_logs and not inputs.get("iamRoleArn"):
        yield Refusal("iamRoleArn", "it is required for CloudWatch Logs: the role that may write to the log group")
    if not to_logs and inputs.get("iamRoleArn"):
        yield Refusal("iamRoleArn", "it is for CloudWatch Logs only; S3 is permitted by the bucket's policy")
    if to_logs and inputs.get("destinationOptions"):
        yield Refusal("destinationOptions", "they are for S3 only")


FLOW_LOG = Kind(
    type="aws:ec2/flowLog:FlowLog",
    client="ec2",
    inputs={
        "vpcId": an_id("vpc", replaces=True),
        "subnetId": an_id("subnet", replaces=True),
        "eniId": an_id("eni", replaces=True),
        "trafficType": text(required=True, replaces=True, shape="CreateFlowLogs.TrafficType"),
        "logDestinationType": text(replaces=True, one_of=(_LOGS, "s3")),
        # The AWS provider too takes a log group's ARN without the ":*" that some calls put behind it.
        "logDestination": text(required=True, replaces=True, pattern=r"arn:aws[a-z-]*:(logs:[^:]+:\d{12}:log-group:[^:*]+|s3:::[^:*]+)"),
        "iamRoleArn": text(replaces=True, pattern=r"arn:aws[a-z-]*:iam::\d{12}:role/.+"),
        "logFormat": text(replaces=True, pattern=r"\$\{[a-z0-9-]+\}( \$\{[a-z0-9-]+\})*"),
        "maxAggregationInterval": number(replaces=True, one_of=(60, 600)),
        "destinationOptions": block(
            {"fileFormat": text(one_of=("plain-text", "parquet")), "hiveCompatiblePartitions": flag(), "perHourPartition": flag()},
            replaces=True,
        ),
    },
    defaults={"logDestinationType": _LOGS, "maxAggregationInterval": 600},
    outputs=("arn",),
    tagged=True,
    rule=_rule,
    create=_create,
    read=_read,
    update=only_tags,
    delete=_delete,
)
