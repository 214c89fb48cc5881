"""The load balancer, as Elastic Load Balancing has it."""

from __future__ import annotations

import json
from typing import Any

from payments.container.command import KEPT_SECONDS
from projects.app.routes import ROUTES
from projects.app.web import IDLE_SECONDS
from tests.projects.app.upstream import outputs
from tests.projects.harness import Cloud


def balancer(cloud: Cloud) -> dict[str, Any]:
    [found] = cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return found


def attributes(cloud: Cloud) -> dict[str, str]:
    found = cloud.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=balancer(cloud)["LoadBalancerArn"])["Attributes"]
    return {one["Key"]: one["Value"] for one in found}


def listener(cloud: Cloud) -> dict[str, Any]:
    [found] = cloud.client("elbv2").describe_listeners(LoadBalancerArn=balancer(cloud)["LoadBalancerArn"])["Listeners"]
    return found


def test_it_stands_in_the_public_subnets_with_the_group_of_its_tier(fargate: Cloud) -> None:
    found, network = balancer(fargate), fargate.runs["networking"].outputs
    assert (found["Type"], found["Scheme"]) == ("application", "internet-facing")
    assert {zone["SubnetId"] for zone in found["AvailabilityZones"]} == set(network["publicSubnetIds"])
    assert found["SecurityGroups"] == [network["securityGroupIds"]["load-balancer"]]
    assert (outputs(fargate)["loadBalancerArn"], found["LoadBalancerName"]) == (found["LoadBalancerArn"], "payment-web-prod")
    assert found["LoadBalancerArn"].endswith(f":loadbalancer/{outputs(fargate)['loadBalancerArnSuffix']}")


def test_it_drops_what_two_servers_could_read_in_two_ways_and_logs_who_asked(fargate: Cloud) -> None:
    found = attributes(fargate)
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert found["routing.http.desync_mitigation_mode"] == "strictest"
    assert found["deletion_protection.enabled"] == "false"
    bucket = fargate.runs["data"].outputs["accessLogsBucketName"]
    logs = {key.removeprefix("access_logs.s3."): value for key, value in found.items() if key.startswith("access_logs.")}
    assert logs == {"enabled": "true", "bucket": bucket, "prefix": "load-balancer"}


def test_it_speaks_https_alone_with_tls_1_2_or_newer(fargate: Cloud) -> None:
    found = listener(fargate)
    assert (found["Port"], found["Protocol"], found["SslPolicy"]) == (443, "HTTPS", "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09")
    [policy] = fargate.client("elbv2").describe_ssl_policies(Names=[found["SslPolicy"]])["SslPolicies"]
    assert set(policy["SslProtocols"]) <= {"TLSv1.2", "TLSv1.3"}


def test_a_task_keeps_a_connection_longer_than_the_load_balancer(fargate: Cloud) -> None:
    # Or requests are sent into connections that are about to be closed ("Edit attributes for your Application Load Balancer").
    assert int(attributes(fargate)["idle_timeout.timeout_seconds"]) == IDLE_SECONDS < KEPT_SECONDS


def test_what_no_route_is_for_is_answered_as_a_problem(fargate: Cloud) -> None:
    [action] = listener(fargate)["DefaultActions"]
    answer = action["FixedResponseConfig"]
    assert (action["Type"], answer["StatusCode"], answer["ContentType"]) == ("fixed-response", "404", "application/json")
    assert json.loads(answer["MessageBody"]) == {"type": "urn:payments:problem:no-such-route", "title": "The API has no such route", "status": 404}


def test_the_two_routes_and_nothing_else_go_to_the_tasks(fargate: Cloud) -> None:
    rules = fargate.client("elbv2").describe_rules(ListenerArn=listener(fargate)["ListenerArn"])["Rules"]
    [group] = fargate.client("elbv2").describe_target_groups()["TargetGroups"]
    taken: dict[str, tuple[str, ...]] = {}
    for rule in (rule for rule in rules if not rule["IsDefault"]):
        conditions = {condition["Field"]: condition for condition in rule["Conditions"]}
        assert set(conditions) == {"path-pattern", "http-request-method"}
        [path] = conditions["path-pattern"]["PathPatternConfig"]["Values"]
        taken[path] = tuple(conditions["http-request-method"]["HttpRequestMethodConfig"]["Values"])
        [action] = rule["Actions"]
        assert (action["Type"], action["TargetGroupArn"]) == ("forward", group["TargetGroupArn"])
    assert taken == {f"/{route.path}": ("POST",) for route in ROUTES}


def test_a_task_is_asked_for_its_own_health_and_not_for_the_databases(fargate: Cloud) -> None:
    [group] = fargate.client("elbv2").describe_target_groups()["TargetGroups"]
    assert (group["TargetType"], group["Protocol"], group["Port"], group["VpcId"]) == ("ip", "HTTPS", 8443, fargate.runs["networking"].outputs["vpcId"])
    assert (group["HealthCheckPath"], group["HealthCheckProtocol"], group["HealthCheckPort"]) == ("/health", "HTTPS", "traffic-port")
    assert group["Matcher"]["HttpCode"] == "200"
    assert group["HealthCheckTimeoutSeconds"] < group["HealthCheckIntervalSeconds"]
    assert group["TargetGroupArn"].endswith(f":{outputs(fargate)['targetGroupArnSuffix']}")
    described = fargate.client("elbv2").describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
    assert {one["Key"]: one["Value"] for one in described}["deregistration_delay.timeout_seconds"] == "30"
