"""Examples of Elastic Load Balancing."""

import json
from typing import Any

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.acm import VALIDATION

VPC = Example(type="aws:ec2/vpc:Vpc", inputs={"cidrBlock": "10.0.0.0/16"})


def subnet(number: int, zone: str) -> Example:
    """A subnet of the example's VPC."""
    inputs = {"vpcId": Ref("vpc"), "cidrBlock": f"10.0.{number}.0/24", "availabilityZone": f"us-east-1{zone}"}
    return Example(type="aws:ec2/subnet:Subnet", inputs=inputs)


def group(name: str) -> Example:
    """A security group of the example's VPC."""
    return Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": name, "description": name, "vpcId": Ref("vpc")})


NETWORK = {"vpc": VPC, "one": subnet(1, "a"), "two": subnet(2, "b"), "three": subnet(3, "c"), "group": group("alb"), "other": group("other")}

_LOGS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "LoadBalancer",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::payments-access-logs/*",
        }
    ],
}
BUCKET = Example(type="aws:s3/bucket:Bucket", inputs={"bucket": "payments-access-logs"})
BUCKET_POLICY = Example(type="aws:s3/bucketPolicy:BucketPolicy", inputs={"bucket": Ref("bucket"), "policy": json.dumps(_LOGS)})

LOAD_BALANCER = Example(
    type="aws:lb/loadBalancer:LoadBalancer",
    needs={**NETWORK, "bucket": BUCKET, "bucketPolicy": BUCKET_POLICY},
    inputs={
        "name": "payments-alb",
        "internal": False,
        "securityGroups": [Ref("group")],
        "subnets": [Ref("one"), Ref("two")],
        "idleTimeout": 30,
        "desyncMitigationMode": "strictest",
        "dropInvalidHeaderFields": True,
        "enableHttp2": True,
        "accessLogs": {"bucket": "payments-access-logs", "prefix": "alb", "enabled": True},
        "connectionLogs": {"bucket": "payments-access-logs", "enabled": True},
        "tags": {f"Tag{number}": "x" for number in range(11)},
    },
    updates={
        "securityGroups": [Ref("group"), Ref("other")],
        "subnets": [Ref("one"), Ref("three")],
        "ipAddressType": "dualstack",
        "idleTimeout": 120,
        "clientKeepAlive": 600,
        "desyncMitigationMode": "defensive",
        "dropInvalidHeaderFields": None,
        "enableHttp2": False,
        "enableTlsVersionAndCipherSuiteHeaders": True,
        "enableWafFailOpen": True,
        "enableXffClientPort": True,
        "enableZonalShift": True,
        "preserveHostHeader": True,
        "xffHeaderProcessingMode": "remove",
        "accessLogs": {"bucket": "payments-access-logs", "enabled": False},
        "connectionLogs": None,
        "tags": {f"Tag{number}": "y" for number in range(1, 13)},
    },
    replaces={"name": "other", "internal": True, "loadBalancerType": "network"},
    bad={
        "name": ("internal-alb", "-alb", "alb-", "x" * 33, "no spaces"),
        "loadBalancerType": "gateway",
        "subnets": (["subnet-1"], None),
        "securityGroups": ([], ["group"]),
        "idleTimeout": (0, 4001),
        "clientKeepAlive": 59,
        "desyncMitigationMode": "strict",
        "accessLogs": ({"enabled": True}, {"bucket": "payments-access-logs", "prefix": "/alb"}, {"bucket": "payments-access-logs", "prefix": "AWSLogs"}),
        "xffHeaderProcessingMode": "drop",
        "enableHttp3": True,
    },
    drift=lambda aws, arn: aws.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "false"}]
    ),
    drifts="dropInvalidHeaderFields",
)

INTERNAL = Example(
    type=LOAD_BALANCER.type,
    label="internal, as little as there can be",
    needs=NETWORK,
    inputs={"name": "inside", "internal": True, "securityGroups": [Ref("group")], "subnets": [Ref("one"), Ref("two")]},
)

HEALTH = {
    "enabled": True,
    "path": "/ready",
    "port": "traffic-port",
    "protocol": "HTTP",
    "interval": 15,
    "timeout": 5,
    "healthyThreshold": 2,
    "unhealthyThreshold": 3,
    "matcher": "200",
}

TARGET_GROUP = Example(
    type="aws:lb/targetGroup:TargetGroup",
    needs={"vpc": VPC},
    inputs={
        "name": "payments-web",
        "targetType": "ip",
        "port": 8080,
        "protocol": "HTTP",
        "vpcId": Ref("vpc"),
        "deregistrationDelay": 30,
        "healthCheck": HEALTH,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "deregistrationDelay": 0,
        "healthCheck": {"path": "/", "interval": 30, "matcher": "200-299,301", "healthyThreshold": 10},
        "loadBalancingAlgorithmType": "weighted_random",
        "loadBalancingAnomalyMitigation": "on",
        "loadBalancingCrossZoneEnabled": "true",
        "stickiness": {"type": "app_cookie", "cookieName": "session", "cookieDuration": 600},
        "tags": {"Environment": "prod"},
    },
    replaces={
        "name": "other",
        "targetType": "instance",
        "port": 80,
        "protocol": "HTTPS",
        "protocolVersion": "HTTP2",
        "vpcId": "vpc-1",
        "ipAddressType": "ipv6",
    },
    bad={
        "name": ("-web", "web--app", "x" * 33, "web_app"),
        "targetType": "lambda",
        "port": (0, 65_536),
        "protocol": ("TCP", None),
        "deregistrationDelay": (-1, 3601),
        "healthCheck": (
            {**HEALTH, "path": "ready"},
            {**HEALTH, "interval": 4},
            {**HEALTH, "timeout": 15},
            {**HEALTH, "timeout": 1},
            {**HEALTH, "healthyThreshold": 1},
            {**HEALTH, "unhealthyThreshold": 11},
            {**HEALTH, "matcher": "ok"},
            {**HEALTH, "matcher": "200-599"},
            {**HEALTH, "port": "70000"},
            {**HEALTH, "grace": 1},
        ),
        "slowStart": (10, 901),
        "stickiness": ({"type": "cookie"}, {"type": "app_cookie"}, {"type": "app_cookie", "cookieName": "AWSALB"}),
        "loadBalancingAnomalyMitigation": "on",
        "targets": [],
    },
    drift=lambda aws, arn: aws.client("elbv2").modify_target_group(TargetGroupArn=arn, HealthCheckPath="/by-hand"),
    drifts="healthCheck",
)

GRPC = Example(
    type=TARGET_GROUP.type,
    label="gRPC, as little as there can be",
    needs={"vpc": VPC},
    inputs={"name": "grpc", "port": 50_051, "protocol": "HTTP", "protocolVersion": "GRPC", "vpcId": Ref("vpc"), "slowStart": 30},
    updates={"stickiness": {"type": "lb_cookie"}, "slowStart": None},
    bad={"healthCheck": {"matcher": "200"}},
)

ANSWER = {"type": "fixed-response", "fixedResponse": {"contentType": "application/json", "messageBody": "{}", "statusCode": "404"}}
FORWARD = {"type": "forward", "targetGroupArn": Ref("target", "arn")}
ELSEWHERE = {"type": "forward", "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:345678901234:targetgroup/other/1"}
# What the listeners need: a load balancer and two target groups.
BALANCED = {
    **NETWORK,
    "balancer": INTERNAL,
    "target": TARGET_GROUP,
    "second": Example(type=TARGET_GROUP.type, inputs={"name": "second", "targetType": "ip", "port": 8081, "protocol": "HTTP", "vpcId": Ref("vpc")}),
}


def _redirect(**about: str) -> list[dict[str, Any]]:
    return [{"type": "redirect", "redirect": {"statusCode": "HTTP_301", **about}}]


HTTPS = Example(
    type="aws:lb/listener:Listener",
    label="HTTPS",
    needs={**BALANCED, "validation": VALIDATION},
    inputs={
        "loadBalancerArn": Ref("balancer", "arn"),
        "port": 443,
        "protocol": "HTTPS",
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "certificateArn": Ref("certificate", "arn"),
        "defaultActions": [FORWARD],
        "routingHttpResponseServerEnabled": False,
        "routingHttpResponseStrictTransportSecurityHeaderValue": "max-age=31536000; includeSubDomains",
        "tags": {"Environment": "dev"},
    },
    updates={
        "port": 8443,
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "defaultActions": [
            {
                "type": "forward",
                "order": 1,
                "forward": {
                    "targetGroups": [{"arn": Ref("target", "arn"), "weight": 90}, {"arn": Ref("second", "arn")}],
                    "stickiness": {"duration": 60, "enabled": True},
                },
            }
        ],
        "routingHttpResponseServerEnabled": None,
        "routingHttpResponseStrictTransportSecurityHeaderValue": None,
        "routingHttpResponseXContentTypeOptionsHeaderValue": "nosniff",
        "tags": {"Environment": "prod"},
    },
    replaces={"loadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:345678901234:loadbalancer/app/other/1"},
    bad={
        "port": (0, 65_536),
        "protocol": "TLS",
        "certificateArn": (None, "certificate"),
        "sslPolicy": "ELBSecurityPolicy-TLS12",
        "defaultActions": (
            [],
            [{"type": "forward"}],
            [{**ELSEWHERE, "redirect": {"statusCode": "HTTP_301", "port": "80"}}],
            [{"type": "authenticate-oidc"}],
            [ANSWER, ELSEWHERE],
            [{"type": "forward", "forward": {"targetGroups": []}}],
            _redirect(protocol="HTTP"),
        ),
        "routingHttpResponseXFrameOptionsHeaderValue": "NEVER",
        "listenerPort": 443,
    },
    drift=lambda aws, arn: aws.client("elbv2").modify_listener(ListenerArn=arn, SslPolicy="ELBSecurityPolicy-2016-08"),
    drifts="sslPolicy",
)

HTTP = Example(
    type=HTTPS.type,
    label="HTTP",
    needs=BALANCED,
    inputs={"loadBalancerArn": Ref("balancer", "arn"), "port": 80, "protocol": "HTTP", "defaultActions": _redirect(protocol="HTTPS", port="443")},
    updates={"defaultActions": [ANSWER]},
    bad={
        "certificateArn": "arn:aws:acm:us-east-1:345678901234:certificate/1",
        "sslPolicy": "ELBSecurityPolicy-2016-08",
        "defaultActions": (
            _redirect(),
            _redirect(host="#{host}", query="a=b"),
            _redirect(statusCode="HTTP_307", port="443"),
            [{"type": "fixed-response", "fixedResponse": {"contentType": "text/xml", "statusCode": "404"}}],
            [{"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "301"}}],
            [{"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "404", "messageBody": "x" * 1025}}],
        ),
    },
)

RULE = Example(
    type="aws:lb/listenerRule:ListenerRule",
    needs={"listener": HTTP},
    inputs={
        "listenerArn": Ref("listener", "arn"),
        "priority": 10,
        "conditions": [{"pathPattern": {"values": ["/v1/*", "/ready"]}}, {"httpHeader": {"httpHeaderName": "X-Api-Key", "values": ["*"]}}],
        "actions": [FORWARD],
        "tags": {"Environment": "dev"},
    },
    updates={
        "priority": 20,
        "conditions": [
            {"hostHeader": {"values": ["pay.example.com"]}},
            {"httpRequestMethod": {"values": ["GET"]}},
            {"queryStrings": [{"key": "version", "value": "2"}, {"value": "beta"}]},
            {"sourceIp": {"values": ["10.0.0.0/8"]}},
        ],
        "actions": [ANSWER],
        "tags": {"Environment": "prod", "Team": "payments"},
    },
    replaces={"listenerArn": "arn:aws:elasticloadbalancing:us-east-1:345678901234:listener/app/other/1/2"},
    bad={
        "priority": (0, 50_001),
        "conditions": (
            [],
            [{}],
            [{"pathPattern": {"values": ["/a"]}, "hostHeader": {"values": ["a.example.com"]}}],
            [{"pathPattern": {"values": ["/a"]}}, {"pathPattern": {"values": ["/b"]}}],
            [{"pathPattern": {"values": ["/a", "/b", "/c", "/d"]}}],
            [{"pathPattern": {"values": ["/a", "/b", "/c"]}}, {"hostHeader": {"values": ["a.example.com", "b.example.com", "c.example.com"]}}],
            [{"pathPattern": {"values": ["x" * 129]}}],
            [{"httpRequestMethod": {"values": ["get"]}}],
            [{"httpHeader": {"httpHeaderName": "Host", "values": ["x"]}}],
            [{"sourceIp": {"values": ["10.0.0.1"]}}],
            [{"cookie": {"values": ["x"]}}],
        ),
        "actions": [{"type": "forward"}],
    },
    drift=lambda aws, arn: aws.client("elbv2").set_rule_priorities(RulePriorities=[{"RuleArn": arn, "Priority": 7}]),
    drifts="priority",
)

LAST = Example(
    type=RULE.type,
    label="behind all others",
    needs={"listener": HTTP},
    inputs={"listenerArn": Ref("listener", "arn"), "conditions": [{"pathPattern": {"values": ["/*"]}}], "actions": [ANSWER]},
)

EXAMPLES = (LOAD_BALANCER, INTERNAL, TARGET_GROUP, GRPC, HTTPS, HTTP, RULE, LAST)
