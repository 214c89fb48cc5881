"""Target groups of Application Load Balancers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, flag, number, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._known import members
from localcloud.resources._lb_common import Attributes, as_asked, live_tags, retag, shown, written

# Elastic Load Balancing API reference, TargetGroupAttribute.
_ATTRIBUTES: Attributes = {
    "deregistrationDelay": ("deregistration_delay.timeout_seconds", 300),
    "loadBalancingAlgorithmType": ("load_balancing.algorithm.type", "round_robin"),
    "loadBalancingAnomalyMitigation": ("load_balancing.algorithm.anomaly_mitigation", "off"),
    "loadBalancingCrossZoneEnabled": ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    "slowStart": ("slow_start.duration_seconds", 0),
}
_STICKINESS: Attributes = {
    "type": ("stickiness.type", "lb_cookie"),
    "enabled": ("stickiness.enabled", False),
}
_COOKIES: dict[str, Attributes] = {
    "lb_cookie": {"cookieDuration": ("stickiness.lb_cookie.duration_seconds", 86_400)},
    "app_cookie": {"cookieDuration": ("stickiness.app_cookie.duration_seconds", 86_400), "cookieName": ("stickiness.app_cookie.cookie_name", "")},
}

# Pulumi's name: (the API's, the AWS provider's default where a health check is given, or None).
_HEALTH: dict[str, tuple[str, Any]] = {
    "enabled": ("HealthCheckEnabled", True),
    "healthyThreshold": ("HealthyThresholdCount", 3),
    "interval": ("HealthCheckIntervalSeconds", 30),
    "path": ("HealthCheckPath", None),
    "port": ("HealthCheckPort", "traffic-port"),
    "protocol": ("HealthCheckProtocol", "HTTP"),
    "timeout": ("HealthCheckTimeoutSeconds", None),
    "unhealthyThreshold": ("UnhealthyThresholdCount", 3),
}
# What Elastic Load Balancing fills in for HTTP and HTTPS; a member that has this value is not shown to a program that did not ask for it.
_FILLED_IN = {**{name: default for name, (_, default) in _HEALTH.items()}, "path": "/", "timeout": 5, "matcher": "200"}

_MOST_DELAY = 3600


def _health(inputs: Props) -> Props:
    check = inputs.get("healthCheck")
    if not check:
        return {}
    values = {theirs: default if check.get(ours) is None else check[ours] for ours, (theirs, default) in _HEALTH.items()}
    codes = "GrpcCode" if inputs.get("protocolVersion") == "GRPC" else "HttpCode"
    matcher = {"Matcher": {codes: check["matcher"]}} if check.get("matcher") else {}
    return {**{name: value for name, value in values.items() if value is not None}, **matcher}


def _attributes(inputs: Props) -> list[Props]:
    stickiness = inputs.get("stickiness") or {}
    # The AWS provider's default, where stickiness is given.
    sticky: Props = {"enabled": True, **stickiness} if stickiness else {}
    cookie = _COOKIES[sticky.get("type", "lb_cookie")] if sticky else {}
    return [*written(_ATTRIBUTES, inputs), *written(_STICKINESS, sticky), *written(cookie, sticky)]


_CREATION = {"name": "Name", "port": "Port", "protocol": "Protocol", "protocolVersion": "ProtocolVersion", "targetType": "TargetType", "vpcId": "VpcId"}


def _create(aws: Aws, inputs: Props) -> str:
    elb = aws.client("elbv2")
    wanted = {theirs: inputs[ours] for ours, theirs in {**_CREATION, "ipAddressType": "IpAddressType"}.items() if inputs.get(ours) is not None}
    tags = {"Tags": _tags.as_list(inputs["tags"])} if inputs.get("tags") else {}
    arn = str(elb.create_target_group(**wanted, **_health(inputs), **tags)["TargetGroups"][0]["TargetGroupArn"])
    with made(arn):
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=_attributes(inputs))
    return arn


def _read(aws: Aws, arn: str, known: Props) -> Props:
    elb = aws.client("elbv2")
    live = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {
        **{ours: live[theirs] for ours, theirs in _CREATION.items() if ours != "name"},
        "name": live["TargetGroupName"],
        "ipAddressType": live["IpAddressType"],
        "healthCheck": _read_health(live, known.get("healthCheck")),
        **shown(_ATTRIBUTES, attributes),
        "stickiness": _read_stickiness(attributes, known.get("stickiness")),
        "arn": live["TargetGroupArn"],
        "arnSuffix": live["TargetGroupArn"].rsplit(":", 1)[1],
        "loadBalancerArns": live["LoadBalancerArns"],
        "tags": live_tags(aws, arn),
    }


def _read_health(live: Props, known: Props | None) -> Props:
    check = {ours: live[theirs] for ours, (theirs, _) in _HEALTH.items() if theirs in live}
    check["matcher"] = live["Matcher"].get("HttpCode") or live["Matcher"].get("GrpcCode")
    return check if known is None else as_asked(check, known, _FILLED_IN)


def _read_stickiness(attributes: list[dict[str, str]], known: Props | None) -> Props | None:
    live = shown(_STICKINESS, attributes)
    if not live["enabled"] and known is None:
        return None
    cookie = shown(_COOKIES[str(live["type"])], attributes)
    return as_asked({**live, **cookie}, {"type": "", **(known or {})}, {"enabled": True, "cookieDuration": 86_400})


def _update(aws: Aws, arn: str, new: Props, _: Props) -> None:
    elb = aws.client("elbv2")
    if check := _health(new):
        elb.modify_target_group(TargetGroupArn=arn, **check)
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=_attributes(new))
    retag(aws, arn, new)


def _delete(aws: Aws, arn: str, _: Props) -> None:
    aws.client("elbv2").delete_target_group(TargetGroupArn=arn)


def _slow_start(seconds: int) -> str | None:
    return f"it must be 0 (off) or 30 to 900 seconds, not {seconds}" if seconds and not 30 <= seconds <= 900 else None


def _port(value: str) -> str | None:
    fits = value == "traffic-port" or (re.fullmatch(r"\d{1,5}", value) and 1 <= int(value) <= 65_535)
    return None if fits else f"it must be traffic-port or a port from 1 to 65535, not {value}"


def _refusals(inputs: Props) -> Iterator[Refusal]:
    check = members(inputs.get("healthCheck"))
    interval, timeout = check.get("interval", 30), check.get("timeout", 5)
    if isinstance(interval, int) and isinstance(timeout, int) and timeout >= interval:
        yield Refusal("healthCheck.timeout", f"it is {timeout} seconds, and must be less than the interval, which is {interval}")
    matcher, grpc = check.get("matcher"), inputs.get("protocolVersion") == "GRPC"
    least, most = (0, 99) if grpc else (200, 499)
    if isinstance(matcher, str) and re.fullmatch(_CODES, matcher) and any(not least <= int(code) <= most for code in re.findall(r"\d+", matcher)):
        yield Refusal("healthCheck.matcher", f"it is {matcher}; an Application Load Balancer takes {'gRPC' if grpc else 'HTTP'} codes from {least} to {most}")
    stickiness = members(inputs.get("stickiness"))
    if stickiness.get("type") == "app_cookie" and not stickiness.get("cookieName"):
        yield Refusal("stickiness.cookieName", "it is required and missing; stickiness of type app_cookie follows the application's own cookie")
    algorithm = inputs.get("loadBalancingAlgorithmType", "round_robin")
    if inputs.get("loadBalancingAnomalyMitigation") == "on" and algorithm != "weighted_random":
        yield Refusal("loadBalancingAnomalyMitigation", f"it needs loadBalancingAlgorithmType weighted_random, and that is {algorithm}")
    if inputs.get("slowStart") and algorithm != "round_robin":
        yield Refusal("slowStart", f"it needs loadBalancingAlgorithmType round_robin, and that is {algorithm}")


_CODES = r"\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*"

TARGET_GROUP = Kind(
    type="aws:lb/targetGroup:TargetGroup",
    client="elbv2",
    # API reference, CreateTargetGroup and TargetGroupAttribute. Protocols and types are those of an Application Load Balancer's containers and instances.
    inputs={
        "name": text(required=True, replaces=True, pattern=r"(?!-)(?!.*--)[A-Za-z0-9-]{1,32}(?<!-)"),
        "port": number(required=True, replaces=True, shape="CreateTargetGroup.Port"),
        "protocol": text(required=True, replaces=True, one_of=("HTTP", "HTTPS")),
        "protocolVersion": text(replaces=True, one_of=("HTTP1", "HTTP2", "GRPC")),
        "targetType": text(replaces=True, one_of=("instance", "ip")),
        "ipAddressType": text(replaces=True, shape="CreateTargetGroup.IpAddressType"),
        "vpcId": text(required=True, replaces=True, pattern=r"vpc-[0-9a-f]+"),
        "healthCheck": block(
            {
                "enabled": flag(),
                "healthyThreshold": number(shape="CreateTargetGroup.HealthyThresholdCount"),
                "interval": number(shape="CreateTargetGroup.HealthCheckIntervalSeconds"),
                "matcher": text(pattern=_CODES),
                "path": text(pattern=r"/[^\s]*", shape="CreateTargetGroup.HealthCheckPath"),
                "port": text(rule=_port),
                "protocol": text(one_of=("HTTP", "HTTPS")),
                "timeout": number(shape="CreateTargetGroup.HealthCheckTimeoutSeconds"),
                "unhealthyThreshold": number(shape="CreateTargetGroup.UnhealthyThresholdCount"),
            }
        ),
        "deregistrationDelay": number(at_least=0, at_most=_MOST_DELAY),
        "loadBalancingAlgorithmType": text(one_of=("round_robin", "least_outstanding_requests", "weighted_random")),
        "loadBalancingAnomalyMitigation": text(one_of=("on", "off")),
        "loadBalancingCrossZoneEnabled": text(one_of=("true", "false", "use_load_balancer_configuration")),
        "slowStart": number(rule=_slow_start),
        "stickiness": block(
            {
                "type": text(required=True, one_of=("lb_cookie", "app_cookie")),
                "enabled": flag(),
                "cookieDuration": number(at_least=1, at_most=604_800),
                # AWSALB, AWSALBAPP and AWSALBTG are the load balancer's own.
                "cookieName": text(pattern=r"(?!AWSALB)\S+"),
            }
        ),
    },
    outputs=("arn", "arnSuffix", "loadBalancerArns"),
    tagged=True,
    defaults={"targetType": "instance"},
    rule=_refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
