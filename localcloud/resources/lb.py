"""Elastic Load Balancing: Application Load Balancers, their listeners and target groups (modules beside this one), and the rules of a listener."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, number, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _lb_actions, _tags
from localcloud.resources._known import entries, members
from localcloud.resources._lb_balancer import LOAD_BALANCER
from localcloud.resources._lb_common import live_tags, retag
from localcloud.resources._lb_listener import LISTENER
from localcloud.resources._lb_target_group import TARGET_GROUP

# Pulumi's name of a condition: (the API's field, the member that holds its values).
_CONDITIONS = {
    "hostHeader": ("host-header", "HostHeaderConfig"),
    "httpHeader": ("http-header", "HttpHeaderConfig"),
    "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
    "pathPattern": ("path-pattern", "PathPatternConfig"),
    "queryStrings": ("query-string", "QueryStringConfig"),
    "sourceIp": ("source-ip", "SourceIpConfig"),
}
# User guide, "Condition types for listener rules": these occur once in a rule; values to compare with, in a condition and in a rule.
_ONCE = {"hostHeader", "httpRequestMethod", "pathPattern", "sourceIp"}
_VALUES, _VALUES_OF_RULE = 3, 5


def _condition(condition: Props) -> Props:
    name = next(name for name in _CONDITIONS if condition.get(name))
    field, member = _CONDITIONS[name]
    given = condition[name]
    if name == "queryStrings":
        config: Props = {"Values": [{theirs: pair[ours] for ours, theirs in (("key", "Key"), ("value", "Value")) if pair.get(ours)} for pair in given]}
    else:
        config = {"Values": given["values"], **({"HttpHeaderName": given["httpHeaderName"]} if name == "httpHeader" else {})}
    return {"Field": field, member: config}


def _read_condition(live: Props) -> Props:
    name, member = next((name, member) for name, (field, member) in _CONDITIONS.items() if field == live["Field"])
    config = live[member]
    if name == "queryStrings":
        return {name: [{ours: pair[theirs] for ours, theirs in (("key", "Key"), ("value", "Value")) if pair.get(theirs)} for pair in config["Values"]]}
    return {name: {"values": config["Values"], **({"httpHeaderName": config["HttpHeaderName"]} if name == "httpHeader" else {})}}


def _create_rule(aws: Aws, inputs: Props) -> str:
    elb, listener = aws.client("elbv2"), inputs["listenerArn"]
    priority = inputs.get("priority")
    if priority is None:
        # The AWS provider's way: behind all rules that there are.
        taken = [int(rule["Priority"]) for rule in elb.describe_rules(ListenerArn=listener)["Rules"] if rule["Priority"] != "default"]
        priority = max(taken, default=0) + 1
    answer = elb.create_rule(
        ListenerArn=listener,
        Priority=priority,
        Conditions=[_condition(condition) for condition in inputs["conditions"]],
        Actions=_lb_actions.to_aws(inputs["actions"]),
        **({"Tags": _tags.as_list(inputs["tags"])} if inputs.get("tags") else {}),
    )
    return str(answer["Rules"][0]["RuleArn"])


def _read_rule(aws: Aws, arn: str, known: Props) -> Props:
    live = aws.client("elbv2").describe_rules(RuleArns=[arn])["Rules"][0]
    return {
        "listenerArn": arn.replace(":listener-rule/", ":listener/").rsplit("/", 1)[0],
        "priority": int(live["Priority"]),
        "conditions": [_read_condition(condition) for condition in live["Conditions"]],
        "actions": _lb_actions.to_pulumi(live["Actions"], known.get("actions")),
        "arn": live["RuleArn"],
        "tags": live_tags(aws, arn),
    }


def _update_rule(aws: Aws, arn: str, new: Props, old: Props) -> None:
    elb = aws.client("elbv2")
    if new.get("priority") not in (None, old.get("priority")):
        elb.set_rule_priorities(RulePriorities=[{"RuleArn": arn, "Priority": new["priority"]}])
    elb.modify_rule(RuleArn=arn, Conditions=[_condition(each) for each in new["conditions"]], Actions=_lb_actions.to_aws(new["actions"]))
    retag(aws, arn, new)


def _delete_rule(aws: Aws, arn: str, _: Props) -> None:
    aws.client("elbv2").delete_rule(RuleArn=arn)


def _rule_refusals(inputs: Props) -> Iterator[Refusal]:
    seen: set[str] = set()
    total = 0
    for position, condition in enumerate(entries(inputs["conditions"])):
        path, given = f"conditions[{position}]", [name for name in _CONDITIONS if condition.get(name)]
        if len(given) != 1:
            yield Refusal(path, f"a condition is exactly one of {', '.join(_CONDITIONS)}, and this one has {', '.join(given) or 'none'}")
            continue
        name = given[0]
        if name in _ONCE & seen:
            yield Refusal(f"{path}.{name}", "a rule takes one condition of this type; put the values into one")
        seen.add(name)
        count = len(entries(condition[name]) if name == "queryStrings" else members(condition[name]).get("values", ()))
        total += count
        if count > _VALUES:
            yield Refusal(f"{path}.{name}", f"it has {count} values; a condition takes at most {_VALUES}")
    if total > _VALUES_OF_RULE:
        yield Refusal("conditions", f"they have {total} values together; a rule takes at most {_VALUES_OF_RULE}")
    yield from _lb_actions.refusals(inputs["actions"], "actions")


def _network(value: str) -> str | None:
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        return f"it must be a network in CIDR form, not {value}: {error}"
    return None if "/" in value else f"it must be a network in CIDR form, not the address {value}"


_VALUE = text(at_least=1, at_most=128)

LISTENER_RULE = Kind(
    type="aws:lb/listenerRule:ListenerRule",
    client="elbv2",
    inputs={
        "listenerArn": text(required=True, replaces=True, pattern=r"arn:aws[a-z-]*:elasticloadbalancing:.+:listener/app/.+"),
        "priority": number(shape="CreateRule.Priority"),
        "actions": _lb_actions.actions_field(),
        # API reference, RuleCondition.
        "conditions": blocks(
            {
                "hostHeader": block({"values": texts(_VALUE, required=True, at_least=1)}),
                "httpHeader": block(
                    {
                        "httpHeaderName": text(required=True, at_least=1, at_most=40, pattern=r"(?i:(?!host$).*)"),
                        "values": texts(_VALUE, required=True, at_least=1),
                    }
                ),
                "httpRequestMethod": block(
                    {"values": texts(text(pattern="[A-Z_-]{1,40}"), required=True, at_least=1)},
                ),
                "pathPattern": block({"values": texts(_VALUE, required=True, at_least=1)}),
                "queryStrings": blocks({"key": text(at_most=128), "value": text(required=True, at_least=1, at_most=128)}, unordered=True),
                "sourceIp": block({"values": texts(text(rule=_network), required=True, at_least=1)}),
            },
            unordered=True,
            required=True,
            at_least=1,
        ),
    },
    outputs=("arn",),
    tagged=True,
    rule=_rule_refusals,
    create=_create_rule,
    read=_read_rule,
    update=_update_rule,
    delete=_delete_rule,
)

KINDS = (LOAD_BALANCER, TARGET_GROUP, LISTENER, LISTENER_RULE)
