"""Application Load Balancers."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import Field, block, flag, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._lb_common import Attributes, as_asked, live_tags, retag, shown, written

# Elastic Load Balancing API reference, LoadBalancerAttribute, with the defaults for an Application Load Balancer.
_ATTRIBUTES: Attributes = {
    "clientKeepAlive": ("client_keep_alive.seconds", 3600),
    "desyncMitigationMode": ("routing.http.desync_mitigation_mode", "defensive"),
    "dropInvalidHeaderFields": ("routing.http.drop_invalid_header_fields.enabled", False),
    "enableDeletionProtection": ("deletion_protection.enabled", False),
    "enableHttp2": ("routing.http2.enabled", True),
    "enableTlsVersionAndCipherSuiteHeaders": ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", False),
    "enableWafFailOpen": ("waf.fail_open.enabled", False),
    "enableXffClientPort": ("routing.http.xff_client_port.enabled", False),
    "enableZonalShift": ("zonal_shift.config.enabled", False),
    "idleTimeout": ("idle_timeout.timeout_seconds", 60),
    "preserveHostHeader": ("routing.http.preserve_host_header.enabled", False),
    "xffHeaderProcessingMode": ("routing.http.xff_header_processing.mode", "append"),
}
_LOGS = {"accessLogs": "access_logs.s3", "connectionLogs": "connection_logs.s3"}

# "Enable access logs for your Application Load Balancer": who writes the files, and the one encryption that it can write with.
_WRITER = "logdelivery.elasticloadbalancing.amazonaws.com"
_SSE = "AES256"


def _log_attributes(prefix: str) -> Attributes:
    return {"enabled": (f"{prefix}.enabled", False), "bucket": (f"{prefix}.bucket", ""), "prefix": (f"{prefix}.prefix", "")}


def _attributes(inputs: Props) -> list[Props]:
    # A prefix that was dropped is cleared; the bucket of logs that were dropped stays, as with the AWS provider.
    given = {name: {"prefix": "", **inputs[name]} if inputs.get(name) else {} for name in _LOGS}
    logs = [each for name, prefix in _LOGS.items() for each in written(_log_attributes(prefix), given[name])]
    return [*written(_ATTRIBUTES, inputs), *logs]


def _create(aws: Aws, inputs: Props) -> str:
    elb, name = aws.client("elbv2"), inputs["name"]
    if any(each["LoadBalancerName"] == name for page in elb.get_paginator("describe_load_balancers").paginate() for each in page["LoadBalancers"]):
        raise FileExistsError(f"load balancer {name} exists already; choose another name, or delete that one")
    _check_network(aws, inputs)
    _check_logs(aws, inputs)
    wanted: dict[str, Any] = {"Scheme": "internal" if inputs.get("internal") else "internet-facing", "Type": inputs["loadBalancerType"]}
    wanted |= {"Tags": _tags.as_list(inputs["tags"])} if inputs.get("tags") else {}
    wanted |= {"IpAddressType": inputs["ipAddressType"]} if inputs.get("ipAddressType") else {}
    arn = str(
        elb.create_load_balancer(Name=name, Subnets=inputs["subnets"], SecurityGroups=inputs["securityGroups"], **wanted)["LoadBalancers"][0]["LoadBalancerArn"]
    )
    with made(arn):
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=_attributes(inputs))
    return arn


def _check_network(aws: Aws, inputs: Props) -> None:
    """What AWS checks and moto does not: one subnet in each of at least two zones, and security groups of their VPC."""
    ec2, name = aws.client("ec2"), inputs["name"]
    subnets = ec2.describe_subnets(SubnetIds=inputs["subnets"])["Subnets"]
    zones = [subnet["AvailabilityZone"] for subnet in subnets]
    if len(set(zones)) < 2 or len(set(zones)) < len(zones):
        raise LookupError(f"load balancer {name} has subnets in {', '.join(sorted(zones))}; it takes one in each of at least two Availability Zones")
    vpcs = {subnet["VpcId"] for subnet in subnets}
    groups = ec2.describe_security_groups(GroupIds=inputs["securityGroups"])["SecurityGroups"]
    if foreign := sorted(group["GroupId"] for group in groups if {group["VpcId"]} != vpcs):
        raise LookupError(f"load balancer {name} is in {', '.join(sorted(vpcs))}, and its security group {', '.join(foreign)} is not")


def _check_logs(aws: Aws, inputs: Props) -> None:
    """What AWS tries when logs are switched on, and moto does not: whether Elastic Load Balancing can write to the bucket."""
    for name in _LOGS:
        logs = inputs.get(name) or {}
        if not logs.get("enabled"):
            continue
        s3, bucket = aws.client("s3"), logs["bucket"]
        rules = _unless_missing(lambda s3=s3, bucket=bucket: s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"], [])
        for rule in rules:
            algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
            if algorithm != _SSE:
                raise LookupError(f"{name} go to bucket {bucket}, which is encrypted with {algorithm}; Elastic Load Balancing writes with {_SSE} (SSE-S3) only")
        policy = _unless_missing(lambda s3=s3, bucket=bucket: s3.get_bucket_policy(Bucket=bucket)["Policy"], "{}")
        if not any(_lets_write(statement) for statement in json.loads(policy).get("Statement", [])):
            raise LookupError(f"{name} go to bucket {bucket}, whose policy does not let {_WRITER} s3:PutObject; add a statement that does")


def _unless_missing(read: Any, otherwise: Any) -> Any:
    try:
        return read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket" or not is_missing(error):
            raise
        return otherwise


def _lets_write(statement: Props) -> bool:
    principal, actions = statement.get("Principal"), statement.get("Action")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return statement["Effect"] == "Allow" and _WRITER in _listed(services) and not {"s3:PutObject", "s3:Put*", "s3:*", "*"}.isdisjoint(_listed(actions))


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [str(value)]


def _read(aws: Aws, arn: str, known: Props) -> Props:
    elb = aws.client("elbv2")
    live = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    logs = {name: _read_logs(attributes, prefix, known.get(name)) for name, prefix in _LOGS.items()}
    return {
        **shown(_ATTRIBUTES, attributes),
        **{name: value for name, value in logs.items() if value},
        "name": live["LoadBalancerName"],
        "internal": live["Scheme"] == "internal",
        "ipAddressType": live["IpAddressType"],
        "loadBalancerType": live["Type"],
        "securityGroups": live["SecurityGroups"],
        "subnets": [zone["SubnetId"] for zone in live["AvailabilityZones"]],
        "arn": live["LoadBalancerArn"],
        "arnSuffix": live["LoadBalancerArn"].split(":loadbalancer/")[1],
        "dnsName": live["DNSName"],
        "zoneId": live["CanonicalHostedZoneId"],
        "vpcId": live["VpcId"],
        "tags": live_tags(aws, arn),
    }


def _read_logs(attributes: list[dict[str, str]], prefix: str, known: Props | None) -> Props | None:
    """The bucket stays in the attributes when the logs are switched off; then it is shown to who asks for it."""
    live = shown(_log_attributes(prefix), attributes)
    return as_asked(live, known or {}, {"enabled": False, "prefix": ""}) if live.get("enabled") or known else None


def _update(aws: Aws, arn: str, new: Props, old: Props) -> None:
    elb = aws.client("elbv2")
    if any(new.get(name) != old.get(name) for name in ("subnets", "securityGroups")):
        _check_network(aws, new)
        elb.set_subnets(LoadBalancerArn=arn, Subnets=new["subnets"])
        elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=new["securityGroups"])
    if new.get("ipAddressType") not in (None, old.get("ipAddressType")):
        elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=new["ipAddressType"])
    if any(new.get(name) != old.get(name) for name in _LOGS):
        _check_logs(aws, new)
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=_attributes(new))
    retag(aws, arn, new)


def _delete(aws: Aws, arn: str, _: Props) -> None:
    elb = aws.client("elbv2")
    live = shown(_ATTRIBUTES, elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"])
    if live.get("enableDeletionProtection"):
        message = f"load balancer {arn} cannot be deleted because deletion protection is enabled; switch enableDeletionProtection off first"
        raise ClientError({"Error": {"Code": "OperationNotPermitted", "Message": message}}, "DeleteLoadBalancer")
    elb.delete_load_balancer(LoadBalancerArn=arn)


def _log_block() -> Field:
    return block({"bucket": text(required=True, at_least=3, at_most=63), "enabled": flag(), "prefix": text(rule=_prefix)})


def _prefix(value: str) -> str | None:
    # "Enable access logs for your Application Load Balancer": the prefix is followed by /AWSLogs, which it must not have itself.
    return f'it must neither begin nor end with / nor contain "AWSLogs", not {value}' if "AWSLogs" in value or value != value.strip("/") else None


LOAD_BALANCER = Kind(
    type="aws:lb/loadBalancer:LoadBalancer",
    client="elbv2",
    inputs={
        # API reference, CreateLoadBalancer, Name.
        "name": text(required=True, replaces=True, pattern=r"(?!internal-|-)[A-Za-z0-9-]{1,32}(?<!-)"),
        # Network and Gateway Load Balancers have other inputs and rules.
        "loadBalancerType": text(replaces=True, one_of=("application",)),
        "internal": flag(replaces=True),
        # moto takes these two of the three.
        "ipAddressType": text(one_of=("ipv4", "dualstack")),
        "securityGroups": texts(text(pattern=r"sg-[0-9a-f]+"), required=True, at_least=1),
        "subnets": texts(text(pattern=r"subnet-[0-9a-f]+"), required=True, at_least=2),
        # API reference, LoadBalancerAttribute.
        "idleTimeout": number(at_least=1, at_most=4000),
        "clientKeepAlive": number(at_least=60, at_most=604_800),
        "desyncMitigationMode": text(one_of=("monitor", "defensive", "strictest")),
        "xffHeaderProcessingMode": text(one_of=("append", "preserve", "remove")),
        "dropInvalidHeaderFields": flag(),
        "enableDeletionProtection": flag(),
        "enableHttp2": flag(),
        "enableTlsVersionAndCipherSuiteHeaders": flag(),
        "enableWafFailOpen": flag(),
        "enableXffClientPort": flag(),
        "enableZonalShift": flag(),
        "preserveHostHeader": flag(),
        "accessLogs": _log_block(),
        "connectionLogs": _log_block(),
    },
    outputs=("arn", "arnSuffix", "dnsName", "vpcId", "zoneId"),
    tagged=True,
    defaults={"loadBalancerType": "application"},
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
