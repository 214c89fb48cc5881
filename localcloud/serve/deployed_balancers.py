"""Reads from the cloud the application load balancers in front of services, with their listeners, rules, target groups and web ACLs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from localcloud.aws import Aws, is_missing
from localcloud.serve import firewalls
from localcloud.serve.balancers import Action, Balancer, Condition, Fixed, Forward, Group, Listener, LogBucket, Redirect, Rule

_FORWARDED: Mapping[str, Literal["append", "preserve", "remove"]] = {"append": "append", "preserve": "preserve", "remove": "remove"}

_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


def balancers(aws: Aws, groups: Collection[str], problems: list[str]) -> Iterator[Balancer]:
    """The load balancers that hand requests to one of these target groups (ARNs); what of them cannot be served is added to `problems`."""
    if not groups:
        return
    client = aws.client("elbv2")
    known = {live["TargetGroupArn"]: live for live in client.describe_target_groups(TargetGroupArns=sorted(groups))["TargetGroups"]}
    arns = sorted({arn for live in known.values() for arn in live.get("LoadBalancerArns") or []})
    if not arns:
        return
    for live in client.describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"]:
        if live["Type"] != "application":
            problems.append(f"load balancer {live['LoadBalancerName']} is of the type {live['Type']}, and application load balancers alone are served here")
            continue
        yield _balancer(aws, live, {arn: _group(found) for arn, found in known.items()}, problems)


def _balancer(aws: Aws, live: dict[str, Any], groups: dict[str, Group], problems: list[str]) -> Balancer:
    client, arn, name = aws.client("elbv2"), live["LoadBalancerArn"], live["LoadBalancerName"]
    attributes = {pair["Key"]: pair["Value"] for pair in client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    listeners = [each for page in client.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn) for each in page["Listeners"]]
    bucket = attributes.get("access_logs.s3.bucket", "") if attributes.get("access_logs.s3.enabled") == "true" else ""
    return Balancer(
        arn=arn,
        name=name,
        dns=live["DNSName"],
        listeners=tuple(_listener(aws, name, each, problems) for each in listeners),
        groups=groups,
        firewall=firewalls.before(aws, arn, f"load balancer {name}", problems),
        idle=float(attributes.get("idle_timeout.timeout_seconds") or 60),
        drops_invalid=attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true",
        forwarded=_FORWARDED.get(attributes.get("routing.http.xff_header_processing.mode", ""), "append"),
        log=LogBucket(bucket=bucket, prefix=attributes.get("access_logs.s3.prefix") or "") if bucket else None,
    )


def _group(live: dict[str, Any]) -> Group:
    port = str(live.get("HealthCheckPort") or "traffic-port")
    return Group(
        arn=live["TargetGroupArn"],
        name=live["TargetGroupName"],
        secure=live.get("Protocol") == "HTTPS",
        path=live.get("HealthCheckPath") or "/",
        checked_securely=live.get("HealthCheckProtocol") == "HTTPS",
        port=int(port) if port.isdigit() else None,
        codes=tuple(_codes((live.get("Matcher") or {}).get("HttpCode") or "200")),
        interval=float(live.get("HealthCheckIntervalSeconds") or 30),
        timeout=float(live.get("HealthCheckTimeoutSeconds") or 5),
        healthy=int(live.get("HealthyThresholdCount") or 5),
        unhealthy=int(live.get("UnhealthyThresholdCount") or 2),
    )


def _codes(text: str) -> Iterator[tuple[int, int]]:
    """`200,202` and `200-299` as ranges."""
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        yield int(first), int(last or first)


def _listener(aws: Aws, balancer: str, live: dict[str, Any], problems: list[str]) -> Listener:
    client, where = aws.client("elbv2"), f"load balancer {balancer}, port {live['Port']}"
    rules: list[dict[str, Any]] = client.describe_rules(ListenerArn=live["ListenerArn"])["Rules"]
    own = sorted((rule for rule in rules if not rule["IsDefault"]), key=lambda rule: int(rule["Priority"]))
    last = next((rule for rule in rules if rule["IsDefault"]), {"RuleArn": live["ListenerArn"], "Actions": live["DefaultActions"]})
    made = [_rule(f"{where}, rule {rule['Priority']}", rule, problems) for rule in own]
    certificates = [each["CertificateArn"] for each in live.get("Certificates") or []]
    return Listener(
        arn=live["ListenerArn"],
        port=live["Port"],
        secure=live["Protocol"] == "HTTPS",
        rules=(*made, _rule(f"{where}, default rule", {**last, "Priority": "0", "Conditions": []}, problems)),
        names=tuple(dict.fromkeys(name for arn in certificates for name in _names(aws, arn, where, problems))),
        certificate=certificates[0] if certificates else "",
    )


def _names(aws: Aws, certificate: str, where: str, problems: list[str]) -> list[str]:
    client = aws.client("acm")
    try:
        found = client.describe_certificate(CertificateArn=certificate)["Certificate"]
    except client.exceptions.ClientError as error:
        if not is_missing(error):
            raise
        problems.append(f"{where}: its certificate {certificate} is not there")
        return []
    return [found["DomainName"], *found.get("SubjectAlternativeNames", [])]


def _rule(where: str, live: dict[str, Any], problems: list[str]) -> Rule:
    return Rule(
        arn=live["RuleArn"],
        priority=int(live["Priority"]),
        conditions=tuple(_condition(each, where, problems) for each in live["Conditions"]),
        action=_action(live["Actions"], where, problems),
    )


def _condition(live: dict[str, Any], where: str, problems: list[str]) -> Condition:
    field = live["Field"]
    # A condition is given by its own structure, or, for hosts and paths, by `Values` alone (RuleCondition, ELB API reference).
    config: dict[str, Any] = live.get(_CONFIGS.get(field, "")) or {"Values": live.get("Values") or []}
    if field not in _CONFIGS or config.get("RegexValues"):
        problems.append(f"{where}: a condition on {field} by {'patterns' if field in _CONFIGS else 'this field'} is not served here, and never holds")
        return Condition(field="path-pattern")
    if field == "query-string":
        return Condition(field=field, pairs=tuple((pair.get("Key") or "", pair["Value"]) for pair in config["Values"]))
    return Condition(field=field, values=tuple(config["Values"]), header=config.get("HttpHeaderName") or "")


def _action(live: list[dict[str, Any]], where: str, problems: list[str]) -> Action:
    """What the actions of a rule come to: the last one answers, those before it authenticate."""
    ordered = sorted(live, key=lambda action: action.get("Order") or 1)
    kinds = [action["Type"] for action in ordered]
    action = ordered[-1]
    match kinds:
        case ["fixed-response"]:
            config = action["FixedResponseConfig"]
            return Fixed(
                status=int(config["StatusCode"]), body=config.get("MessageBody") or "", content_type=config.get("ContentType") or "text/plain; charset=utf-8"
            )
        case ["redirect"]:
            config = action["RedirectConfig"]
            given = {name: config[part] for name, part in (("protocol", "Protocol"), ("host", "Host"), ("port", "Port")) if config.get(part)}
            given |= {name: config[part] for name, part in (("path", "Path"), ("query", "Query")) if config.get(part) is not None}
            return Redirect(status=int(config["StatusCode"].removeprefix("HTTP_")), **given)
        case ["forward"]:
            config = action.get("ForwardConfig") or {}
            if (config.get("TargetGroupStickinessConfig") or {}).get("Enabled"):
                problems.append(f"{where}: clients do not stick to a target group here")
            weighted = [(each["TargetGroupArn"], int(each.get("Weight", 1))) for each in config.get("TargetGroups") or []]
            return Forward(groups=tuple(weighted) or ((action["TargetGroupArn"], 1),))
        case _:
            # Never without what a rule asks for first: an action that is not known lets nobody through.
            problems.append(f"{where}: its actions ({', '.join(kinds)}) are not served here, and are answered with 500")
            return Fixed(status=500)
