"""Listeners of Application Load Balancers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, flag, number, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _lb_actions, _tags
from localcloud.resources._lb_common import Attributes, live_tags, retag, shown, written

# Elastic Load Balancing user guide, "Security policies for your Application Load Balancer".
_POLICIES = (
    "ELBSecurityPolicy-2016-08",
    "ELBSecurityPolicy-TLS-1-1-2017-01",
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
    *(f"ELBSecurityPolicy-TLS13-1-{part}-2021-06" for part in ("0", "1", "2", "2-Res", "2-Ext1", "2-Ext2", "3")),
    *(f"ELBSecurityPolicy-TLS13-1-{part}-PQ-2025-09" for part in ("0", "2", "2-Res", "2-Ext1", "2-Ext2", "3")),
)

# API reference, ListenerAttribute: headers of the responses. An empty value leaves a header as the target sent it.
_RESPONSE = "routing.http.response"
_ATTRIBUTES: Attributes = {
    "routingHttpResponseServerEnabled": (f"{_RESPONSE}.server.enabled", True),
    "routingHttpResponseStrictTransportSecurityHeaderValue": (f"{_RESPONSE}.strict_transport_security.header_value", ""),
    "routingHttpResponseContentSecurityPolicyHeaderValue": (f"{_RESPONSE}.content_security_policy.header_value", ""),
    "routingHttpResponseXContentTypeOptionsHeaderValue": (f"{_RESPONSE}.x_content_type_options.header_value", ""),
    "routingHttpResponseXFrameOptionsHeaderValue": (f"{_RESPONSE}.x_frame_options.header_value", ""),
}


def _wanted(inputs: Props) -> Props:
    https = {"SslPolicy": inputs.get("sslPolicy", _POLICIES[0]), "Certificates": [{"CertificateArn": inputs.get("certificateArn")}]}
    return {
        "Port": inputs["port"],
        "Protocol": inputs["protocol"],
        "DefaultActions": _lb_actions.to_aws(inputs["defaultActions"]),
        **(https if inputs["protocol"] == "HTTPS" else {}),
    }


def _create(aws: Aws, inputs: Props) -> str:
    elb, balancer = aws.client("elbv2"), inputs["loadBalancerArn"]
    _check_port(elb, balancer, inputs["port"])
    _check_certificate(aws, inputs)
    tags = {"Tags": _tags.as_list(inputs["tags"])} if inputs.get("tags") else {}
    arn = str(elb.create_listener(LoadBalancerArn=balancer, **_wanted(inputs), **tags)["Listeners"][0]["ListenerArn"])
    with made(arn):
        elb.modify_listener_attributes(ListenerArn=arn, Attributes=written(_ATTRIBUTES, inputs))
    return arn


def _check_port(elb: Any, balancer: str, port: int) -> None:
    """AWS has one listener to a port (DuplicateListener); moto does not look."""
    if any(each["Port"] == port for each in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]):
        raise FileExistsError(f"load balancer {balancer} has a listener on port {port} already; choose another port, or delete that one")


def _check_certificate(aws: Aws, inputs: Props) -> None:
    """AWS takes a certificate only once it is issued (UnsupportedCertificate); moto takes one at any time."""
    arn = inputs.get("certificateArn")
    if not arn or ":acm:" not in arn:
        return
    status = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
    if status != "ISSUED":
        raise LookupError(f"certificate {arn} is {status}, and a listener takes it when it is ISSUED; depend on its CertificateValidation")


def _read(aws: Aws, arn: str, known: Props) -> Props:
    elb = aws.client("elbv2")
    live = elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    https = live["Protocol"] == "HTTPS"
    attributes = shown(_ATTRIBUTES, elb.describe_listener_attributes(ListenerArn=arn)["Attributes"])
    return {
        "loadBalancerArn": live["LoadBalancerArn"],
        "port": live["Port"],
        "protocol": live["Protocol"],
        "certificateArn": live["Certificates"][0]["CertificateArn"] if https else None,
        "sslPolicy": live["SslPolicy"] if https else None,
        "defaultActions": _lb_actions.to_pulumi(live["DefaultActions"], known.get("defaultActions")),
        **{name: value for name, value in attributes.items() if value != ""},
        "arn": live["ListenerArn"],
        "tags": live_tags(aws, arn),
    }


def _update(aws: Aws, arn: str, new: Props, old: Props) -> None:
    elb = aws.client("elbv2")
    if new["port"] != old.get("port"):
        _check_port(elb, new["loadBalancerArn"], new["port"])
    _check_certificate(aws, new)
    elb.modify_listener(ListenerArn=arn, **_wanted(new))
    dropped = [{"Key": key, "Value": ""} for name, (key, default) in _ATTRIBUTES.items() if default == "" and old.get(name) and not new.get(name)]
    elb.modify_listener_attributes(ListenerArn=arn, Attributes=[*written(_ATTRIBUTES, new), *dropped])
    retag(aws, arn, new)


def _delete(aws: Aws, arn: str, _: Props) -> None:
    aws.client("elbv2").delete_listener(ListenerArn=arn)


def _refusals(inputs: Props) -> Iterator[Refusal]:
    protocol = inputs["protocol"]
    if protocol == "HTTPS" and not inputs.get("certificateArn"):
        yield Refusal("certificateArn", "it is required and missing; an HTTPS listener needs a certificate")
    for name in ("certificateArn", "sslPolicy"):
        if protocol == "HTTP" and inputs.get(name):
            yield Refusal(name, "a listener for HTTP does not take it; set protocol to HTTPS")
    yield from _lb_actions.refusals(inputs["defaultActions"], "defaultActions", protocol)


LISTENER = Kind(
    type="aws:lb/listener:Listener",
    client="elbv2",
    inputs={
        "loadBalancerArn": text(required=True, replaces=True, pattern=r"arn:aws[a-z-]*:elasticloadbalancing:.+:loadbalancer/app/.+"),
        "port": number(required=True, shape="CreateListener.Port"),
        "protocol": text(one_of=("HTTP", "HTTPS")),
        "certificateArn": text(pattern=r"arn:aws[a-z-]*:(acm|iam):.+"),
        "sslPolicy": text(one_of=_POLICIES),
        "defaultActions": _lb_actions.actions_field(),
        **{name: flag() if isinstance(default, bool) else text(at_most=1024) for name, (_, default) in _ATTRIBUTES.items()},
        "routingHttpResponseXContentTypeOptionsHeaderValue": text(one_of=("nosniff",)),
        "routingHttpResponseXFrameOptionsHeaderValue": text(pattern="DENY|SAMEORIGIN|ALLOW-FROM .+"),
    },
    outputs=("arn",),
    tagged=True,
    # The AWS provider's default for an Application Load Balancer.
    defaults={"protocol": "HTTP"},
    rule=_refusals,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
